# SPDX-License-Identifier: MIT
"""A dag that is changed, moved, left alone or meddled with between two runs: nothing is
lost without a word."""
import time
import unittest

from harness import Case, ids, wait_for

DAY_MS = 24 * 3600 * 1000

PIPE = """
nodes:
  src:  {program: producer, args: [5, 2, sum]}
  %(work)s: {program: copy, from: src}
  out:  {program: file, from: %(work)s, with: {path: out.jsonl}}
"""

LOAD = """
nodes:
  src: {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""


class Editing(Case):
    def pipe(self, work="work", name="dags/dag.yaml"):
        return self.dag(PIPE % {"work": work}, name)

    def ran_with_three_unread(self):
        """A finished run, and three lines sent to work since."""
        path = self.pipe()
        self.dagrun("start", path)
        self.assertEqual(len(self.out()), 1)
        self.dagrun("send", f"{self.name}/work", text="one\ntwo\nthree\n")
        return path

    def forget(self, group):
        """As Kafka does after seven days. The members' sessions must have ended."""
        def gone():
            try:
                self.probe.call("forget", group)
            except AssertionError as error:
                if "not empty" not in str(error):
                    raise
                return False
            return True
        wait_for(gone, f"group {group} forgotten", 60)

    def test_a_renamed_node_with_unread_records_is_refused(self):
        self.ran_with_three_unread()
        self.pipe(work="worker")
        said = self.refused("start", "dags/dag.yaml", code=5,
                            words=["src:work", "3", "--abandon", "--fresh"]).err
        self.assertIn("--abandon", said)
        self.pipe()  # the old YAML is a way out: nothing is lost
        self.dagrun("start", "dags/dag.yaml")
        self.assertEqual(set(self.out()[-4:]) & {"one", "two", "three"},
                         {"one", "two", "three"})

    def test_an_abandoned_edge_lets_the_start_go_on(self):
        self.ran_with_three_unread()
        self.pipe(work="worker")
        self.dagrun("start", "dags/dag.yaml", "--abandon", "src:work")
        self.assertEqual(self.show()["state"], "succeeded")
        self.assertNotIn("one", self.out())
        self.dagrun("start", "dags/dag.yaml")  # and it is not asked again

    def test_fresh_skips_what_is_unread_and_counts_it_as_dropped(self):
        path = self.ran_with_three_unread()
        self.dagrun("start", path, "--fresh")
        self.assertNotIn("one", self.out())
        totals = self.assert_balanced()
        self.assertEqual(totals["work"]["dropped"], 3)
        self.assertEqual(self.probe.unread(self.group("work"), self.topic("src:work")), 0)

    def test_a_changed_source_that_was_interrupted_is_refused(self):
        count = 4000
        path = self.dag(LOAD % {"count": count, "rate": 1000})
        self.dagrun("start", path, "-d")
        self.wait_lines(300)
        self.dagrun("stop", self.name)
        self.assertEqual(self.show()["state"], "stopped")
        self.assertLess(len(self.out()), count)
        self.dag(LOAD % {"count": count + 1, "rate": 1000})
        self.refused("start", path, code=5, words=["src", "--fresh"])
        self.dag(LOAD % {"count": count, "rate": 1000})  # as it was: it goes on
        self.dagrun("start", path)
        self.assertEqual(sorted(ids(self.out()).values()), [1] * count)

    def test_a_changed_source_starts_anew_with_fresh(self):
        path = self.dag(LOAD % {"count": 4000, "rate": 1000})
        self.dagrun("start", path, "-d")
        self.wait_lines(300)
        self.dagrun("stop", self.name)
        before = len(self.out())
        self.dag(LOAD % {"count": 500, "rate": 1000})
        self.dagrun("start", path, "--fresh")
        self.assertEqual(len(self.out()), before + 500)

    def test_a_topic_made_anew_is_refused(self):
        path = self.ran_with_three_unread()
        topic = self.topic("src:work")
        self.probe.call("delete", topic)
        wait_for(lambda: self.probe.ends(topic) is None, "topic deleted")
        self.probe.call("create", topic, 1)
        self.refused("start", path, code=5, words=[topic])
        self.dagrun("start", path, "--fresh")

    def test_a_deleted_topic_is_refused(self):
        path = self.ran_with_three_unread()
        topic = self.topic("src:work")
        self.probe.call("delete", topic)
        wait_for(lambda: self.probe.ends(topic) is None, "topic deleted")
        self.refused("start", path, code=5, words=[topic])

    def test_the_same_name_from_another_folder_is_refused(self):
        first = self.ran_with_three_unread()
        other = self.pipe(name="elsewhere/dag.yaml")
        said = self.refused("start", other, code=5, words=["--adopt"]).err
        self.assertIn(first, said)
        self.assertIn(other, said)
        self.dagrun("start", other, "--adopt")
        self.assertTrue({"one", "two", "three"} <= set(self.out(folder="elsewhere")))
        self.refused("start", first, code=5, words=["--adopt"])

    def test_a_dag_that_kafka_forgot_goes_on_where_it_was(self):
        path = self.ran_with_three_unread()
        before = self.out()
        for node in ("work", "out"):
            self.forget(self.group(node))
        self.dagrun("start", path)
        # The three lines and src's record of the new run: nothing again from the start.
        self.assertEqual(len(self.out()), len(before) + 4)
        self.assertTrue({"one", "two", "three"} <= set(self.out()))

    def test_records_30_days_old_are_kept(self):
        path = self.pipe()
        self.dagrun("start", path)
        topic = self.topic("src:work")
        old = int(time.time() * 1000) - 30 * DAY_MS
        plain = f"{self.name}-plain"  # with the broker's default retention of 7 days
        self.probe.call("create", plain, 1)
        for name in (plain, topic):
            self.probe.call("produce", name, old, text="old\n")
        # The broker expires by record time: when it took the plain one it has looked.
        wait_for(lambda: self.probe.ends(plain)[0][0] == 1, "plain record expired", 120)
        self.dagrun("start", path)
        self.assertIn("old", self.out())
        got = [r for r in self.probe.records(self.topic("work:out")) if r["value"] == "old"]
        self.assertEqual([r["timestamp"] for r in got], [old])
        self.probe.call("delete", plain)

    def test_topics_are_made_to_keep_everything(self):
        path = self.pipe()
        self.dagrun("start", path)
        for edge in ("src:work", "work:out"):
            settings = self.probe.settings(self.topic(edge))
            self.assertEqual(settings["retention.ms"], "-1")
            self.assertEqual(settings["retention.bytes"], "-1")
            self.assertEqual(settings["message.timestamp.after.max.ms"],
                             "9223372036854775807")
            self.assertEqual(settings["max.message.bytes"], str(2 << 20))


if __name__ == "__main__":
    unittest.main()
