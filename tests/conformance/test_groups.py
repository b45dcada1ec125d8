# SPDX-License-Identifier: MIT
"""Groups and committed offsets, request by request, in all versions and all states.

A case is a transcript: what was sent and every field of what came back.
"""
import re
import unittest
import uuid

import conformance
from conformance import TAG, wait
from group_client import SUBSCRIPTION, TOPIC, Client
from protocol import Connection

# As text, or in base64 as Kafka's own Uuid writes itself.
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\w-])[\w-]{22}(?![\w-])")
STRANGER = "nobody"
CONCURRENT_TRANSACTIONS = 51


def setUpModule():
    conformance.set_up()
    connection = Connection(conformance.address)
    connection.call("CreateTopics", 7, timeoutMs=10000, Topics=[
        dict(Name=TOPIC, NumPartitions=2, ReplicationFactor=1, Assignments=[], Configs=[])])
    wait(lambda: metadata(connection)["ErrorCode"] == 0, "the topic")
    # Kafka's coordinator may learn of it later: when it does it assigns its partitions.
    group = dict(GroupId=f"probe-{TAG}", MemberId="probe")
    beat = connection.call("ConsumerGroupHeartbeat", 1, **group, MemberEpoch=0,
                           RebalanceTimeoutMs=60000, SubscribedTopicNames=[TOPIC],
                           TopicPartitions=[])
    wait(lambda: (beat["Assignment"] or {}).get("TopicPartitions") or connection.call(
        "ConsumerGroupHeartbeat", 1, **group, MemberEpoch=1)["MemberEpoch"] > 1,
         "the coordinator knows the topic")
    connection.call("ConsumerGroupHeartbeat", 1, **group, MemberEpoch=-1)
    connection.close()


def tearDownModule():
    conformance.tear_down()


def metadata(connection):
    return connection.call("Metadata", 12, Topics=[dict(Name=TOPIC)],
                           AllowAutoTopicCreation=False)["Topics"][0]


class Groups(conformance.Case):
    def setUp(self):
        self.lines, self.ids = [], {}
        self.group = f"{self.id().rpartition('.')[2]}-{TAG}"

    def expect_lines(self):
        self.expect(f"groups/{self.id().rpartition('.')[2].removeprefix('test_')}",
                    "\n".join(self.lines))

    def client(self, name="c", group=None):
        return Client(self, name, self.group if group is None else group)

    def note(self, what, answer):
        self.lines.append(f"{what}\n    {self.steady(answer)}")

    def steady(self, value):
        """Random ids by the order they came in, lists that have no order sorted."""
        if isinstance(value, dict):
            return {k: self.steady(v) for k, v in value.items() if k != "ThrottleTimeMs"}
        if isinstance(value, list):
            return sorted((self.steady(v) for v in value), key=str)
        if isinstance(value, str):
            return UUID.sub(lambda m: self.ids.setdefault(m[0], f"id{len(self.ids)}"), value)
        return value

    # ---- one member

    def test_a_member_alone(self):
        c = self.client()
        c.ask_join_new()
        c.joined()
        c.describe()
        c.list()
        c.commit()
        c.sync(assignments=[(c.member, b"abc")])
        for version in (6, 4, 0):
            c.describe(version)
        c.describe(operations=True)
        c.heartbeat()
        c.heartbeat(generation=0)
        c.heartbeat(member=STRANGER)
        c.heartbeat(instance="i")
        for states, types in ((["Stable"], ["classic"]), (["empty"], []), ([], ["consumer"]),
                              (["nope"], []), ([], ["nope"])):
            c.list(states, types)
        c.list(version=3)
        c.list(version=0)
        c.delete()
        c.try_join("the leader joins again")
        c.sync(assignments=[(c.member, b"x")])
        c.sync(ProtocolName="other")
        c.sync(ProtocolType="other")
        c.sync(ProtocolName=None)
        c.sync(generation=1)
        c.sync(member=STRANGER)
        c.sync(version=3)
        c.leave((STRANGER, None), ("", None), ("", "i"), (STRANGER, "i"), (c.member, None))
        c.describe()
        c.list()
        c.heartbeat()
        c.delete(self.group, self.group)
        c.describe()
        c.describe(version=5)
        c.leave((c.member, None))
        c.leave((c.member, None), version=1)
        c.sync()
        c.heartbeat()
        self.expect_lines()

    def test_commits(self):
        c = self.client()
        c.commit(generation=2)
        c.commit(generation=2, version=8)
        c.fetch()
        c.fetch(None)
        c.delete_offsets()
        c.ask_join_new()
        c.joined()
        c.sync(assignments=[(c.member, b"abc")])
        c.commit()
        c.commit(version=5)
        c.commit(generation=2)
        c.commit(generation=-1)
        c.commit(member=STRANGER)
        c.commit(instance="i")
        c.commit_outside()
        c.commit(topic="no-such-topic")
        c.commit(partition=77)
        c.commit(metadata="x" * 4097)
        c.commit(metadata=None, partition=1)
        for version in (9, 8, 7, 1):
            c.fetch(version=version)
        c.fetch(None)
        c.fetch(None, version=2)
        c.fetch((("no-such-topic", (3,)),))
        c.fetch(member=STRANGER, epoch=3)
        c.fetch(member=c.member, epoch=1)
        c.delete_offsets()
        c.delete_offsets(("no-such-topic", (0,)))
        c.delete_offsets((TOPIC, (88,)))
        c.leave((c.member, None))
        c.commit()
        c.commit(generation=-1, offset=9)
        c.commit_outside(offset=8)
        c.fetch()
        c.delete_offsets()
        c.fetch()
        c.commit_outside()
        c.list()
        c.delete()
        c.fetch(None)
        c.commit_outside()
        c.list()
        c.describe()
        c.delete()
        self.expect_lines()

    def test_offsets_by_topic_id(self):
        c = self.client()
        topic, other = metadata(c.connection)["TopicId"], uuid.UUID(int=77)
        self.ids[str(topic)] = "TOPIC"

        def commit(topic, partition=0, generation=-1):
            answer = c.connection.call("OffsetCommit", 10, GroupId=self.group,
                                       GenerationIdOrMemberEpoch=generation, Topics=[dict(
                                           TopicId=topic, Partitions=[dict(
                                               PartitionIndex=partition, CommittedOffset=4,
                                               CommittedMetadata="q")])])
            c.hear("commit", [t["Partitions"] for t in answer["Topics"]])

        def fetch(topics, stable=True):
            topics = None if topics is None else [
                dict(TopicId=t, PartitionIndexes=[0, 1, 9]) for t in topics]
            answer = c.connection.call("OffsetFetch", 10, RequireStable=stable,
                                       Groups=[dict(GroupId=self.group, Topics=topics)])
            c.hear("fetch", [[(str(t["TopicId"]), t["Partitions"]) for t in g["Topics"]]
                             for g in answer["Groups"]])

        fetch([topic])
        commit(other)
        commit(topic, generation=3)
        commit(topic)
        commit(topic, partition=5)
        for topics in ([topic], [topic, other], [other], None, []):
            fetch(topics)
        c.call("fetch of many groups", "OffsetFetch", 9, Groups=[
            dict(GroupId=g, Topics=[dict(Name=TOPIC, PartitionIndexes=[1, 0])])
            for g in (self.group, "no-such-group", self.group)])
        c.delete()
        self.expect_lines()

    def test_offsets_in_transactions(self):
        c = self.client()
        producer = dict(zip(("ProducerId", "ProducerEpoch"), wait(
            lambda: self.init_producer(c), "a producer id")))
        names = dict(TransactionalId=self.group, **producer)

        def add():
            answer = c.connection.call("AddOffsetsToTxn", 3, GroupId=self.group, **names)
            return answer["ErrorCode"] != CONCURRENT_TRANSACTIONS and answer

        def send(offset, **who):
            c.hear("add", wait(add, "the end of the transaction before"))
            c.call("commit in transaction", "TxnOffsetCommit", 3, GroupId=self.group, **names,
                   **who, Topics=[dict(Name=TOPIC, Partitions=[
                       dict(PartitionIndex=0, CommittedOffset=offset, CommittedMetadata="t")])])

        def end(committed):
            c.call("end", "EndTxn", 3, Committed=committed, **names)
            wait(lambda: not self.is_unstable(c), "the offsets to be settled")
            c.fetch()

        def fetch_stable():
            c.call("fetch stable", "OffsetFetch", 8, RequireStable=True, Groups=[dict(
                GroupId=self.group, Topics=[dict(Name=TOPIC, PartitionIndexes=[0, 1])])])

        send(1)
        c.fetch()
        fetch_stable()
        end(True)
        send(2)
        fetch_stable()
        end(False)
        send(3)
        c.commit_outside(offset=30)  # later than the pending one
        end(True)
        send(4, GenerationId=1)
        send(4, MemberId=STRANGER)
        end(False)
        send(5)
        c.delete_offsets((TOPIC, (0,)))
        fetch_stable()
        end(True)
        c.ask_join_new()
        c.joined()
        send(6)
        send(7, GenerationId=c.generation, MemberId=c.member)
        send(8, GenerationId=c.generation - 1, MemberId=c.member)
        end(True)
        c.leave((c.member, None))
        send(9)
        c.delete()
        fetch_stable()
        end(True)
        c.delete()
        self.expect_lines()

    def init_producer(self, c):
        answer = c.connection.call("InitProducerId", 4, TransactionalId=self.group,
                                   TransactionTimeoutMs=60000, ProducerId=-1, ProducerEpoch=-1)
        return answer["ErrorCode"] == 0 and (answer["ProducerId"], answer["ProducerEpoch"])

    def is_unstable(self, c):
        answer = c.connection.call("OffsetFetch", 8, RequireStable=True, Groups=[dict(
            GroupId=self.group, Topics=[dict(Name=TOPIC, PartitionIndexes=[0])])])
        return answer["Groups"][0]["Topics"][0]["Partitions"][0]["ErrorCode"] != 0

    def test_joins_that_are_refused(self):
        c = self.client()
        c.try_join("an unknown member", member=STRANGER)
        c.try_join("no protocols", protocols=())
        c.try_join("a short session", session_ms=5999)
        c.try_join("a long session", session_ms=1800001)
        c.try_join("no group", group="")
        c.try_join("no protocol type", protocol_type="")
        c.list()
        nobody = self.client("nobody", group="")
        nobody.sync(member=STRANGER, generation=1)
        nobody.heartbeat(member=STRANGER, generation=1)
        nobody.leave((STRANGER, None))
        nobody.describe()
        nobody.delete_offsets()
        nobody.delete("")
        c.try_join("joined", version=3)
        d = self.client("d")
        d.try_join("other protocols", protocols=("other",))
        d.try_join("another type", protocol_type="connect")
        d.try_join("an unknown member", member=STRANGER)
        d.try_join("an unknown member and instance", member=STRANGER, instance="i")
        pending = d.try_join("pending", version=5)["MemberId"]
        d.try_join("pending with an instance", version=5, member=pending, instance="i")
        self.expect_lines()

    # ---- several members

    def test_two_members(self):
        a, b, x = self.client("a"), self.client("b"), self.client("x")
        a.ask_join_new()
        a.joined()
        a.sync(assignments=[(a.member, b"1")])
        b.ask_join_new()
        b.waits()
        x.describe()
        a.heartbeat()
        a.commit()
        a.sync()
        a.try_join("a joins again")
        b.joined()
        x.describe()
        b.ask_sync()
        b.waits()
        a.sync(assignments=[(b.member, b"only b")])
        b.synced()
        x.describe()
        b.try_join("a follower joins with the same")
        b.ask_join(metadata=SUBSCRIPTION + b"z")
        b.waits()
        x.leave((a.member, None))
        b.joined()
        b.sync()
        x.leave((b.member, None))
        x.describe()
        self.expect_lines()

    def test_static_members(self):
        a, b, x = self.client("a"), self.client("b"), self.client("x")
        a.instance, b.instance = "ia", "ib"
        a.try_join("a joins")
        a.sync(assignments=[(a.member, b"1")])
        b.ask_join()
        b.waits()
        a.try_join("a joins again")
        b.joined()
        b.ask_sync()
        a.sync(assignments=[(a.member, b"1"), (b.member, b"2")])
        b.synced()
        x.describe()
        n = self.client("n")
        n.try_join("b restarts", instance="ib")
        n.instance = "ib"
        n.sync()
        n.heartbeat()
        n.commit()
        b.heartbeat()
        b.heartbeat(instance="ia")
        b.commit()
        b.sync()
        b.try_join("its old self joins")
        b.leave((b.member, "ib"))
        x.describe()
        for version in (9, 7):
            n.try_join("the leader restarts", version, member="", instance="ia")
            n.instance = "ia"
            n.sync()
        leader = n.member
        n.try_join("b restarts", 7, member="", instance="ib")
        w = self.client("w")
        w.ask_join(member=leader, instance="ia")
        w.waits()
        n.ask_join(member="", instance="ia")
        n.waits()
        w.joined("w is fenced")
        x.leave(("", "ib"))
        n.joined()
        x.leave(("", "ia"), ("", "ia"))
        x.describe()
        x.delete()
        self.expect_lines()

    def test_the_protocol_is_voted_for(self):
        a, b, c = self.client("a"), self.client("b"), self.client("c")
        a.ask_join_new(protocols=("aa", "bb", "cc"))
        a.joined()
        a.protocol = "aa"
        a.sync()
        b.ask_join_new(protocols=("bb", "cc", "aa"))
        c.ask_join_new(protocols=("bb", "aa"))
        a.try_join("a joins again", protocols=("aa", "bb", "cc"))
        b.joined()
        c.joined()
        self.client("x").try_join("cc is not common", protocols=("cc",))
        c.leave((a.member, None), (b.member, None))
        c.leave((c.member, None), version=1)
        self.expect_lines()

    # ---- time

    def test_sessions_end(self):
        a, b, x = self.client("a"), self.client("b"), self.client("x")
        a.ask_join_new(session_ms=6000)
        a.joined()
        a.sync()
        x.try_join("pending", session_ms=6000)
        b.ask_join(3, session_ms=6000, rebalance_ms=60000)
        b.joined()
        a.heartbeat()
        x.wait_until("Empty")
        b.heartbeat()
        self.expect_lines()

    def test_who_does_not_come_back_in_time_is_out(self):
        a, b, x = self.client("a"), self.client("b"), self.client("x")
        a.ask_join_new(rebalance_ms=3000)
        a.joined()
        a.sync()
        b.ask_join_new(rebalance_ms=4000)
        b.joined()
        a.heartbeat()
        b.heartbeat()
        x.wait_until("Empty")  # it never syncs
        b.heartbeat()
        self.expect_lines()

    # ---- versions and types

    def test_old_versions(self):
        for version in range(2, 9):
            c = self.client(f"v{version}", f"{self.group}-{version}")
            if version < 4:
                c.try_join("join", version)
            else:
                c.ask_join_new(version)
                c.joined()
            c.sync(min(version - 1, 5), assignments=[(c.member, b"z")])
            c.heartbeat(min(version - 2, 4))
            c.commit(version)
            c.fetch(version=version)
            c.describe(min(version, 6))
            c.leave((c.member, None), version=min(version - 1, 5))
            c.delete()
        self.expect_lines()

    def follow(self, c, instance=None):
        """A member of the classic protocol joins until it may stay; what it gets then."""
        for _ in range(5):
            c.try_join("joins again", instance=instance)
            answer = c.connection.call("SyncGroup", 5, GroupId=self.group, MemberId=c.member,
                                       GenerationId=c.generation, GroupInstanceId=c.instance,
                                       ProtocolType="consumer", ProtocolName="range",
                                       Assignments=[])
            answer["Assignment"] = len(answer["Assignment"])
            c.hear("sync", answer)
            if answer["ErrorCode"] == 0 and c.heartbeat()["ErrorCode"] == 0:
                return

    def describe_consumer_group(self, c):
        answer = c.connection.call("ConsumerGroupDescribe", 1, GroupIds=[self.group],
                                   IncludeAuthorizedOperations=False)
        for group in answer["Groups"]:
            for member in group["Members"]:
                for name in ("Assignment", "TargetAssignment"):
                    member[name] = sum(len(t["Partitions"])
                                       for t in member[name]["TopicPartitions"])
        c.hear("describe consumer group", answer)

    def test_a_classic_group_takes_a_member_of_the_consumer_protocol(self):
        a, n = self.client("a"), self.client("n")
        both = (b"\0\1\0\0\0\1" + len(TOPIC).to_bytes(2, "big") + TOPIC.encode() +
                b"\0\0\0\2\0\0\0\0\0\0\0\1\xff\xff\xff\xff")
        a.ask_join_new()
        a.joined()
        a.sync(assignments=[(a.member, both)])
        epoch = n.consumer_heartbeat(0)["MemberEpoch"]
        n.list()
        n.describe()
        self.describe_consumer_group(n)
        a.heartbeat(generation=7)
        a.heartbeat()
        a.commit(version=8)
        a.commit()
        a.commit(generation=0)
        a.fetch(member=a.member, epoch=a.generation)
        a.fetch(member=a.member, epoch=9)
        a.sync()
        self.follow(a)
        epoch = n.consumer_heartbeat(epoch)["MemberEpoch"]
        self.describe_consumer_group(n)
        a.commit()
        a.sync(ProtocolName="other")
        a.sync(member=STRANGER)
        x = self.client("x")
        x.try_join("other protocols", protocols=("other",))
        x.try_join("another type", protocol_type="connect")
        x.try_join("no protocols", protocols=())
        x.try_join("malformed", version=3, metadata=b"?")
        n.consumer_heartbeat(-1)
        n.list()
        n.describe()
        a.heartbeat()
        a.try_join("joins again")
        a.sync()
        n.describe()
        a.leave((a.member, None))
        n.list()
        n.delete()
        self.expect_lines()

    def test_a_consumer_group_takes_members_of_the_classic_protocol(self):
        n, a, b, x = (self.client(name) for name in "nabx")
        epoch = n.consumer_heartbeat(0)["MemberEpoch"]
        a.try_join("no protocols", protocols=())
        a.member = a.try_join("join without id")["MemberId"]
        self.follow(a)
        epoch = n.consumer_heartbeat(epoch)["MemberEpoch"]
        epoch = n.consumer_heartbeat(epoch)["MemberEpoch"]
        self.follow(a)
        n.list()
        self.describe_consumer_group(n)
        b.instance = "ib"
        b.try_join("static", version=5)
        b.heartbeat()
        b.heartbeat(member=STRANGER)
        n.consumer_heartbeat(epoch)
        x.try_join("an unknown instance", member=STRANGER, instance="ix")
        x.try_join("a fenced one", member=STRANGER, instance="ib")
        x.heartbeat(member=STRANGER, generation=1)
        x.heartbeat(member="11111111-1111-1111-1111-111111111111", generation=epoch)
        x.leave((b.member, "ib"), (STRANGER, None))
        n.consumer_heartbeat(-1)
        n.list()
        a.heartbeat()
        a.leave((a.member, None))
        n.list()
        self.expect_lines()

    def test_an_empty_group_changes_its_type(self):
        member = "11111111-1111-1111-1111-111111111111"
        c = self.client()
        c.consumer_heartbeat(3)
        c.ask_join_new()
        c.joined()
        c.sync()
        c.consumer_heartbeat(3)
        c.leave((c.member, None))
        c.list()
        c.consumer_heartbeat(0)
        c.list()
        c.describe()
        c.describe(version=5)
        c.heartbeat()
        c.sync()
        c.commit_outside()
        for version, generation in ((8, 1), (9, 9), (9, 1)):
            c.commit(version, member=member, generation=generation)
        for who, epoch in ((member, 1), (member, 7), (STRANGER, 7)):
            c.fetch(member=who, epoch=epoch)
        c.delete_offsets()
        c.delete()
        c.consumer_heartbeat(-1)
        c.list()
        c.consumer_heartbeat(0)
        c.leave((STRANGER, None), ("", "i"), (member, "i"), (member, None))
        c.list()
        c.commit_outside(offset=3)
        c.try_join("an unknown member", member=STRANGER)
        c.ask_join_new()
        c.joined()
        c.list()
        c.fetch()
        c.leave((c.member, None))
        c.delete()
        self.expect_lines()


if __name__ == "__main__":
    unittest.main()
