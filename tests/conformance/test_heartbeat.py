# SPDX-License-Identifier: MIT
"""The consumer protocol (KIP-848), heartbeat by heartbeat: what no well-behaved client sends.

A case is a transcript of requests and answers, compared with the one of the real Kafka.
"""
import time
import unittest

import conformance
import raw
from conformance import TAG, wait


def setUpModule():
    conformance.set_up()


def tearDownModule():
    conformance.tear_down()


class Heartbeat(conformance.Case):
    def setUp(self):
        self.broker = raw.Connection(conformance.address)
        self.addCleanup(self.broker.close)
        self.prefix = f"{self.id().rsplit('.', 1)[1].replace('_', '-')}-{TAG}-"
        self.group = self.prefix + "g"
        self.ids = {}
        self.lines = []

    def tearDown(self):
        for name in self.ids.values():
            self.broker.delete_topic(self.prefix + name)

    def topic(self, name, partitions):
        """A topic that the coordinator knows: a member of another group gets it."""
        topic = self.broker.create_topic(self.prefix + name, partitions)
        self.ids[topic] = name
        group = self.prefix + name + "-probe"
        first = self.broker.heartbeat(group, "probe", 0, timeout=1000, owned={},
                                      names=[self.prefix + name])
        wait(lambda: first[5] or self.broker.heartbeat(group, "probe", 1)[3] == 2, name)
        self.broker.heartbeat(group, "probe", -1)
        return topic

    def write(self, what, *said):
        self.lines.append(f"{what}: " + " ".join(str(word) for word in said))

    def shown(self, assignment):
        if assignment is None:
            return "-"
        named = {self.ids[topic]: numbers for topic, numbers in assignment.items()}
        return dict(sorted(named.items()))

    def beat(self, what, member, epoch, names=None, group=None, **more):
        if names is not None:
            more["names"] = [self.prefix + name for name in names]
        group = self.group if group is None else group
        answer = self.broker.heartbeat(group, member, epoch, **more)
        error, text, answered, at, interval, assignment = answer
        if answered != member and answered is not None:
            answered = f"{len(answered)} characters"
        self.write(what, error, text, answered, at, interval, self.shown(assignment))
        return assignment

    def join(self, what, member, names, **more):
        return self.beat(what, member, 0, names, timeout=60000, owned={}, **more)

    def describe(self):
        for line in self.broker.describe(self.group):
            self.write("  describe", line)

    def same(self, name):
        self.expect("heartbeat/" + name, "\n".join(self.lines).replace(self.prefix, ""))

    def until(self, member, epoch, what):
        """Heartbeats until the epoch is the next one: a broker may learn of topics late."""
        answer = wait(lambda: [a for a in [self.broker.heartbeat(self.group, member, epoch)]
                               if a[3] != epoch or a[5] is not None], "a new assignment")[0]
        self.write(what, answer[0], answer[3], self.shown(answer[5]))

    def test_members_come_and_go(self):
        t = self.topic("t", 4)
        self.join("a joins", "a", ["t"])
        self.describe()
        self.beat("a", "a", 1)
        self.beat("a owns", "a", 1, owned={t: [0, 1, 2, 3]})
        self.beat("a says all", "a", 1, ["t"], timeout=60000, owned={t: [0, 1, 2, 3]})
        self.join("b joins", "b", ["t"])
        self.describe()
        self.beat("b waits", "b", 2)
        kept = self.beat("a shall give up", "a", 1)
        self.beat("a does not", "a", 1, owned={t: [0, 1, 2, 3]})
        self.beat("a did", "a", 1, owned=kept)
        self.beat("a missed the answer", "a", 1, owned=kept)
        self.beat("a says nothing", "a", 1)
        self.beat("b gets it", "b", 2)
        self.describe()
        self.beat("a is ahead", "a", 9)
        self.beat("nobody", "c", 1)
        self.join("a joins again", "a", ["t"])
        self.beat("a leaves", "a", -1)
        self.beat("a leaves again", "a", -1)
        self.describe()
        self.beat("b", "b", 2)
        self.beat("b leaves", "b", -1)
        self.describe()
        self.join("c joins", "c", ["t"])
        self.same("members")

    def test_invalid_requests(self):
        self.topic("t", 1)
        self.beat("no group", "a", 1)
        self.beat("no group to leave", "a", -1)
        self.describe()
        self.beat("no member", "", 0)
        self.beat("no member, version 0", "", 1, version=0)
        self.beat("blank group", "a", 0, group=" ")
        self.beat("blank instance", "a", 0, instance="")
        self.beat("blank rack", "a", 0, rack=" ")
        self.beat("no timeout", "a", 0)
        self.beat("no owned", "a", 0, timeout=1)
        self.beat("no names", "a", 0, timeout=1, owned={})
        self.beat("no instance", "a", -2)
        self.beat("no epoch", "a", -3)
        self.join("no such assignor", "a", ["t"], assignor="sticky")
        self.join("a gets an id", "", ["t"], version=0)
        self.same("invalid")

    def test_static_members(self):
        self.topic("t", 4)
        self.join("a1 joins", "a1", ["t"], instance="a")
        self.join("a2 joins", "a2", ["t"], instance="a")
        self.beat("a2", "a2", 1, instance="a")
        self.beat("other instance", "a1", 1, instance="b")
        self.beat("a2 leaves", "a2", -1, instance="a")
        self.beat("other instance leaves", "a1", -2, instance="b")
        self.beat("a1 leaves for a while", "a1", -2, instance="a")
        self.describe()
        self.beat("a1 is gone", "a1", 1, instance="a")
        self.join("b joins", "b", ["t"])
        self.join("a2 joins", "a2", ["t"], instance="a")
        self.describe()
        self.beat("a1 is no member", "a1", 1)
        self.beat("a2", "a2", 2, instance="a")
        self.beat("a2 without instance", "a2", 2)
        self.beat("a2 leaves for a while", "a2", -2, instance="a")
        self.join("a2 is back", "a2", ["t"], instance="a")
        self.beat("a2 leaves", "a2", -1, instance="a")
        self.describe()
        self.same("static")

    def test_topics_change(self):
        t = self.topic("t", 4)
        u = self.topic("u", 2)
        self.join("a joins", "a", ["t", "v"])
        self.topic("v", 1)
        self.until("a", 1, "v is made")
        self.broker.grow_topic(self.prefix + "v", 2)
        self.until("a", 2, "v is grown")
        self.broker.delete_topic(self.prefix + "v")
        self.until("a", 3, "v is gone")
        self.beat("a gave it up", "a", 3, owned={t: [0, 1, 2, 3]})
        self.beat("a wants u", "a", 4, ["u"])
        self.describe()
        self.beat("a gave up t", "a", 4, owned={})
        self.describe()
        self.beat("a has u", "a", 5, owned={u: [0, 1]})
        self.join("b joins", "b", ["t"], assignor="range")
        self.describe()
        self.same("topics")

    def test_offsets_need_the_epoch(self):
        self.topic("t", 1)
        topic = self.prefix + "t"
        self.join("a joins", "a", ["t"])
        for member, epoch, version in (("a", 1, 9), ("a", 0, 9), ("a", 2, 9), ("b", 1, 9),
                                       ("", -1, 9), ("a", 1, 8)):
            self.write(f"commit {member} {epoch} {version}",
                       self.broker.commit(self.group, member, epoch, topic, 7, version))
        for member, epoch in (("a", 1), ("a", 0), ("b", 1), (None, -1)):
            self.write(f"fetch {member} {epoch}",
                       self.broker.committed(self.group, member, epoch, topic))
        self.beat("a leaves", "a", -1)
        self.write("commit from outside", self.broker.commit(self.group, "", -1, topic, 8))
        self.write("fetch", self.broker.committed(self.group, None, -1, topic))
        self.same("offsets")

    def test_patterns(self):
        for number, regex in enumerate(("(a", "a)", "(?=a)", "a**", "(a)\\1", "*", "[b-a]",
                                        "a\\", "[a", "a{2,1}", "\\q", "(?P<n", "[[:foo:]]",
                                        "\\pX", "a{1001}")):
            self.beat(f"{number} {regex}", "a", 0, timeout=60000, owned={}, regex=regex)
        self.same("patterns")

    def classic_join(self, what, member, owned, name="range", instance=None):
        """A member of the classic protocol joins; its id."""
        topic = self.prefix + "t"
        said = raw.subscription([topic], {topic: owned} if owned else {})
        error, generation, protocol, leader, given = self.broker.join(
            self.group, member, [(name, said)], instance)
        if error == 79:  # it is told the id to join with
            error, generation, protocol, leader, given = self.broker.join(
                self.group, given, [(name, said)], instance)
        if error == 0:
            self.names[given] = what.split()[0]
        self.write(what, error, generation, protocol, self.names.get(leader, leader))
        return given

    def classic_sync(self, what, member, generation, assignments=None):
        error, data = self.broker.sync(self.group, member, generation, "range", assignments)
        self.write(what, error, raw.assigned(data))

    def described(self):
        head, *members = (str(line) for line in self.broker.describe(self.group))
        for member, name in self.names.items():
            members = [line.replace(member, name) for line in members]
        for line in [head, *sorted(members)]:
            self.write("  describe", line)

    def targets(self):
        """How many partitions each shall have: which member has one more is by chance."""
        head, *members = self.broker.describe(self.group)
        self.write("  describe", head)
        self.write("  targets", sorted(sum(len(p) for _, p in line[-2]) for line in members))

    def mixed(self):
        self.topic("t", 4)
        topic = self.prefix + "t"
        self.names = {}
        a = self.classic_join("a joins", "", [])
        self.classic_sync("a syncs", a, 1, {a: raw.assignment({topic: [0, 1, 2, 3]})})
        return topic, a

    def test_a_group_changes_its_protocol(self):
        topic, a = self.mixed()
        self.join("b joins", "b", ["t"])
        self.described()
        self.write("a", self.broker.classic_heartbeat(self.group, a, 1))
        self.classic_join("a joins again", a, [0, 1, 2, 3])
        self.classic_sync("a shall give up", a, 1)
        self.write("a", self.broker.classic_heartbeat(self.group, a, 1))
        self.classic_join("a gave up", a, [0, 1])
        self.classic_sync("a syncs", a, 2)
        self.write("a", self.broker.classic_heartbeat(self.group, a, 2))
        self.beat("b", "b", 2)
        self.described()
        self.write("a is late", self.broker.classic_heartbeat(self.group, a, 1))
        self.classic_sync("a is late", a, 1)
        self.write("nobody", self.broker.classic_heartbeat(self.group, "c", 2))
        self.write("b is none", self.broker.classic_heartbeat(self.group, "b", 2))
        self.write("a commits", self.broker.commit(self.group, a, 2, topic, 7, 8),
                   self.broker.commit(self.group, a, 1, topic, 7))
        self.classic_join("c has another protocol", "", [], "other")
        c = self.classic_join("c joins", "", [])
        self.write("c", self.broker.classic_heartbeat(self.group, c, 3))
        self.classic_sync("c syncs", c, 3)
        self.targets()
        self.write("c leaves", self.broker.classic_leave(self.group, c))
        self.write("a", self.broker.classic_heartbeat(self.group, a, 2))
        self.beat("b leaves", "b", -1)
        self.described()
        self.write("a", self.broker.classic_heartbeat(self.group, a, 4),
                   self.broker.classic_heartbeat(self.group, a, 2))
        self.classic_join("a joins again", a, [0, 1])
        self.classic_sync("a syncs", a, 5, {a: raw.assignment({topic: [0, 1, 2, 3]})})
        self.write("a", self.broker.classic_heartbeat(self.group, a, 5))
        self.join("b joins", "b", ["t"])
        self.beat("b leaves", "b", -1)
        self.write("a leaves", self.broker.classic_leave(self.group, a))
        self.same("mixed")

    def test_a_static_member_changes_its_protocol(self):
        self.topic("t", 4)
        topic = self.prefix + "t"
        self.names = {}
        a = self.classic_join("a joins", "", [], instance="i")
        error, data = self.broker.sync(self.group, a, 1, "range",
                                       {a: raw.assignment({topic: [0, 1, 2, 3]})}, "i")
        self.write("a syncs", error, raw.assigned(data))
        self.join("b takes over", "b", ["t"], instance="i")
        self.described()
        self.write("a is gone", self.broker.classic_heartbeat(self.group, a, 1, "i"))
        self.beat("b", "b", 1, instance="i")
        self.same("mixed-static")

    def test_what_cannot_change(self):
        topic, a = self.mixed()
        custom = raw.assignment({topic: [0]})[:-4] + b"\0\0\0\1x"
        self.classic_join("a joins again", a, [])
        self.classic_sync("a has an assignor of its own", a, 2, {a: custom})
        self.join("b joins", "b", ["t"])
        self.write("a", self.broker.classic_heartbeat(self.group, a, 2))
        self.same("mixed-custom")

    def test_a_pattern_finds_topics(self):
        self.topic("t-1", 2)
        regex = self.prefix + "t-[0-9]+"
        end = time.monotonic() + conformance.WAIT_SECONDS
        member = dict(epoch=0, owned={}, timeout=60000, regex=regex)
        self.topic("other", 1)
        found = {}
        while len(found) < 2 and time.monotonic() < end:
            answer = self.broker.heartbeat(self.group, "a", **member)
            self.assertEqual((answer[0], answer[1]), (0, None))
            found = answer[5] if answer[5] is not None else found
            member = dict(epoch=answer[3], owned=found)
            if len(found) == 1 and len(self.ids) == 2:
                self.topic("t-22", 1)
            time.sleep(0.1)
        self.assertEqual(self.shown(found), {"t-1": [0, 1], "t-22": [0]})


if __name__ == "__main__":
    unittest.main()
