# SPDX-License-Identifier: MIT
"""Plays the runner towards one client process, for the tests of the SDK.

    with Client(["nodes/copy"], inputs=["a"], outputs=["b"], group="g") as client:
        client.wait_idle(1000)
        client.drain()

As a program it prints what the client says:  runner_stub.py CONFIG.json PROGRAM [ARG]
"""
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time


class Client:
    """A client process, its socket, and the last thing it said of each kind."""

    def __init__(self, command, *, brokers=None, env=None, stderr=None, **config):
        brokers = brokers or os.environ["DAGRUN_BROKERS"]
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.buffer = b""
        self.lines = []
        self.dead = []
        self.errors = []
        self.stats = None
        self.ready = False
        self.closed = False
        self.process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stderr=stderr,
            env={**os.environ, **(env or {}), "DAGRUN_FD": str(theirs.fileno())})
        theirs.close()
        ours.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(ours, selectors.EVENT_READ)
        self.send(self.config(brokers, **config))

    @staticmethod
    def config(brokers, *, group=None, inputs=(), outputs=(), kafka=None, **members):
        config = {"type": "config", "dag": "test", "node": "node", "client": "0",
                  "client_id": "test.node.0", "run": 1, "attempt": 1, "dir": ".",
                  "with": {}, "mode": "run", "source": not inputs,
                  "inputs": [{"edge": "x:y", "topic": t} for t in inputs],
                  "outputs": [t if isinstance(t, dict) else {"edges": ["y:z"], "topic": t}
                              for t in outputs],
                  "max_record": 3 << 20, "commit_ms": 200,
                  "kafka": {"bootstrap.servers": brokers, **(kafka or {})}}
        if group:
            config["group"] = group
        config.update(members)
        return config

    def send(self, message):
        if isinstance(message, str):
            message = {"type": message}
        self.socket.setblocking(True)
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        self.socket.setblocking(False)

    def take(self, message):
        self.lines.append(message)
        kind = message["type"]
        if kind == "stats":
            self.stats = message
        elif kind == "ready":
            self.ready = True
        elif kind == "dead":
            self.dead.append(message)
        elif kind == "error":
            self.errors.append(message["text"])

    def poll(self, seconds=0.0):
        """Read what there is, waiting that long at most."""
        if self.closed or not self.selector.select(seconds):
            return
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            self.take(json.loads(line))

    def wait(self, condition, what, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0 or self.closed:
                raise AssertionError(f"{what}: {'closed' if self.closed else 'too late'}: "
                                     f"errors={self.errors} stats={self.stats}")
            self.poll(min(left, 0.5))

    def wait_ready(self, seconds=30.0):
        self.wait(lambda: self.ready, "ready", seconds)

    def wait_stats(self, condition, what="stats", seconds=60.0):
        self.wait(lambda: self.stats and condition(self.stats), what, seconds)

    def wait_done(self, ends, seconds=60.0):
        """Until every partition in {(topic, partition): end} is committed up to its end."""
        def done(stats):
            at = {(p["topic"], p["partition"]): p for p in stats["partitions"]}
            return stats["idle"] and all(
                key in at and at[key]["position"] >= end and at[key]["committed"] >= end
                for key, end in ends.items())
        self.wait_stats(done, f"done up to {ends}", seconds)

    def wait_exit(self, seconds=30.0):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running: {self.stats}")
            self.poll(0.05)
            if self.closed:
                time.sleep(0.01)
        while not self.closed:
            self.poll(1.0)
        return self.process.returncode

    def drain(self, leave=False, seconds=30.0):
        self.send({"type": "drain", "leave": True} if leave else "drain")
        return self.wait_exit(seconds)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        while not self.closed:
            self.poll(1.0)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.selector.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    with Client(sys.argv[2:], **config) as client:
        while not client.closed:
            client.poll(1.0)
            for line in client.lines:
                print(json.dumps(line), flush=True)
            client.lines.clear()
        sys.exit(client.process.wait())


if __name__ == "__main__":
    main()
