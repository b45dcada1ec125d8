# SPDX-License-Identifier: MIT
"""dagrun web: users, their roles and passwords."""
import base64
import json
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import termios
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import DAGRUN, wait_for
from web_case import Web

PASSWORDS = {"anna": "anna's password", "otto": "otto:pass:word", "vera": "p\u00e4ssw\u00f6rt"}
ROLES = {"anna": "admin", "otto": "operator", "vera": "viewer"}
RANKS = ["public", "viewer", "operator", "admin"]


class Users(Web):
    def setUp(self):
        super().setUp()
        for name, role in ROLES.items():
            self.user("add", name, "--role", role, text=PASSWORDS[name] + "\n")

    def user(self, *args, **more):
        return self.dagrun("web", "user", *args, **more)

    def path(self):
        return os.path.join(self.home, "web.users")

    def text(self):
        with open(self.path(), encoding="utf-8") as file:
            return file.read()

    @staticmethod
    def basic(name, password=None):
        text = f"{name}:{PASSWORDS.get(name) if password is None else password}"
        return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}

    def ask_as(self, name, method, target, body=None, password=None):
        status, headers, answer = self.ask(method, target, body, token=False,
                                           headers=self.basic(name, password))
        return status, headers, json.loads(answer)

    def log_in(self, name, password=None):
        body = {"user": name, "password": PASSWORDS[name] if password is None else password}
        status, headers, answer = self.ask("POST", "/api/v1/session", body, token=False)
        cookie = (headers["Set-Cookie"] or "").split(";")[0]
        return status, {"Cookie": cookie}, json.loads(answer)

    def test_a_user_is_known_by_password_and_shown_with_the_role(self):
        for name, role in ROLES.items():
            status, _, who = self.ask_as(name, "GET", "/api/v1/session")
            self.assertEqual((status, who["user"], who["role"]), (200, name, role))
        status, headers, answer = self.ask_as("vera", "GET", "/api/v1/runs", password="wrong one")
        self.assertEqual((status, answer["kind"]), (401, "token"))
        self.assertEqual([value.split()[0] for value in headers.get_all("WWW-Authenticate")],
                         ["Basic", "Bearer"])
        self.assertEqual(self.ask_as("nobody", "GET", "/api/v1/runs", password="x")[0], 401)
        self.assertEqual(self.ask_as("token", "GET", "/api/v1/runs", password=self.token)[0], 200)
        # A script of the page must not make the browser ask for a password.
        _, headers, _ = self.ask("GET", "/api/v1/runs", token=False,
                                 headers={"Sec-Fetch-Mode": "cors",
                                          "Sec-Fetch-Site": "same-origin"})
        self.assertEqual(headers.get_all("WWW-Authenticate"), ['Bearer realm="dagrun"'])

    def test_no_route_is_open_to_a_lower_role_or_to_a_user_who_is_gone(self):
        _, cookie, _ = self.log_in("vera")
        self.user("remove", "vera")
        self.user("add", "viki", "--role", "viewer", text="viki's password\n")
        PASSWORDS["viki"] = "viki's password"
        seen = 0
        for method, path, role in self.routes():
            if role == "public":
                continue
            got = self.ask(method, path, token=False, headers=cookie)[0]
            self.assertEqual(got, 401, (method, path, "cookie of a removed user"))
            for name, has in (("viki", "viewer"), ("otto", "operator")):
                if RANKS.index(has) < RANKS.index(role):
                    got, _, answer = self.ask_as(name, method, path)
                    self.assertEqual(got, 403, (method, path, name))
                    self.assertIn(f"needs the role {role}, and {name} is {has}", answer["error"])
                    seen += 1
        self.assertGreater(seen, 3)
        self.assertEqual(self.ask_as("otto", "POST", "/api/v1/dags/none/stop")[0], 404)

    def test_a_session_ends_with_its_user_role_or_password(self):
        for change in (("role", "otto", "viewer"), ("passwd", "otto"), ("remove", "otto")):
            status, cookie, who = self.log_in("otto")
            self.assertEqual((status, who["user"]), (200, "otto"))
            seen = self.ask("GET", "/api/v1/session", token=False, headers=cookie)
            self.assertEqual((seen[0], json.loads(seen[2])["user"]), (200, "otto"))
            self.user(*change, text=PASSWORDS["otto"] + "\n")
            self.assertEqual(self.ask("GET", "/api/v1/session", token=False,
                                      headers=cookie)[0], 401, change)

    def test_a_stream_ends_with_its_user(self):
        head = "".join(f"{name}: {value}\r\n" for name, value in self.basic("vera").items())
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as peer:
            peer.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: {self.address}\r\n{head}\r\n"
                         .encode())
            got = b""
            while b"retry:" not in got:
                got += peer.recv(4096)
            self.user("remove", "vera")
            while part := peer.recv(4096):
                got += part
        self.assertIn(b"200 OK", got)

    def test_wrong_passwords_are_slowed_down_and_right_ones_are_not(self):
        self.assertEqual(self.ask_as("vera", "GET", "/api/v1/session")[0], 200)
        with ThreadPoolExecutor(20) as pool: # at once: how long one takes must not matter
            codes = sorted(pool.map(lambda i: self.log_in("otto", f"wrong {i}")[0], range(20)))
        self.assertEqual((codes[0], codes[-1]), (401, 429), codes)
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda i: self.ask_as("otto", "GET", "/api/v1/runs",
                                                          password=f"wrong too {i}"), range(20)))
        status, headers, answer = next(got for got in answers if got[0] == 429)
        self.assertEqual((status, answer["kind"]), (429, "too many"))
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.assertEqual(self.ask_as("vera", "GET", "/api/v1/session")[0], 200, "known already")
        self.assertEqual(self.ask("GET", "/api/v1/runs")[0], 200, "the token")

    def test_an_unknown_user_takes_as_long_as_a_wrong_password(self):
        def shortest(name):
            times = []
            for i in range(5):
                start = time.monotonic()
                self.assertEqual(self.log_in_as(name, f"wrong {i}"), 401)
                times.append(time.monotonic() - start)
            return min(times)

        known, unknown = shortest("otto"), shortest("nobody")
        self.assertLess(known / 5, unknown)

    def log_in_as(self, name, password):
        return self.ask("POST", "/api/v1/session", {"user": name, "password": password},
                        token=False)[0]

    def test_a_cookie_that_was_given_over_tls_is_for_tls_only(self):
        for origin, secure in ((f"http://{self.address}", False),
                               (f"https://{self.address}", True)):
            _, headers, _ = self.ask("POST", "/api/v1/session", {"token": self.token},
                                     token=False, headers={"Origin": origin})
            self.assertEqual("; Secure" in headers["Set-Cookie"], secure)

    def test_the_server_answers_while_passwords_are_verified(self):
        with ThreadPoolExecutor(20) as pool:
            logins = [pool.submit(self.log_in, "vera") for _ in range(20)]
            for _ in range(20):
                self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
            codes = {login.result()[0] for login in logins}
        self.assertEqual(codes, {200}, "the same password at once is verified once")

    def test_a_server_that_is_read_only_refuses_every_action(self):
        self.stop(self.server)
        self.server = self.serve("--read-only")
        self.assertTrue(self.get("/api/v1/session")["read_only"])
        for method, path, role in self.routes():
            if method != "GET" and role not in ("public", "viewer"):
                status, _, answer = self.ask(method, path)
                self.assertEqual(status, 403, path)
                self.assertIn(b"--read-only", answer)

    def test_a_server_that_others_can_reach_says_so_and_lets_nobody_in_without(self):
        port = self.port
        self.stop(self.server)
        self.server = self.serve("--listen", f"0.0.0.0:{port}")
        wait_for(lambda: "others can reach it" in self.said(self.server), "the warning", 20)
        self.assertIn("the token or one of 3 users", self.said(self.server))
        self.assertEqual(self.dagrun("web", "--url").out.strip(),
                         f"http://127.0.0.1:{port}/#token={self.token}")
        self.assertEqual(self.ask("GET", "/api/v1/runs", token=False)[0], 401)
        self.assertEqual(self.ask("GET", "/api/v1/runs")[0], 200)

    def test_a_login_is_either_a_token_or_a_user_with_a_password(self):
        for body in ({}, {"user": "vera"}, {"password": "x"}, {"token": "x", "user": "vera"},
                     {"token": "x", "user": "vera", "password": "y"}):
            self.assertEqual(self.ask("POST", "/api/v1/session", body, token=False)[0], 422, body)

    def test_bad_requests_of_the_command_say_what_is_wrong(self):
        before = self.text()
        for args, code, words in (
                (("add", "bob"), 2, ("add NAME --role ROLE",)),
                (("add", "bob", "--role", "boss"), 2, ("'boss' is no role", "operator")),
                (("add", "b b", "--role", "viewer"), 2, ("a user's name",)),
                (("add", "token", "--role", "viewer"), 2, ("token's own name",)),
                (("add", "vera", "--role", "viewer"), 5, ("already",)),
                (("add", "bob", "--role", "viewer", "secret"), 2, ("too much",)),
                (("passwd", "bob"), 4, ("no user 'bob'",)),
                (("role", "bob", "admin"), 4, ("no user 'bob'",)),
                (("remove", "bob"), 4, ("no user 'bob'",)),
                (("rename", "bob"), 2, ("not rename",)),
                ((), 2, ("list, add",))):
            self.refused("web", "user", *args, code=code, words=words)
        for text in ("", "short\n", "a\x01bcdefgh\n", "x" * 300 + "\n"):
            self.user("add", "bob", "--role", "viewer", text=text, code=2)
        self.assertEqual(self.text(), before)

    def test_the_file_is_private_and_has_no_password(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.path()).st_mode), 0o600)
        text = self.text()
        for password in PASSWORDS.values():
            self.assertNotIn(password, text)
        self.assertEqual(self.json("web", "user", "list", "--json")["users"],
                         [{"user": name, "role": role} for name, role in ROLES.items()])

    def test_a_file_that_is_no_good_stops_the_start_and_lets_no_user_in(self):
        os.chmod(self.path(), 0o644)
        self.assertEqual(self.ask_as("vera", "GET", "/api/v1/runs")[0], 503)
        self.assertEqual(self.ask("GET", "/api/v1/runs")[0], 200)
        self.stop(self.server)
        self.refused("web", code=2, words=("chmod 600", "web.users"))
        self.refused("web", "user", "list", code=2, words=("chmod 600",))
        os.chmod(self.path(), 0o600)
        with open(self.path(), "a", encoding="utf-8") as file:
            file.write("bob:boss:x\n")
        self.refused("web", code=2, words=("web.users:4:", "'boss' is no role"))

    def ask_on_terminal(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([DAGRUN, "web", "user", "passwd", "vera"], env=self.env,
                                   stdin=theirs, stdout=theirs, stderr=theirs,
                                   start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(os.close, theirs)
        self.addCleanup(os.close, ours)
        return process, ours

    def shown(self, ours, question, shown=b""):
        while question not in shown:
            self.assertTrue(select.select([ours], [], [], 30)[0], shown)
            shown += os.read(ours, 1024)
        return shown

    def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(self):
        process, ours = self.ask_on_terminal()
        shown = b""
        for question in (b"Password of vera: ", b"The same again: "):
            shown = self.shown(ours, question, shown)
            os.write(ours, b"another password\n")
        wait_for(lambda: process.poll() is not None, "the end of the command", 20)
        if select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 4096)
        self.assertEqual(process.returncode, 0, shown)
        self.assertNotIn(b"another password", shown)
        self.assertEqual(self.log_in("vera", "another password")[0], 200)

    def test_a_question_that_is_interrupted_leaves_the_terminal_as_it_was(self):
        process, ours = self.ask_on_terminal()
        self.shown(ours, b"Password of vera: ")
        self.assertFalse(termios.tcgetattr(ours)[3] & termios.ECHO)

        def sleeps():
            with open(f"/proc/{process.pid}/stat", encoding="utf-8") as file:
                return file.read().rsplit(") ", 1)[1].startswith("S")

        wait_for(sleeps, "the command to read", 20)
        process.send_signal(signal.SIGINT)
        wait_for(lambda: process.poll() is not None, "the end of the command", 20)
        self.assertTrue(termios.tcgetattr(ours)[3] & termios.ECHO)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.log_in("vera", PASSWORDS["vera"])[0], 200)


if __name__ == "__main__":
    unittest.main()
