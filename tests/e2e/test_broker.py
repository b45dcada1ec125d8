# SPDX-License-Identifier: MIT
"""A broker that is down or dies."""
import time
import unittest

from harness import Case, OwnKafka, ids, wait_for
from proxy import Proxy

GRAPH = """
nodes:
  src:  {program: producer, with: {count: %(count)d, rate: %(rate)d}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class NoBroker(Case):
    def setUp(self):
        super().setUp()
        self.path = self.dag(GRAPH % {"count": 10, "rate": 0})

    def test_a_broker_that_is_down_at_start_is_said_within_10_seconds(self):
        self.env["DAGRUN_BROKERS"] = "127.0.0.1:1"
        for more in ((), ("-d",)):
            done = self.refused("start", self.path, *more, code=3, words=["127.0.0.1:1"])
            self.assertLess(done.seconds, 11)
            self.assert_no_process()

    def test_the_option_wins_over_the_environment(self):
        self.env["DAGRUN_BROKERS"] = "127.0.0.1:1"
        self.dagrun("start", self.path, "--brokers", self.brokers)
        self.assertEqual(len(self.out()), 10)


class NoBrokerInTheMetadata(Case):
    def test_a_cluster_that_names_no_broker_for_a_moment_is_found_again(self):
        proxy = Proxy(self.brokers)
        self.addCleanup(proxy.close)
        self.env["DAGRUN_BROKERS"] = proxy.address
        self.dagrun("start", self.dag(GRAPH % {"count": 20000, "rate": 2000}), "-d")
        self.wait_lines(2000)
        proxy.go_away()
        time.sleep(5)  # clients have tried everything that they know
        proxy.no_brokers = True
        proxy.away = False
        wait_for(lambda: proxy.told > 5, "clients have asked")
        time.sleep(2)  # as long as a broker takes to register with its controller
        proxy.no_brokers = False
        self.wait_state("succeeded", limit=120)
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, 20001) if i not in seen][:10], [])
        self.assertEqual({a["attempt"] for a in self.show()["attempts"]}, {1},
                         "a client was restarted")
        self.assert_balanced()


class BrokerDies(OwnKafka):
    def dies_for(self, seconds, verb):
        count = 60000
        self.dagrun("start", self.dag(GRAPH % {"count": count, "rate": 5000}), "-d")
        self.wait_lines(2000)
        before = self.clients()
        self.assertEqual(len(before), 4)
        self.kafka(verb)
        gone = time.monotonic()
        got = len(self.out())
        wait_for(lambda: time.monotonic() - gone > seconds, "the outage", seconds + 5)
        self.assertEqual(self.clients(), before, "clients ended while the broker was away")
        self.assertIn(self.state(), ("running", "starting", "draining"))
        self.assertLess(got, count)
        self.kafka("start")
        self.wait_state("succeeded", limit=180)
        seen = ids(self.out())
        self.assertEqual([i for i in range(1, count + 1) if i not in seen][:10], [])
        attempts = self.show()["attempts"]
        self.assertEqual({a["attempt"] for a in attempts}, {1}, "a client was restarted")
        self.assertEqual(len(attempts), 4)
        self.assert_balanced()

    def test_nothing_is_lost_when_the_broker_is_killed(self):
        self.dies_for(3, "kill")

    def test_nothing_is_lost_when_it_is_away_longer_than_a_session(self):
        self.dies_for(15, "kill")

    def test_nothing_is_lost_when_it_is_restarted_in_good_order(self):
        self.dies_for(1, "stop")


if __name__ == "__main__":
    unittest.main()
