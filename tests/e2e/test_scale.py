# SPDX-License-Identifier: MIT
"""More and fewer clients of a node while its run lives."""
import os
import random
import signal
import unittest

from harness import Case, ids, wait_for

GRAPH = """
defaults: {node: {restart: {max: 1000, backoff: 20ms, backoff_max: 200ms}}}
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: {src: {partitions: 4}}, clients: %(clients)s}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Scale(Case):
    def setUp(self):
        super().setUp()
        # Looking for leaks stops all threads for seconds, the guard's included.
        self.env["ASAN_OPTIONS"] = "detect_leaks=0"

    def begin(self, count, rate, clients="2"):
        path = self.dag(GRAPH % {"count": count, "rate": rate, "clients": clients})
        self.dagrun("start", path, "-d")
        return path

    def scale(self, clients, node="work"):
        self.dagrun("scale", f"{self.name}/{node}={clients}")

    def node(self, name="work"):
        return next(n for n in self.status()["nodes"] if n["node"] == name)

    def work(self):
        """{client: "state"} of the node's clients; those that have left are not there."""
        return {c["client"]: c["state"] for c in self.node()["clients"]}

    def wait_clients(self, count):
        wait_for(lambda: set(self.work().values()) == {"running"} and
                 len(self.work()) == count, f"{count} clients: {self.work()}")

    def wait_busy(self, *clients):
        """Each of them has taken records of its own."""
        def busy():
            return all(c["in"] > 0 for c in self.node()["clients"] if c["client"] in clients)
        wait_for(busy, f"{clients} have records")

    def stop(self):
        """After which everything that the source made has come out, once."""
        self.dagrun("stop", self.name)
        self.assertEqual(self.state(), "stopped")
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, len(seen) + 1) if seen[i] != 1][:10], [])
        self.assert_balanced()

    def test_clients_come_and_go_and_come_again(self):
        self.begin(1000000, 1000)
        self.wait_lines(100)
        self.scale(4)
        self.wait_clients(4)
        self.wait_busy("0", "1", "2", "3")
        self.scale(1)
        self.wait_clients(1)
        self.assertEqual((self.node()["want"], self.node()["up"]), (1, 1))
        self.scale(3)  # those that left are still known to the group: they get work at once
        self.wait_clients(3)
        self.wait_busy("1", "2")
        self.stop()
        totals = self.totals()
        self.assertEqual({totals[n]["in"] for n in ("work", "out")}, {len(self.out())})
        run = self.show()
        work = [a for a in run["attempts"] if a["node"] == "work"]
        self.assertEqual({a["exit_code"] for a in work}, {0})
        self.assertEqual(sorted((a["client"], a["attempt"]) for a in work),
                         [("0", 1), ("1", 1), ("1", 2), ("2", 1), ("2", 2), ("3", 1)])
        node = next(n for n in run["nodes"] if n["node"] == "work")
        self.assertEqual(node["restarts"], 0)
        said = [e["text"] for e in run["events"] if e["kind"] == "scale"]
        self.assertEqual(said, ["scaled from 2 to 4 clients", "scaled from 4 to 1 client",
                                "scaled from 1 to 3 clients"])

    def test_nothing_is_lost_while_clients_are_scaled_and_killed(self):
        count = 30000
        rng = random.Random(seed := random.randrange(1 << 32))
        self.begin(count, 2000)
        self.wait_lines(1)
        scaled = kills = 0
        while self.node("src")["state"] != "done":
            self.dagrun("scale", f"{self.name}/work={rng.randint(1, 4)}")
            scaled += 1
            for _ in range(rng.randint(0, 2)):
                pids = [c["pid"] for c in self.node()["clients"] if c.get("pid")]
                try:
                    os.kill(rng.choice(pids or [0x3FFFFFF]), signal.SIGKILL)
                    kills += 1
                except ProcessLookupError:
                    pass
        print(f"seed {seed}: scaled {scaled} times, {kills} kills")
        self.assertGreater(scaled, 3)
        self.wait_state("succeeded", limit=120)
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, count + 1) if i not in seen][:10], [])
        self.assertEqual(len(seen), count)
        totals = self.assert_balanced()
        self.assertEqual(totals["work"]["in"], count)
        # At least: what a killed client took since its last word is in the file only.
        self.assertLessEqual(totals["out"]["in"] + totals["out"]["repeats"],
                             sum(seen.values()))
        self.assertEqual(self.clients(), {})

    def test_the_next_start_takes_the_number_of_the_yaml(self):
        path = self.begin(1000000, 1000, clients="[a, b]")
        self.wait_lines(100)
        self.scale(1)
        self.wait_clients(1)
        self.dagrun("stop", self.name)
        self.dagrun("start", path, "-d")  # at once: the group still knows who left
        self.wait_clients(2)
        self.wait_busy("a", "b")
        self.scale(3)
        self.wait_clients(3)
        self.assertEqual(sorted(self.work()), ["2", "a", "b"])
        self.wait_busy("2")
        self.stop()

    def test_what_can_not_be_scaled_is_said(self):
        self.begin(1000000, 100)
        work = f"{self.name}/work"
        self.refused("scale", f"{work}=5", code=5,
                     words=["4 clients", "src:work", "4 partitions", "partitions: 5"])
        self.refused("scale", f"{self.name}/src=2", code=5, words=["source", "clients:"])
        self.refused("scale", f"{work}=0", code=2, words=["work=0", "at least 1"])
        self.refused("scale", f"{work}=two", code=2, words=["NODE=N"])
        self.refused("scale", work, code=2, words=["NODE=N"])
        self.refused("scale", f"{self.name}=2", code=2, words=["DAG/NODE=N"])
        self.refused("scale", f"{work}.1=2", code=2, words=["DAG/NODE"])
        self.refused("scale", f"{self.name}/wrk=2", code=4, words=["did you mean 'work'"])
        self.refused("scale", f"{self.name}/src:work=2", code=2, words=["scale takes"])
        self.dagrun("pause", work)
        self.refused("scale", f"{work}=3", code=5, words=["paused", "resume"])
        self.dagrun("resume", work)
        self.dagrun("scale", "work=3", "out=1")  # the only dag that runs, both of it
        self.assertEqual(self.node()["want"], 3)
        self.refused("restart", f"{work}.3", code=4, words=["no client '3'"])
        self.dagrun("stop", self.name)
        self.refused("scale", f"{work}=2", code=4, words=["does not run"])


if __name__ == "__main__":
    unittest.main()
