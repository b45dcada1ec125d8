# SPDX-License-Identifier: MIT
"""dagrun top: on a terminal, and where there is none."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unittest

from harness import Case, DAGRUN, wait_for

GRAPH = """
nodes:
  src:  {program: producer, with: {count: 1000000, rate: 200}}
  work: {program: copy, from: src, clients: 2}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Terminal:
    """dagrun top on a terminal of its own; text is what it wrote so far."""

    def __init__(self, env, *args):
        self.ours, self.theirs = pty.openpty()
        self.resize(24, 100)
        self.before = termios.tcgetattr(self.theirs)
        self.text = ""
        self.process = subprocess.Popen(
            [DAGRUN, "top", "--interval", "100ms", *args], env=dict(env, TERM="xterm"),
            stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.ours], [], [], 0)[0]:
            self.text += os.read(self.ours, 65536).decode(errors="replace")
        return self.text

    def press(self, keys):
        self.text = ""
        os.write(self.ours, keys.encode())

    def wait(self, pattern):
        wait_for(lambda: re.search(pattern, self.read()), f"{pattern} in {self.text[-2000:]!r}",
                 30)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


class Top(Case):
    def setUp(self):
        super().setUp()
        self.dagrun("start", self.dag(GRAPH), "-d")

    def terminal(self, *args):
        terminal = Terminal(self.env, *args)
        self.addCleanup(terminal.close)
        terminal.wait(r"\x1b\[\?1049h[\s\S]*work")
        return terminal

    def assert_restored(self, terminal):
        terminal.wait(r"\x1b\[\?25h\x1b\[\?1049l")
        wait_for(lambda: termios.tcgetattr(terminal.theirs) == terminal.before,
                 "the terminal is as it was")

    def test_keys_sort_and_switch_and_quit(self):
        terminal = self.terminal()
        terminal.wait("by CPU")
        terminal.press("m")
        terminal.wait("by memory")
        terminal.press("n")
        terminal.wait(rf"{self.name}/work\.1")
        terminal.press("\x1b[Ai")  # an arrow means nothing
        terminal.wait(r"by in/s")
        terminal.resize(6, 60)
        terminal.text = ""
        terminal.wait("more")
        terminal.press("q")
        self.assertEqual(terminal.process.wait(20), 0)
        self.assert_restored(terminal)

    def test_ctrl_c_restores_the_terminal(self):
        terminal = self.terminal(self.name)
        terminal.press("\x03")
        self.assertEqual(terminal.process.wait(20), 130)
        self.assert_restored(terminal)

    def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(self):
        terminal = self.terminal()
        terminal.press("\x1a")
        self.assert_restored(terminal)
        terminal.text = ""
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.wait(r"\x1b\[\?1049h[\s\S]*work")
        terminal.press("q")
        self.assertEqual(terminal.process.wait(20), 0)

    def test_even_a_kill_restores_the_terminal(self):
        terminal = self.terminal("--clients")
        terminal.text = ""
        terminal.process.kill()
        terminal.process.wait()
        self.assert_restored(terminal)

    def test_the_end_of_the_run_is_seen(self):
        terminal = self.terminal()
        self.dagrun("stop", "--now", self.name)
        terminal.text = ""
        terminal.wait("0 runs, 0 of 0 clients up")

    def test_without_a_terminal_it_is_lines_or_one_object(self):
        wait_for(lambda: self.json("top")["up"] == 4, "4 clients are up")
        top = self.json("top", self.name, "--clients", "--sort", "out")
        self.assertEqual({f"{row['node']}.{row['client']}" for row in top["rows"]},
                         {"src.0", "work.0", "work.1", "out.0"})
        rates = [row["out_per_s"] for row in top["rows"]]
        self.assertEqual(rates, sorted(rates, reverse=True))
        status = {c["pid"] for n in self.status()["nodes"] for c in n["clients"]}
        self.assertEqual({row["pid"] for row in top["rows"]}, status)
        once = self.dagrun("top", "--once").out.splitlines()
        self.assertRegex(once[0], r"1 run, 4 of 4 clients up, CPU .* by CPU")
        self.assertEqual(len(once), 5)
        self.assertEqual([r["node"] for r in self.json("top", f"{self.name}/work")["rows"]],
                         ["work"])

    def test_lines_go_on_until_it_is_ended(self):
        process = self.spawn("top", "--interval", "100ms")
        wait_for(lambda: self.said(process).count("by CPU") > 2, "three tables")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 130)
        self.assertNotIn("\x1b", self.said(process))

    def test_bad_words_are_refused(self):
        self.refused("top", "--sort", "cpi", code=2, words=["did you mean 'cpu'"])
        self.refused("top", "--interval", "1ms", code=2, words=["100ms to 1h"])
        self.refused("top", "nobody", code=4, words=["no node 'nobody'"])
        self.refused("top", f"{self.name}/wrk", code=4, words=["did you mean 'work'"])
        self.refused("top", "nobody/work", code=4, words=["no dag 'nobody'"])
        self.refused("top", f"{self.name}/work.0", code=2, words=["DAG or DAG/NODE"])
        self.dagrun("stop", "--now", self.name)
        self.refused("top", self.name, code=4, words=["does not run"])
        self.assertEqual([deed["action"] for deed in self.json("audit")["audit"]],
                         ["stop", "start"])
        self.refused("top", "--clint", code=2, words=["--clients"])


if __name__ == "__main__":
    unittest.main()
