# SPDX-License-Identifier: MIT
"""Dead letters from end to end: listed, sent again once and only once, dropped."""
import collections
import json
import os
import pty
import random
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import DAGRUN, Case, ids, wait_for

GRAPH = """
nodes:
  src:  {program: lines, with: {path: in.jsonl, follow: %(follow)s}}
  work: {program: %(program)s, from: src%(options)s}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""
POISON = '["id": %d, no object'  # "set" wants an object, "copy" takes anything


class Letters(Case):
    def graph(self, fixed=False, follow=True):
        return self.dag(GRAPH % {"follow": str(follow).lower(),
                                 "program": "copy" if fixed else "set",
                                 "options": "" if fixed else ", with: {via: work}"})

    def feed(self, lines):
        path = os.path.join(self.dir, "dags/in.jsonl")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    def dlq(self, verb, *args, **more):
        return self.json("dlq", verb, *args, **more)

    def counts(self):
        listed = self.dlq("list", self.name)
        return listed["open"], listed["replayed"], listed["dropped"]

    def sent(self):
        """{dead letter: how often it is in the retry topic}, of committed transactions."""
        lines = self.dagrun("tap", f"{self.name}/retry:work", "--from", "beginning",
                            "--json").out.splitlines()
        return collections.Counter(header["value"] for line in lines
                                   for header in json.loads(line)["headers"]
                                   if header["name"] == "dagrun-replay")

    @staticmethod
    def header(record, name):
        return dict(record["headers"]).get(name)

    def work(self):
        return next(n for n in self.status()["nodes"] if n["node"] == "work")

    def wait_dead(self, count):
        wait_for(lambda: self.work()["dead"] >= count and self.work()["backlog"] == 0,
                 f"{count} dead letters")

    # ------------------------------------------------------------------------------

    def test_after_the_fix_every_letter_is_handled_once(self):
        """R16: poison among good records; the fix; replay with no run alive."""
        count = 10000
        self.feed(line for i in range(1, count + 1)
                  for line in (json.dumps({"id": i}), POISON % i))
        self.dagrun("start", self.graph(), "-d")
        self.wait_dead(count)
        self.wait_lines(count)
        self.dagrun("stop", self.name)
        self.assert_balanced()
        dead = self.dead("work")
        self.assertEqual(ids(record["value"] for record in dead),
                         collections.Counter(range(1, count + 1)))
        self.assertEqual({self.header(r, "dagrun-topic") for r in dead},
                         {self.topic("src:work")})
        listed = self.dlq("list", self.name)
        self.assertEqual([(g["node"], g["open"]) for g in listed["groups"]],
                         [("work", count)])
        reason = listed["groups"][0]["reason"]
        would = self.dlq("replay", f"{self.name}/work", "--reason", reason, "--dry-run")
        self.assertEqual((would["done"], would["dry_run"]), (count, True))
        self.assertEqual(self.sent(), {})

        done = self.dlq("replay", f"{self.name}/work", "--reason", reason)
        self.assertEqual((done["done"], done["taken_by"]), (count, "start"))
        again = self.dlq("replay", f"{self.name}/work")
        self.assertEqual(again["done"], 0)
        self.assertEqual(set(self.sent().values()), {1})
        self.assertEqual(self.counts(), (0, count, 0))

        self.dagrun("start", self.graph(fixed=True), "-d")
        self.wait_lines(2 * count)
        self.dagrun("stop", self.name)
        totals = self.assert_balanced()
        self.assertEqual((totals["work"]["in"], totals["work"]["dead"]), (count, 0))
        self.assertEqual(ids(self.out()), {i: 2 for i in range(1, count + 1)})
        edges = {edge["edge"]: edge for edge in self.show()["edges"]}
        self.assertEqual(edges["retry:work"]["from"], "retry")

    def test_a_run_that_lives_takes_them_and_what_fails_again_is_a_new_letter(self):
        self.feed([POISON % i for i in (1, 2, 3)] + ["\x1b[31mred"])
        self.dagrun("start", self.graph(), "-d")
        self.wait_dead(4)
        first = self.dlq("show", f"{self.name}/work", "--limit", 1)
        letter = first["letters"][0]
        self.assertEqual((letter["value"], letter["state"]), (POISON % 1, "open"))
        self.assertEqual((letter["source"]["offset"], first["next"]), (0, "0:1"))
        second = self.dlq("show", f"{self.name}/work", "--limit", 1, "--from", "0:1")
        self.assertEqual(second["letters"][0]["value"], POISON % 2)

        for done, open_ones in ((1, 4), (4, 4)):
            sent = self.dlq("replay", f"{self.name}/work", *(["--offset", 0] if done == 1
                                                            else []))
            self.assertEqual((sent["done"], sent["taken_by"]), (done, "run"))
            wait_for(lambda n=open_ones: self.counts()[0] == n, f"{open_ones} failed again")
        newest = self.dead("work")[-1]
        self.assertIsNotNone(self.header(newest, "dagrun-replays"))
        self.assertEqual(self.header(newest, "dagrun-topic"), f"{self.name}.work.retry")

        worn = self.dlq("replay", f"{self.name}/work", "--max-replays", 1)
        self.assertEqual((worn["done"], worn["worn_out"]), (0, 4))
        forced = self.dlq("replay", f"{self.name}/work", "--max-replays", 1, "--force")
        self.assertEqual(forced["done"], 4)
        wait_for(lambda: self.counts() == (4, 9, 0), "all four failed once more")
        self.dagrun("dlq", "drop", f"{self.name}/work", "--yes", "--note", "hopeless")
        self.assertEqual(self.counts(), (0, 9, 4))
        self.assertRegex(self.dagrun("dlq", "show", f"{self.name}/work").out,
                         r"\n  replayed 2")
        self.assertEqual(self.dlq("replay", self.name, "--all")["done"], 0)
        shown = self.dagrun("dlq", "show", f"{self.name}/work", "--state", "dropped").out
        self.assertRegex(shown, r"\n  dropped  2.*: hopeless\n")
        self.assertNotIn("\x1b", shown)
        self.assertIn("\\x1b[31mred", shown)

        self.feed([json.dumps({"id": 7})])
        self.wait_lines(1)
        wait_for(lambda: self.work()["retry_backlog"] == 0, "all of them are read")
        self.dagrun("stop", self.name)
        totals = self.assert_balanced()["work"]
        self.assertEqual((totals["in"], totals["dead"]), (5 + 9, 4 + 9))
        self.assertEqual(sum(e["kind"] == "dlq" for e in self.show()["events"]), 4)

    def test_what_a_start_finds_or_gives_up_of_a_replay_is_told_in_records(self):
        """The retry topic has the marker of the replay's transaction, too."""
        self.feed([POISON % 1])
        path = self.graph(follow=False)
        self.dagrun("start", path, code=None)
        for options, kind, text in ((["--fresh"], "drop", "--fresh dropped 1 unread record"),
                                    ([], "resume", "goes on with 1 record that")):
            self.dlq("replay", f"{self.name}/work")
            self.dagrun("start", path, *options, code=None)
            told = [event["text"] for event in self.show()["events"] if event["kind"] == kind]
            self.assertEqual(len(told), 1, told)
            self.assertIn(text, told[0])
            totals = self.assert_balanced()["work"]
            self.assertEqual(totals["dropped"], len(options))

    def in_doubt(self, history, since=0):
        return history.execute("SELECT count(*) FROM letter_marks WHERE state = 1 AND"
                               " at_ms >= ?", (since * 1000,)).fetchone()[0]

    def kill_while_in_doubt(self, history, wait):
        """Kill a replay between its two marks: it is held there by a lock on the history.
        wait(): the moment to do it."""
        since = time.time()  # there may be marks of the one that was killed before
        with subprocess.Popen([DAGRUN, "dlq", "replay", self.name, "--all", "--rate", "200/s"],
                              env=self.env, cwd=self.dir, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as replay:
            while replay.poll() is None:
                history.execute("BEGIN IMMEDIATE")
                if self.in_doubt(history, since) > 0:
                    wait()
                    replay.send_signal(signal.SIGKILL)
                    replay.wait()
                history.execute("ROLLBACK")
                time.sleep(0.01)  # let it have its turn
            # On a busy machine it may have given up waiting for the lock: in doubt as well.
            self.assertIn(replay.returncode, (-signal.SIGKILL, 1))

    def arrived_in_doubt(self, history):
        """The same, once its batch is in the topic with its marker; False: too late."""
        topic = f"{self.name}.work.retry"
        before = self.probe.ends(topic)[0][1]

        def arrive():
            end = time.monotonic() + 1.5
            while time.monotonic() < end and self.probe.ends(topic)[0][1] <= before + 200:
                time.sleep(0.02)

        self.kill_while_in_doubt(history, arrive)
        return self.probe.ends(topic)[0][1] > before + 200

    def test_a_replay_that_is_killed_sends_nothing_twice_and_forgets_nothing(self):
        count = 2500
        self.feed(POISON % i for i in range(count))
        self.dagrun("start", self.graph(follow=False), code=1)
        self.assertEqual(len(self.dead("work")), count)
        history = sqlite3.connect(os.path.join(self.home, "history.db"), timeout=30,
                                  isolation_level=None)
        self.addCleanup(history.close)
        chance = random.Random(7)

        for _ in range(9):
            self.kill_while_in_doubt(history, lambda: time.sleep(chance.uniform(0, 0.1)))
        self.assertTrue(any(self.arrived_in_doubt(history) for _ in range(5)))
        doubts = self.in_doubt(history)
        last = self.dlq("replay", self.name, "--all")
        self.assertEqual((last["settled_sent"], last["settled_not_sent"]), (doubts, 0))
        self.assertEqual(len(self.sent()), count)
        self.assertEqual(set(self.sent().values()), {1})
        self.assertEqual(self.counts(), (0, count, 0))
        self.dagrun("start", self.graph(fixed=True, follow=False))
        totals = self.assert_balanced()["work"]
        self.assertEqual(totals["in"], 2 * count)  # the source begins anew
        self.assertEqual(ids(self.out()), {i: 2 for i in range(count)})

    def drop_asked(self, answer):
        """What a drop says that asks on a terminal, and gets this answer."""
        ours, theirs = pty.openpty()
        try:
            os.write(ours, answer.encode() + b"\n")
            return subprocess.run([DAGRUN, "dlq", "drop", self.name, "--all"], env=self.env,
                                  cwd=self.dir, stdin=theirs, stderr=subprocess.PIPE,
                                  text=True, timeout=60, check=True).stderr
        finally:
            os.close(ours)
            os.close(theirs)

    def test_a_drop_is_asked_about_and_one_that_is_declined_is_no_deed(self):
        self.feed([POISON % 1])
        self.dagrun("start", self.graph(follow=False), code=1)
        self.assertIn("nothing was dropped", self.drop_asked("n"))
        self.assertEqual(self.counts(), (1, 0, 0))
        self.assertNotIn("drop", [d["action"] for d in self.json("audit")["audit"]])
        self.assertIn("Drop 1 dead letter", self.drop_asked("y"))
        self.assertEqual(self.counts(), (0, 0, 1))
        self.assertIn("drop", [d["action"] for d in self.json("audit")["audit"]])

    def test_what_can_not_be_done_is_said(self):
        self.refused("dlq", "list", self.name, code=4)
        self.feed([POISON % 1])
        self.dagrun("start", self.graph(follow=False), code=1)
        self.refused("dlq", code=2, words=["list, show, replay or drop"])
        self.refused("dlq", "eat", self.name, code=2, words=["eat"])
        self.refused("dlq", "replay", self.name, code=2, words=["which letters", "--all"])
        self.refused("dlq", "drop", self.name, "--all", code=2, words=["--yes"])
        self.refused("dlq", "show", self.name, code=2, words=["DAG/NODE"])
        self.refused("dlq", "show", f"{self.name}/wrk", code=4, words=["work"])
        self.refused("dlq", "list", f"{self.name}/wrk", code=4, words=["work"])
        self.refused("dlq", "drop", f"{self.name}/work", "--limit", "1", "--yes", code=2,
                     words=["--limit is no option of drop"])
        self.refused("dlq", "replay", f"{self.name}/src", code=5, words=["is a source"])
        self.refused("dlq", "replay", f"{self.name}/work", "--rate", "fast", code=2)
        self.assertEqual(self.counts(), (1, 0, 0))


if __name__ == "__main__":
    unittest.main()
