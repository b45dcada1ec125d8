# SPDX-License-Identifier: MIT
"""confluent-kafka (librdkafka): records, positions, groups, transactions, admin."""
import concurrent.futures
import functools
import os
import signal
import subprocess
import sys
import time
import unittest

from confluent_kafka import (OFFSET_BEGINNING, TIMESTAMP_CREATE_TIME,
                             TIMESTAMP_LOG_APPEND_TIME, Consumer, ConsumerGroupState,
                             ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   NewPartitions, NewTopic, OffsetSpec, ResourceType)

import conformance
from conformance import TAG, wait

setUpModule = conformance.set_up
tearDownModule = conformance.tear_down


def settings(**more):
    return {"bootstrap.servers": conformance.address,
            **{key.replace("_", "."): value for key, value in more.items()}}


def producer(**more):
    return Producer(settings(**more))


def consumer(**more):
    return Consumer(settings(**{"group_id": f"confluent-{TAG}", "auto_offset_reset": "earliest",
                                "enable_auto_commit": False, **more}))


@functools.cache
def admin():
    return AdminClient(settings())


def named(name):
    return f"confluent-{name}-{TAG}"


def topic(name, partitions=1, **config):
    name = named(name)
    config = {key.replace("_", "."): value for key, value in config.items()}
    admin().create_topics([NewTopic(name, partitions, 1, config=config)])[name].result()
    return name


def fill(name, values, partition=0):
    out = producer()
    for value in values:
        out.produce(name, value, partition=partition)
    assert out.flush(30) == 0


def take(reader, count, seconds=30):
    found = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        for message in reader.consume(count - len(found), timeout=0.5):
            if message.error():
                raise KafkaException(message.error())
            found.append(message)
    return found


def read(name, count, isolation="read_committed", start=OFFSET_BEGINNING):
    reader = consumer(isolation_level=isolation)
    reader.assign([TopicPartition(name, 0, start)])
    found = take(reader, count)
    reader.close()
    return found


def values(messages):
    return [message.value().decode() for message in messages]


class Records(unittest.TestCase):
    def test_every_codec_comes_back(self):
        want = [f"value {n} " + "x" * (n % 300) for n in range(1000)]
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            name = topic(codec)
            out = producer(compression_type=codec, linger_ms=20)
            for value in want:
                out.produce(name, value)
            self.assertEqual(0, out.flush(30))
            self.assertEqual(want, values(read(name, 1000)), codec)

    def test_keys_headers_nulls_and_times(self):
        name = topic("records", retention_ms="-1")
        out = producer()
        headers = [("a", b"1"), ("a", b"2"), ("null", None), ("empty", b"")]
        out.produce(name, b"v", b"k", headers=headers, timestamp=1234567890123)
        out.produce(name, None, None, timestamp=1)
        out.produce(name, b"", b"", timestamp=2)
        out.produce(name, b"b" * 900000, b"big", timestamp=3)
        self.assertEqual(0, out.flush(30))
        full, null, empty, big = read(name, 4)
        self.assertEqual((b"k", b"v", headers, (TIMESTAMP_CREATE_TIME, 1234567890123), 0),
                         (full.key(), full.value(), full.headers(), full.timestamp(),
                          full.offset()))
        self.assertEqual((None, None, None), (null.key(), null.value(), null.headers()))
        self.assertEqual((b"", b""), (empty.key(), empty.value()))
        self.assertEqual(900000, len(big.value()))
        name = topic("stamped", message_timestamp_type="LogAppendTime")
        out.produce(name, b"v", timestamp=5)
        out.flush(30)
        kind, at = read(name, 1)[0].timestamp()
        self.assertEqual(TIMESTAMP_LOG_APPEND_TIME, kind)
        self.assertLess(abs(at - time.time() * 1000), 60000)

    def test_each_kind_of_acks(self):
        for acks in ("0", "1", "all"):
            name = topic("acks-" + acks)
            out = producer(acks=acks)
            seen = []
            out.produce(name, b"v", on_delivery=lambda err, m: seen.append((err, m.offset())))
            out.flush(30)
            self.assertEqual([(None, 0)] if acks != "0" else None, seen if acks != "0" else None)
            self.assertEqual(["v"], values(read(name, 1)))

    def test_what_is_refused_has_kafkas_code(self):
        small = topic("small", max_message_bytes="2000")
        keyed = topic("keyed", cleanup_policy="compact")
        seen = []
        out = producer(topic_metadata_propagation_max_ms=500)
        report = lambda err, _: seen.append(err.code() if err else None)
        out.produce(small, b"v" * 3000, on_delivery=report)
        out.flush(30)
        out.produce(small, b"v", on_delivery=report)
        out.flush(30)
        out.produce(keyed, b"v", on_delivery=report)
        out.flush(30)
        with self.assertRaises(KafkaException) as caught:
            out.produce(small, b"v", partition=7)
        self.assertEqual(KafkaError._UNKNOWN_PARTITION, caught.exception.args[0].code())
        out.produce(named("nowhere"), b"v", on_delivery=report)
        out.flush(40)
        self.assertEqual([KafkaError.MSG_SIZE_TOO_LARGE, None, KafkaError.INVALID_RECORD,
                          KafkaError.UNKNOWN_TOPIC_OR_PART], seen)

    def test_an_idempotent_producer_keeps_the_order(self):
        name = topic("idempotent")
        out = producer(enable_idempotence=True, max_in_flight_requests_per_connection=5,
                       batch_num_messages=10, linger_ms=0)
        want = [str(n) for n in range(2000)]
        for value in want:
            out.produce(name, value)
        self.assertEqual(0, out.flush(30))
        self.assertEqual(want, values(read(name, 2000)))


class Positions(unittest.TestCase):
    def test_seek_pause_resume_and_look_up_by_time(self):
        name = topic("positions", retention_ms="-1")
        out = producer()
        base = 1000000000000
        for n in range(10):
            out.produce(name, str(n), timestamp=base + n * 10)
            out.flush(30)
        reader = consumer()
        self.assertEqual((0, 10), reader.get_watermark_offsets(TopicPartition(name, 0)))
        for asked, want in ((0, 0), (base + 35, 4), (base + 90, 9), (base + 91, -1)):
            (found,) = reader.offsets_for_times([TopicPartition(name, 0, asked)])
            self.assertEqual(want, found.offset, asked)
        reader.assign([TopicPartition(name, 0, 7)])
        self.assertEqual(["7", "8", "9"], values(take(reader, 3)))
        reader.seek(TopicPartition(name, 0, 2))
        self.assertEqual("2", values(take(reader, 1))[0])
        reader.pause([TopicPartition(name, 0)])
        self.assertEqual([], take(reader, 1, seconds=1))
        reader.resume([TopicPartition(name, 0)])
        self.assertEqual("3", values(take(reader, 1))[0])
        reader.seek(TopicPartition(name, 0, 1000))
        self.assertEqual("0", values(take(reader, 1))[0])
        reader.close()

    def test_the_end_of_a_partition_is_told(self):
        name = topic("eof")
        fill(name, ["one"])
        reader = consumer(enable_partition_eof=True)
        reader.assign([TopicPartition(name, 0, OFFSET_BEGINNING)])
        self.assertEqual(b"one", reader.poll(10).value())
        self.assertEqual(KafkaError._PARTITION_EOF, reader.poll(10).error().code())
        fill(name, ["two"])
        self.assertEqual(b"two", reader.poll(10).value())
        reader.close()

    def test_metadata(self):
        name = topic("metadata", 3)
        found = admin().list_topics(timeout=10)
        self.assertEqual([0, 1, 2], sorted(found.topics[name].partitions))
        self.assertEqual([1], list(found.brokers))
        self.assertEqual(1, found.controller_id)
        missing = admin().list_topics(named("nowhere"), timeout=10).topics[named("nowhere")]
        self.assertEqual(KafkaError.UNKNOWN_TOPIC_OR_PART, missing.error.code())


class Member:
    """A consumer in a process of its own, so that it can be killed."""

    def __init__(self, group, name, **more):
        code = (f"import test_confluent, conformance; conformance.address = "
                f"{conformance.address!r}; test_confluent.be_member({group!r}, {name!r}, {more!r})")
        self.process = subprocess.Popen([sys.executable, "-B", "-c", code],
                                        cwd=os.path.dirname(os.path.realpath(__file__)))

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(timeout=30)


def be_member(group, name, more):
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    reader = consumer(**{"group_id": group, **more})
    reader.subscribe([name])
    while not stop:
        if reader.poll(0.1) is not None:
            reader.commit(asynchronous=False)
    reader.close()


class Groups(unittest.TestCase):
    PROTOCOLS = {
        "range": {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300},
        "cooperative": {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300,
                        "partition_assignment_strategy": "cooperative-sticky"},
        "consumer": {"group_protocol": "consumer"},
    }

    def shares(self, group):
        found = admin().describe_consumer_groups([group])[group].result()
        if found.state != ConsumerGroupState.STABLE:
            return None
        return sorted(len(m.assignment.topic_partitions) for m in found.members)

    def come_and_go(self, protocol):
        more = self.PROTOCOLS[protocol]
        group, name = named(protocol), topic(protocol + "-group", 6)
        members = [Member(group, name, **more)]
        self.addCleanup(lambda m=members: [x.process.kill() for x in m])
        wait(lambda: self.shares(group) == [6], "one has all")
        members.append(Member(group, name, **more))
        members.append(Member(group, name, **more))
        wait(lambda: self.shares(group) == [2, 2, 2], "three share")
        members.pop().end()
        wait(lambda: self.shares(group) == [3, 3], "two are left")
        if protocol == "range":  # KIP-848's shortest session is 45 s
            members.pop().end(signal.SIGKILL)
            wait(lambda: self.shares(group) == [6], "one is left")
        for partition in range(6):
            fill(name, ["x"] * 5, partition)
        asked = [ConsumerGroupTopicPartitions(group)]

        def committed():
            found = admin().list_consumer_group_offsets(asked)[group].result()
            return [p.offset for p in found.topic_partitions]

        wait(lambda: committed() == [5] * 6, "all is committed")
        while members:
            members.pop().end()
        wait(lambda: admin().describe_consumer_groups([group])[group].result().state
             == ConsumerGroupState.EMPTY, "the group is empty")
        admin().delete_consumer_groups([group])[group].result()

    def test_members_come_go_and_are_killed(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.come_and_go, self.PROTOCOLS))

    def test_a_pattern_meets_new_topics(self):
        first = topic("pattern-1")
        reader = consumer(group_id=named("pattern"), topic_metadata_refresh_interval_ms=300)
        reader.subscribe([f"^confluent-pattern-.*-{TAG}"])
        fill(first, ["one"])
        self.assertEqual(["one"], values(take(reader, 1)))
        reader.commit(asynchronous=False)
        fill(topic("pattern-2"), ["two"])
        self.assertEqual(["two"], values(take(reader, 1)))
        reader.close()

    def test_commits_carry_metadata(self):
        name = topic("commits")
        fill(name, ["a", "b", "c"])
        reader = consumer(group_id=named("commits"))
        reader.subscribe([name])
        take(reader, 3)
        reader.commit(offsets=[TopicPartition(name, 0, 2, "two")], asynchronous=False)
        (found,) = reader.committed([TopicPartition(name, 0)], timeout=10)
        self.assertEqual((2, "two"), (found.offset, found.metadata))
        with self.assertRaises(KafkaException) as caught:
            reader.commit(offsets=[TopicPartition(name, 0, 2, "m" * 5000)], asynchronous=False)
        self.assertEqual(KafkaError.OFFSET_METADATA_TOO_LARGE, caught.exception.args[0].code())
        reader.close()
        reader = consumer(group_id=named("commits"))
        reader.subscribe([name])
        self.assertEqual(["c"], values(take(reader, 1)))
        reader.close()


class Transactions(unittest.TestCase):
    def test_commit_and_abort(self):
        name = topic("tx")
        out = producer(transactional_id=named("tx"))
        out.init_transactions(30)
        for value, end in (("c1", out.commit_transaction), ("a1", out.abort_transaction),
                           ("c2", out.commit_transaction)):
            out.begin_transaction()
            out.produce(name, value)
            out.flush(10)
            end(30)
        self.assertEqual(["c1", "c2"], values(read(name, 2)))
        self.assertEqual(["c1", "a1", "c2"], values(read(name, 3, "read_uncommitted")))

    def test_the_second_producer_fences_the_first(self):
        name = topic("fence")
        one, two = (producer(transactional_id=named("fence")) for _ in range(2))
        one.init_transactions(30)
        one.begin_transaction()
        one.produce(name, "one")
        one.flush(10)
        two.init_transactions(30)
        with self.assertRaises(KafkaException) as caught:
            one.commit_transaction(30)
        error = caught.exception.args[0]
        self.assertTrue(error.fatal(), error)
        self.assertEqual(KafkaError._FENCED, error.code())
        two.begin_transaction()
        two.produce(name, "two")
        two.commit_transaction(30)
        self.assertEqual(["two"], values(read(name, 1)))

    def test_a_late_transaction_is_aborted(self):
        name = topic("late")
        out = producer(transactional_id=named("late"), transaction_timeout_ms=1500)
        out.init_transactions(30)
        out.begin_transaction()
        out.produce(name, "late")
        out.flush(10)
        fill(name, ["plain"])
        self.assertEqual(["plain"], values(read(name, 1)))  # it comes when the abort is done
        with self.assertRaises(KafkaException) as caught:
            out.commit_transaction(30)
        self.assertTrue(caught.exception.args[0].fatal())

    def test_a_copy_is_exactly_once(self):
        source, sink, group = topic("from"), topic("to"), named("copy")
        fill(source, [str(n) for n in range(100)])
        reader = consumer(group_id=group, isolation_level="read_committed")
        reader.subscribe([source])
        out = producer(transactional_id=group)
        out.init_transactions(30)
        done = rounds = 0
        while done < 100:
            batch = take(reader, 10)
            out.begin_transaction()
            for message in batch:
                out.produce(sink, message.value() + b"!")
            out.send_offsets_to_transaction(
                [TopicPartition(source, 0, batch[-1].offset() + 1)],
                reader.consumer_group_metadata(), 30)
            rounds += 1
            if rounds % 3 == 2:
                out.abort_transaction(30)
                reader.seek(TopicPartition(source, 0, batch[0].offset()))
            else:
                out.commit_transaction(30)
                done += len(batch)
        (found,) = reader.committed([TopicPartition(source, 0)], timeout=10)
        self.assertEqual(100, found.offset)
        reader.close()
        self.assertEqual([f"{n}!" for n in range(100)], values(read(sink, 100)))


class Admin(conformance.Case):
    def outcome(self, what, future):
        try:
            result = future.result()
        except KafkaException as failed:
            result = f"{failed.args[0].name()}: {failed.args[0].str()}"
        self.lines.append(f"{what}: {result}")

    def test_errors_are_kafkas(self):
        self.lines = []
        client = admin()
        name = topic("admin", 2)

        def create(what, *args, **more):
            (future,) = client.create_topics([NewTopic(*args, **more)]).values()
            self.outcome("create " + what, future)

        create("existing", name, 1, 1)
        create("bad name", "no spaces", 1, 1)
        create("replicas", named("z"), 1, 3)
        create("partitions", named("z"), 0, 1)
        create("config", named("z"), 1, 1, config={"no.such": "1"})
        create("value", named("z"), 1, 1, config={"retention.ms": "soon"})
        create("assignment", named("z"), 1, replica_assignment=[[4]])
        for what, asked in (("grow", NewPartitions(name, 4)), ("same", NewPartitions(name, 4)),
                            ("unknown", NewPartitions(named("nowhere"), 4))):
            (future,) = client.create_partitions([asked]).values()
            self.outcome(what, future)
        (future,) = client.delete_topics([named("nowhere")]).values()
        self.outcome("delete unknown", future)
        (future,) = client.delete_consumer_groups([named("nobody")]).values()
        self.outcome("delete unknown group", future)
        (future,) = client.incremental_alter_configs([ConfigResource(
            ResourceType.TOPIC, name, incremental_configs=[ConfigEntry(
                "retention.ms", "7777", incremental_operation=AlterConfigOpType.SET)])]).values()
        self.outcome("set", future)
        (future,) = client.describe_configs([ConfigResource(ResourceType.TOPIC, name)]).values()
        self.lines.append("retention.ms: " + future.result()["retention.ms"].value)
        (future,) = client.describe_configs(
            [ConfigResource(ResourceType.TOPIC, named("nowhere"))]).values()
        self.outcome("describe unknown", future)
        fill(name, ["a", "b", "c"])
        for what, spec in (("latest", OffsetSpec.latest()), ("earliest", OffsetSpec.earliest()),
                           ("max", OffsetSpec.max_timestamp())):
            (future,) = client.list_offsets({TopicPartition(name, 0): spec}).values()
            self.lines.append(f"{what}: {future.result().offset if what != 'max' else 'there'}")
        (future,) = client.delete_records([TopicPartition(name, 0, 2)]).values()
        self.lines.append(f"low watermark: {future.result().low_watermark}")
        (future,) = client.delete_records([TopicPartition(name, 0, 99)]).values()
        self.outcome("delete too many", future)
        (future,) = client.delete_topics([name]).values()
        self.outcome("delete", future)
        self.expect("confluent/admin", "\n".join(self.lines))

    def test_the_cluster_is_described(self):
        found = admin().describe_cluster().result()
        self.assertEqual((22, 1, [1]), (len(found.cluster_id), found.controller.id,
                                        [node.id for node in found.nodes]))


if __name__ == "__main__":
    unittest.main()
