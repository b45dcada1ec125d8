# SPDX-License-Identifier: MIT
"""kcat, as Debian packages it (librdkafka 2.0.2): listing, records, look-ups, groups.

kcat makes no topics: the auto-creation cases use a broker of their own that makes them.
"""
import json
import os
import signal
import subprocess
import time
import unittest

import broker as brokers
import conformance
import protocol
from conformance import TAG, wait

setUpModule = conformance.set_up
tearDownModule = conformance.tear_down


def kcat(*args, text=None, address=None, ok=True):
    done = subprocess.run(["kcat", "-b", address or conformance.address, *map(str, args)],
                          input=text, text=True, capture_output=True, timeout=60, check=False)
    if ok and done.returncode != 0:
        raise AssertionError(f"kcat {args}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if ok else done


def topic(name, partitions=1, address=None, **configs):
    name = f"kcat-{name}-{TAG}"
    connection = protocol.Connection(address or conformance.address)
    answer = connection.call("CreateTopics", 5, timeoutMs=10000, Topics=[
        {"Name": name, "NumPartitions": partitions, "ReplicationFactor": -1, "Configs": [
            {"Name": key.replace("_", "."), "Value": value}
            for key, value in configs.items()]}])
    connection.close()
    assert answer["Topics"][0]["ErrorCode"] == 0, answer
    return name


def lines(text):
    return text.splitlines()


class Records(unittest.TestCase):
    def test_every_codec_comes_back(self):
        want = [f"line {n} {'x' * (n % 300)}" for n in range(1000)]
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            name = topic(codec)
            kcat("-P", "-t", name, "-z", codec, text="\n".join(want) + "\n")
            self.assertEqual(want, lines(kcat("-C", "-t", name, "-e", "-q")), codec)

    def test_keys_headers_nulls_and_partitions(self):
        name = topic("records", 2)
        kcat("-P", "-t", name, "-p", 1, "-K:", "-Z", "-H", "a=1", "-H", "b=2",
             text="key:value\nnull:\n:empty key\n")
        out = kcat("-C", "-t", name, "-e", "-q", "-f", "%p %o %K %k %S %s %h\n")
        self.assertEqual(["1 0 3 key 5 value a=1,b=2", "1 1 4 null -1  a=1,b=2",
                          "1 2 -1  9 empty key a=1,b=2"], lines(out))
        out = kcat("-C", "-t", name, "-e", "-q", "-J")
        self.assertEqual([(1, 0), (1, 1), (1, 2)],
                         [(m["partition"], m["offset"]) for m in map(json.loads, lines(out))])

    def test_a_big_record(self):
        name = topic("big")
        kcat("-P", "-t", name, text="b" * 900000)
        self.assertEqual("900000", kcat("-C", "-t", name, "-e", "-q", "-f", "%S"))

    def test_an_idempotent_and_a_transactional_producer(self):
        name = topic("tx")
        kcat("-P", "-t", name, "-X", "enable.idempotence=true", text="plain\n")
        kcat("-P", "-t", name, "-X", f"transactional.id=kcat-{TAG}", text="in a transaction\n")
        self.assertEqual(["plain", "in a transaction"],
                         lines(kcat("-C", "-t", name, "-e", "-q", "-X",
                                    "isolation.level=read_committed")))


class LookUps(unittest.TestCase):
    def test_metadata_as_json(self):
        name = topic("list", 3)
        found = json.loads(kcat("-L", "-J", "-t", name))
        self.assertEqual([1], [b["id"] for b in found["brokers"]])
        self.assertEqual(conformance.address, found["brokers"][0]["name"])
        self.assertEqual(1, found["controllerid"])
        self.assertEqual([{"topic": name, "partitions": [
            {"partition": p, "leader": 1, "replicas": [{"id": 1}], "isrs": [{"id": 1}]}
            for p in range(3)]}], found["topics"])
        self.assertIn(f'topic "{name}" with 3 partitions:', kcat("-L"))

    def test_offsets_and_times(self):
        name = topic("offsets")
        for text in ("one", "two", "three"):
            kcat("-P", "-t", name, text=text + "\n")
        stamps = [int(t) for t in lines(kcat("-C", "-t", name, "-e", "-q", "-f", "%T\n"))]
        self.assertEqual(sorted(stamps), stamps)
        for asked, want in ((-1, 3), (-2, 0), (stamps[0], 0), (stamps[1], 1), (stamps[2] + 1, -1)):
            out = kcat("-Q", "-t", f"{name}:0:{asked}")
            self.assertEqual(f"{name} [0] offset {want}", out.strip(), asked)
        self.assertEqual(["two", "three"], lines(kcat("-C", "-t", name, "-e", "-q", "-o", "1")))
        self.assertEqual(["three"], lines(kcat("-C", "-t", name, "-e", "-q", "-o", "-1")))
        self.assertEqual(["two", "three"], lines(kcat(
            "-C", "-t", name, "-e", "-q", "-o", f"s@{stamps[1]}")))
        self.assertEqual(["one", "two"], lines(kcat(
            "-C", "-t", name, "-e", "-q", "-o", f"s@{stamps[0]}", "-o", f"e@{stamps[2]}")))

    def test_unknown_names(self):
        done = kcat("-C", "-t", f"kcat-nowhere-{TAG}", "-e", ok=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("Unknown topic or partition", done.stderr)
        done = kcat("-P", "-t", f"kcat-nowhere-{TAG}", "-X",
                    "topic.metadata.propagation.max.ms=500", text="x\n", ok=False)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, "Unknown (topic|partition)")


class Groups(unittest.TestCase):
    def member(self, group, name):
        """A balanced consumer that prints one line a record at once."""
        process = subprocess.Popen(
            ["kcat", "-b", conformance.address, "-G", group, "-u", "-q", "-X",
             "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=300", "-X",
             "auto.commit.interval.ms=200", "-X", "auto.offset.reset=earliest",
             "-f", "%p\n", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(process.stdout.fileno(), False)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_members_share_and_inherit(self):
        name, group = topic("group", 4), f"kcat-{TAG}"
        members = {0: self.member(group, name)}
        got = {}

        def rounds(want):
            """Does each member get the partitions of its share, and all get all?"""
            for partition in range(4):
                kcat("-P", "-t", name, "-p", partition, text="x\n")
            time.sleep(0.3)
            got.clear()
            for key, process in members.items():
                got[key] = {int(line) for line in (process.stdout.read() or b"").split()}
            return (set().union(*got.values()) == set(range(4))
                    and sorted(map(len, got.values())) == want)

        wait(lambda: rounds([4]), lambda: f"one has all: {got}")
        members[1] = self.member(group, name)
        wait(lambda: rounds([2, 2]), lambda: f"two share: {got}")
        members.pop(0).send_signal(signal.SIGKILL)
        wait(lambda: rounds([4]), lambda: f"the other has all: {got}")


class AutoCreation(unittest.TestCase):
    def test_a_topic_comes_into_being_where_the_broker_makes_them(self):
        own = brokers.broker(conformance.KIND, conformance.scratch("auto"), auto_create=True)
        address = own.start()
        self.addCleanup(own.stop)
        kcat("-P", "-t", "made", text="one\n", address=address)
        self.assertEqual("one\n", kcat("-C", "-t", "made", "-e", "-q", address=address))
        found = json.loads(kcat("-L", "-J", "-t", "made", address=address))
        self.assertEqual(3, len(found["topics"][0]["partitions"]))
        done = kcat("-C", "-t", "not-made", "-e", "-X", "allow.auto.create.topics=false",
                    ok=False, address=address)
        self.assertEqual(1, done.returncode)
        names = [t["topic"] for t in json.loads(kcat("-L", "-J", address=address))["topics"]]
        self.assertIn("made", names)
        self.assertNotIn("not-made", names)


if __name__ == "__main__":
    unittest.main()
