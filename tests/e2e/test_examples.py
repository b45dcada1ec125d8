# SPDX-License-Identifier: MIT
"""The dags and examples that come with dagrun do what they say."""
import glob
import json
import os
import re
import shutil
import subprocess
import unittest

from harness import Case, ROOT, ids, lines_of


class Examples(Case):
    def shipped(self, folder, file):
        """A copy of a shipped folder, its dag with this test's name and topics."""
        target = os.path.join(self.dir, "copy")
        shutil.copytree(os.path.join(ROOT, folder), target, ignore=shutil.ignore_patterns("out"))
        path = os.path.join(target, file)
        with open(path, encoding="utf-8") as source:
            text = source.read()
        name = re.search(r"^name: (\S+)", text, re.M).group(1)
        text = re.sub(r"^name: .*", f"name: {self.name}", text, flags=re.M)
        text = re.sub(r"topic: ([\w.-]+)", rf"topic: {self.name}.\1", text)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        self.assertTrue(name)
        return path

    def lines(self, name):
        return lines_of(os.path.join(self.dir, "copy", "out", name))

    def test_arithmetic(self):
        done = self.dagrun("start", self.shipped("dags", "arithmetic.yaml"))
        self.assertEqual(done.out, "Result of operation sum is ::: 7\n")
        left = [json.loads(line) for line in self.lines("left.jsonl")]
        self.assertEqual([(r["operation"], r["result"], r["via"]) for r in left],
                         [("sum", 7, "tag")])
        self.assertEqual(self.show()["state"], "succeeded")

    def test_diamond(self):
        self.dagrun("start", self.shipped("dags", "diamond.yaml"))
        seen = ids(self.lines("diamond.jsonl"))
        self.assertEqual((len(seen), set(seen.values())), (500, {2}))
        self.assertTrue(all(json.loads(line)["joined"] is True
                            for line in self.lines("diamond.jsonl")))

    def test_fanout(self):
        self.dagrun("start", "--param", "COUNT=3000", self.shipped("dags", "fanout.yaml"))
        for name in ("sums.jsonl", "differences.jsonl"):
            seen = ids(self.lines(name))
            self.assertEqual((len(seen), set(seen.values())), (3000, {1}), name)

    def test_lines_to_file(self):
        path = self.shipped("dags", "lines-to-file.yaml")
        folder = os.path.join(self.dir, "copy")
        os.mkdir(os.path.join(folder, "out"))
        with open(os.path.join(folder, "out", "lines.txt"), "wb") as file:
            subprocess.run([os.path.join(folder, "make-lines"), "150000"], stdout=file,
                           check=True)
        self.dagrun("start", path, limit=180)
        with open(os.path.join(folder, "out", "lines.txt"), "rb") as source, \
                open(os.path.join(folder, "out", "lines-copy.txt"), "rb") as copy:
            before, after = source.read(), copy.read()
        self.assertGreater(before.count(b"\n"), 100_000)
        self.assertTrue(before == after, "the copy differs")

    def story(self, name, output, code):
        path = self.shipped(f"examples/{name}", "dag.yaml")
        self.dagrun("start", path, code=code)
        expected = lines_of(os.path.join(ROOT, "examples", name, "expected.jsonl"))
        self.assertEqual(sorted(self.lines(output)), sorted(expected))

    def test_story_wei(self):
        self.story("wei", "ledger.jsonl", 0)

    def test_story_sensors(self):
        self.story("sensors", "report.jsonl", 1)  # degraded: it has dead letters
        reasons = [r["headers"]["dagrun-reason"] for r in self.dead("distance")]
        expected = lines_of(os.path.join(ROOT, "examples", "sensors", "expected.dead"))
        self.assertEqual(sorted(reasons), sorted(expected))

    def test_every_shipped_dag_is_valid(self):
        found = glob.glob(os.path.join(ROOT, "dags", "*.yaml"))
        self.assertGreaterEqual(len(found), 4)
        for path in found:
            with self.subTest(path):
                self.dagrun("validate", path)


if __name__ == "__main__":
    unittest.main()
