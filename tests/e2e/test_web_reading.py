# SPDX-License-Identifier: MIT
"""dagrun web: the API's objects are those of --json."""
import os
import signal
import time
import unittest

from harness import wait_for
from web_case import GRAPH, LOADED, Web

TWO_INPUTS = """
nodes:
  many: {program: producer, with: {rate: 40}}
  few: {program: producer, args: [5, 2, sum]}
  work: {program: arithmetic, from: [many, few]}
  out: {program: print, from: work}
"""


class Reading(Web):
    def run_once(self):
        self.dagrun("start", self.dag(GRAPH))

    def test_the_objects_are_those_of_the_command_line(self):
        self.run_once()
        path = f"/api/v1/runs/{self.name}/last"
        self.assertEqual(self.get("/api/v1/runs?limit=20"), self.json("history"))
        self.assertEqual(self.get(path), self.show())
        self.assertEqual(self.get(f"/api/v1/dags/{self.name}/status"), self.status())
        for part in ("nodes", "attempts", "edges", "events", "dead_letters"):
            self.assertEqual(self.get(f"{path}/{part}")[part], self.show()[part])
        dags = self.get("/api/v1/dags")["dags"]
        self.assertEqual([(d["dag"], d["live"]) for d in dags], [(self.name, False)])
        self.assertEqual(dags[0]["last"], self.json("history")["runs"][0])
        yaml = self.ask("GET", f"{path}/yaml")[2].decode()
        self.assertEqual(yaml, self.dagrun("show", f"{self.name}@1", "--yaml").out)

    def test_runs_come_in_pages(self):
        for _ in range(3):
            self.dagrun("start", self.dag(GRAPH), "--fresh")
        seen = []
        after = ""
        while after is not None:
            page = self.get("/api/v1/runs?limit=1" + (f"&after={after}" if after else ""))
            seen += [run["run"] for run in page["runs"]]
            after = page["next"]
        self.assertEqual(seen, [3, 2, 1])
        self.assertEqual(self.get("/api/v1/runs?state=failed")["runs"], [])
        self.assertEqual(len(self.get(f"/api/v1/runs?dag={self.name}&since=0")["runs"]), 3)

    def test_what_a_node_reads_is_told_for_each_of_its_inputs(self):
        self.dagrun("start", self.dag(TWO_INPUTS), "-d")

        def read():
            edges = self.get(f"/api/v1/dags/{self.name}/status")["edges"]
            return {edge["from"]: edge.get("out_per_s", 0) for edge in edges}  # 0: not yet heard

        wait_for(lambda: read()["many"] > 10 > 5 > read()["few"], "of many more than of few", 20)

    def test_samples_of_a_run_are_those_of_show(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        path = f"/api/v1/runs/{self.name}/last/samples"

        def moved(what):
            return any((self.get(path + what)["metrics"]["in_per_s"]["mean"] or [0]))

        for what in ("", "?node=work", "?node=work&client=0", "?edge=src:work"):
            wait_for(lambda: moved(what), f"samples{what}", 20)
        some = self.get(path + "?node=out&metric=p99_ms&points=2")
        self.assertEqual(list(some["metrics"]), ["p99_ms"])
        self.assertLessEqual(len(some["time_ms"]), 2)
        self.dagrun("stop", "--now", self.name)
        for what, part in (("", ""), ("?node=work", "/work"), ("?edge=work:out", "/work:out")):
            self.assertEqual(self.get(path + what),
                             self.json("show", "--samples", f"{self.name}{part}"))
        node = self.get(path + "?node=out")["metrics"]
        self.assertTrue(any(node["p50_ms"]["max"]), "latency of what was printed")
        self.assertTrue(all(a is None or a <= b for a, b in
                            zip(node["p50_ms"]["mean"], node["p99_ms"]["max"])))
        for what, status in (("?node=none", 404), ("?client=0", 422), ("?points=501", 422),
                             ("?edge=src:work&node=src", 422), ("?metric=in_per", 422)):
            self.get(path + what, status)

    def test_the_graph_has_a_place_for_every_node_and_edge(self):
        self.run_once()
        graph = self.get(f"/api/v1/runs/{self.name}/1/graph")
        boxes = {node["node"]: node["box"] for node in graph["nodes"]}
        self.assertEqual(sorted(boxes), ["out", "src", "work"])
        self.assertLess(boxes["src"]["x"], boxes["work"]["x"])
        self.assertLess(boxes["work"]["x"], boxes["out"]["x"])
        self.assertEqual([e["edge"] for e in graph["edges"]], ["src:work", "work:out"])
        for edge in graph["edges"]:
            self.assertEqual(edge["points"][0][0],
                             boxes[edge["from"]]["x"] + boxes[edge["from"]]["width"])
            self.assertEqual(edge["points"][-1][0], boxes[edge["to"]]["x"])

    def test_logs_are_read_by_byte_ranges(self):
        self.run_once()
        logs = self.get(f"/api/v1/runs/{self.name}/last/logs")["logs"]
        size = {(log["node"], log["client"]): log["bytes"] for log in logs}[("out", "0")]
        self.assertGreater(size, 200)
        path = f"/api/v1/runs/{self.name}/1/logs/out/0/1"
        whole = self.ask("GET", path)[2]
        self.assertEqual(len(whole), size)
        for query, piece, begin in (("?from=10&limit=5", whole[10:15], 10),
                                    ("?from=-7", whole[-7:], size - 7),
                                    ("?from=-999999999", whole, 0),
                                    ("?from=999999999", b"", size)):
            status, headers, body = self.ask("GET", path + query)
            self.assertEqual((status, body), (200, piece), query)
            self.assertEqual(headers["Dagrun-Log-From"], str(begin))
            self.assertEqual(headers["Dagrun-Log-Size"], str(size))
            self.assertEqual(headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(self.ask("GET", path.replace("/out/0/1", "/out/0/9"))[0], 404)

    def test_a_run_that_lives_is_followed(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: (s := self.get(target))["live"] and s["state"] == "running" and
                 s["nodes"][1].get("in", 0) > 20, "counts that move")
        metrics = self.ask("GET", "/metrics")[2].decode()
        self.assertIn(f'dagrun_run_up{{dag="{self.name}",state="running"}} 1', metrics)
        self.assertRegex(metrics, rf'dagrun_node_clients_up{{dag="{self.name}",node="work"}} 2')
        self.assertRegex(metrics, r"dagrun_node_records_in_total\{[^}]*\} [1-9]")
        for line in metrics.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) .+|\w+\{(\w+="[^"]*",?)+\} \S+)$')
        self.dagrun("stop", self.name)
        wait_for(lambda: not self.get(target)["live"], "the end of the run", 10)
        self.assertEqual(self.get(target)["state"], "stopped")
        wait_for(lambda: self.name not in self.ask("GET", "/metrics")[2].decode(),
                 "metrics without it", 10)

    def test_a_runner_that_hangs_holds_nobody_up(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: self.get(target)["live"], "its first word")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)
        self.addCleanup(os.kill, runner, signal.SIGKILL)
        for other in (target, "/healthz", "/api/v1/runs", "/metrics"):
            before = time.monotonic()
            self.assertEqual(self.ask("GET", other)[0], 200)
            self.assertLess(time.monotonic() - before, 1, other)
        stale = wait_for(lambda: self.get(target).get("stale_since_ms"), "its silence", 20)
        self.assertLess(abs(time.time() * 1000 - stale), 30000)
        self.assertTrue(self.get(target)["live"])
        os.kill(runner, signal.SIGCONT)
        wait_for(lambda: "stale_since_ms" not in self.get(target), "its next word", 20)

    def test_a_server_that_is_killed_touches_no_run(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: self.get(target)["live"], "its first word")
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.assertEqual(self.status()["state"], "running")
        self.server = self.serve()
        wait_for(lambda: self.get(target)["live"], "the run again")
        self.dagrun("stop", self.name)


if __name__ == "__main__":
    unittest.main()
