# SPDX-License-Identifier: MIT
"""The five-node arithmetic graph: what a person sends is what both leaves get."""
import json
import random
import unittest

from harness import Case, wait_for

ARITHMETIC = """
nodes:
  ask:   {program: producer, args: [5, 2, sum]}
  calc:  {program: arithmetic, from: ask, clients: 2, with: {signed: %s}}
  tag:   {program: set, from: calc, with: {via: tag}}
  left:  {program: file, from: tag, with: {path: out/left.jsonl}}
  right: {program: print, from: {tag: {topic: %s}}}
"""


class Arithmetic(Case):
    def arithmetic(self, signed="false"):
        # The article's graph: right's edge has a topic of its own name.
        return self.dag(ARITHMETIC % (signed, self.name + "-results"))

    def left(self):
        return [json.loads(line) for line in self.out("out/left.jsonl")]

    def right(self):
        return [json.loads(value) for value in self.probe.values(self.name + "-results")]

    def send(self, *args):
        self.dagrun("send", f"{self.name}/ask", *args)

    def asked(self):
        return [json.loads(value) for value in self.probe.values(self.topic("ask:calc"))]

    def both_leaves_got(self, count):
        """The last of count records on both leaves."""
        left = wait_for(lambda: len(self.left()) >= count and self.left(),
                        f"{count} records on left, {self.left()}")
        right = wait_for(lambda: len(self.right()) >= count and self.right(),
                         f"{count} records on right")
        self.assertEqual(len(left), count)
        self.assertEqual(len(right), count)
        return left[-1], right[-1]

    def clients_up(self, name):
        return next(n for n in self.status()["nodes"] if n["node"] == name)["up"]

    def dead_letters(self, count):
        return wait_for(lambda: len(self.dead("calc")) >= count and self.dead("calc"),
                        f"{count} dead letters of calc")

    def log_of(self, node):
        return self.dagrun("logs", f"{self.name}/{node}").out

    def test_the_table_row_by_row(self):
        self.dagrun("start", self.arithmetic(), "--keep", "-d")
        self.wait_state("running")
        self.both_leaves_got(1)  # 5 2 sum, ask's own arguments
        count = 1
        for args, result, said in [
                ("5 2 sum", 7, "Result of operation sum is ::: 7"),
                ("5 2 sub", 3, "Result of operation sub is ::: 3"),
                ("2 5 sub", 3, "Result of operation sub is ::: 3"),
                ("-4 4 sum", 0, "Result of operation sum is ::: 0"),
                ("9223372036854775807 1 sum", 9223372036854775808,
                 "Result of operation sum is ::: 9223372036854775808"),
        ]:
            with self.subTest(args):
                self.send(*args.split())
                one, two, operation = args.split()
                self.assertIn({"operator_1": one, "operator_2": two,
                               "operation": operation}, self.asked())
                count += 1
                for got in self.both_leaves_got(count):
                    self.assertEqual(got["operation"], operation)
                    self.assertEqual(got["result"], result)
                    self.assertEqual(got["via"], "tag")
                wait_for(lambda said=said: said in self.log_of("right"), said)
        dead = 0
        for args, reason in [("5 2 mul", 'unknown operation "mul"'),
                             ("five 2 sum", 'operator_1: not an integer: "five"')]:
            with self.subTest(args):
                self.send(*args.split())
                dead += 1
                letter = self.dead_letters(dead)[-1]
                self.assertIn(letter["headers"]["dagrun-reason"], [reason])
                self.assertEqual(letter["headers"]["dagrun-failed-at"],
                                 "TRANSFORM" if "mul" in args else
                                 letter["headers"]["dagrun-failed-at"])
                self.assertEqual(letter["headers"]["dagrun-node"], "calc")
                self.assertEqual(letter["headers"]["dagrun-topic"], self.topic("ask:calc"))
                self.assertEqual(json.loads(letter["value"])["operation"], args.split()[2])
        self.both_leaves_got(count)  # nothing of the failed ones came through
        self.dagrun("stop", self.name)
        show = self.show()
        self.assertEqual(show["run"], 1)
        self.assertEqual(len(show["nodes"]), 5)
        totals = self.assert_balanced()
        self.assertEqual(totals["calc"]["in"], count + dead)
        self.assertEqual(totals["calc"]["dead"], dead)
        self.assertEqual(totals["left"]["in"], count)
        self.assertEqual(totals["right"]["in"], count)
        self.assertEqual(len({a["client"] for a in show["attempts"]
                              if a["node"] == "calc"}), 2)
        self.assert_no_process()
        self.assertEqual(len(self.runs()), 1)

    def test_signed_difference_may_be_negative(self):
        self.dagrun("start", self.arithmetic("true"), "--keep", "-d")
        self.both_leaves_got(1)
        self.send("2", "5", "sub")
        for got in self.both_leaves_got(2):
            self.assertEqual(got["result"], -3)
        self.dagrun("stop", self.name)

    def test_send_first_and_start_later(self):
        path = self.arithmetic()
        self.dagrun("send", f"{path}/ask", "20", "22", "sum")

        self.dagrun("start", path)
        results = sorted(record["result"] for record in self.left())
        self.assertEqual(results, [7, 42])
        self.assert_balanced()

    def test_lines_wait_for_the_next_start(self):
        path = self.arithmetic()
        self.dagrun("start", path)
        lines = '{"operator_1":"1","operator_2":"1","operation":"sum"}\n' * 3
        self.dagrun("send", f"{self.name}/calc", text=lines)
        self.assertEqual(self.probe.unread(self.group("calc"), self.topic("ask:calc")), 3)
        self.dagrun("start", path)
        # ask had finished, so it begins anew: 5 2 sum a second time.
        self.assertEqual(sorted(r["result"] for r in self.left()), [2, 2, 2, 7, 7])
        self.assertEqual(self.totals()["calc"]["in"], 4)

    def test_records_without_a_key_are_work_for_all_clients(self):
        path = self.arithmetic()
        self.dagrun("send", f"{path}/calc", text="not json at all\n" * 804)
        written = [high for _, high in self.probe.ends(self.topic("ask:calc")).values()]
        self.assertEqual(sum(written), 804)
        self.assertGreater(min(written), 60, written)

    def test_outputs_without_a_key_are_work_for_all_clients(self):
        self.dagrun("start", self.dag("""
nodes:
  src:  {program: producer, with: {count: 804}}
  work: {program: copy, from: src, clients: 2}
  more: {program: copy, from: work, clients: 2}
"""))
        written = [high for _, high in self.probe.ends(self.topic("src:work")).values()]
        self.assertEqual(sum(written), 804)
        self.assertGreater(min(written), 60, written)
        written = [high for _, high in self.probe.ends(self.topic("work:more")).values()]
        self.assertEqual(sum(written), 804)
        self.assertGreater(min(written), 60, written)

    def test_ten_thousand_mixed_sends(self):
        seed = random.randrange(1 << 32)
        rng = random.Random(seed)
        lines, valid = [], 0
        for i in range(10000):
            kind = rng.random()
            record = {"operator_1": str(i), "operator_2": str(rng.randrange(1000)),
                      "operation": rng.choice(["sum", "sub"])}
            if kind < 0.1:
                record["operation"] = "mul"
            elif kind < 0.2:
                record["operator_1"] = "five"
            elif kind < 0.25:
                lines.append("not json at all")
                continue
            else:
                valid += 1
            lines.append(json.dumps(record))
        self.dagrun("start", self.arithmetic(), "--keep", "-d")
        self.both_leaves_got(1)
        wait_for(lambda: self.clients_up("calc") == 2, "both clients have their partitions")
        self.dagrun("send", f"{self.name}/calc", text="\n".join(lines) + "\n")
        wait_for(lambda: len(self.out("out/left.jsonl")) >= valid + 1, "all on left", 120)
        wait_for(lambda: len(self.dead("calc")) >= len(lines) - valid, "all dead", 60)
        self.dagrun("stop", self.name)
        self.assertEqual(len(self.left()), valid + 1, f"seed {seed}")
        self.assertEqual(len(self.right()), valid + 1, f"seed {seed}")
        self.assertEqual(len(self.dead("calc")), len(lines) - valid, f"seed {seed}")
        totals = self.assert_balanced()
        self.assertEqual(totals["calc"]["in"], len(lines) + 1)
        self.assertEqual(totals["left"]["in"], valid + 1)
        self.assertEqual(totals["right"]["in"], valid + 1)
        self.assertIn(self.show()["state"], ("degraded", "stopped"))
        work = {}
        for attempt in self.show()["attempts"]:
            if attempt["node"] == "calc":
                work[attempt["client"]] = work.get(attempt["client"], 0) + attempt["in"]
        self.assertEqual(len(work), 2, work)
        self.assertTrue(all(count > 0 for count in work.values()), work)


if __name__ == "__main__":
    unittest.main()
