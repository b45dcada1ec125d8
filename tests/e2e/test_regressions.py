# SPDX-License-Identifier: MIT
"""What was once wrong, and must not be so again."""
import os
import signal
import unittest

from harness import DAGRUN, Case, ids, lines_of, wait_for

LOAD = """
defaults: {node: {restart: {backoff: 20ms, backoff_max: 200ms}}}
nodes:
  src: {program: %(program)s, with: {count: %(count)d, rate: %(rate)d}}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""

# A group's offsets can't be set before the sessions of the last run's clients have ended.
PIPE = """
kafka: {properties: {session.timeout.ms: 6000}}
nodes:
  src:  {program: producer, args: [5, 2, sum]}
  work: {program: copy, from: src}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""

SHARED = """
nodes:
  src: {program: producer, args: [5, 2, sum]}
  one: {program: file, from: {src: {topic: %(name)s.shared}}, with: {path: one.jsonl}}
  two: {program: file, from: {src: {topic: %(name)s.shared}}, with: {path: two.jsonl}}
"""

ALONE = """
nodes:
  src: {program: producer, args: [5, 2, sum]}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""

# The writer and the reader see a grown topic soon, and the writer uses all of it.
GROWING = """
kafka:
  properties: {topic.metadata.refresh.interval.ms: 200, sticky.partitioning.linger.ms: 0}
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: {src: {partitions: 1}}}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Regressions(Case):
    def load(self, count, rate, program="producer"):
        return self.dag(LOAD % {"count": count, "rate": rate, "program": program})

    def ran_with_three_unread(self):
        """A finished run, and three lines sent to work since."""
        path = self.dag(PIPE)
        self.dagrun("start", path)
        self.dagrun("send", f"{self.name}/work", text="one\ntwo\nthree\n")
        return path

    def producer_that_can_be_held(self):
        """While the file hold is there it only describes itself, and makes nothing."""
        producer = os.path.join(os.path.dirname(DAGRUN), "nodes", "producer")
        path = self.write("dags/held", f"""#!/bin/sh
if [ "$1" != --describe ] && [ -e {self.dir}/hold ]; then
    echo $$ >{self.dir}/held
    exec sleep 600
fi
exec {producer} "$@"
""")
        os.chmod(path, 0o755)

    def test_a_source_that_somebody_ends_is_started_again(self):
        count = 3000
        self.dagrun("start", self.load(count, 500), "-d")
        self.wait_lines(100)
        first = self.pids()["src.0"]
        os.kill(first, signal.SIGTERM)
        wait_for(lambda: self.pids().get("src.0", first) != first, "src started again", 30)
        self.wait_state("succeeded")
        self.assertEqual(sorted(ids(self.out())), list(range(1, count + 1)))
        self.assert_balanced()
        ended = [a for a in self.show()["attempts"] if a["node"] == "src"]
        self.assertEqual(len(ended), 2, ended)

    def test_fresh_is_remembered_without_a_checkpoint(self):
        count = 1500
        self.producer_that_can_be_held()
        path = self.load(count, 300, "./held")
        self.dagrun("start", path, "-d")
        self.wait_lines(100)
        self.dagrun("stop", self.name)
        self.assertEqual(self.show()["state"], "stopped")
        self.assertLess(len(self.out()), count)
        self.write("hold", "")
        fresh = self.spawn("start", path, "--fresh")
        held = wait_for(lambda: lines_of(os.path.join(self.dir, "held")), "src held", 30)
        fresh.kill()
        fresh.wait()
        os.kill(int(held[0]), signal.SIGKILL)  # a sleep does not heed its runner's end
        wait_for(lambda: not self.processes(), "no process left", 10)
        self.assertEqual(self.state(), "interrupted")
        os.remove(os.path.join(self.dir, "hold"))
        before = len(self.out())
        self.dagrun("start", path)
        self.assertEqual(sorted(ids(self.out()[before:])), list(range(1, count + 1)))

    def test_an_abandoned_edge_that_stays_skips_what_is_unread(self):
        path = self.ran_with_three_unread()
        self.dagrun("start", path, "--abandon", "src:work")
        self.assertNotIn("one", self.out())
        self.assertEqual(len(self.out()), 2)  # of each run the one record of src
        self.assertEqual(self.assert_balanced()["work"]["dropped"], 3)
        self.assertEqual(self.probe.unread(self.group("work"), self.topic("src:work")), 0)

    def test_an_abandoned_edge_of_no_dag_is_refused(self):
        path = self.ran_with_three_unread()
        self.refused("start", path, "--abandon", "src:wrok", code=2, words=["src:wrok"])
        self.dagrun("start", path)
        self.assertTrue({"one", "two", "three"} <= set(self.out()))

    def test_two_edges_of_one_topic_can_be_removed(self):
        self.dagrun("start", self.dag(SHARED % {"name": self.name}))
        for name in ("one.jsonl", "two.jsonl"):
            self.assertEqual(len(self.out(name)), 1)
        self.dagrun("start", self.dag(ALONE))
        self.assertEqual(len(self.out()), 1)
        self.assertEqual(self.show()["state"], "succeeded")

    def test_send_into_the_name_of_another_file_is_refused(self):
        first = self.ran_with_three_unread()
        other = self.dag(PIPE, name="elsewhere/dag.yaml")
        at = self.probe.ends(self.topic("src:work"))
        said = self.refused("send", f"{other}/work", text="four\n", code=5).err
        self.assertIn(first, said)
        self.assertEqual(self.probe.ends(self.topic("src:work")), at)
        self.dagrun("send", f"{first}/work", text="four\n")

    def test_partitions_added_during_a_run_are_read_and_counted(self):
        count = 3000
        self.dagrun("start", self.dag(GROWING % {"count": count, "rate": 500}), "-d")
        self.wait_lines(100)
        topic = self.topic("src:work")
        self.probe.call("grow", topic, 3)
        self.wait_state("succeeded")
        ends = self.probe.ends(topic)
        self.assertEqual(len(ends), 3)
        self.assertGreater(ends[1][1] + ends[2][1], 0, "the new ones were never used")
        self.assertEqual(sorted(ids(self.out())), list(range(1, count + 1)))
        totals = self.assert_balanced()
        self.assertEqual(totals["work"]["in"], totals["src"]["out"])
        self.assertEqual(self.probe.unread(self.group("work"), topic), 0)


if __name__ == "__main__":
    unittest.main()
