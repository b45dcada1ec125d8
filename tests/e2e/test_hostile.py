# SPDX-License-Identifier: MIT
"""Hostile text in everything that comes from data: a terminal shows it and does nothing."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from harness import DAGRUN, Case

# A title, a blink, C1's CSI and OSC, a bell, text turned round, DEL; none of dagrun's own.
EVIL = ("<img src=x onerror=hit()>\"'><script>hit()</script>javascript:hit() owned"
        "\x1b]0;title\x07\x1b[5mblink\x1bc\x9b5m\x9d0;t\x9c\x7f\u202eturned\u2066\u200f\u061c")
EVIL_BYTES = EVIL.encode() + b"\xff\xfe\xc3"
# What a terminal must never get from data.
BAD = [b"\x1b]", b"\x1b[5m", b"\x1bc", b"\x07", b"\x7f", b"\x00",
       "\x9b".encode(), "\x9d".encode(), "\x9c".encode(), "\u202e".encode(),
       "\u2066".encode(), "\u200f".encode(), "\u061c".encode()]
# What dagrun itself says to a terminal: colours, and the table's moves.
OWN = re.compile(rb"\x1b\[(?:[0-9;]*m|\??[0-9]*[A-HJKlh])")

GRAPH = """
nodes:
  ask:  {program: producer, args: [5, 2, "%(yaml)s"]}
  calc: {program: arithmetic, from: ask}
  seen: {program: print, from: calc}
  say:  {program: lines, with: {path: in.txt}}
  out:  {program: print, from: say}
  bad:  {program: ./bad.sh}
  end:  {program: file, from: bad, with: {path: "out/%(name)s.jsonl"}}
"""
SCRIPT = """#!/bin/sh
cd "$(dirname "$0")"
if [ "$1" = --describe ]; then cat describe.json; exit; fi
until grep -qs plain "$DAGRUN_HOME"/runs/*/out.0.1.log; do sleep 0.1; done
cat in.txt >&2
exit 100
"""


def in_yaml(text):
    """For double quotes, every character written as an escape where it needs one."""
    return "".join(c if c.isalnum() or c in " <>=()/:;[]" else f"\\u{ord(c):04x}" for c in text)


class Hostile(Case):
    def begin(self):
        folder = os.path.join(self.dir, "dags")
        os.makedirs(folder)
        for name, data in (("in.txt", EVIL_BYTES + b"\nplain\n"), ("bad.sh", SCRIPT.encode())):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        os.chmod(os.path.join(folder, "bad.sh"), 0o755)
        self.write("dags/describe.json", json.dumps(
            {"abi": 1, "name": "bad", "kind": "source", "doc": EVIL,
             "args": {"usage": EVIL, "min": 0, "max": 0}, "options": [
                 {"name": "o", "type": "string", "default": EVIL, "doc": EVIL}],
             "any_option": False}))
        self.path = self.dag(GRAPH % {"yaml": in_yaml(EVIL), "name": in_yaml(EVIL.replace("/", ""))}
                             + "# \u202eturned\n",
                             name="dags/" + EVIL.replace("/", "") + ".yaml")

    def on_terminal(self, *args, until=None, limit=60):
        """dagrun on a terminal; what it got, until it ends, or says this and is interrupted."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        env = dict(self.env, TERM="xterm-256color")
        del env["NO_COLOR"]
        process = subprocess.Popen([DAGRUN, *args], env=env, cwd=self.dir, stdin=theirs,
                                   stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        got = b""
        end = time.monotonic() + limit
        while True:
            self.assertLess(time.monotonic(), end, (args, got[-2000:]))
            try:
                if select.select([ours], [], [], 0.2)[0]:
                    got += os.read(ours, 65536)
            except OSError:  # nobody is at the other side any more
                break
            if until and until in got:
                process.send_signal(signal.SIGINT)
                until = None
        os.close(ours)
        process.wait(30)
        self.assertNotIn(b"Sanitizer", got)
        return got

    def check(self, *args, shows=None, **more):
        """It shows the text, and sends nothing of it that does something."""
        got = self.on_terminal(*args, **more)
        for bad in BAD:
            at = got.find(bad)
            self.assertEqual(at, -1, (args, bad, got[max(0, at - 200):at + 80]))
        rest = OWN.sub(b"", got)
        at = rest.find(b"\x1b")
        self.assertEqual(at, -1, (args, rest[max(0, at - 200):at + 80]))
        rest.decode()  # broken UTF-8 fails here
        if shows:
            self.assertIn(shows, rest, args)
        return rest

    def test_a_terminal_only_shows_what_comes_from_data(self):
        self.begin()
        self.check("validate", self.path, shows=b"\\x1b]0;title")
        self.check("plan", self.path)
        for form in ("ascii", "dot", "mermaid", "svg"):
            self.check("graph", self.path, "--format", form)
        self.check("programs", os.path.join(self.dir, "dags", "bad.sh"), shows=b"\\x1b]0;title")
        self.check("start", self.path, shows=b"owned\\x1b]0;title")  # its live table and lines
        dag = self.name
        self.check("top", "--once")
        self.check("status", dag)
        self.check("status", dag, "--clients")
        self.check("show", dag, shows=b"owned\\x1b]0;title")
        self.check("show", dag, "--all")
        self.check("show", dag, "--yaml", shows=b"\\xe2\\x80\\xaeturned")
        self.check("show", dag, "--json", shows=b"\\u001B]0;title")
        self.check("history")
        self.check("history", "--json")
        self.check("logs", dag, shows=b"owned\\x1b]0;title")
        self.check("logs", f"{dag}/bad", "--json", shows=b"owned")
        self.check("logs", dag, "--grep", "owned", shows=b"owned\\x1b]0;title")
        self.check("tap", f"{dag}/say:out", shows=b"owned\\x1b]0;title")
        self.check("tap", f"{dag}/say:out", "--json", "--contains", "owned")
        self.check("tap", f"{dag}/calc:dlq", shows=b"owned")
        self.check("tap", f"{dag}/calc:dlq", "--page", shows=b"u009b5m")
        self.check("tap", "-f", f"{dag}/say:out", "--from", "earliest", until=b"plain")
        self.check("dlq", "list", dag, shows=b"owned")
        self.check("dlq", "show", f"{dag}/calc", shows=b"owned")
        self.check("dlq", "show", f"{dag}/calc", "--json", shows=b"owned")
        self.check("clean", dag)
        self.check("start", self.path, "--plain")
        self.check("start", "-d", self.path)

    def test_records_with_hostile_keys_and_headers(self):
        self.write("dags/in.txt", "")
        self.dagrun("start", self.dag(f"""
nodes:
  say: {{program: lines, with: {{path: in.txt}}}}
  out: {{program: file, from: {{say: {{topic: {self.name}.edge}}}}, with: {{path: out.jsonl}}}}
"""))
        self.probe.put(f"{self.name}.edge", [(EVIL_BYTES, EVIL_BYTES + b"\0", {
            EVIL.encode(): EVIL_BYTES, b"\xff": b"\xff"})])
        edge = f"{self.name}/say:out"
        self.check("tap", edge, shows=b"owned\\x1b]0;title")
        self.check("tap", edge, "--json", shows=b"\\u009B5m")
        self.check("tap", edge, "--page")
        record, = [json.loads(line) for line in self.dagrun("tap", edge, "--json").out
                   .splitlines()]
        self.assertEqual(record["headers"][0]["name"], EVIL)
        raw = subprocess.run([DAGRUN, "tap", edge, "--raw"], env=self.env, timeout=60,
                             capture_output=True, check=True).stdout
        self.assertEqual(raw, EVIL_BYTES + b"\0\n")  # as documented: the bytes as they are

    def test_errors_repeat_hostile_words_harmlessly(self):
        here = EVIL.replace("/", "")
        self.begin()
        for args in ((EVIL,), ("validate", here), ("start", here), ("show", EVIL),
                     ("status", EVIL), ("logs", EVIL), ("tap", EVIL), ("tap", f"--{EVIL}", "a"),
                     ("tap", f"{self.name}/a:b", "--from", EVIL), ("history", "--state", EVIL),
                     ("history", "--since", EVIL), ("stop", EVIL), ("send", EVIL, "x"),
                     ("graph", self.path, "--format", EVIL), ("programs", EVIL),
                     ("restart", EVIL), ("pause", EVIL), ("clean", EVIL), ("prune", EVIL),
                     ("broker", EVIL), ("scale", EVIL), ("top", EVIL),
                     ("dlq", EVIL), ("dlq", "show", EVIL), ("logs", EVIL, "--grep", EVIL), ("web", EVIL), ("web", "--listen", EVIL),
                     ("plan", self.path, "--brokers", EVIL), ("start", self.path, "--param", EVIL),
                     ("help", EVIL), ("completion", EVIL)):
            with self.subTest(args[0]):
                self.check(*args)
        for text in ('nodes: {a: {program: "%s"}}', 'nodes: {"%s": {program: print}}',
                     '"%s": 1', 'name: "%s"', 'nodes: {a: {program: producer, with: {"%s": 1}}}',
                     'nodes: {a: {program: producer}, b: {program: print, from: "%s"}}',
                     'kafka: {properties: {"%s": x}}\nnodes: {a: {program: producer}}',
                     'nodes: {a: {program: producer, env: {A: "${%s}"}}}'):
            path = self.write("dags/wrong.yaml", text % in_yaml(EVIL))
            with self.subTest(text):
                self.check("validate", path, shows=b"wrong.yaml:")
                self.check("validate", path, "--json")


if __name__ == "__main__":
    unittest.main()
