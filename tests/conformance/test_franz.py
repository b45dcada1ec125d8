# SPDX-License-Identifier: MIT
"""franz-go (go/main.go): each case prints what it saw; that must be Kafka's."""
import concurrent.futures
import os
import subprocess
import unittest

import conformance
from conformance import TAG

setUpModule = conformance.set_up
tearDownModule = conformance.tear_down


class Franz(conformance.Case):
    def run_case(self, name):
        done = subprocess.run([os.path.join(conformance.BUILD, "franz"), conformance.address,
                               TAG, name], text=True, capture_output=True, timeout=120,
                              check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr), done.stdout)
        self.expect("franz/" + name, done.stdout)

    def test_records(self):
        self.run_case("records")

    def test_admin(self):
        self.run_case("admin")

    def test_groups(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.run_case, ("range", "cooperative", "consumer")))

    def test_a_pattern(self):
        self.run_case("regex")

    def test_transactions(self):
        self.run_case("transactions")

    def test_consume_transform_produce(self):
        self.run_case("copy")


if __name__ == "__main__":
    unittest.main()
