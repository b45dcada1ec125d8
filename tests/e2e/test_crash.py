# SPDX-License-Identifier: MIT
"""kill -9 of anything at any time: every record comes out at least once."""
import os
import random
import signal
import time
import unittest

from harness import Case, ENDED, alive, ids, wait_for

COUNT = 1_000_000
KILLS = 50

GRAPH = """
defaults: {node: {restart: {max: 1000, backoff: 20ms, backoff_max: 200ms}}}
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Crash(Case):
    def setUp(self):
        super().setUp()
        # Looking for leaks stops all threads for seconds, the guard's included.
        self.env["ASAN_OPTIONS"] = "detect_leaks=0"

    def graph(self, count, rate):
        return self.dag(GRAPH % {"count": count, "rate": rate})

    def lag(self):
        return sum(self.probe.unread(self.group(node), self.topic(edge))
                   for node, edge in (("work", "src:work"), ("out", "work:out")))

    def assert_every_id(self, count):
        seen = ids(self.out())
        missing = [i for i in range(1, count + 1) if i not in seen]
        self.assertEqual(missing[:10], [], f"{len(missing)} of {count} are missing")
        self.assertEqual(len(seen), count)
        return sum(seen.values()) - count

    def test_random_clients_are_killed_fifty_times(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        self.dagrun("start", self.graph(COUNT, 8000), "-d")
        self.wait_lines(1)
        kills = 0
        while kills < KILLS:
            now = self.status()  # one question a kill: a slow machine must not outlast it
            self.assertNotIn(now["state"], ENDED, f"it ended after {kills} kills")
            pids = [client["pid"] for node in now["nodes"] for client in node["clients"]
                    if client.get("pid")]
            if not pids or not any(edge["backlog"] for edge in now["edges"]):
                continue
            try:
                os.kill(rng.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                continue
            kills += 1
            time.sleep(rng.random() * 0.2)
        self.wait_state("succeeded", limit=300)
        repeats = self.assert_every_id(COUNT)
        attempts = self.show()["attempts"]
        killed = [a for a in attempts if a["signal"] == 9]
        print(f"seed {seed}: {kills} kills, {len(killed)} recorded, {repeats} repeats")
        self.assertEqual(len(killed), kills)
        self.assertGreater(repeats, 0, "no repeats: did the kills land in mid-work?")
        totals = self.assert_balanced()
        # At least: what a killed client took since its last word is in the file only.
        self.assertLessEqual(totals["out"]["in"] + totals["out"]["repeats"], COUNT + repeats)
        self.assertEqual(self.processes(), {})

    def test_a_killed_runner_takes_its_clients_along_and_the_next_start_finishes(self):
        count = 200_000
        path = self.graph(count, 5000)
        for run in range(1, 4):
            self.dagrun("start", path, "-d")
            self.wait_lines(len(self.out()) + 1000)
            wait_for(lambda: len(self.clients()) == 4, "4 clients")
            runner = self.runner()
            clients = self.clients()
            wait_for(self.lag, "work in progress")
            os.kill(runner, signal.SIGKILL)
            killed = time.monotonic()
            wait_for(lambda clients=clients: not any(map(alive, clients)),
                     f"no client alive: {self.processes()}", 2)
            self.assertLess(time.monotonic() - killed, 1)
            self.assertEqual(self.processes(), {})
            self.assertEqual(self.state(), "interrupted")
            self.assertEqual(self.show()["run"], run)
            self.assertLess(len(ids(self.out())), count, "it was done before the kill")
        self.dagrun("start", path, limit=180)
        self.assert_every_id(count)
        states = [run["state"] for run in self.runs()]
        self.assertEqual(sorted(states), ["interrupted"] * 3 + ["succeeded"])


if __name__ == "__main__":
    unittest.main()
