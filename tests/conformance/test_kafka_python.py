# SPDX-License-Identifier: MIT
"""kafka-python: records, positions, groups whose members are killed, transactions, admin."""
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import NewPartitions, NewTopic
from kafka.errors import (InvalidPartitionsError, InvalidReplicationFactorError,
                          MessageSizeTooLargeError, ProducerFencedError,
                          TopicAlreadyExistsError, UnknownTopicOrPartitionError)

import conformance
from conformance import TAG, wait

logging.disable(logging.CRITICAL)  # rebalances and fencing, which are the point here
admin = None


def setUpModule():
    global admin
    conformance.set_up()
    admin = KafkaAdminClient(bootstrap_servers=conformance.address)


def tearDownModule():
    admin.close()
    conformance.tear_down()


def named(name):
    return f"kafka-python-{name}-{TAG}"


def topic(name, partitions=1, **configs):
    configs = {key.replace("_", "."): value for key, value in configs.items()}
    admin.create_topics([NewTopic(named(name), partitions, 1, topic_configs=configs)])
    return named(name)


def consumer(*topics, **more):
    return KafkaConsumer(*topics, bootstrap_servers=conformance.address, **{
        "auto_offset_reset": "earliest", "enable_auto_commit": False, **more})


def take(reader, count, seconds=30):
    """A poll that ends while kafka-python joins a group loses the answer for good: long ones."""
    found = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        for batch in reader.poll(min(10, seconds) * 1000).values():
            found += batch
    return found


def read(name, count, isolation="read_committed"):
    reader = consumer(isolation_level=isolation)
    reader.assign([TopicPartition(name, 0)])
    found = take(reader, count)
    reader.close()
    return found


def values(records):
    return [record.value.decode() for record in records]


class Case(unittest.TestCase):
    def producer(self, **more):
        made = KafkaProducer(bootstrap_servers=conformance.address, **more)
        self.addCleanup(made.close, 5)
        return made


class Records(Case):
    def test_every_codec_comes_back(self):
        want = [f"value {n} " + "x" * (n % 300) for n in range(500)]
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            name = topic(codec or "none")
            out = self.producer(compression_type=codec, linger_ms=20)
            for value in want:
                out.send(name, value.encode())
            out.flush(30)
            self.assertEqual(want, values(read(name, 500)), codec)

    def test_keys_headers_nulls_and_times(self):
        name = topic("records", retention_ms="-1")
        out = self.producer(acks="all")
        headers = [("a", b"1"), ("a", b"2")]
        at = out.send(name, b"v", b"k", headers=headers, timestamp_ms=1234567890123).get(30)
        self.assertEqual((0, 1234567890123), (at.offset, at.timestamp))
        out.send(name, None, b"k", timestamp_ms=1).get(30)
        out.send(name, b"b" * 900000, timestamp_ms=2).get(30)
        full, null, big = read(name, 3)
        self.assertEqual((b"k", b"v", headers, 1234567890123, 0),
                         (full.key, full.value, list(full.headers), full.timestamp,
                          full.timestamp_type))
        self.assertIsNone(null.value)
        self.assertEqual(900000, len(big.value))

    def test_what_is_refused(self):
        name = topic("small", max_message_bytes="2000")
        out = self.producer()
        with self.assertRaises(MessageSizeTooLargeError):
            out.send(name, b"v" * 3000).get(30)
        self.assertEqual(0, self.producer().send(name, b"v").get(30).offset)

    def test_an_idempotent_producer(self):
        name = topic("idempotent")
        out = self.producer(enable_idempotence=True)
        for n in range(500):
            out.send(name, str(n).encode())
        out.flush(30)
        self.assertEqual([str(n) for n in range(500)], values(read(name, 500)))


class Positions(Case):
    def test_seek_pause_and_look_up_by_time(self):
        name = topic("positions", retention_ms="-1")
        out = self.producer()
        base = 1000000000000
        for n in range(10):
            out.send(name, str(n).encode(), timestamp_ms=base + n * 10).get(30)
        zero = TopicPartition(name, 0)
        reader = consumer()
        self.addCleanup(reader.close)
        reader.assign([zero])
        self.assertEqual({zero: 0}, reader.beginning_offsets([zero]))
        self.assertEqual({zero: 10}, reader.end_offsets([zero]))
        for asked, want in ((0, 0), (base + 35, 4), (base + 90, 9), (base + 91, None)):
            found = reader.offsets_for_times({zero: asked})[zero]
            self.assertEqual(want, found and found.offset, asked)
        reader.seek(zero, 7)
        self.assertEqual(["7", "8", "9"], values(take(reader, 3)))
        reader.seek_to_beginning(zero)
        reader.pause(zero)
        self.assertEqual([], take(reader, 1, seconds=1))
        reader.resume(zero)
        self.assertEqual("0", values(take(reader, 10))[0])
        self.assertEqual({0}, reader.partitions_for_topic(name))


def be_member(group, name):
    """The program of a process that Groups can kill."""
    reader = consumer(name, group_id=group, session_timeout_ms=6000, heartbeat_interval_ms=300,
                      enable_auto_commit=True, auto_commit_interval_ms=200)
    while True:
        reader.poll(2000)


class Member(threading.Thread):
    def __init__(self, group, name, **more):
        super().__init__(daemon=True)
        self.reader = consumer(name, group_id=group, session_timeout_ms=6000,
                               heartbeat_interval_ms=300, **more)
        self.owned = set()
        self.ending = False
        self.start()

    def run(self):
        while not self.ending:
            self.reader.poll(1000)
            self.owned = {p.partition for p in self.reader.assignment()}
        self.reader.close()

    def end(self):
        self.ending = True
        self.join()


class Groups(Case):
    def test_members_come_go_and_are_killed(self):
        name, group = topic("group", 4), named("group")
        one = Member(group, name)
        self.addCleanup(one.end)
        wait(lambda: len(one.owned) == 4, "one has all")
        two = Member(group, name)
        wait(lambda: len(one.owned) == len(two.owned) == 2, "two share")
        two.end()
        wait(lambda: len(one.owned) == 4, "one has all again")
        code = (f"import conformance, test_kafka_python; conformance.address = "
                f"{conformance.address!r}; test_kafka_python.be_member({group!r}, {name!r})")
        victim = subprocess.Popen([sys.executable, "-B", "-c", code],
                                  cwd=os.path.dirname(os.path.realpath(__file__)))
        wait(lambda: len(one.owned) == 2, "a process shares")
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        wait(lambda: len(one.owned) == 4, "one inherits from the killed")
        (found,) = admin.describe_groups([group]).values()
        self.assertEqual(1, len(found["members"]))

    def test_a_static_member_comes_back(self):
        name, group = topic("static", 4), named("static")
        one, two = (Member(group, name, group_instance_id=n) for n in ("a", "b"))
        self.addCleanup(one.end)
        wait(lambda: len(one.owned) == len(two.owned) == 2, "two share")
        before = set(two.owned)
        two.end()
        again = Member(group, name, group_instance_id="b")
        self.addCleanup(again.end)
        wait(lambda: again.owned == before, "it has what it had")

    def test_commits_and_a_pattern(self):
        name = topic("pattern-1")
        out = self.producer()
        out.send(name, b"one").get(30)
        reader = consumer(group_id=named("pattern"), metadata_max_age_ms=300)
        self.addCleanup(reader.close)
        reader.subscribe(pattern=f"^kafka-python-pattern-.*-{TAG}")
        self.assertEqual(["one"], values(take(reader, 1)))
        zero = TopicPartition(name, 0)
        reader.commit({zero: OffsetAndMetadata(1, "note", -1)})
        self.assertEqual(1, reader.committed(zero))
        out.send(topic("pattern-2"), b"two").get(30)
        self.assertEqual(["two"], values(take(reader, 1)))


class Transactions(Case):
    def test_commit_abort_and_fencing(self):
        name = topic("tx")
        one = self.producer(transactional_id=named("tx"))
        one.init_transactions()
        for value, end in ((b"c1", one.commit_transaction), (b"a1", one.abort_transaction)):
            one.begin_transaction()
            one.send(name, value).get(30)
            end()
        one.begin_transaction()
        one.send(name, b"fenced").get(30)
        two = self.producer(transactional_id=named("tx"))
        two.init_transactions()
        with self.assertRaises(ProducerFencedError):
            one.commit_transaction()
        two.begin_transaction()
        two.send(name, b"c2")
        two.commit_transaction()
        self.assertEqual(["c1", "c2"], values(read(name, 2)))
        self.assertEqual(["c1", "a1", "fenced", "c2"],
                         values(read(name, 4, "read_uncommitted")))

    def test_a_copy_is_exactly_once(self):
        source, sink, group = topic("from"), topic("to"), named("copy")
        out = self.producer()
        for n in range(60):
            out.send(source, str(n).encode())
        out.flush(30)
        reader = consumer(source, group_id=group, isolation_level="read_committed",
                          max_poll_records=10)
        self.addCleanup(reader.close)
        writer = self.producer(transactional_id=group)
        writer.init_transactions()
        zero = TopicPartition(source, 0)
        done = rounds = 0
        while done < 60:
            batch = take(reader, 1)
            rounds += 1
            writer.begin_transaction()
            for record in batch:
                writer.send(sink, record.value + b"!")
            writer.send_offsets_to_transaction(
                {zero: OffsetAndMetadata(batch[-1].offset + 1, "", -1)},
                reader.group_metadata())
            if rounds % 3 == 2:
                writer.abort_transaction()
                reader.seek(zero, batch[0].offset)
            else:
                writer.commit_transaction()
                done += len(batch)
        # A real Kafka answers a commit before the group's coordinator has heard of it.
        wait(lambda: reader.committed(zero) == 60, lambda: f"60: {reader.committed(zero)}")
        self.assertEqual([f"{n}!" for n in range(60)], values(read(sink, 60)))


class Admin(Case):
    def test_errors_are_kafkas(self):
        name = topic("admin", 2)
        with self.assertRaises(TopicAlreadyExistsError):
            admin.create_topics([NewTopic(name, 1, 1)])
        with self.assertRaises(InvalidReplicationFactorError):
            admin.create_topics([NewTopic(named("z"), 1, 3)])
        admin.create_partitions({name: NewPartitions(3)})
        with self.assertRaises(InvalidPartitionsError):
            admin.create_partitions({name: NewPartitions(1)})
        with self.assertRaises(UnknownTopicOrPartitionError):
            admin.delete_topics([named("nowhere")])
        (found,) = admin.describe_topics([name])
        self.assertEqual(3, len(found["partitions"]))
        self.producer().send(name, b"v", partition=0).get(30)
        zero = TopicPartition(name, 0)
        found = admin.delete_records({zero: 1})
        self.assertEqual(1, found[zero]["low_watermark"])
        admin.delete_topics([name])
        wait(lambda: name not in admin.list_topics(), "it is deleted")


if __name__ == "__main__":
    unittest.main()
