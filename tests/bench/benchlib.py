# SPDX-License-Identifier: MIT
"""What the benchmark scripts share: the programs, a broker, what is done by hand, figures."""
import json
import os
import pathlib
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
KAFKA = ROOT / "tests/kafka/kafka"
LEDGER = ROOT / "tests/ledger/ledger"
PARTITIONS = 4
LIMIT_S = 300


class Failed(Exception):
    pass


def run(command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Bench:
    """What the benchmarks share: the programs, Kafka, names and sizes."""

    def __init__(self, options, brokers, folder):
        self.build = pathlib.Path(options.build).resolve()
        self.brokers = brokers
        self.folder = folder
        self.smoke = options.smoke
        self.runs = options.runs
        self.count = options.count
        self.names = 0
        self.env = dict(os.environ, DAGRUN_HOME=str(folder / "home"),
                        DAGRUN_BROKERS=brokers, DAGRUN_NODES=str(self.build / "nodes"))

    def program(self, name):
        return self.build / "bench" / name

    @property
    def dagrun(self):
        return self.build / "dagrun"

    def gen(self, *words):
        return run([self.program("bench_gen"), self.brokers, *words])

    def name(self, what):
        self.names += 1
        return f"bench-{os.getpid()}-{self.names}-{what}"

    def topics(self, *whats):
        made = [self.name(what) for what in whats]
        self.gen("create", PARTITIONS, *made)
        return made

    def watch(self, count, topics, pids):
        """Until count records are in the topics. Figures are per record of the input."""
        result = json.loads(self.gen("watch", count, LIMIT_S, ",".join(topics),
                                     ",".join(map(str, pids))))
        each = [us * count / self.count for us in result["cpu_us"]]
        return dict(result, rate=result["rate"] * self.count / count, cpu_us=sum(each),
                    cpu_each=each)


def end(processes):
    """TERM, then the exit codes: a client that was told to stop ends with 0."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            code = process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed(f"{process.args[0]} did not stop") from None
        if code != 0:
            raise Failed(f"{process.args[0]} ended with {code}")


def group(bench, *sources):
    """A group that begins at the beginning of its topics, as the runner makes them."""
    name = bench.name("group")
    for source in sources:
        bench.gen("seed", name, source)
    return name


def pipeline_by_hand(bench, source):
    answers, left, right = topics = bench.topics("answers", "left", "right")
    stages = [("xf", [source], [answers]), ("copy", [answers], [left]),
              ("copy", [answers], [right]), ("end", [left, right], [])]
    groups = [group(bench, *inputs) for _, inputs, _ in stages]
    processes = [subprocess.Popen([bench.program("bench_pipeline"), stage, bench.brokers,
                                   name, *inputs, *outputs])
                 for name, (stage, inputs, outputs) in zip(groups, stages)]
    result = bench.watch(3 * bench.count, topics, [p.pid for p in processes])
    end(processes)
    return result, [("answer", topic) for topic in topics]


def wait_for(condition, what, seconds=30):
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise Failed(f"waited {seconds} s for {what}")
        time.sleep(0.005)
    return found


def rss_mb(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+)", text, re.M).group(1)) / 1024


def note(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    return statistics.median(list(values))


def machine():
    """What a figure depends on, in one line."""
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return (f"{os.cpu_count()} cores, {int(memory.group(1)) / 1048576:.0f} GiB, "
            f"Linux {platform.release()}, load {os.getloadavg()[0]:.1f} at the start")


def kafka_version():
    return re.search(r"<kafka\.version>([^<]+)",
                     (ROOT / "tests/kafka/pom.xml").read_text()).group(1)
