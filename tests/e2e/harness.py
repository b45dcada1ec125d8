# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: a state directory and a dag name of their own for each
test, the dagrun command with a limit, a look into Kafka, and a clean end.

ctest names the built programs in DAGRUN, PROBE and KAFKA and the broker in DAGRUN_BROKERS.
A test waits for a condition, never for a time. Processes are found by the DAGRUN_HOME in
their environment, so that a test can only ever meet, and kill, its own.
"""
import collections
import json
import os
import random
import re
import shutil
import signal
import string
import subprocess
import tempfile
import time
import unittest

DAGRUN = os.environ["DAGRUN"]
PROBE = os.environ["PROBE"]
KAFKA = os.environ["KAFKA"]
BROKERS = os.environ["DAGRUN_BROKERS"]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
ENDED = ("succeeded", "degraded", "failed", "stopped", "interrupted")

Result = collections.namedtuple("Result", "code out err seconds")


class Probe:
    """Kafka seen from outside dagrun."""

    def __init__(self, brokers):
        self.env = dict(os.environ, DAGRUN_BROKERS=brokers)

    def call(self, *args, text=None, missing_ok=False):
        done = subprocess.run([PROBE, *map(str, args)], input=text, env=self.env, text=True,
                              capture_output=True, timeout=120, check=False)
        if done.returncode == 4 and missing_ok:
            return None
        if done.returncode != 0:
            raise AssertionError(f"probe {args}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def records(self, topic):
        return [json.loads(line) for line in self.call("dump", topic).splitlines()]

    def values(self, topic):
        return [record["value"] for record in self.records(topic)]

    def ends(self, topic):
        """{partition: (low, high)}, None when there is no such topic."""
        text = self.call("ends", topic, missing_ok=True)
        if text is None:
            return None
        rows = (map(int, line.split()) for line in text.splitlines())
        return {p: (low, high) for p, low, high in rows}

    def committed(self, group, topic):
        rows = (map(int, line.split())
                for line in self.call("committed", group, topic).splitlines())
        return dict(rows)

    def unread(self, group, topic):
        at = self.committed(group, topic)  # first, so that it is never ahead of the ends
        ends = self.ends(topic)
        return sum(high - max(low, at[p]) for p, (low, high) in ends.items())

    def put(self, topic, records, partition=""):
        """Write records (key, value, {name: value}), bytes or None each."""
        word = lambda data: "-" if data is None else data.hex()
        lines = (" ".join(map(word, (key, value, *(w for h in headers.items() for w in h))))
                 for key, value, headers in records)
        self.call("put", topic, *([partition] if partition != "" else []),
                  text="".join(line + "\n" for line in lines))

    def topics(self, prefix=""):
        return sorted(t for t in self.call("topics").split() if t.startswith(prefix))

    def settings(self, topic):
        return dict(line.split(" ", 1) if " " in line else (line, "")
                    for line in self.call("settings", topic).splitlines())


def wait_for(condition, what, limit=60):
    """Wait until condition() is true and return its value."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.05)


def alive(pid):
    """Not a zombie: those are init's to reap."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def lines_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


class Case(unittest.TestCase):
    maxDiff = 4000
    brokers = BROKERS

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="dagrun-e2e-")
        self.home = os.path.join(self.dir, "home")
        tail = "".join(random.choices(string.ascii_lowercase + string.digits, k=6))
        self.name = f"e2e-{tail}"
        self.env = dict(os.environ, DAGRUN_HOME=self.home, DAGRUN_BROKERS=self.brokers,
                        NO_COLOR="1", LC_ALL="C.UTF-8")
        self.probe = Probe(self.brokers)
        self.addCleanup(self.clean_up)

    def tearDown(self):
        """No sanitizer has spoken in any log, the runner's and the clients'."""
        for folder, _, names in os.walk(self.home):
            for name in names:
                if not name.endswith(".log"):
                    continue
                with open(os.path.join(folder, name), encoding="utf-8",
                          errors="replace") as file:
                    text = file.read()
                found = re.search(r"Sanitizer|runtime error:|Assertion", text)
                self.assertIsNone(found, f"{name}: {text[found.start() - 300:][:3000]}"
                                  if found else "")

    def clean_up(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if os.environ.get("E2E_KEEP"):
            print(f"kept: {self.dir} ({self.name})")
            return
        shutil.rmtree(self.dir, ignore_errors=True)

    # ------------------------------------------------------------------ the command

    def dagrun(self, *args, code=0, text=None, limit=90, env=None, cwd=None):
        """Run dagrun to its end; code None takes any exit code but a crash."""
        start = time.monotonic()
        stdin = {"input": text.encode()} if text is not None else {"stdin": subprocess.DEVNULL}
        try:
            done = subprocess.run([DAGRUN, *map(str, args)], **stdin, cwd=cwd or self.dir,
                                  env=dict(self.env, **(env or {})), capture_output=True,
                                  timeout=limit, check=False)
        except subprocess.TimeoutExpired as late:
            raise AssertionError(
                f"dagrun {args} did not end within {limit} s\n"
                f"{(late.stdout or b'')[-2000:]!r}\n{(late.stderr or b'')[-2000:]!r}") from late
        result = Result(done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"), time.monotonic() - start)
        note = f"dagrun {args}: exit {result.code}\n{result.out[-3000:]}\n{result.err[-3000:]}"
        self.assertGreaterEqual(result.code, 0, note)
        self.assertNotIn("Sanitizer", result.err, note)
        if code is not None:
            self.assertEqual(result.code, code, note)
        return result

    def refused(self, *args, code, words=(), limit=30, **more):
        """dagrun says in one line what is wrong, with these words, and exits with code."""
        result = self.dagrun(*args, code=code, limit=limit, **more)
        lines = [line for line in result.err.splitlines() if line]
        self.assertTrue(lines, f"nothing said: dagrun {args}")
        for word in words:
            self.assertIn(word, result.err)
        return result

    def spawn(self, *args, **more):
        """dagrun in the foreground; its output goes to files, see .out and .err."""
        out = os.path.join(self.dir, f"out.{time.monotonic_ns()}")
        with open(out, "wb") as stdout, open(out + ".err", "wb") as stderr:
            process = subprocess.Popen([DAGRUN, *map(str, args)], cwd=self.dir,
                                       env=dict(self.env, **more), stdin=subprocess.DEVNULL,
                                       stdout=stdout, stderr=stderr, start_new_session=True)
        process.out, process.err = out, out + ".err"
        return process

    def ended(self, process, code, limit=90):
        try:
            got = process.wait(limit)
        except subprocess.TimeoutExpired:
            self.fail(f"it still runs after {limit} s: " + self.said(process))
        if code is not None:
            self.assertEqual(got, code, self.said(process))
        return got

    def said(self, process):
        return "\n".join(lines_of(process.out)[-30:] + lines_of(process.err)[-60:])

    def json(self, *args, **more):
        return json.loads(self.dagrun(*args, "--json", **more).out)

    # ------------------------------------------------------------------ dags

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def dag(self, text, name="dags/dag.yaml"):
        """Write a dag with this test's name; returns its path."""
        return self.write(name, f"name: {self.name}\n{text}")

    def out(self, name="out.jsonl", folder="dags"):
        return lines_of(os.path.join(self.dir, folder, name))

    def topic(self, edge):
        return f"{self.name}.{edge.replace(':', '.')}"

    def group(self, node):
        return f"{self.name}.{node}"

    def dead(self, node):
        topic = f"{self.name}.{node}.dlq"
        return [] if self.probe.ends(topic) is None else self.probe.records(topic)

    # ------------------------------------------------------------------ the run

    def status(self):
        return self.json("status", self.name)

    def show(self, run="last"):
        return self.json("show", f"{self.name}@{run}")

    def runs(self):
        return self.json("history", self.name)["runs"]

    def totals(self, run="last"):
        """{node: {in, answered, dropped, dead, out, repeats}}"""
        return {node["node"]: node for node in self.show(run)["nodes"]}

    def state(self):
        done = self.dagrun("show", f"{self.name}@last", "--json", code=None)
        return json.loads(done.out)["state"] if done.code == 0 else None

    def wait_state(self, *states, limit=60):
        return wait_for(lambda: self.state() in states and self.state(), f"state {states}",
                        limit)

    def wait_lines(self, count, name="out.jsonl", limit=60):
        return wait_for(lambda: len(self.out(name)) >= count and self.out(name),
                        f"{count} lines in {name} ({len(self.out(name))} now)", limit)

    def assert_balanced(self, run="last"):
        """in = answered + dropped + dead on every node."""
        totals = self.totals(run)
        for node, n in totals.items():
            self.assertEqual(n["in"], n["answered"] + n["dropped"] + n["dead"], (node, n))
        return totals

    # ------------------------------------------------------------------ its processes

    def processes(self):
        """{pid: argv} of every living process with this test's DAGRUN_HOME."""
        mark = f"DAGRUN_HOME={self.home}".encode()
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if mark not in file.read().split(b"\0"):
                        continue
                if not alive(pid):
                    continue
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found[int(pid)] = file.read().decode(errors="replace").split("\0")[:-1]
            except OSError:
                continue
        return found

    def assert_no_process(self):
        """Nothing of the run is left, but for a runner that is just exiting."""
        self.assertEqual(self.clients(), {})
        wait_for(lambda: not self.processes(), f"no process left: {self.processes()}", 2)

    def clients(self):
        """{pid: argv} of the node processes: everything but dagrun itself."""
        return {pid: argv for pid, argv in self.processes().items()
                if argv and os.path.basename(argv[0]) != "dagrun"}

    def pids(self):
        """{"node.client": pid} of the living clients, as status says."""
        return {f"{node['node']}.{client['client']}": client["pid"]
                for node in self.status()["nodes"] for client in node["clients"]
                if client.get("pid")}

    def runner(self):
        return self.show()["pid"]


class OwnKafka(Case):
    """Tests that break their broker: it is theirs alone."""

    @classmethod
    def setUpClass(cls):
        cls.kafka_dir = tempfile.mkdtemp(prefix="dagrun-e2e-kafka-")
        cls.addClassCleanup(shutil.rmtree, cls.kafka_dir, ignore_errors=True)
        cls.addClassCleanup(cls.kafka, "destroy")  # also one that is slow to start
        cls.brokers = cls.kafka("start")

    def setUp(self):
        super().setUp()
        self.kafka("start")  # also after a test that has failed

    @classmethod
    def kafka(cls, verb):
        done = subprocess.run([KAFKA, verb, cls.kafka_dir], capture_output=True, text=True,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(f"kafka {verb}: {done.stderr}")
        return done.stdout.strip()


def ids(lines):
    """The numbers of generated records ({"id": N, …}) as a Counter."""
    return collections.Counter(int(match.group(1)) for line in lines
                               if (match := re.search(r'"id":\s*(\d+)', line)))
