# SPDX-License-Identifier: MIT
"""dagrun web: what an address answers is what a command prints with --json."""
import json
import os
import unittest

from harness import wait_for
from web_case import LOADED, Web

GRAPH = """
nodes:
  src:  {program: producer, args: [5, 2, pow]}
  work: {program: arithmetic, from: src, clients: 2}
  out:  {program: print, from: work}
"""
# What goes on between two looks, whatever is looked at.
MOVES = {"uptime_ms", "in", "answered", "out", "dropped", "dead", "repeats", "sound", "backlog",
         "backlog_s", "lag", "p50_ms", "p99_ms", "cpu_ms", "rss_bytes", "progress", "written_from",
         "written_to", "read_from", "read_to"}


def at_rest(value):
    """Without what moves; its names stay, so that a missing one is seen."""
    if isinstance(value, dict):
        return {name: "moves" if name in MOVES or isinstance(item, float) else at_rest(item)
                for name, item in value.items()}
    return [at_rest(item) for item in value] if isinstance(value, list) else value


class Same(Web):
    """Each row: the address, the command, and the part of its object that the address has."""

    def serve(self, *args):
        self.write("dags/dag.yaml", "")
        return super().serve("--dags", os.path.join(self.dir, "dags"), *args)

    def of_a_run(self):
        run = f"/api/v1/runs/{self.name}/1"
        show = ("show", f"{self.name}@1")
        return [
            ("/api/v1/dags", ("dags",), None),
            ("/api/v1/runs?limit=20", ("history",), None),
            (f"/api/v1/runs?dag={self.name}&state=stopped&limit=1",
             ("history", self.name, "--state", "stopped", "--limit", "1"), None),
            (f"/api/v1/dags/{self.name}/status", ("status", self.name), None),
            (run, show, None),
            (f"{run}/nodes", show, "nodes"),
            (f"{run}/attempts", show, "attempts"),
            (f"{run}/edges", show, "edges"),
            (f"{run}/events", show, "events"),
            (f"{run}/dead_letters", show, "dead_letters"),
            (f"{run}/graph", ("graph", "--format", "json", f"{self.name}@1"), None),
            (f"{run}/logs", ("logs", "--list", f"{self.name}@1"), None),
        ]

    def of_what_is_kept(self):
        dag = f"/api/v1/dags/{self.name}"
        return [
            ("/api/v1/audit?limit=20", ("audit", "--limit", "20"), None),
            (f"{dag}/dead_letters", ("dlq", "list", self.name), None),
            (f"{dag}/nodes/work/dead_letters", ("dlq", "show", f"{self.name}/work"), None),
            (f"{dag}/edges/src/work/messages?from=earliest",
             ("tap", f"{self.name}/src:work", "--page", "--from", "earliest"), None),
            ("/api/v1/files/dag/check", ("validate", os.path.join(self.dir, "dags/dag.yaml")), None),
        ]

    def printed(self, args):
        json_too = () if args[0] == "graph" else ("--json",)
        return json.loads(self.dagrun(*args, *json_too).out)

    def compare(self, rows, change=lambda value: value):
        for address, command, part in rows:
            with self.subTest(address):
                answer, printed = self.get(address), self.printed(command)
                if part:
                    answer, printed = answer[part], printed[part]
                if command[0] == "validate":  # of several files
                    printed, = printed
                self.assertTrue(answer, "nothing to compare")
                self.assertEqual(change(answer), change(printed))

    def test_of_a_run_that_has_ended(self):
        self.dagrun("start", self.dag(GRAPH), "-d", "--keep")
        wait_for(lambda: self.totals()["work"]["dead"] == 1, "no such operation: a dead letter")
        self.dagrun("pause", self.name)  # an event
        self.dagrun("stop", self.name)
        self.compare(self.of_a_run() + self.of_what_is_kept())
        text = self.ask("GET", f"/api/v1/runs/{self.name}/1/yaml")[2].decode()
        self.assertEqual(text, self.dagrun("show", f"{self.name}@1", "--yaml").out)

    def test_of_a_run_that_lives(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        address = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: self.get(address).get("live") and
                 all(node["up"] == node["want"] for node in self.get(address)["nodes"]),
                 "all clients are up")
        ended = ("stopped", "dead_letters", "events", "logs")  # nothing of that yet
        self.compare([row for row in self.of_a_run() if not any(word in row[0] for word in ended)],
                     at_rest)


if __name__ == "__main__":
    unittest.main()
