# SPDX-License-Identifier: MIT
"""Pause, resume and restart of nodes while a run lives."""
import os
import signal
import time
import unittest

from harness import Case, ids, wait_for

GRAPH = """
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Control(Case):
    def begin(self, count, rate):
        self.dagrun("start", self.dag(GRAPH %
                                      {"count": count, "rate": rate}), "-d")

    def node(self, name):
        return next(node for node in self.status()["nodes"] if node["node"] == name)

    def settled(self):
        """Nothing is in hand any more: the number of lines stands still."""
        def still():
            before = len(self.out())
            time.sleep(0.5)
            return len(self.out()) == before and [before]
        return wait_for(still, "the lines stand still")[0]

    def assert_all(self, count):
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, count + 1) if i not in seen][:10], [])
        self.assert_balanced()

    def test_a_paused_node_takes_nothing_and_holds_the_run(self):
        self.begin(4000, 2000)
        self.wait_lines(200)
        self.dagrun("pause", f"{self.name}/work")
        wait_for(lambda: self.node("work")["state"] == "paused", "state paused")
        before = self.settled()
        wait_for(lambda: self.node("src")["state"] == "done", "the source's end")
        self.assertEqual(len(self.out()), before)
        self.assertEqual(self.state(), "running")
        self.assertGreater(self.node("work")["backlog"], 0)
        self.dagrun("resume", f"{self.name}/work")
        self.wait_state("succeeded")
        self.assert_all(4000)
        kinds = [event["kind"] for event in self.show()["events"]]
        self.assertIn("pause", kinds)
        self.assertIn("resume", kinds)

    def test_a_client_that_dies_comes_back_paused(self):
        self.begin(4000, 1000)
        self.wait_lines(100)
        self.dagrun("pause", f"{self.name}/work")
        before = self.settled()
        pid = self.pids()["work.0"]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: self.pids().get("work.0") not in (None, pid), "the next attempt")
        wait_for(lambda: self.node("work")["up"] == 2, "both are up")
        self.assertEqual(self.settled(), before)
        self.dagrun("resume", self.name)
        self.wait_state("succeeded")
        self.assert_all(4000)

    def test_a_stop_does_not_wait_for_what_is_paused(self):
        self.begin(8000, 1000)
        self.wait_lines(100)
        self.dagrun("pause", self.name)
        before = self.settled()
        self.dagrun("stop", self.name)
        self.assertEqual(self.state(), "stopped")
        self.assertEqual(len(self.out()), before)
        self.assert_no_process()
        self.dagrun("start", os.path.join(self.dir, "dags/dag.yaml"))
        self.assert_all(8000)

    def test_a_node_is_restarted_within_the_run(self):
        self.begin(6000, 1500)
        self.wait_lines(500)
        before = self.pids()
        self.dagrun("restart", f"{self.name}/work.1")
        wait_for(lambda: self.pids().get("work.1") not in (None, before["work.1"]), "a new one")
        self.assertEqual(self.pids()["work.0"], before["work.0"])
        self.dagrun("restart", f"{self.name}/src")
        self.dagrun("restart", f"{self.name}/work")
        wait_for(lambda: [a["pid"] for a in self.show()["attempts"]  # the run may be over
                          if (a["node"], a["client"]) == ("work", "0")
                          and a["pid"] != before["work.0"]], "a new one")
        self.wait_state("succeeded", limit=90)
        self.assert_all(6000)
        ends = [a.get("exit_code") for a in self.show()["attempts"]]
        self.assertEqual(set(ends), {0})
        self.assertEqual([e["text"] for e in self.show()["events"] if e["level"] == "warn"], [])
        self.assertEqual(sum(ids(self.out()).values()), 6000)

    def test_an_error_belongs_to_its_life_and_is_forgotten(self):
        fifo = os.path.join(self.dir, "dags", "in")
        runner = self.spawn("start", self.dag("""
defaults: {node: {restart: {window: 1s, max: 1000, backoff_max: 200ms}}}
nodes:
  src: {program: lines, with: {path: in}}
  out: {program: print, from: src}
"""))
        wait_for(lambda: self.dagrun("status", self.name, code=None).code == 0, "it runs")
        wait_for(lambda: "No such file" in (self.node("src")["last_error"] or ""), "no file")
        os.mkfifo(fifo)
        self.addCleanup(os.close, os.open(fifo, os.O_RDWR | os.O_NONBLOCK))
        wait_for(lambda: self.node("src")["up"] == 1 and self.node("src")["last_error"] is None,
                 "the error is forgotten")
        os.kill(self.pids()["src.0"], signal.SIGKILL)
        wait_for(lambda: self.node("src")["last_error"] == "killed by SIGKILL", "the new error")
        self.dagrun("stop", "--now", self.name)
        self.ended(runner, code=None)
        self.assertEqual([event["text"] for event in self.show()["events"]
                          if event["kind"] == "exit"][-1], "killed by SIGKILL")

    def test_what_can_not_be_done_is_said(self):
        self.begin(100000, 100)
        self.refused("pause", f"{self.name}/nobody", code=4, words=["nobody"])
        self.refused("restart", f"{self.name}/work.7", code=4, words=["7"])
        self.refused("restart", f"{self.name}/work", "--fresh", code=2)
        self.refused("pause", f"{self.name}/src:work", code=2, words=["DAG/NODE"])
        self.refused("pause", self.name, "other", code=2)
        self.dagrun("stop", self.name)
        self.refused("pause", self.name, code=4, words=["does not run"])
        self.refused("resume", self.name, code=4, words=["does not run"])


if __name__ == "__main__":
    unittest.main()
