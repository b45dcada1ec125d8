# SPDX-License-Identifier: MIT
"""Java's clients (java/*.java): each case prints what it saw; that must be Kafka's."""
import re
import unittest

import conformance
from conformance import TAG

# The client words it in two ways, by what it learns first.
FENCED = [(re.compile(r"(InvalidProducerEpochException: Producer ).*"), r"\1…")]
# The cases of consumers mostly wait: they all run from the start, the others meanwhile.
CONSUMERS = ("positions", "commits-classic", "commits-consumer", "static-classic",
             "static-consumer", "patterns", "change", "migrate", "members-classic-range",
             "members-classic-cooperative", "members-classic-roundrobin",
             "members-consumer-uniform", "members-consumer-range")
jvm = None
running = {}


def setUpModule():
    global jvm
    conformance.set_up()
    jvm = conformance.Jvm()
    for name in CONSUMERS:
        running[name] = jvm.start("Consumers", conformance.address, TAG, name)


def tearDownModule():
    jvm.close()
    conformance.tear_down()


class Java(conformance.Case):
    def run_case(self, program, name, rules=()):
        run = running.get(name) or jvm.start(program, conformance.address, TAG, name)
        code, out, err = run.result(200)
        self.assertEqual((0, ""), (code, err), out)
        self.expect(f"java/{program.lower()}-{name}", out, rules)


class Admin(Java):
    def test_topics(self):
        self.run_case("Admins", "topics")

    def test_configs(self):
        self.run_case("Admins", "configs")

    def test_offsets(self):
        self.run_case("Admins", "offsets")

    def test_groups(self):
        self.run_case("Admins", "groups")

    def test_cluster(self):
        self.run_case("Admins", "cluster")

    def test_transactions(self):
        self.run_case("Admins", "transactions", FENCED)


class Producer(Java):
    def test_codecs(self):
        self.run_case("Producers", "codecs")

    def test_records(self):
        self.run_case("Producers", "records")

    def test_what_is_refused(self):
        self.run_case("Producers", "refused", [(re.compile(r"\b\d{13}\b"), "TIME")])

    def test_transactions(self):
        self.run_case("Producers", "transactions", FENCED)

    def test_last_stable_offset(self):
        self.run_case("Producers", "stable")

    def test_transaction_timeout(self):
        self.run_case("Producers", "timeout", FENCED)

    def test_consume_transform_produce(self):
        self.run_case("Producers", "copy", FENCED)


class Consumer(Java):
    def test_positions(self):
        self.run_case("Consumers", "positions")

    def test_commits(self):
        self.run_case("Consumers", "commits-classic")
        self.run_case("Consumers", "commits-consumer")

    def test_members_come_go_and_stall(self):
        for name in CONSUMERS:
            if name.startswith("members-"):
                with self.subTest(name):
                    self.run_case("Consumers", name)

    def test_static_members(self):
        self.run_case("Consumers", "static-classic")
        self.run_case("Consumers", "static-consumer")

    def test_patterns(self):
        self.run_case("Consumers", "patterns")

    def test_an_empty_group_changes_its_protocol(self):
        self.run_case("Consumers", "change")

    def test_a_working_group_changes_its_protocol(self):
        self.run_case("Consumers", "migrate")


if __name__ == "__main__":
    unittest.main()
