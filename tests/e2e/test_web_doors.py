# SPDX-License-Identifier: MIT
"""dagrun web: who is served, with what headers, and the limits."""
import gzip
import json
import select
import socket
import time
import unittest

from web_case import Web


class Doors(Web):
    """Who is served."""

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

    def test_a_body_that_ends_in_two_ways_is_refused_and_ends_the_connection(self):
        head = f"POST /api/v1/session HTTP/1.1\r\nHost: {self.address}\r\n"
        hidden = f"GET /healthz HTTP/1.1\r\nHost: {self.address}\r\n\r\n"
        for lines, body in (("Content-Length: 2\r\nContent-Length: 4\r\n", "{}"),
                            ("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
                            ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
                             "0\r\n\r\n"),
                            ("Transfer-Encoding: gzip\r\n", "{}"),
                            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                             "0\r\n\r\n")):
            got = self.raw((head + lines + "\r\n" + body + hidden).encode())
            self.assertRegex(got, rb"^HTTP/1.1 400 ", lines)
            self.assertIn(b'"error":"one Content-Length', got)
            self.assertEqual(got.count(b"HTTP/1.1 "), 1, "a second request came through")

    def test_what_is_no_http_is_refused_without_a_word_of_it(self):
        """By libmicrohttpd itself: a page of its own, and the connection ends."""
        host = f"Host: {self.address}\r\n"
        for text in (f"marker /healthz\r\n{host}\r\n", "GET\tmarker HTTP/1.1\r\n\r\n",
                     f"GET /marker HTTP/2.0\r\n{host}\r\n", "GET /marker HTTP/1.1\r\n\r\n",
                     f"GET /marker HTTP/1.1\r\n{host}marker\r\n\r\n",
                     f"GET /marker HTTP/1.1\r\n{host}X: marker{'y' * 40000}\r\n\r\n",
                     f"POST /marker HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
                     f"POST /marker HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nno\r\n"):
            got = self.raw(text.encode())
            self.assertRegex(got, rb"^HTTP/1.1 (400|413|431|505) ", text[:80])
            self.assertNotIn(b"marker", got)
            self.assertNotIn(b"script", got)
            self.assertIn(b"Connection: close", got)
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


if __name__ == "__main__":
    unittest.main()
