# SPDX-License-Identifier: MIT
"""dagrun web: who is served, the limits, and that the API's objects are those of --json."""
import gzip
import http.client
import json
import os
import re
import select
import signal
import socket
import stat
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import Case, lines_of, wait_for

GRAPH = """
nodes:
  src:  {program: producer, with: {count: 40}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: print, from: work}
"""
LOADED = GRAPH.replace("count: 40", "count: 1000000, rate: 50")
VALUES = {"{dag}": "none", "{run}": "1", "{node}": "n", "{client}": "0", "{attempt}": "1",
          "{file}": "none"}


class Web(Case):
    def setUp(self):
        super().setUp()
        self.server = self.serve()

    def serve(self, *args):
        server = self.spawn("web", *args)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        said = wait_for(lambda: lines_of(server.out) or
                        server.poll() is not None and ["over"], "the server's address", 20)
        match = re.fullmatch(r"http://(127\.0\.0\.1:(\d+))/#token=([0-9a-f]{64})", said[0])
        self.assertTrue(match, self.said(server))
        self.address, self.port, self.token = match[1], int(match[2]), match[3]
        return server

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        self.ended(server, 0, 20)
        self.assertNotIn("Sanitizer", self.said(server))

    def tearDown(self):
        if self.server.poll() is None:
            self.stop(self.server)
        super().tearDown()

    def ask(self, method, target, body=None, token=True, headers=None, limit=10):
        """Exactly these headers (None leaves one out); status, headers, body."""
        sent = {"Host": self.address}
        if token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent["Content-Length"] = str(len(body))
        sent.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, target, status=200):
        got, _, body = self.ask("GET", target)
        self.assertEqual(got, status, (target, body))
        return json.loads(body)

    def raw(self, data, limit=10):
        """What comes back to these bytes until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=limit) as peer:
            peer.sendall(data)
            got = b""
            while part := peer.recv(65536):
                got += part
        return got


class Doors(Web):
    """Who is served."""

    def routes(self):
        """(method, path, role) of every route, out of the server's own table."""
        for pattern, path in self.get("/api/v1/openapi.json")["paths"].items():
            for name, value in VALUES.items():
                pattern = pattern.replace(name, value)
            for method, operation in path.items():
                yield method.upper(), pattern, operation["x-dagrun-role"]

    def test_every_route_refuses_every_bad_request(self):
        bad = [  # name, headers, with the token, refused with, public routes as well
            ("no token", {}, False, 401, False),
            ("bad token", {"Authorization": "Bearer " + "0" * 64}, False, 401, False),
            ("bad cookie", {"Cookie": f"dagrun_{self.port}=99999999999999.{'0' * 64}"},
             False, 401, False),
            ("wrong Host", {"Host": "evil.example"}, True, 403, True),
            ("no Host", {"Host": None}, True, 400, True),
            ("wrong Origin", {"Origin": "http://evil.example"}, True, 403, True),
            ("null Origin", {"Origin": "null"}, True, 403, True),
            ("cross-site", {"Sec-Fetch-Site": "cross-site"}, True, 403, False),
        ]
        routes = list(self.routes())
        self.assertGreater(len(routes), 15)
        for method, path, role in routes:
            for name, headers, token, status, public in bad:
                got, _, body = self.ask(method, path, token=token, headers=headers)
                what = (method, path, name, body)
                if role == "public" and not public:
                    if method == "GET":
                        self.assertEqual(got, 200, what)
                    else:
                        self.assertIn(got, (403, 422), what)
                else:
                    self.assertEqual(got, status, what)

    def test_a_method_that_a_route_has_not_is_refused(self):
        routes = list(self.routes())
        paths = {path for _, path, _ in routes}
        for path in sorted(paths):
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
                if not any(m == method and p == path for m, p, _ in routes):
                    got, headers, _ = self.ask(method, path)
                    self.assertEqual(got, 405, (method, path))
                    self.assertTrue(headers["Allow"])

    def test_every_answer_has_the_security_headers(self):
        for target, token in (("/healthz", False), ("/none", False), ("/api/v1/runs", False),
                              ("/api/v1/runs", True), ("/api/v1/none", True)):
            _, headers, _ = self.ask("GET", target, token=token)
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertIsNone(headers["Access-Control-Allow-Origin"])

    def test_the_pages_are_compressed_and_small_and_have_an_etag(self):
        total = 0
        for path in ("/", "/app.js", "/app.css", "/favicon.svg"):
            status, headers, body = self.ask("GET", path, token=False)
            self.assertEqual((status, headers["Content-Encoding"]), (200, "gzip"), path)
            self.assertEqual(headers["Cache-Control"], "no-cache")
            self.assertIn("script-src 'self';", headers["Content-Security-Policy"])
            self.assertTrue(gzip.decompress(body))
            total += len(body)
            again = self.ask("GET", path, token=False,
                             headers={"If-None-Match": headers["ETag"]})
            self.assertEqual((again[0], again[2]), (304, b""), path)
            other = self.ask("GET", path, token=False, headers={"If-None-Match": '"0"'})
            self.assertEqual((other[0], other[2]), (200, body), path)
        self.assertLessEqual(total, 60 * 1024)

    def test_a_browser_trades_the_token_for_a_cookie(self):
        status, headers, _ = self.ask("POST", "/api/v1/session", {"token": "0" * 64},
                                      token=False)
        self.assertEqual((status, headers["Set-Cookie"]), (401, None))
        status, headers, body = self.ask("POST", "/api/v1/session", {"token": self.token},
                                         token=False, headers={
                                             "Origin": f"http://{self.address}",
                                             "Sec-Fetch-Site": "same-origin"})
        self.assertEqual((status, json.loads(body)["role"]), (200, "admin"))
        cookie, *rules = headers["Set-Cookie"].split("; ")
        self.assertLessEqual({"HttpOnly", "SameSite=Strict", "Path=/"}, set(rules))
        self.assertNotIn(self.token, cookie)
        with_cookie = {"Cookie": f"other=1; {cookie}"}
        self.assertEqual(self.ask("GET", "/api/v1/runs", token=False,
                                  headers=with_cookie)[0], 200)
        port = self.port
        self.stop(self.server)
        self.server = self.serve("--listen", str(port))
        self.assertEqual(self.ask("GET", "/api/v1/session", token=False,
                                  headers=with_cookie)[0], 200, "a restart ends no session")
        _, headers, _ = self.ask("DELETE", "/api/v1/session")
        self.assertIn("Max-Age=0", headers["Set-Cookie"])

    def test_bodies_and_paths_that_are_wrong_are_refused_in_one_line(self):
        session = "/api/v1/session"
        for body, headers, status in ((b"{", {}, 422), (b"[]", {}, 422), (b"{}", {}, 422),
                                      (b'{"token":5}', {}, 422),
                                      (b'{"token":"a","token":"b"}', {}, 422),
                                      (b'{"token":"a"}', {"Content-Type": "text/plain"}, 415),
                                      (b'{"token":"\\u0000"}', {}, 422)):
            got, _, answer = self.ask("POST", session, body, headers=headers)
            self.assertEqual(got, status, (body, answer))
            self.assertTrue(json.loads(answer)["error"])
        for target, status in (("/api/v1/runs/../dags", 400), ("/api/v1/runs/%2e%2e/1", 400),
                               ("/api/v1/runs/a%2fb/1", 400), ("/api/v1/runs/a%00/1", 400),
                               ("/api/v1/runs/a%252fb/1", 422), ("/api/v1/runs/.x/1", 422),
                               ("/%ff", 400), ("/api/v1/runs?limit=1&limit=2", 400),
                               ("/api/v1/runs?lmit=1", 422), ("/api/v1/runs?state=bad", 422),
                               ("/api/v1/runs?after=x", 422), ("/api/v1/runs/none/1", 404),
                               ("/api/v1/runs/", 404), ("//healthz", 404),
                               ("/api/v1/runs/none/1/logs/n/0/1", 404)):
            self.assertTrue(self.get(target, status)["error"], target)
        self.assertIn("did you mean 'limit'", self.get("/api/v1/runs?lmit=1", 422)["error"])


class Limits(Web):
    def test_what_is_too_large_is_refused(self):
        big = b"x" * (64 * 1024 + 1)
        self.assertEqual(self.ask("POST", "/api/v1/session", big)[0], 413)
        self.assertEqual(self.ask("GET", "/healthz",
                                  headers={"Content-Length": str(10 << 20)})[0], 413)
        head = f"POST /api/v1/session HTTP/1.1\r\nHost: {self.address}\r\n"
        chunked = (head + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n").encode()
        chunked += b"10001\r\n" + big + b"\r\n0\r\n\r\n"
        self.assertRegex(self.raw(chunked), rb"^HTTP/1.1 413 ")
        many = head + "X-Filler: " + "y" * 40000 + "\r\n\r\n"
        self.assertRegex(self.raw(many.encode()), rb"^(HTTP/1.1 4(13|31) |$)")
        long = f"GET /{'z' * 40000} HTTP/1.1\r\nHost: {self.address}\r\n\r\n"
        self.assertRegex(self.raw(long.encode()), rb"^(HTTP/1.[01] 4\d\d |$)")
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)

    def test_requests_that_follow_each_other_are_answered_in_order(self):
        one = f"GET /healthz HTTP/1.1\r\nHost: {self.address}\r\n\r\n"
        last = one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
        got = self.raw((one * 50 + last).encode())
        self.assertEqual(got.count(b'{"status":"ok"}'), 51)

    def test_slow_clients_keep_nobody_out_and_are_hung_up_on(self):
        """500 that send a header line now and then: each would keep its place for ever."""
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(500)]
        self.addCleanup(lambda: [peer.close() for peer in slow])
        for peer in slow:
            peer.sendall(f"GET /healthz HTTP/1.1\r\nHost: {self.address}\r\n".encode())
        worst = 0
        left = set(slow)
        begin = time.monotonic()
        while left and time.monotonic() < begin + 40:
            for peer in list(left):
                try:
                    peer.sendall(b"X-Drip: 1\r\n")
                except OSError:
                    left.discard(peer)
            for peer in select.select(list(left), [], [], 1)[0]:
                try:
                    over = not peer.recv(4096)
                except OSError:
                    over = True
                if over:
                    left.discard(peer)
            before = time.monotonic()
            self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
            worst = max(worst, time.monotonic() - before)
        self.assertLess(worst, 1)
        self.assertFalse(left, f"{len(left)} still hang on")
        self.assertGreater(time.monotonic() - begin, 10, "they had no time at all")


class Reading(Web):
    def run_once(self):
        self.dagrun("start", self.dag(GRAPH))

    def test_the_objects_are_those_of_the_command_line(self):
        self.run_once()
        path = f"/api/v1/runs/{self.name}/last"
        self.assertEqual(self.get("/api/v1/runs?limit=20"), self.json("history"))
        self.assertEqual(self.get(path), self.show())
        self.assertEqual(self.get(f"/api/v1/dags/{self.name}/status"), self.status())
        for part in ("nodes", "attempts", "edges", "events", "dead_letters"):
            self.assertEqual(self.get(f"{path}/{part}")[part], self.show()[part])
        dags = self.get("/api/v1/dags")["dags"]
        self.assertEqual([(d["dag"], d["live"]) for d in dags], [(self.name, False)])
        self.assertEqual(dags[0]["last"], self.json("history")["runs"][0])
        yaml = self.ask("GET", f"{path}/yaml")[2].decode()
        self.assertEqual(yaml, self.dagrun("show", f"{self.name}@1", "--yaml").out)

    def test_runs_come_in_pages(self):
        for _ in range(3):
            self.dagrun("start", self.dag(GRAPH), "--fresh")
        seen = []
        after = ""
        while after is not None:
            page = self.get("/api/v1/runs?limit=1" + (f"&after={after}" if after else ""))
            seen += [run["run"] for run in page["runs"]]
            after = page["next"]
        self.assertEqual(seen, [3, 2, 1])
        self.assertEqual(self.get("/api/v1/runs?state=failed")["runs"], [])
        self.assertEqual(len(self.get(f"/api/v1/runs?dag={self.name}&since=0")["runs"]), 3)

    def test_the_graph_has_a_place_for_every_node_and_edge(self):
        self.run_once()
        graph = self.get(f"/api/v1/runs/{self.name}/1/graph")
        boxes = {node["node"]: node["box"] for node in graph["nodes"]}
        self.assertEqual(sorted(boxes), ["out", "src", "work"])
        self.assertLess(boxes["src"]["x"], boxes["work"]["x"])
        self.assertLess(boxes["work"]["x"], boxes["out"]["x"])
        self.assertEqual([e["edge"] for e in graph["edges"]], ["src:work", "work:out"])
        for edge in graph["edges"]:
            self.assertEqual(edge["points"][0][0],
                             boxes[edge["from"]]["x"] + boxes[edge["from"]]["width"])
            self.assertEqual(edge["points"][-1][0], boxes[edge["to"]]["x"])

    def test_logs_are_read_by_byte_ranges(self):
        self.run_once()
        logs = self.get(f"/api/v1/runs/{self.name}/last/logs")["logs"]
        size = {(log["node"], log["client"]): log["bytes"] for log in logs}[("out", "0")]
        self.assertGreater(size, 200)
        path = f"/api/v1/runs/{self.name}/1/logs/out/0/1"
        whole = self.ask("GET", path)[2]
        self.assertEqual(len(whole), size)
        for query, piece, begin in (("?from=10&limit=5", whole[10:15], 10),
                                    ("?from=-7", whole[-7:], size - 7),
                                    ("?from=-999999999", whole, 0),
                                    ("?from=999999999", b"", size)):
            status, headers, body = self.ask("GET", path + query)
            self.assertEqual((status, body), (200, piece), query)
            self.assertEqual(headers["Dagrun-Log-From"], str(begin))
            self.assertEqual(headers["Dagrun-Log-Size"], str(size))
            self.assertEqual(headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(self.ask("GET", path.replace("/out/0/1", "/out/0/9"))[0], 404)

    def test_a_run_that_lives_is_followed(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        status = wait_for(lambda: (s := self.get(target))["live"] and
                          s["nodes"][1].get("in", 0) > 20 and s, "counts that move")
        self.assertEqual(status["state"], "running")
        metrics = self.ask("GET", "/metrics")[2].decode()
        self.assertIn(f'dagrun_run_up{{dag="{self.name}",state="running"}} 1', metrics)
        self.assertRegex(metrics, rf'dagrun_node_clients_up{{dag="{self.name}",node="work"}} 2')
        self.assertRegex(metrics, r"dagrun_node_records_in_total\{[^}]*\} [1-9]")
        for line in metrics.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) .+|\w+\{(\w+="[^"]*",?)+\} \S+)$')
        self.dagrun("stop", self.name)
        wait_for(lambda: not self.get(target)["live"], "the end of the run", 10)
        self.assertEqual(self.get(target)["state"], "stopped")
        self.assertNotIn(self.name, self.ask("GET", "/metrics")[2].decode())

    def test_a_runner_that_hangs_holds_nobody_up(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: self.get(target)["live"], "its first word")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)
        self.addCleanup(os.kill, runner, signal.SIGKILL)
        for other in (target, "/healthz", "/api/v1/runs", "/metrics"):
            before = time.monotonic()
            self.assertEqual(self.ask("GET", other)[0], 200)
            self.assertLess(time.monotonic() - before, 1, other)

    def test_a_server_that_is_killed_touches_no_run(self):
        self.dagrun("start", self.dag(LOADED), "-d")
        target = f"/api/v1/dags/{self.name}/status"
        wait_for(lambda: self.get(target)["live"], "its first word")
        os.kill(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.assertEqual(self.status()["state"], "running")
        self.server = self.serve()
        wait_for(lambda: self.get(target)["live"], "the run again")
        self.dagrun("stop", self.name)


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
        self.act("stop", {})
        self.wait_state("stopped")
        wait_for(lambda: not self.get(f"{self.target}/status")["live"], "its end", 10)
        by = " by web from 127.0.0.1"
        for text in (f"paused{by}: it takes no input until it is resumed", f"resumed{by}",
                     f"asked to restart{by}", f"asked to stop{by}"):
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
                                     ("stop", {"now": "yes"}, 422),
                                     ("stop", {"node": "work"}, 422),
                                     ("pause", {"node": 1}, 422),
                                     ("pause", {"node": "../x"}, 422)):
            self.assertTrue(self.act(action, body, status)["error"])
        self.assertEqual(self.ask("GET", f"{self.target}/stop")[0], 405)
        self.assertEqual(self.nodes()["work"]["state"], "running")
        self.dagrun("stop", "--now", self.name)

    def test_a_runner_that_hangs_is_given_up_on_and_holds_nobody_up(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)
        self.addCleanup(os.kill, runner, signal.SIGKILL)
        with ThreadPoolExecutor() as pool:
            late = pool.submit(self.ask, "POST", f"{self.target}/pause", {}, limit=20)
            while not late.done():
                before = time.monotonic()
                self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
                self.assertLess(time.monotonic() - before, 1)
                time.sleep(0.2)
        self.assertEqual(late.result()[0], 504)

    def test_a_server_that_ends_leaves_no_question_open(self):
        self.wait_node("work", lambda n: n["state"] == "running", "the run")
        runner = self.runner()
        os.kill(runner, signal.SIGSTOP)
        self.addCleanup(os.kill, runner, signal.SIGKILL)
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

    def test_what_can_not_be_started_says_why(self):
        self.assertIn("nothing-like-it", self.start("bad", status=422)["error"])
        for file, status in (("none", 404), ("notes", 404), ("outside", 404),
                             ("..%2foutside", 400), ("%2e%2e", 400), ("good.yaml", 422),
                             ("-d", 422)):
            self.assertTrue(self.start(file, status=status)["error"], file)
        self.assertTrue(self.start("good", {"fresh": 1}, 422)["error"])
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


class Starting(Web):
    def test_the_token_is_ours_alone_and_url_says_where(self):
        path = os.path.join(self.home, "web.token")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(self.dagrun("web", "--url").out,
                         f"http://{self.address}/#token={self.token}\n")
        for pid, argv in self.processes().items():
            self.assertNotIn(self.token, " ".join(argv))
        self.refused("web", code=5, words=["runs already", "--url"])
        self.stop(self.server)
        self.refused("web", "--url", code=4, words=["no web server runs"])
        os.chmod(path, 0o644)
        self.refused("web", code=2, words=["can be read by others", "chmod 600"])

    def test_a_port_that_is_taken_is_passed_over_unless_it_was_said(self):
        other = os.path.join(self.dir, "other")
        self.refused("web", "--listen", self.address, code=5, words=["can't listen"],
                     env={"DAGRUN_HOME": other})
        self.refused("web", "--listen", "127.0.0.1:x", code=2, words=["PORT"])
        self.refused("web", "--listen", "1:2:3", code=2, words=["PORT"])
        self.refused("web", "--allow-host", "a:1", code=2, words=["without a port"])
        self.refused("web", "--lisen", "1", code=2, words=["did you mean '--listen'"])

    def test_a_name_may_be_allowed_as_host(self):
        self.stop(self.server)
        self.server = self.serve("--allow-host", "dagrun.example")
        named = {"Host": "dagrun.example", "Origin": "https://dagrun.example"}
        self.assertEqual(self.ask("GET", "/api/v1/runs", headers=named)[0], 200)
        self.assertEqual(self.ask("GET", "/healthz", headers={"Host": "x.example"})[0], 403)


if __name__ == "__main__":
    unittest.main()
