# SPDX-License-Identifier: MIT
"""Starts and stops the broker that a test asks for: a real Kafka or dagrun's own.

    broker.py start KIND DIR    start it, print its address
    broker.py stop KIND DIR     stop it, remove its data

KIND is kafka or ledger. LEDGER names the program that runs the embedded broker.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

import protocol

HERE = os.path.dirname(os.path.realpath(__file__))
KAFKA = os.path.join(HERE, "..", "kafka", "kafka")
READY_SECONDS = 60


def free_port():
    """A port below those that the kernel gives to clients."""
    while True:
        port = random.randint(15000, 31999)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_for_coordinators(address):
    """A real Kafka makes its internal topics when they are first asked for; until they are
    loaded it answers COORDINATOR_LOAD_IN_PROGRESS, which is no case of ours."""
    loading = (14, 15, 16)  # load in progress, not available, not the coordinator
    names = [f"warm-up-{i}" for i in range(32)]  # some for each partition of the topics
    end = time.monotonic() + READY_SECONDS
    connection = protocol.Connection(address)
    while True:
        errors = []
        for kind in (0, 1):  # groups, transactions
            answer = connection.call("FindCoordinator", 4, KeyType=kind, CoordinatorKeys=names)
            errors += [one["ErrorCode"] for one in answer["Coordinators"]]
        answer = connection.call("DescribeGroups", 5, Groups=names,
                                 IncludeAuthorizedOperations=False)
        errors += [one["ErrorCode"] for one in answer["Groups"]]
        answer = connection.call("DescribeTransactions", 0, TransactionalIds=names)
        errors += [one["ErrorCode"] for one in answer["TransactionStates"]]
        if not any(error in loading for error in errors):
            connection.close()
            return
        if time.monotonic() > end:
            raise AssertionError(f"the coordinators of {address} are not ready: {errors}")
        time.sleep(0.1)


class Kafka:
    """The real one. Its coordinator looks for timed-out transactions twice a second instead
    of every ten seconds, so that a test need not wait for that."""

    properties = ["transaction.abort.timed.out.transaction.cleanup.interval.ms=500"]

    def __init__(self, folder, auto_create=False):
        self.folder = folder
        self.extra = list(self.properties)
        if auto_create:
            self.extra += ["auto.create.topics.enable=true", "num.partitions=3"]

    def start(self):
        env = dict(os.environ, KAFKA_PROPERTIES="\n".join(self.extra), KAFKA_TIER="1")
        done = subprocess.run([KAFKA, "start", self.folder], env=env, text=True, check=True,
                              stdout=subprocess.PIPE, timeout=READY_SECONDS * 2)
        address = done.stdout.strip()
        wait_for_coordinators(address)
        return address

    def stop(self):
        subprocess.run([KAFKA, "destroy", self.folder], check=True, timeout=60)


class Ledger:
    def __init__(self, folder, auto_create=False):
        self.folder = folder
        self.auto_create = auto_create
        self.pid_file = os.path.join(folder, "pid")
        self.process = None

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        port = free_port()
        command = [os.environ["LEDGER"], os.path.join(self.folder, "data"), str(port)]
        if self.auto_create:
            command += ["auto_create=1", "partitions=3"]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        with open(self.pid_file, "w", encoding="ascii") as file:
            file.write(f"{process.pid}\n")
        end = time.monotonic() + READY_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"127.0.0.1:{port}"
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{command} is not ready; see {self.folder}/log")
            time.sleep(0.01)

    def stop(self):
        try:
            with open(self.pid_file, encoding="ascii") as file:
                pid = int(file.read())
            os.kill(pid, signal.SIGTERM)
        except (FileNotFoundError, ProcessLookupError):
            pid = None
        end = time.monotonic() + 10
        while pid is not None and alive(pid):
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                break
            time.sleep(0.02)
        if self.process:
            self.process.wait(timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def broker(kind, folder, **options):
    return {"kafka": Kafka, "ledger": Ledger}[kind](os.path.realpath(folder), **options)


def main():
    verb, kind, folder = sys.argv[1:]
    if verb == "start":
        print(broker(kind, folder).start())
    else:
        broker(kind, folder).stop()


if __name__ == "__main__":
    main()
