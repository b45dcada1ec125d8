# SPDX-License-Identifier: MIT
"""What is lost where dagrun can do nothing about it is told: the counts of the clients against
the offsets of the broker."""
import glob
import os
import signal
import subprocess

from harness import Case, wait_for

GRAPH = """
nodes:
  src: {program: producer, with: {count: %(count)d, rate: 500}}
  out: {program: file, from: src, with: {path: out.jsonl}}
"""
THREE = """
nodes:
  src: {program: producer, with: {count: 1000, rate: 500}}
  mid: {program: copy, from: src}
  out: {program: file, from: mid, with: {path: out.jsonl}}
"""


class Loss(Case):
    def setUp(self):
        super().setUp()
        del self.env["DAGRUN_BROKERS"]

    def begin(self, count):
        self.start(GRAPH % {"count": count})

    def start(self, graph):
        self.dagrun("start", self.dag(graph), "-d")
        self.wait_lines(20)

    def told(self):
        return [(event["node"], event["text"]) for event in self.show()["events"]
                if event["kind"] == "loss"]

    def node(self, name):
        return next(node for node in self.status()["nodes"] if node["node"] == name)

    def lose_what(self, writer):
        self.dagrun("pause", f"{self.name}/out")
        wait_for(lambda: self.node(writer)["state"] == "done", "the writer's end")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)  # it would start the next broker at once
        os.kill(self.json("broker", "status")["pid"], signal.SIGKILL)
        path, = glob.glob(f"{self.home}/broker/**/{self.name}.{writer}.out-0/*.log",
                          recursive=True)
        os.truncate(path, os.path.getsize(path) * 3 // 4)
        os.kill(runner, signal.SIGCONT)
        self.dagrun("resume", f"{self.name}/out")
        self.wait_state("degraded")
        there = len(self.out())
        self.assertLess(there, 1000)
        self.assertEqual(self.told(), [(
            writer, f"the broker acknowledged 1000 records and has {there} of them: "
                    f"{1000 - there} are lost")])

    def test_records_of_a_source_that_the_broker_acknowledged_and_has_not(self):
        self.begin(1000)
        self.lose_what("src")

    def test_records_of_a_reader_that_the_broker_acknowledged_and_has_not(self):
        self.start(THREE)
        self.lose_what("mid")

    def fill(self, *arguments):
        address = self.json("broker", "status")["address"]
        return subprocess.Popen([os.environ["KAFKA_TOOL"], "fill", f"{self.name}.src.out",
                                 *arguments], env=dict(self.env, DAGRUN_BROKERS=address),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def test_what_is_behind_an_open_transaction_is_not_lost(self):
        self.begin(0)
        with self.fill("1", "1", "open") as other:
            other.stdout.readline()
            before = self.node("src")["out"]
            wait_for(lambda: self.node("src")["out"] > before + 50, "records behind it")
            self.dagrun("stop", self.name)
            self.wait_state("stopped")
            src = next(node for node in self.show()["nodes"] if node["node"] == "src")
            self.assertLess(len(self.out()), src["out"])
            self.assertEqual(self.told(), [])
            other.communicate(timeout=60)

    def test_offsets_that_were_read_without_a_record(self):
        self.begin(1000)
        with self.fill("10", "1", "txn=5") as other:  # two transactions, a marker for each
            other.communicate(timeout=60)
        self.wait_state("degraded")
        (node, text), = self.told()
        self.assertEqual(node, "out")
        self.assertIn("edge src:out: 2 offsets were read without a record", text)
        self.assertIn("transactions", text)
