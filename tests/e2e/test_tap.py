# SPDX-License-Identifier: MIT
"""Messages of an edge: where to begin and to end, filters, pages, limits; no trace is left."""
import base64
import json
import os
import signal
import unittest

from harness import Case, lines_of, wait_for

GRAPH = """
nodes:
  src:  {program: lines, with: {path: in.txt}}
  work: {program: copy, from: {src: {topic: %s.edge, partitions: %d}}}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Tap(Case):
    """An edge whose reader has ended, so that nothing but the test writes to it."""

    def setUp(self):
        super().setUp()
        self.edge = f"{self.name}/src:work"

    def begin(self, partitions=1):
        self.write("dags/in.txt", "")
        self.dagrun("start", self.dag(GRAPH % (self.name, partitions)))

    def put(self, records, partition=0):
        self.probe.put(f"{self.name}.edge", records, partition)

    def put_numbers(self, begin, end, partition=0):
        self.put([(None, b'{"n":%d,"odd":%s}' % (i, b"true" if i % 2 else b"false"), {})
                  for i in range(begin, end)], partition)

    def tap(self, *args, code=0):
        out = self.dagrun("tap", self.edge, "--json", *args, code=code).out
        return [json.loads(line) for line in out.splitlines()]

    def page(self, *args):
        return json.loads(self.dagrun("tap", self.edge, "--page", *args).out)

    @staticmethod
    def numbers(records):
        return [json.loads(record["value"])["n"] for record in records]

    def test_where_to_begin_and_to_end(self):
        self.begin()
        self.put_numbers(0, 30)
        self.assertEqual(self.numbers(self.tap()), list(range(20, 30)))
        self.assertEqual(self.numbers(self.tap("-n", "3")), [27, 28, 29])
        self.assertEqual(self.numbers(self.tap("--from", "earliest")), list(range(30)))
        self.assertEqual(self.numbers(self.tap("--from", "earliest", "--limit", "2")), [0, 1])
        self.assertEqual(self.numbers(self.tap("--from", "28")), [28, 29])
        self.assertEqual(self.tap("--from", "latest"), [])
        self.assertEqual(self.numbers(self.tap("--from", "3", "--until", "5")), [3, 4])
        self.assertEqual(self.numbers(self.tap("--until", "5", "-n", "2")), [3, 4])
        self.assertEqual(len(self.tap("--since", "1h")), 30)
        self.assertEqual(self.tap("--until", "1h"), [])
        middle = self.tap("--from", "17", "--count", "1")[0]["timestamp"]
        after = self.numbers(self.tap("--from", middle))  # a ms may have several
        self.assertIn(17, after)
        self.assertEqual(after, list(range(after[0], 30)))
        self.assertEqual(self.numbers(self.tap("--from", "earliest", "--until", middle)),
                         list(range(after[0])))

    def test_pages_lead_to_older_and_newer_ones(self):
        self.begin(partitions=3)
        for partition in range(3):
            self.put_numbers(partition * 100, partition * 100 + 20, partition)
        everything = sorted(self.numbers(self.tap("--from", "earliest")))
        page = self.page("-n", "7")
        end = page["next"]
        seen = []
        while True:
            seen += self.numbers(page["messages"])
            if page["before"] is None:
                break
            page = self.page("-n", "7", "--until", page["before"])
            self.assertTrue(page["complete"])
        self.assertEqual(sorted(seen), everything)
        self.assertEqual(self.page("--from", end)["messages"], [])
        seen, place = [], "earliest"
        while True:
            page = self.page("--from", place, "-n", "7")
            seen += self.numbers(page["messages"])
            place = page["next"]
            if page["complete"]:
                break
            self.assertEqual(page["stopped"], "count")
        self.assertEqual(sorted(seen), everything)
        self.assertEqual(place, end)
        self.put_numbers(500, 502, 1)
        page = self.page("--from", place)
        self.assertEqual(self.numbers(page["messages"]), [500, 501])
        self.assertEqual(page["partitions"][1], {"partition": 1, "earliest": 0, "latest": 22})
        self.assertEqual(self.numbers(self.page("--partition", "2", "-n", "1")["messages"]),
                         [219])

    def test_filters_see_key_value_headers_and_fields(self):
        self.begin()
        self.put_numbers(0, 40)
        self.put([(b"key-a", b"plain text", {b"trace": b"t-1"}),
                  (b"key-b", None, {b"trace": b"t-2", b"none": None}),
                  (None, b"\xff\x00bin", {})])
        self.assertEqual(self.numbers(self.tap("--where", "n=7")), [7])
        self.assertEqual(self.numbers(self.tap("--where", "odd=true", "-n", "3")),
                         [35, 37, 39])
        self.assertEqual(self.numbers(self.tap("--where", "odd=true", "--contains", ":1")),
                         [1, 11, 13, 15, 17, 19])
        self.assertEqual([r["key"] for r in self.tap("--key", "key-")], ["key-a", "key-b"])
        self.assertEqual([r["key"] for r in self.tap("--header", "trace=t-2")], ["key-b"])
        self.assertEqual([r["key"] for r in self.tap("--header", "none")], ["key-b"])
        self.assertEqual([r["offset"] for r in self.tap("--value", "bin")], [42])
        self.assertEqual([r["offset"] for r in self.tap("--contains", "trace")], [40, 41])
        done = self.dagrun("tap", self.edge, "--contains", "nowhere")
        self.assertEqual(done.out, "")
        self.assertIn("scanned 43 records, 0 shown", done.err)

    def test_limits_stop_it_and_it_says_so(self):
        self.begin()
        self.put_numbers(0, 100)
        done = self.dagrun("tap", self.edge, "--from", "earliest", "--where", "n=90",
                           "--scan", "50")
        self.assertEqual(done.out, "")
        self.assertIn("scanned 50 records, 0 shown, stopped at the limit of records; "
                      "next: --from 0:50", done.err)
        page = self.page("--from", "earliest", "--scan-bytes", "100")
        self.assertEqual((page["stopped"], page["complete"]), ("bytes", False))
        follow = self.dagrun("tap", self.edge, "-f", "--timeout", "300ms")
        self.assertLess(follow.seconds, 20)
        cut = self.tap("-n", "1", "--cut", "4")[0]
        self.assertEqual((cut["value"], cut["cut"], cut["size"]), ('{"n"', True, 19))

    def test_what_is_no_text_comes_as_base64(self):
        self.begin()
        self.put([(b"\xfe", b"\x00\xff", {b"h": b"\xc3"}), ("ä".encode(), "ö\0".encode(), {})])
        one, two = self.tap()
        self.assertEqual((one["key"], one["value"]), (None, None))
        self.assertEqual(base64.b64decode(one["key_base64"]), b"\xfe")
        self.assertEqual(base64.b64decode(one["value_base64"]), b"\x00\xff")
        self.assertEqual(one["headers"], [{"name": "h", "value": None, "value_base64": "ww=="}])
        self.assertEqual((two["key"], two["value"]), ("ä", "ö\0"))
        self.assertEqual(self.tap("--cut", "1", "-n", "1")[0]["key"], "")  # half of ä is none

    def test_a_follower_leaves_no_trace(self):
        self.begin()
        before = self.probe.committed(f"{self.name}.work", f"{self.name}.edge")
        follow = self.spawn("tap", "-f", self.edge, "--json", "--where", "odd=false",
                            "--from", "latest")
        put = iter(range(0, 1000, 2))

        def one_more():
            number = next(put)
            self.put_numbers(number, number + 2)
            return lines_of(follow.out)

        seen = wait_for(one_more, "a record is followed")
        self.assertEqual(json.loads(json.loads(seen[0])["value"])["odd"], False)
        os.kill(follow.pid, signal.SIGINT)
        follow.wait(10)
        self.assertEqual(self.probe.committed(f"{self.name}.work", f"{self.name}.edge"),
                         before)
        self.assertEqual(set(self.probe.committed("dagrun-tap", f"{self.name}.edge")
                             .values()), {-1})

    def test_what_makes_no_sense_is_refused(self):
        self.begin()
        for args, words in ((("--until", "5", "-f"), "exclude each other"),
                            (("--page", "-f"), "exclude each other"),
                            (("--raw", "--json"), "exclude each other"),
                            (("--cut", "4KiB"), "--cut is for"),
                            (("--until", "earliest"), "nothing is before it"),
                            (("--where", "n"), "FIELD=VALUE expected"),
                            (("--from", "0:1,"), "expected earliest"),
                            (("--from", "yesterday"), "expected earliest"),
                            (("--timeout", "5"), "expected a time"),
                            (("--scan", "0"), "from 1 on"),
                            (("-n", "20000"), "at most the last 10000"),
                            (("--limt", "1"), "did you mean '--limit'")):
            with self.subTest(args):
                self.refused("tap", self.edge, *args, code=2, words=[words])


if __name__ == "__main__":
    unittest.main()
