# SPDX-License-Identifier: MIT
"""A client while its Kafka is killed and comes back: it waits, says so, and loses nothing."""
import os
import shutil
import subprocess
import tempfile
import time
import unittest

KAFKA = os.environ["KAFKA"]
os.environ["DAGRUN_OWN"] = tempfile.mkdtemp(prefix="sdk-outage-")


def kafka(command):
    return subprocess.run([KAFKA, command, os.environ["DAGRUN_OWN"]], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


os.environ["DAGRUN_BROKERS"] = kafka("start")

import sdk_client_test as base  # noqa: E402  (after its broker is known)


class Outage(base.Case):
    @classmethod
    def tearDownClass(cls):
        kafka("destroy")
        shutil.rmtree(os.environ["DAGRUN_OWN"], ignore_errors=True)

    def test_a_broker_that_dies_costs_time_and_nothing_else(self):
        self.edge(2)
        total = 200000
        base.tool("fill", self.input, total, 64)
        with self.client(stderr=subprocess.DEVNULL) as client:
            client.wait_ready()
            client.poll(0.05)
            kafka("kill")
            client.wait_stats(lambda s: not s["broker"])
            self.assertLess(client.stats["in"], total, "the broker died too late to matter")
            client.poll(1)
            self.assertIsNone(client.process.poll())
            kafka("start")
            client.wait_stats(lambda s: s["broker"])
            client.wait_stats(lambda s: s["idle"] and sum(
                p["committed"] for p in s["partitions"]) == total, seconds=120)
            self.assertEqual(client.drain(), 0)
            self.assertEqual(client.errors, [])
        self.assertEqual(set(map(int, base.values(self.outputs[0]))), set(range(total)))
        self.assertEqual(base.totals(self.id, self.input)["in"], total)

    def test_a_client_that_is_at_rest_notices_and_goes_on(self):
        self.edge()
        base.tool("fill", self.input, 10, 64)
        with self.client(stderr=subprocess.DEVNULL) as client:
            client.wait_stats(lambda s: s["in"] == 10 and s["idle"])
            kafka("kill")
            client.wait_stats(lambda s: not s["broker"])
            kafka("start")
            client.wait_stats(lambda s: s["broker"])
            base.tool("fill", self.input, 10, 64, "from=10")
            client.wait_stats(lambda s: s["in"] == 20 and s["idle"])
            self.assertEqual(client.drain(), 0)

    def test_a_client_may_start_before_its_broker(self):
        self.edge()
        base.tool("fill", self.input, 10, 64)
        kafka("kill")
        with self.client(stderr=subprocess.DEVNULL) as client:
            client.poll(3)
            self.assertFalse(client.ready)
            kafka("start")
            client.wait_stats(lambda s: s["in"] == 10 and s["idle"])
            self.assertEqual(client.drain(), 0)

    def test_a_drain_waits_for_the_broker_and_a_second_term_does_not(self):
        self.edge()
        base.tool("fill", self.input, 500000, 64)
        with self.client(stderr=subprocess.DEVNULL) as client:
            client.wait_ready()
            client.wait_stats(lambda s: s["taken"] > 0)
            kafka("kill")
            client.wait_stats(lambda s: not s["broker"])
            unfinished = client.stats["inflight"] > 0 or not client.stats["idle"]
            client.process.terminate()
            if unfinished:
                client.poll(1)
                self.assertIsNone(client.process.poll())
                start = time.monotonic()
                client.process.terminate()
                self.assertEqual(client.wait_exit(), 130)
                self.assertLess(time.monotonic() - start, 2)
            else:  # this machine was faster than the kill
                self.assertEqual(client.wait_exit(), 0)
        kafka("start")


if __name__ == "__main__":
    unittest.main()
