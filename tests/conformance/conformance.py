# SPDX-License-Identifier: MIT
"""What the conformance tests share: the broker, expected output, the Kafka tools' JVM.

Each case runs the same way on a real Kafka and on dagrun's broker (CONFORMANCE_BROKER:
kafka or ledger). Where a client's output is the point it is compared with expected/, which
was recorded from the real Kafka (CONFORMANCE_RECORD=1 does that) and is checked against it
by each run on it. CONFORMANCE_ADDRESS names a broker that runs already, CONFORMANCE_FOLDER
the folder of a Kafka that broker.py started; else a test module starts its own. A test waits
for a condition, never for a time.
"""
import json
import os
import queue
import random
import re
import string
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import broker as brokers

HERE = os.path.dirname(os.path.realpath(__file__))
KIND = os.environ.get("CONFORMANCE_BROKER", "kafka")
BUILD = os.environ.get("CONFORMANCE_BUILD", os.path.join(HERE, "..", "..", "build", "conformance"))
RECORD = os.environ.get("CONFORMANCE_RECORD") == "1"
WAIT_SECONDS = 120
# Names of this run end in it, so that a broker can be used again.
TAG = "".join(random.choices(string.ascii_lowercase, k=6))

address = os.environ.get("CONFORMANCE_ADDRESS")
if not address and "CONFORMANCE_FOLDER" in os.environ:
    with open(os.path.join(os.environ["CONFORMANCE_FOLDER"], "address"), encoding="ascii") as _file:
        address = _file.read().strip()
_own = None
_folder = None


def set_up():
    """unittest's setUpModule of every family."""
    global address, _own, _folder
    _folder = tempfile.TemporaryDirectory(prefix="conformance-")
    if not address:
        _own = brokers.broker(KIND, os.path.join(_folder.name, "broker"))
        address = _own.start()


def tear_down():
    global address, _own
    if _own:
        _own.stop()
        _own = address = None
    _folder.cleanup()


def scratch(name):
    return os.path.join(_folder.name, name)


def wait(condition, what, seconds=WAIT_SECONDS):
    """What condition() returns as soon as that is true."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.05)


RULES = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
     "00000000-0000-0000-0000-000000000000"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d+"), "TIME"),
    (re.compile(r"(TopicId: |topicId=|topic id )[\w-]{22}"), r"\1TOPICID"),
    (re.compile(r"\s*exit\nTools\$Exited: exit\n"), "\n"),
    (re.compile(r"^\s+at .*\n", re.M), ""),
    (re.compile(r"^\s+\.\.\. \d+ more\n", re.M), ""),
]


def normal(text, rules=()):
    """Text without what differs from run to run: names, ids, ports, times, stack traces."""
    text = text.replace(TAG, "t" * len(TAG))
    for pattern, instead in [*RULES, *rules]:
        text = re.sub(pattern, instead, text)
    return re.sub(r"[ \t]+$", "", text, flags=re.M)


class Case(unittest.TestCase):
    maxDiff = None

    def expect(self, name, text, rules=()):
        """Compare text, made normal, with expected/name.txt."""
        path = os.path.join(HERE, "expected", name + ".txt")
        text = normal(text, rules).strip("\n") + "\n"
        if RECORD and KIND == "kafka":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        with open(path, encoding="utf-8") as file:
            self.assertMultiLineEqual(file.read(), text, f"{KIND} differs from {path}")


class Run:
    """A Java main method that runs in the tools' JVM."""

    def __init__(self, jvm, number):
        self.jvm, self.number = jvm, number
        self.answers = queue.Queue()

    def result(self, seconds=WAIT_SECONDS):
        answer = self.answers.get(timeout=seconds)
        return answer["code"], answer["out"], answer["err"]

    def stop(self):
        """Run its shutdown hooks, as Ctrl-C does."""
        self.jvm.send(id=self.number, stop=True)

    def peek(self):
        """What it printed until now."""
        self.jvm.send(id=self.number, peek=True)
        answer = self.answers.get(timeout=WAIT_SECONDS)
        if answer["code"] is not None:  # it ended: that is for result()
            self.answers.put(answer)
        return answer["out"]


class Jvm:
    """java/Tools.java: many main methods, one JVM."""

    def __init__(self):
        classpath = subprocess.run([os.path.join(HERE, "prepare"), "classpath"], text=True,
                                   check=True, stdout=subprocess.PIPE).stdout.strip()
        config = scratch("log4j2.yaml")
        with open(config, "w", encoding="ascii") as file:
            file.write("Configuration:\n  Appenders:\n"
                       "    File: {name: file, fileName: '" + scratch("java.log") + "',"
                       " PatternLayout: {pattern: '%d %p %c{1} %m%n'}}\n"
                       "  Loggers: {Root: {level: WARN, AppenderRef: [{ref: file}]}}\n")
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
             "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Duser.timezone=UTC",
             "-Dlog4j2.configurationFile=" + config,
             "-Djava.io.tmpdir=" + _folder.name,
             "-cp", os.path.join(BUILD, "classes") + ":" + classpath, "Tools"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_folder.name)
        self.runs = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            self.runs[answer["id"]].answers.put(answer)
        for run in list(self.runs.values()):
            run.answers.put({"code": -1, "out": "", "err": "the JVM ended"})

    def send(self, **request):
        with self.lock:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()

    def start(self, name, *args, text=""):
        number = len(self.runs) + 1
        run = self.runs[number] = Run(self, number)
        self.send(**{"id": number, "class": name, "args": [str(a) for a in args],
                     "stdin": text})
        return run

    def call(self, name, *args, text=""):
        return self.start(name, *args, text=text).result()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


if __name__ == "__main__":
    sys.exit("conformance.py is what the tests share; run test_*.py")
