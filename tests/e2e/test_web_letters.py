# SPDX-License-Identifier: MIT
"""dagrun web: dead letters, read and acted on by children of the server."""
import json
import unittest
import urllib.parse

from web_case import Web

GRAPH = """
nodes:
  src:  {program: lines, with: {path: in.txt}}
  work: {program: set, from: src, with: {via: work}}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Letters(Web):
    def setUp(self):
        super().setUp()
        self.place = f"/api/v1/dags/{self.name}"
        self.write("dags/in.txt", "".join(f"no object {i}\n" for i in range(30)) + "{}\n[]\n")
        self.dagrun("start", self.dag(GRAPH), code=1)

    def groups(self, **query):
        return self.get(f"{self.place}/dead_letters?{urllib.parse.urlencode(query)}")

    def page(self, status=200, **query):
        return self.get(f"{self.place}/nodes/work/dead_letters?"
                        + urllib.parse.urlencode(query), status)

    def act(self, verb, status=200, **body):
        got, _, answer = self.ask("POST", f"{self.place}/dead_letters/{verb}", body, limit=60)
        self.assertEqual(got, status, (verb, body, answer))
        return json.loads(answer)

    def test_groups_and_pages_are_the_objects_of_the_command(self):
        groups = self.groups()
        self.assertEqual((groups["open"], len(groups["groups"])), (31, 2))
        self.assertEqual(groups, self.json("dlq", "list", self.name))
        self.assertEqual(self.groups(node="out")["groups"], [])
        first = self.page()
        self.assertEqual([letter["offset"] for letter in first["letters"]], list(range(20)))
        second = self.page(**{"from": first["next"]})
        self.assertEqual([letter["value"] for letter in second["letters"]],
                         [f"no object {i}" for i in range(20, 30)] + ["[]"])
        self.assertIsNone(second["next"])
        self.assertEqual(second["letters"], self.json("dlq", "show", f"{self.name}/work",
                                                      "--from", "0:20")["letters"])
        small, = (group for group in groups["groups"] if group["count"] == 1)
        self.assertEqual([letter["value"] for letter in
                          self.page(reason=small["reason"])["letters"]], ["[]"])

    def test_letters_are_counted_sent_again_and_dropped(self):
        big, _ = self.groups()["groups"]
        would = self.act("replay", node="work", reason=big["reason"], dry_run=True)
        self.assertEqual((would["done"], would["dry_run"]), (30, True))
        self.assertEqual(self.groups()["open"], 31)
        done = self.act("replay", node="work", reason=big["reason"])
        self.assertEqual((done["done"], done["taken_by"]), (30, "start"))
        self.assertEqual(self.act("replay", node="work", offsets="0,1,2")["done"], 0)
        self.assertEqual(self.act("drop", all=True, note="of no use")["done"], 1)
        groups = self.groups()
        self.assertEqual((groups["open"], groups["replayed"], groups["dropped"]), (0, 30, 1))
        letter, = self.page(state="dropped")["letters"]
        self.assertEqual((letter["marked"]["note"], letter["marked"]["by"]),
                         ("of no use", "token, web from 127.0.0.1"))
        deeds = [deed["action"] for deed in self.get("/api/v1/audit")["audit"]
                 if deed["action"] in ("replay", "drop")]
        self.assertEqual(deeds, ["drop", "replay", "replay"])  # a dry run does nothing
        self.assertIn("30 dead letters sent again by token, web from 127.0.0.1",
                      [event["text"] for event in self.show()["events"]])

    def test_what_makes_no_sense_is_refused_in_one_sentence(self):
        self.assertIn("which letters", self.act("replay", status=422)["error"])
        self.assertIn("a source", self.act("replay", status=409, node="src")["error"])
        self.act("drop", status=404, node="nobody")
        self.act("drop", status=422, node="work", offsets="one")
        self.act("drop", status=422, node="work", since="soon")
        self.page(status=422, state="lost")
        self.page(status=422, **{"from": "--all"})
        self.get("/api/v1/dags/none/dead_letters", 404)
        self.assertEqual(self.groups()["open"], 31)

    def test_the_name_of_a_node_is_no_dag_while_one_runs(self):
        self.dagrun("start", self.dag(GRAPH), "--keep", "-d")
        self.get("/api/v1/dags/work/dead_letters", 404)
        self.place = "/api/v1/dags/work"
        self.act("drop", status=404, all=True)


if __name__ == "__main__":
    unittest.main()
