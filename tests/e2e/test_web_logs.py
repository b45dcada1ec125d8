# SPDX-License-Identifier: MIT
"""dagrun web: logs with their rotated parts, read, searched and taken as a whole."""
import json
import os
import unittest

from web_case import GRAPH, Web


class Logs(Web):
    def setUp(self):
        super().setUp()
        self.dagrun("start", self.dag(GRAPH))
        self.file = os.path.join(self.home, "runs", f"{self.name}@1", "out.0.1.log")
        self.path = f"/api/v1/runs/{self.name}/1/logs/out/0/1"
        with open(self.file, "wb") as file:
            file.write(b"newest line\nan ERROR here\n")
        with open(self.file + ".1", "wb") as file:
            file.write(b"".join(b"older line %d\n" % i for i in range(5000)))
        with open(self.file + ".2", "wb") as file:
            file.write(b"the very first\n<b>error</b> \xff\n")
        self.whole = b"".join(open(self.file + part, "rb").read() for part in (".2", ".1", ""))

    def test_rotated_parts_are_one_row_of_bytes_the_oldest_first(self):
        for query, piece in (("?from=0&limit=20", self.whole[:20]),
                             ("?from=25&limit=30", self.whole[25:55]),
                             ("?from=-40", self.whole[-40:]),
                             ("?from=0&limit=1000000", self.whole)):
            status, headers, body = self.ask("GET", self.path + query)
            self.assertEqual((status, body), (200, piece), query)
            self.assertEqual(headers["Dagrun-Log-Size"], str(len(self.whole)))
        size = {(log["node"], log["client"]): log["bytes"] for log in
                self.get(f"/api/v1/runs/{self.name}/1/logs")["logs"]}
        self.assertEqual(size["out", "0"], len(self.whole))
        before = self.ask("GET", self.path)[1]["Dagrun-Log-Id"]
        os.remove(self.file + ".2")
        self.assertNotEqual(self.ask("GET", self.path)[1]["Dagrun-Log-Id"], before)

    def test_all_of_it_is_a_file(self):
        with open(self.file, "ab") as file:
            file.write(b"x" * (4 << 20))
        status, headers, body = self.ask("GET", self.path + "/file")
        self.assertEqual((status, headers["Content-Length"]), (200, str(len(body))))
        self.assertEqual(body, self.whole + b"x" * (4 << 20))
        self.assertEqual(headers["Content-Disposition"],
                         f'attachment; filename="{self.name}-out.0.1.log"')
        self.assertEqual(self.ask("GET", self.path.replace("/out/", "/none/") + "/file")[0], 404)

    def test_a_search_finds_lines_and_their_places(self):
        found = self.get(self.path + "/search?text=error")
        self.assertEqual(len(found["matches"]), 2)
        self.assertFalse(found["more"])
        for match, line in zip(found["matches"], (b"<b>error</b> \xff", b"an ERROR here")):
            self.assertEqual(self.whole[match["at"]:match["at"] + len(line)], line)
        self.assertEqual(found["matches"][1]["text"], "an ERROR here")
        some = self.get(self.path + "/search?text=older&limit=3")
        self.assertEqual([m["text"] for m in some["matches"]],
                         [f"older line {i}" for i in range(3)])
        self.assertTrue(some["more"])
        self.assertEqual(self.get(self.path + "/search?text=--follow")["matches"], [])
        self.get(self.path + "/search", 422)
        lines = self.dagrun("logs", f"{self.name}@1/out.0", "--grep", "ERROR", "--json").out
        self.assertEqual([json.loads(line) for line in lines.splitlines()],
                         found["matches"])
        self.assertEqual(self.dagrun("logs", f"{self.name}@1/out.0", "--grep", "older",
                                     "--limit", "1").out, "older line 0\n")

    def test_the_most_that_a_search_can_find_is_found(self):
        line = b"x" + b"\x01" * (16 * 1024 - 1)
        with open(self.file + ".1", "wb") as file:
            file.write((line + b"\n") * 500)
        status, _, body = self.ask("GET", self.path + "/search?text=x&limit=500", limit=30)
        self.assertEqual(status, 200, body[:200])
        self.assertEqual([m["text"] for m in json.loads(body)["matches"]],
                         [line.decode()] * 500)


if __name__ == "__main__":
    unittest.main()
