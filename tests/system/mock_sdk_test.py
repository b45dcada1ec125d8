# SPDX-License-Identifier: MIT
"""A client of the SDK against answers that no real broker gives on request."""
import os
import subprocess
import unittest

from runner_stub import Client


class Refused(unittest.TestCase):
    def setUp(self):
        self.mock = subprocess.Popen([os.environ["MOCK_BROKER"], "out", "1", "refuse"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.brokers = self.mock.stdout.readline().strip()
        self.addCleanup(self.end)

    def end(self):
        self.mock.stdin.close()
        self.mock.stdout.close()
        self.assertEqual(self.mock.wait(30), 0)

    def values(self):
        done = subprocess.run([os.environ["KAFKA_TOOL"], "dump", "out"], check=True, text=True,
                              env={**os.environ, "DAGRUN_BROKERS": self.brokers},
                              stdout=subprocess.PIPE, timeout=60)
        return [line.split("\t")[4] for line in done.stdout.splitlines()]

    def test_a_first_batch_that_was_refused_is_written_though_a_later_one_was_taken(self):
        # librdkafka sends no second batch while five records of a partition are on their way.
        with Client([os.environ["HELPER"], "100"], env={"SDK_HELPER": "source"},
                    brokers=self.brokers, kafka={"batch.num.messages": "2"},
                    source=True, outputs=["out"]) as source:
            self.assertEqual(source.wait_exit(), 0)
            self.assertEqual(source.stats["out"], 100)
        values = self.values()
        self.assertEqual(sorted(map(int, values)), list(range(100)))
        self.assertNotEqual(values[0], "0", "the first batch was not refused")


if __name__ == "__main__":
    unittest.main()
