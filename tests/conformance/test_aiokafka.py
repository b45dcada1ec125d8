# SPDX-License-Identifier: MIT
"""aiokafka: records, positions, groups whose members are killed, transactions, admin."""
import asyncio
import logging
import os
import signal
import sys
import time
import unittest

from aiokafka import (AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener,
                      TopicPartition)
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import (InvalidPartitionsError, MessageSizeTooLargeError,
                             ProducerFenced, TopicAlreadyExistsError,
                             UnknownTopicOrPartitionError, for_code)

import conformance
from conformance import TAG

setUpModule = conformance.set_up
tearDownModule = conformance.tear_down
logging.disable(logging.CRITICAL)  # rebalances, which are the point here


def named(name):
    return f"aiokafka-{name}-{TAG}"


class Case(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.admin = AIOKafkaAdminClient(bootstrap_servers=conformance.address)
        await self.admin.start()

    async def asyncTearDown(self):
        await self.admin.close()

    async def topic(self, name, partitions=1, **configs):
        configs = {key.replace("_", "."): value for key, value in configs.items()}
        made = await self.admin.create_topics(
            [NewTopic(named(name), partitions, 1, topic_configs=configs)])
        self.assertEqual(0, made.topic_errors[0][1], made)
        return named(name)

    async def producer(self, **more):
        made = AIOKafkaProducer(bootstrap_servers=conformance.address, **more)
        await made.start()
        self.addAsyncCleanup(made.stop)
        return made

    async def consumer(self, *topics, **more):
        made = AIOKafkaConsumer(*topics, bootstrap_servers=conformance.address, **{
            "auto_offset_reset": "earliest", "enable_auto_commit": False, **more})
        await made.start()
        self.addAsyncCleanup(made.stop)
        return made

    async def take(self, reader, count, seconds=30):
        found = []
        end = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < end:
            for batch in (await reader.getmany(timeout_ms=200)).values():
                found += batch
        return found

    async def read(self, name, count, isolation="read_committed"):
        reader = await self.consumer(isolation_level=isolation)
        reader.assign([TopicPartition(name, 0)])
        return await self.take(reader, count)


def values(records):
    return [record.value.decode() for record in records]


class Records(Case):
    async def test_every_codec_comes_back(self):
        want = [f"value {n} " + "x" * (n % 300) for n in range(500)]
        for codec in (None, "gzip", "snappy", "lz4", "zstd"):
            name = await self.topic(codec or "none")
            out = await self.producer(compression_type=codec, linger_ms=20)
            await asyncio.gather(*[await out.send(name, value.encode()) for value in want])
            self.assertEqual(want, values(await self.read(name, 500)), codec)

    async def test_keys_headers_nulls_and_times(self):
        name = await self.topic("records", retention_ms="-1")
        out = await self.producer(acks="all", max_request_size=1000000)
        headers = [("a", b"1"), ("a", b"2")]
        at = await out.send_and_wait(name, b"v", b"k", headers=headers,
                                     timestamp_ms=1234567890123)
        self.assertEqual((0, 1234567890123), (at.offset, at.timestamp))
        await out.send_and_wait(name, None, b"k", timestamp_ms=1)
        await out.send_and_wait(name, b"b" * 900000, timestamp_ms=2)
        full, null, big = await self.read(name, 3)
        self.assertEqual((b"k", b"v", tuple(headers), 1234567890123, 0),
                         (full.key, full.value, full.headers, full.timestamp,
                          full.timestamp_type))
        self.assertIsNone(null.value)
        self.assertEqual(900000, len(big.value))

    async def test_what_is_refused(self):
        name = await self.topic("small", max_message_bytes="2000")
        out = await self.producer()
        with self.assertRaises(MessageSizeTooLargeError):
            await out.send_and_wait(name, b"v" * 3000)
        await out.send_and_wait(name, b"v")

    async def test_an_idempotent_producer(self):
        name = await self.topic("idempotent")
        out = await self.producer(enable_idempotence=True)
        for n in range(300):
            await out.send(name, str(n).encode())
        await out.flush()
        self.assertEqual([str(n) for n in range(300)], values(await self.read(name, 300)))


class Positions(Case):
    async def test_seek_pause_and_look_up_by_time(self):
        name = await self.topic("positions", retention_ms="-1")
        out = await self.producer()
        base = 1000000000000
        for n in range(10):
            await out.send_and_wait(name, str(n).encode(), timestamp_ms=base + n * 10)
        zero = TopicPartition(name, 0)
        reader = await self.consumer()
        reader.assign([zero])
        self.assertEqual({zero: 0}, await reader.beginning_offsets([zero]))
        self.assertEqual({zero: 10}, await reader.end_offsets([zero]))
        for asked, want in ((0, 0), (base + 35, 4), (base + 90, 9), (base + 91, None)):
            found = (await reader.offsets_for_times({zero: asked}))[zero]
            self.assertEqual(want, found and found.offset, asked)
        reader.seek(zero, 7)
        self.assertEqual(["7", "8", "9"], values(await self.take(reader, 3)))
        await reader.seek_to_beginning(zero)
        reader.pause(zero)
        self.assertEqual([], await self.take(reader, 1, seconds=1))
        reader.resume(zero)
        self.assertEqual("0", values(await self.take(reader, 10))[0])


async def be_member(group, name):
    """The program of a process that Groups can kill."""
    reader = AIOKafkaConsumer(name, bootstrap_servers=conformance.address, group_id=group,
                              auto_offset_reset="earliest", session_timeout_ms=6000,
                              heartbeat_interval_ms=300, auto_commit_interval_ms=200)
    await reader.start()
    async for _ in reader:
        pass


class Seen(ConsumerRebalanceListener):
    def __init__(self):
        self.owned = set()

    async def on_partitions_assigned(self, assigned):
        self.owned = {p.partition for p in assigned}

    async def on_partitions_revoked(self, revoked):
        self.owned = set()


class Groups(Case):
    async def until(self, condition, what):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            await asyncio.sleep(0.1)

    async def member(self, group, name, **more):
        seen = Seen()
        reader = await self.consumer(group_id=group, session_timeout_ms=6000,
                                     heartbeat_interval_ms=300, **more)
        reader.subscribe([name], listener=seen)
        polls = asyncio.create_task(self.poll(reader))
        self.addCleanup(polls.cancel)
        return reader, seen

    async def poll(self, reader):
        while True:
            await reader.getmany(timeout_ms=100)

    async def test_members_come_go_and_are_killed(self):
        name, group = await self.topic("group", 4), named("group")
        _, one = await self.member(group, name)
        await self.until(lambda: len(one.owned) == 4, "one has all")
        reader, two = await self.member(group, name)
        await self.until(lambda: len(one.owned) == len(two.owned) == 2, "two share")
        await reader.stop()
        await self.until(lambda: len(one.owned) == 4, "one has all again")
        code = (f"import asyncio, conformance, test_aiokafka; conformance.address = "
                f"{conformance.address!r}; asyncio.run(test_aiokafka.be_member({group!r}, "
                f"{name!r}))")
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-B", "-c", code, cwd=os.path.dirname(os.path.realpath(__file__)))
        await self.until(lambda: len(one.owned) == 2, "a process shares")
        victim.send_signal(signal.SIGKILL)
        await victim.wait()
        await self.until(lambda: len(one.owned) == 4, "one inherits from the killed")

    async def test_the_sticky_assignor(self):
        name, group = await self.topic("sticky", 6), named("sticky")
        more = {"partition_assignment_strategy": [StickyPartitionAssignor]}
        _, one = await self.member(group, name, **more)
        await self.until(lambda: len(one.owned) == 6, "one has all")
        _, two = await self.member(group, name, **more)
        await self.until(lambda: len(one.owned) == len(two.owned) == 3, "two share")

    async def test_commits_and_a_pattern(self):
        name = await self.topic("pattern-1")
        out = await self.producer()
        await out.send_and_wait(name, b"one")
        reader = await self.consumer(group_id=named("pattern"), metadata_max_age_ms=300)
        reader.subscribe(pattern=f"^aiokafka-pattern-.*-{TAG}")
        self.assertEqual(["one"], values(await self.take(reader, 1)))
        zero = TopicPartition(name, 0)
        await reader.commit({zero: (1, "note")})
        self.assertEqual(1, await reader.committed(zero))
        await out.send_and_wait(await self.topic("pattern-2"), b"two")
        self.assertEqual(["two"], values(await self.take(reader, 1)))
        offsets = await self.admin.list_consumer_group_offsets(named("pattern"))
        self.assertEqual((1, "note"), (offsets[zero].offset, offsets[zero].metadata))


class Transactions(Case):
    async def test_commit_abort_and_fencing(self):
        name = await self.topic("tx")
        one = await self.producer(transactional_id=named("tx"))
        async with one.transaction():
            await one.send_and_wait(name, b"c1")
        with self.assertRaises(ValueError):
            async with one.transaction():
                await one.send_and_wait(name, b"a1")
                raise ValueError
        await one.begin_transaction()
        await one.send_and_wait(name, b"fenced")
        two = await self.producer(transactional_id=named("tx"))
        with self.assertRaises(ProducerFenced):
            await one.send_and_wait(name, b"late")
            await one.commit_transaction()
        async with two.transaction():
            await two.send_and_wait(name, b"c2")
        self.assertEqual(["c1", "c2"], values(await self.read(name, 2)))
        self.assertEqual(["c1", "a1", "fenced", "c2"],
                         values(await self.read(name, 4, "read_uncommitted")))

    async def test_a_copy_is_exactly_once(self):
        source, sink, group = await self.topic("from"), await self.topic("to"), named("copy")
        out = await self.producer()
        for n in range(60):
            await out.send(source, str(n).encode())
        await out.flush()
        reader = await self.consumer(source, group_id=group, isolation_level="read_committed",
                                     max_poll_records=10)
        writer = await self.producer(transactional_id=group)
        zero = TopicPartition(source, 0)
        done = rounds = 0
        while done < 60:
            batch = await self.take(reader, 1)
            rounds += 1
            await writer.begin_transaction()
            for record in batch:
                await writer.send(sink, record.value + b"!")
            await writer.send_offsets_to_transaction({zero: batch[-1].offset + 1}, group)
            if rounds % 3 == 2:
                await writer.abort_transaction()
                reader.seek(zero, batch[0].offset)
            else:
                await writer.commit_transaction()
                done += len(batch)
        # A real Kafka answers a commit before the group's coordinator has heard of it.
        end = time.monotonic() + 60
        while await reader.committed(zero) != 60 and time.monotonic() < end:
            await asyncio.sleep(0.05)
        self.assertEqual(60, await reader.committed(zero))
        self.assertEqual([f"{n}!" for n in range(60)], values(await self.read(sink, 60)))


class Admin(Case):
    async def test_errors_are_kafkas(self):
        name = await self.topic("admin", 2)
        made = await self.admin.create_topics([NewTopic(name, 1, 1)])
        self.assertEqual(TopicAlreadyExistsError.errno, made.topic_errors[0][1])
        made = await self.admin.create_topics([NewTopic(named("z"), 1, 3)])
        self.assertEqual("InvalidReplicationFactorError",
                         for_code(made.topic_errors[0][1]).__name__)
        grown = await self.admin.create_partitions({name: NewPartitions(3)})
        self.assertEqual(0, grown.topic_errors[0][1])
        with self.assertRaisesRegex(InvalidPartitionsError, "would not be an increase"):
            await self.admin.create_partitions({name: NewPartitions(1)})
        (found,) = await self.admin.describe_topics([name])
        self.assertEqual([0, 1, 2], sorted(p["partition"] for p in found["partitions"]))
        self.assertIn(name, await self.admin.list_topics())
        gone = await self.admin.delete_topics([name])
        self.assertEqual(0, gone.topic_error_codes[0][1])
        gone = await self.admin.delete_topics([named("nowhere")])
        self.assertEqual(UnknownTopicOrPartitionError.errno, gone.topic_error_codes[0][1])
        self.assertEqual(1, (await self.admin.describe_cluster())["controller_id"])


if __name__ == "__main__":
    unittest.main()
