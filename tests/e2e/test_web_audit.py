# SPDX-License-Identifier: MIT
"""The audit: who did what over HTTP and on the command line, or was refused."""
import base64
import getpass
import json
import os
import unittest
from urllib.parse import quote

from harness import wait_for
from web_case import LOADED, Web

HOSTILE = "<img src=x onerror=hit()>\x1b[31m"


class Audit(Web):
    def serve(self, *args):
        folder = os.path.join(self.dir, "dags")
        os.makedirs(folder, exist_ok=True)
        return super().serve("--dags", folder, *args)

    def deeds(self, *args):
        return self.json("audit", "--json", *args)["audit"]

    def find(self, **wanted):
        """The newest deed like this; the server writes a moment after it has answered."""
        def look():
            for deed in self.deeds():
                if all(deed[key] == value for key, value in wanted.items()):
                    return deed
            return None
        return wait_for(look, f"a deed like {wanted}", 20)

    def ask_as(self, name, method, target, body=None):
        code = base64.b64encode(f"{name}:{name}'s password".encode()).decode()
        status, _, answer = self.ask(method, target, body, token=False,
                                     headers={"Authorization": f"Basic {code}"})
        return status, json.loads(answer)

    def add(self, name, role):
        self.dagrun("web", "user", "add", name, "--role", role, text=f"{name}'s password\n")

    def test_every_action_is_recorded_with_who_and_from_where(self):
        self.dag(LOADED)
        self.add("otto", "operator")
        self.add("vera", "viewer")
        status, answer = self.ask_as("otto", "POST", "/api/v1/files/dag/start", {"keep": True})
        self.assertEqual(status, 202, answer)
        begun = self.find(action="start")
        self.assertEqual((begun["who"], begun["role"], begun["from"], begun["dag"], begun["ok"]),
                         ("otto", "operator", "127.0.0.1", self.name, True))
        self.assertEqual((begun["target"], begun["detail"]), ("dag", {"keep": True}))
        self.assertIn(f"{self.name}@1 runs", begun["text"])
        self.assertRegex(begun["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(self.ask_as("otto", "POST", f"/api/v1/dags/{self.name}/pause",
                                     {"node": "work"})[0], 202)
        self.find(action="pause", who="otto", target=f"{self.name}/work", detail=None, ok=True)
        self.assertEqual(self.ask_as("vera", "POST", f"/api/v1/dags/{self.name}/resume")[0], 403)
        refused = self.find(action="resume", who="vera", role="viewer", ok=False)
        self.assertIn("needs the role operator", refused["text"])
        self.assertEqual(self.ask("POST", f"/api/v1/dags/{self.name}/nodes/work/restart",
                                  {"client": "1"})[0], 202)
        self.find(action="restart", who="token", role="admin", target=f"{self.name}/work.1", ok=True)
        self.assertEqual(self.ask("POST", f"/api/v1/dags/{self.name}/stop", {"now": True})[0], 202)
        self.find(action="stop", target=self.name, detail={"now": True}, ok=True)
        self.assertEqual(len([deed for deed in self.deeds() if deed["action"] == "start"]), 1,
                         "the command that the server ran records nothing of its own")
        wait_for(lambda: not self.status()["live"], "the end of the run")
        self.assertEqual(self.ask("POST", f"/api/v1/dags/{self.name}/stop")[0], 404)
        self.assertIn("does not run", self.find(action="stop", ok=False)["text"])
        self.assertEqual({deed["dag"] for deed in self.deeds("--dag", self.name)}, {self.name})
        events = [event["text"] for event in self.show()["events"]]
        self.assertIn("otto over web from 127.0.0.1", "\n".join(events))

    def test_commands_are_recorded_with_the_user_and_the_pid(self):
        path = self.dag(LOADED)
        self.dagrun("start", "-d", path)
        begun = self.find(action="start", ok=True)
        self.assertEqual((begun["who"], begun["role"], begun["dag"], begun["target"]),
                         (getpass.getuser(), None, self.name, path))
        self.assertRegex(begun["from"], r"^pid \d+$")
        self.assertEqual(begun["text"], f"{self.name}@1")
        self.dagrun("start", path, code=5)
        self.assertTrue(self.find(action="start", ok=False)["text"])
        self.write("dags/broken.yaml", "nodes: {a: {program: none}}\n")
        self.dagrun("start", "dags/broken.yaml", code=2)
        self.find(action="start", target="dags/broken.yaml", text="the file has errors")
        self.dagrun("pause", f"{self.name}/work")
        self.dagrun("resume", f"{self.name}/nothing", code=4)
        self.dagrun("restart", f"{self.name}/work.0")
        self.dagrun("stop", "--now", self.name)
        self.dagrun("stop", self.name, code=4)
        deeds = [(deed["action"], deed["target"], deed["ok"]) for deed in self.deeds()]
        self.assertEqual(deeds[:5], [("stop", self.name, False), ("stop", self.name, True),
                                     ("restart", f"{self.name}/work.0", True),
                                     ("resume", f"{self.name}/nothing", False),
                                     ("pause", f"{self.name}/work", True)])
        self.dagrun("clean", "--yes", self.name)
        self.find(action="clean", target=self.name)

    def test_sending_and_the_broker_are_recorded(self):
        path = self.dag(LOADED)
        self.dagrun("send", "--value", "{}", f"{path}/work")
        self.find(action="send", dag=self.name, target=f"{self.name}/work",
                  detail={"records": 1}, ok=True)
        address = self.dagrun("broker", "start").out.strip()
        self.addCleanup(self.dagrun, "broker", "stop")
        self.dagrun("broker", "start")  # it runs: nothing is done
        self.dagrun("broker", "start", "--partitions", "2", code=5)
        self.dagrun("broker", "stop")
        self.dagrun("broker", "stop")  # it does not run
        deeds = [(deed["action"], deed["target"], deed["ok"]) for deed in self.deeds()]
        self.assertEqual(deeds[:4], [("broker stop", address, True),
                                     ("broker start", None, False),
                                     ("broker start", address, True),
                                     ("send", f"{self.name}/work", True)])

    def test_changes_of_users_and_logins_are_recorded(self):
        self.add("vera", "viewer")
        self.find(action="user add", target="vera", detail={"role": "viewer"}, ok=True)
        self.dagrun("web", "user", "role", "nobody", "admin", code=4)
        self.find(action="user role", target="nobody", ok=False)
        session = "/api/v1/session"
        self.ask("POST", session, {"user": "vera", "password": "wrong"}, token=False)
        self.find(action="login", who="vera", role=None, ok=False)
        self.ask("POST", session, {"user": "hunter2 typed here", "password": "x"}, token=False)
        self.assertEqual(self.find(action="login", who="", ok=False)["from"], "127.0.0.1")
        self.ask("POST", session, {"user": "vera", "password": "vera's password"}, token=False)
        self.find(action="login", who="vera", role="viewer", ok=True)
        text = json.dumps(self.deeds())
        for secret in ("vera's password", "hunter2", "wrong\"", self.token):
            self.assertNotIn(secret, text)

    def test_only_an_admin_reads_it_in_pages_as_the_command_does(self):
        for i in range(7):
            self.ask("POST", f"/api/v1/dags/dag{i}/stop")
        self.find(target="dag6")
        pages, after = [], ""
        while after is not None:
            page = self.get(f"/api/v1/audit?limit=3{after and '&after=' + after}")
            pages.append([deed["target"] for deed in page["audit"]])
            after = page["next"]
        self.assertEqual([target for page in pages for target in page],
                         [f"dag{i}" for i in range(6, -1, -1)])
        self.assertEqual([len(page) for page in pages], [3, 3, 1])
        self.assertEqual(self.get("/api/v1/audit"), self.json("audit", "--json"))
        self.assertEqual(len(self.get("/api/v1/audit?dag=dag3")["audit"]), 1)
        self.assertEqual(self.get("/api/v1/audit?since=99999999999999")["audit"], [])
        self.get("/api/v1/audit?after=x", 422)
        self.refused("audit", "--after", "x", code=2, words=("cursor",))
        self.refused("audit", "--limit", "0", code=2, words=("--limit",))
        self.refused("audit", "--since", "soon", code=2, words=("'soon' is no time",))
        self.refused("audit", "dag", code=2, words=("too much",))
        self.add("otto", "operator")
        self.assertEqual(self.ask_as("otto", "GET", "/api/v1/audit")[0], 403)

    def test_a_flood_of_nobody_does_not_fill_it(self):
        for _ in range(60):
            self.assertEqual(self.ask("POST", "/api/v1/dags/dag/stop", token=False)[0], 401)
        self.ask("POST", "/api/v1/dags/last/stop")
        self.find(target="last")
        refused = [deed for deed in self.deeds("--limit", "1000") if not deed["who"]]
        self.assertGreaterEqual(len(refused), 10)
        self.assertLess(len(refused), 40)

    def test_hostile_text_is_text(self):
        # Bodies come as they are; a name in a path can only be a name.
        self.ask("POST", "/api/v1/dags/dag/pause", {"node": HOSTILE})
        self.ask("POST", f"/api/v1/dags/{quote(HOSTILE)}/stop")
        self.assertIn(HOSTILE, self.find(action="pause")["target"])
        shown = self.dagrun("audit").out
        self.assertNotIn("\x1b", shown)
        self.assertIn("<img src=x", shown)

    def test_pruning_takes_what_is_older(self):
        self.ask("POST", "/api/v1/dags/dag/stop")
        self.find(action="stop")
        self.assertEqual(self.json("prune", "--older", "1d", "--json")["audit"], 0)
        dry = self.dagrun("prune", "--older", "0s", "--dry-run")
        self.assertRegex(dry.err, r"\d+ of the audit would go")
        self.assertTrue(self.deeds())
        self.assertTrue(self.json("prune", "--older", "0s", "--json")["audit"])
        self.assertEqual([deed["action"] for deed in self.deeds()], ["prune"])


if __name__ == "__main__":
    unittest.main()
