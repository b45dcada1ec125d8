# SPDX-License-Identifier: MIT
"""Runs from start to end: shapes of graphs, stopping, resuming, supervision, output."""
import collections
import json
import os
import re
import signal
import subprocess
import unittest

from harness import Case, ids, lines_of, wait_for


class Shapes(Case):
    def test_two_sources_meet_in_one_node(self):
        self.dagrun("start", self.dag("""
nodes:
  a:    {program: producer, with: {count: 300}}
  b:    {program: producer, with: {count: 200}}
  both: {program: copy, from: [a, b], clients: 2}
  out:  {program: file, from: both, with: {path: out.jsonl}}
"""))
        seen = ids(self.out())
        self.assertEqual(sum(seen.values()), 500)
        self.assertEqual(collections.Counter(seen.values()), {2: 200, 1: 100})
        self.assertEqual(self.assert_balanced()["both"]["in"], 500)

    def test_a_diamond_carries_every_record_on_both_ways(self):
        self.dagrun("start", self.dag("""
nodes:
  src:   {program: producer, with: {count: 1000}}
  left:  {program: set, from: src, with: {via: left}}
  right: {program: set, from: src, with: {via: right}, clients: 3}
  out:   {program: file, from: [left, right], with: {path: out.jsonl}}
"""))
        lines = [json.loads(line) for line in self.out()]
        for way in ("left", "right"):
            seen = ids(json.dumps(r) for r in lines if r["via"] == way)
            self.assertEqual(len(seen), 1000)
            self.assertEqual(set(seen.values()), {1})
        totals = self.assert_balanced()
        self.assertEqual(totals["out"]["in"], 2000)
        # A source's out counts what is acknowledged on every output topic.
        self.assertEqual(totals["src"]["out"], 2000)

    def test_fan_out_over_one_shared_topic(self):
        self.dagrun("start", self.dag("""
nodes:
  src: {program: producer, with: {count: 500}}
  one: {program: file, from: {src: {topic: %(t)s}}, with: {path: one.jsonl}}
  two: {program: file, from: {src: {topic: %(t)s}}, with: {path: two.jsonl}}
  six: {program: file, from: src, with: {path: six.jsonl}}
""" % {"t": self.name + "-shared"}))
        for name in ("one.jsonl", "two.jsonl", "six.jsonl"):
            self.assertEqual(set(ids(self.out(name)).values()), {1})
            self.assertEqual(len(self.out(name)), 500)
        ends = self.probe.ends(self.name + "-shared")
        self.assertEqual(sum(high for _, high in ends.values()), 500)
        self.assertIsNone(self.probe.ends(self.topic("src:one")))

    def test_lines_to_a_file_every_line_once_and_in_order(self):
        count = 100_000
        self.write("dags/in.txt", "".join(f"line {i} of a text\n" for i in range(count)))
        self.dagrun("start", self.dag("""
nodes:
  src: {program: lines, with: {path: in.txt}}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""), limit=180)
        got = self.out()
        self.assertEqual(len(got), count)
        self.assertEqual([re.search(r"line (\d+) of", line).group(1) for line in got],
                         [str(i) for i in range(count)])

    def test_an_empty_source_ends_the_run_well(self):
        self.write("dags/in.txt", "")
        self.dagrun("start", self.dag("""
nodes:
  src:  {program: lines, with: {path: in.txt}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: print, from: work}
"""))
        self.assertEqual(self.show()["state"], "succeeded")


LOAD = """
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Stopping(Case):
    def load(self, count=100_000, rate=1000):
        return self.dag(LOAD % {"count": count, "rate": rate})

    def test_stop_drains_and_the_next_start_goes_on(self):
        count = 5000
        path = self.load(count)
        self.dagrun("start", path, "-d")
        self.wait_lines(500)
        self.dagrun("stop", self.name)
        self.assert_no_process()
        show = self.show()
        self.assertEqual(show["state"], "stopped")
        totals = self.assert_balanced()
        # Sources first, then layer by layer: what left the source came out.
        self.assertEqual(len(self.out()), totals["src"]["out"])
        self.assertEqual(totals["out"]["in"], totals["src"]["out"])
        self.assertLess(len(self.out()), count)
        ended = {a["node"]: a["ended"] for a in show["attempts"]}
        self.assertLessEqual(ended["src"], ended["work"])
        self.assertLessEqual(ended["work"], ended["out"])
        self.dagrun("start", path)
        self.assertEqual(sorted(ids(self.out()).items()),
                         [(i, 1) for i in range(1, count + 1)])

    def test_ctrl_c_drains_and_a_second_one_ends_at_once(self):
        process = self.spawn("start", self.load())
        self.wait_lines(200)
        os.kill(process.pid, signal.SIGINT)
        self.ended(process, None, 30)
        self.assertEqual(self.state(), "stopped")
        self.assert_no_process()
        self.assertEqual(len(self.out()), self.assert_balanced()["src"]["out"])

        self.hang()
        process = self.spawn("start", self.dag("""
defaults: {node: {stop: {drain: 60s, grace: 60s}}}
nodes:
  src:  {program: producer, with: {count: 100000, rate: 1000}}
  hang: {program: ./hang, from: src}
"""))
        self.wait_state("starting", "running")
        os.kill(process.pid, signal.SIGINT)
        wait_for(lambda: self.state() == "draining", "draining", 30)
        os.kill(process.pid, signal.SIGINT)
        self.ended(process, 130, 10)
        wait_for(lambda: not self.processes(), "no process left", 3)

    def hang(self):
        """A node that never leaves: describes itself, then ignores everything."""
        path = self.write("dags/hang", """#!/bin/sh
if [ "$1" = --describe ]; then exec "$DAGRUN_COPY" --describe; fi
trap '' TERM INT
while :; do sleep 1; done
""")
        os.chmod(path, 0o755)

    def setUp(self):
        super().setUp()
        self.env["DAGRUN_COPY"] = os.path.join(os.path.dirname(os.environ["DAGRUN"]),
                                               "nodes", "copy")
        self.hang()

    def test_stopping_what_does_not_run(self):
        path = self.load(10, 0)
        self.dagrun("start", path)
        done = self.dagrun("stop", self.name, code=None)
        self.assertIn(done.code, (0, 4))
        self.assertIn("not run", done.out + done.err)

    def test_one_runner_a_dag(self):
        path = self.load()
        self.dagrun("start", path, "-d")
        self.refused("start", path, code=5, words=[self.name])
        self.dagrun("stop", self.name)

    def test_keep_stays_until_it_is_stopped(self):
        self.dagrun("start", self.load(20, 0), "--keep", "-d")
        self.wait_lines(20)
        wait_for(lambda: self.state() == "running", "running")
        self.dagrun("send", f"{self.name}/work", text="late\n")
        self.wait_lines(21)
        self.assertEqual(self.state(), "running")
        self.dagrun("stop", self.name)
        self.assert_no_process()

    def test_restart_goes_on(self):
        count = 4000
        path = self.load(count)
        self.dagrun("start", path, "-d")
        self.wait_lines(500)
        self.dagrun("restart", self.name, "-d", code=None)
        self.wait_state("succeeded", limit=90)
        self.assertEqual(len(ids(self.out())), count)


class Supervision(Case):
    def script(self, body):
        path = self.write("dags/node", f"""#!/bin/sh
if [ "$1" = --describe ]; then exec {os.path.dirname(os.environ["DAGRUN"])}/nodes/copy --describe; fi
{body}
""")
        os.chmod(path, 0o755)

    GRAPH = """
nodes:
  src: {program: producer, with: {count: 10}}
  bad: {program: ./node, from: src, restart: {backoff: 10ms, backoff_max: 50ms}}
"""

    def test_a_crash_looping_program_fails_the_run_with_its_last_words(self):
        self.script('echo "cannot find my teapot" >&2; exit 3')
        done = self.dagrun("start", self.dag(self.GRAPH), code=1, limit=60)
        said = done.out + done.err
        for word in ("bad", "cannot find my teapot", "3", "logs"):
            self.assertIn(word, said)
        show = self.show()
        self.assertEqual(show["state"], "failed")
        attempts = [a for a in show["attempts"] if a["node"] == "bad"]
        self.assertEqual(len(attempts), 5)
        self.assertEqual({a["exit_code"] for a in attempts}, {3})
        self.assertIn("teapot", attempts[-1]["last_words"])
        self.assertIn("teapot", self.dagrun("logs", f"{self.name}/bad").out)
        self.assert_no_process()
        self.assertEqual({n["node"]: n["state"] for n in show["nodes"]}["bad"], "failed")

    def test_exit_100_is_not_restarted(self):
        self.script("exit 100")
        self.dagrun("start", self.dag(self.GRAPH), code=1, limit=60)
        attempts = [a for a in self.show()["attempts"] if a["node"] == "bad"]
        self.assertEqual([a["exit_code"] for a in attempts], [100])

    def test_a_signal_is_recorded(self):
        self.script("kill -SEGV $$")
        self.dagrun("start", self.dag(self.GRAPH), code=1, limit=60)
        attempts = [a for a in self.show()["attempts"] if a["node"] == "bad"]
        self.assertEqual({a["signal"] for a in attempts}, {11})


class Output(Case):
    GRAPH = """
nodes:
  src: {program: producer, args: [5, 2, sum]}
  add: {program: arithmetic, from: src}
  out: {program: print, from: add}
"""

    def test_a_pipe_gets_bare_lines(self):
        done = self.dagrun("start", self.dag(self.GRAPH))
        self.assertEqual(done.out, "Result of operation sum is ::: 7\n")

    def test_a_terminal_gets_a_table_and_a_clean_summary(self):
        typescript = os.path.join(self.dir, "typescript")
        path = self.dag(self.GRAPH)
        done = subprocess.run(["script", "-qec", f"{os.environ['DAGRUN']} start {path}",
                               typescript], env=dict(self.env, TERM="xterm"), cwd=self.dir,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              check=False)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        self.assertIn("Result of operation sum is ::: 7", text)
        self.assertIn("succeeded", text)

    def test_every_reader_speaks_json(self):
        path = self.dag(LOAD % {"count": 100, "rate": 0})
        for args in (("validate", path), ("plan", path), ("programs",), ("schema",)):
            with self.subTest(args):
                out = self.dagrun(*args, *(() if args == ("schema",) else ("--json",))).out
                json.loads(out)
        self.dagrun("start", path, "--keep", "-d")
        self.wait_lines(100)
        for args in (("status", self.name), ("status",), ("history",),
                     ("history", self.name), ("show", f"{self.name}@last"),
                     ("show", f"{self.name}@1")):
            with self.subTest(args):
                json.loads(self.dagrun(*args, "--json").out)
        taps = self.dagrun("tap", f"{self.name}/src:work", "--json", "-n", "5").out
        self.assertEqual(len([json.loads(line) for line in taps.splitlines()]), 5)
        self.dagrun("stop", self.name)
        json.loads(self.dagrun("status", "--json", code=None).out)

    def test_graphs_in_every_format(self):
        path = self.dag(LOAD % {"count": 1, "rate": 0})
        for name, sign in (("ascii", "src"), ("dot", "digraph"), ("mermaid", "-->"),
                           ("svg", "<svg")):
            self.assertIn(sign, self.dagrun("graph", path, "--format", name).out)

    def test_logs_of_a_node(self):
        self.dagrun("start", self.dag(self.GRAPH))
        out = self.dagrun("logs", f"{self.name}/out").out
        self.assertIn("Result of operation sum is ::: 7", out)
        follow = self.spawn("logs", "-f", f"{self.name}/out")
        wait_for(lambda: lines_of(follow.out), "followed lines")
        if follow.poll() is None:
            os.kill(follow.pid, signal.SIGINT)
        follow.wait(10)


class Cleaning(Case):
    def test_clean_says_first_and_then_removes_topics_groups_and_state(self):
        path = self.dag(LOAD % {"count": 100, "rate": 0})
        self.dagrun("start", path)
        self.probe.call("create", f"{self.name}.foreign", 1)
        before = self.probe.topics(self.name)
        self.assertGreater(len(before), 2)
        said = self.dagrun("clean", self.name)
        self.assertIn(self.topic("src:work"), said.out + said.err)
        self.assertEqual(self.probe.topics(self.name), before, "a dry run changed something")
        self.dagrun("clean", self.name, "--yes")
        wait_for(lambda: self.probe.topics(self.name) == [f"{self.name}.foreign"],
                 f"only the foreign topic is left: {self.probe.topics(self.name)}")
        self.probe.call("delete", f"{self.name}.foreign")
        os.unlink(os.path.join(self.dir, "dags", "out.jsonl"))
        self.dagrun("start", path)  # as if it had never run
        self.assertEqual(len(self.out()), 100)

    def test_clean_refuses_while_a_run_lives(self):
        self.dagrun("start", self.dag(LOAD % {"count": 100, "rate": 0}), "--keep", "-d")
        self.refused("clean", self.name, "--yes", code=5)
        self.dagrun("stop", self.name)

    def test_prune_keeps_the_newest_runs(self):
        path = self.dag(LOAD % {"count": 10, "rate": 0})
        for _ in range(3):
            self.dagrun("start", path)
        self.assertEqual(len(self.runs()), 3)
        self.dagrun("prune", "--keep", "1")
        left = self.runs()
        self.assertEqual([run["run"] for run in left], [3])
        self.dagrun("start", path)
        self.assertEqual(self.show()["run"], 4)


if __name__ == "__main__":
    unittest.main()
