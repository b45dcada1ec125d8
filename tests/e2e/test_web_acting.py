# SPDX-License-Identifier: MIT
"""dagrun web: what is done to a run, and the starts of files."""
import http.client
import json
import os
import signal
import socket
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import wait_for
from web_case import LOADED, Web


class Acting(Web):
    def setUp(self):
        super().setUp()
        self.dagrun("start", self.dag(LOADED), "-d")
        self.target = f"/api/v1/dags/{self.name}"

    def act(self, action, body=None, status=202):
        got, _, answer = self.ask("POST", f"{self.target}/{action}", body)
        self.assertEqual(got, status, (action, body, answer))
        return json.loads(answer)

    def nodes(self):
        return {node["node"]: node for node in self.get(f"{self.target}/status")["nodes"]}

    def events(self):
        return [event["text"] for event in
                self.get(f"/api/v1/runs/{self.name}/last/events")["events"]]

    def wait_node(self, node, condition, what):
        wait_for(lambda: condition(self.nodes()[node]), what, 20)

    def test_nodes_are_paused_resumed_and_restarted_and_the_run_says_by_whom(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        self.assertEqual(self.act("pause", {"node": "work"}), {"ok": True})
        self.wait_node("work", lambda n: n["state"] == "paused", "the pause")
        self.assertEqual(self.nodes()["out"]["state"], "running")
        self.act("resume")
        self.wait_node("work", lambda n: n["state"] == "running", "the end of the pause")
        self.act("nodes/work/restart", {"client": "1"})
        self.wait_node("work", lambda n: [c["attempt"] for c in n["clients"]] == [1, 2],
                       "a second attempt of one client")
        self.act("nodes/work/scale", {"clients": 3})
        self.wait_node("work", lambda n: (n["want"], n["up"]) == (3, 3), "a third client")
        self.act("stop", {})
        self.wait_state("stopped")
        wait_for(lambda: not self.get(f"{self.target}/status")["live"], "its end", 10)
        by = " by web from 127.0.0.1"
        for text in (f"paused{by}: it takes no input until it is resumed", f"resumed{by}",
                     f"asked to restart{by}", f"scaled from 2 to 3 clients{by}",
                     f"asked to stop{by}"):
            self.assertIn(text, self.events())

    def test_a_run_is_stopped_at_once(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        self.act("stop", {"now": True})
        self.wait_state("interrupted", limit=20)
        self.assertIn("asked to stop at once by web from 127.0.0.1", self.events())
        self.assertIn("does not run", self.act("stop", status=404)["error"])

    def test_what_can_not_be_done_is_refused(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        for action, body, status in (("pause", {"node": "none"}, 404),
                                     ("nodes/none/restart", {}, 404),
                                     ("nodes/work/restart", {"client": "7"}, 404),
                                     ("nodes/wo.rk/restart", {}, 422),
                                     ("nodes/work/scale", {}, 422),
                                     ("nodes/work/scale", {"clients": 0}, 422),
                                     ("nodes/work/scale", {"clients": "3"}, 422),
                                     ("nodes/work/scale", {"clients": 2.5}, 422),
                                     ("nodes/work/scale", {"clients": 9}, 409),
                                     ("nodes/src/scale", {"clients": 2}, 409),
                                     ("nodes/none/scale", {"clients": 2}, 404),
                                     ("stop", {"now": "yes"}, 422),
                                     ("stop", {"node": "work"}, 422),
                                     ("pause", {"node": 1}, 422),
                                     ("pause", {"node": "../x"}, 422)):
            self.assertTrue(self.act(action, body, status)["error"])
        self.assertEqual(self.ask("GET", f"{self.target}/stop")[0], 405)
        self.assertEqual(self.nodes()["work"]["state"], "running")
        self.dagrun("stop", "--now", self.name)

    def hang(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)
        self.addCleanup(os.kill, runner, signal.SIGKILL)

    def test_a_runner_that_hangs_is_given_up_on_and_holds_nobody_up(self):
        self.hang()
        with ThreadPoolExecutor() as pool:
            late = pool.submit(self.ask, "POST", f"{self.target}/pause", {}, limit=20)
            others = 0
            while not late.done():
                self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
                others += not late.done()
                time.sleep(0.2)
        self.assertEqual(late.result()[0], 504)
        self.assertGreater(others, 2)

    def test_a_server_that_ends_leaves_no_question_open(self):
        self.hang()
        with ThreadPoolExecutor() as pool:
            late = pool.submit(self.ask, "POST", f"{self.target}/pause", {}, limit=20)
            time.sleep(1)  # it waits for its answer now, or is refused as well
            self.stop(self.server)
            try:
                self.assertEqual(late.result()[0], 503)
            except (ConnectionError, http.client.HTTPException):
                pass


class Files(Web):
    """Starts of files in the folders of --dags, and of nothing else."""

    def setUp(self):
        super().setUp()
        self.stop(self.server)
        self.dag(LOADED, "dags/good.yaml")
        self.write("dags/bad.yaml", "name: bad\nnodes:\n  a: {program: nothing-like-it}\n")
        self.write("dags/notes.txt", "no dag")
        self.write("other/good.yaml", "name: hidden\n")
        self.write("other/more.yaml", "name: more\n")
        self.write("outside.yaml", "name: outside\n")
        self.dags = os.path.join(self.dir, "dags")
        self.server = self.serve("--dags", self.dags, "--dags",
                                 os.path.join(self.dir, "other"))

    def start(self, file, body=None, status=202):
        got, _, answer = self.ask("POST", f"/api/v1/files/{file}/start", body, limit=60)
        self.assertEqual(got, status, (file, answer))
        return json.loads(answer)

    def test_the_files_of_the_folders_are_listed_the_first_folder_first(self):
        files = self.get("/api/v1/files")["files"]
        self.assertEqual([file["file"] for file in files], ["bad", "good", "more"])
        self.assertEqual(files[1]["yaml"], os.path.join(self.dags, "good.yaml"))

    def test_a_file_is_started_and_its_run_outlives_the_server(self):
        said = self.start("good", {"keep": True})
        self.assertIn(f"{self.name}@1 runs", said["text"])
        self.stop(self.server)
        self.assertEqual(self.wait_state("running"), "running")
        self.server = self.serve("--dags", self.dags)
        self.assertIn("runs already", self.start("good", status=409)["error"])
        self.ask("POST", f"/api/v1/dags/{self.name}/stop")
        self.wait_state("stopped")
        self.start("good", {"fresh": True})
        self.assertTrue(self.show(2)["fresh"])
        self.dagrun("stop", "--now", self.name)

    def test_a_file_is_restarted(self):
        self.start("good")
        self.wait_state("running")
        status, _, answer = self.ask("POST", "/api/v1/files/good/restart", {"keep": True},
                                     limit=90)
        self.assertEqual(status, 202, answer)
        self.assertIn(f"{self.name}@2 runs", json.loads(answer)["text"])
        self.assertEqual(self.show(1)["state"], "stopped")
        self.assertEqual(self.wait_state("running"), "running")
        self.write("dags/good.yaml", f"name: {self.name}\nnodes: 5\n")
        status, _, answer = self.ask("POST", "/api/v1/files/good/restart", {}, limit=90)
        self.assertEqual(status, 422, answer)  # a file with errors leaves the run alone
        self.assertEqual(self.state(), "running")
        self.assertEqual(self.ask("POST", "/api/v1/files/none/restart", {})[0], 404)
        self.dagrun("stop", "--now", self.name)

    def test_a_server_ends_in_good_order_while_a_file_is_being_started(self):
        deaf = socket.create_server(("127.0.0.1", 0))  # takes connections, never answers
        self.addCleanup(deaf.close)
        self.dag(LOADED + f"kafka: {{brokers: '127.0.0.1:{deaf.getsockname()[1]}'}}\n",
                 "dags/good.yaml")
        asks = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(asks.close)
        asks.request("POST", "/api/v1/files/good/start",
                     headers={"Authorization": f"Bearer {self.token}"})
        deaf.settimeout(30)
        deaf.accept()[0].close()
        self.assertTrue(self.starting())
        self.stop(self.server)  # nothing is left behind, memory neither
        self.assertEqual(asks.getresponse().status, 503)
        self.assertFalse(self.starting())

    def starting(self):
        return [argv for argv in self.processes().values() if "start" in argv]

    def test_what_can_not_be_started_says_why(self):
        self.assertIn("nothing-like-it", self.start("bad", status=422)["error"])
        for file, status in (("none", 404), ("notes", 404), ("outside", 404),
                             ("..%2foutside", 400), ("%2e%2e", 400), ("good.yaml", 422),
                             ("-d", 422)):
            self.assertTrue(self.start(file, status=status)["error"], file)
        self.assertTrue(self.start("good", {"fresh": 1}, 422)["error"])
        self.assertEqual(self.json("history")["runs"], [])

    def test_a_file_is_checked_and_drawn_without_a_run(self):
        good = self.get("/api/v1/files/good/check")
        self.assertEqual((good["ok"], good["nodes"], good["edges"]), (True, 3, 2))
        bad = self.get("/api/v1/files/bad/check")
        self.assertFalse(bad["ok"])
        self.assertIn("nothing-like-it", bad["errors"][0]["text"])
        self.assertEqual(bad["errors"][0]["line"], 3)
        self.assertEqual(bad["errors"][0]["excerpt"], "  a: {program: nothing-like-it}")
        line = "  a: {program: nothing-like-it}  # " + "\u00e9" * 200
        line = line if len(line) % 2 else line.replace("#", " #")  # byte 200 is half of one
        self.write("dags/long.yaml", f"name: long\nnodes:\n{line}\n")
        self.assertEqual(self.get("/api/v1/files/long/check")["errors"][0]["excerpt"],
                         line.encode()[:199].decode())
        status, headers, body = self.ask("GET", "/api/v1/files/good/graph")
        self.assertEqual((status, headers["Content-Type"]), (200, "image/svg+xml"))
        self.assertIn(b"work feeds out", body)
        self.write("dags/worse.yaml", "name: worse\nnodes: 5\n")
        self.get("/api/v1/files/worse/graph", 422)
        for look in ("check", "graph"):
            self.get(f"/api/v1/files/none/{look}", 404)
        self.assertEqual(self.json("history")["runs"], [])

    def test_a_file_that_everybody_writes_to_is_refused(self):
        os.chmod(os.path.join(self.dags, "good.yaml"), 0o646)
        self.assertIn("chmod o-w", self.start("good", status=422)["error"])
        self.get("/api/v1/files/good/check", 422)
        self.assertEqual(self.json("history")["runs"], [])

    def test_a_folder_that_everybody_writes_to_is_refused(self):
        self.stop(self.server)
        os.chmod(self.dags, 0o777)
        self.refused("web", "--dags", self.dags, code=2, words=["chmod o-w"])
        self.refused("web", "--dags", os.path.join(self.dags, "good.yaml"), code=2,
                     words=["a folder expected"])
        self.refused("web", "--dags", "/nowhere/at/all", code=2, words=["No such file"])
        self.server = self.serve()
        self.assertEqual(self.get("/api/v1/files")["files"], [])


if __name__ == "__main__":
    unittest.main()
