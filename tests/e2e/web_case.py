# SPDX-License-Identifier: MIT
"""What the cases of dagrun web have in common: a server, and requests to it."""
import http.client
import json
import re
import signal
import socket

from harness import Case, lines_of, wait_for

GRAPH = """
nodes:
  src:  {program: producer, with: {count: 40}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: print, from: work}
"""
VALUES = {"{dag}": "none", "{run}": "1", "{node}": "n", "{client}": "0", "{attempt}": "1",
          "{file}": "none", "{writer}": "a", "{reader}": "b", "{partition}": "0",
          "{offset}": "0"}
LOADED = GRAPH.replace("count: 40", "count: 1000000, rate: 50")


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

    def routes(self):
        """(method, path, role) of every route, out of the server's own table."""
        for pattern, path in self.get("/api/v1/openapi.json")["paths"].items():
            for name, value in VALUES.items():
                pattern = pattern.replace(name, value)
            for method, operation in path.items():
                yield method.upper(), pattern, operation["x-dagrun-role"]

    def raw(self, data, limit=10):
        """What comes back to these bytes until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=limit) as peer:
            peer.sendall(data)
            got = b""
            while part := peer.recv(65536):
                got += part
        return got
