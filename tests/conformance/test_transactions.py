# SPDX-License-Identifier: MIT
"""Producers and transactions, request by request: idempotence, fencing, both versions of
transactions, what administrators see, what Produce refuses.

A case is a transcript. Producer ids are named in the order in which they were given.
"""
import re
import struct
import time
import unittest

import conformance
from conformance import TAG, wait
from protocol import Connection

ERRORS = {
    -1: "UNKNOWN_SERVER_ERROR", 0: "NONE", 2: "CORRUPT_MESSAGE", 3: "UNKNOWN_TOPIC_OR_PARTITION",
    10: "MESSAGE_TOO_LARGE", 12: "OFFSET_METADATA_TOO_LARGE", 18: "RECORD_LIST_TOO_LARGE",
    22: "ILLEGAL_GENERATION", 24: "INVALID_GROUP_ID", 25: "UNKNOWN_MEMBER_ID",
    32: "INVALID_TIMESTAMP", 42: "INVALID_REQUEST", 45: "OUT_OF_ORDER_SEQUENCE_NUMBER",
    47: "INVALID_PRODUCER_EPOCH", 48: "INVALID_TXN_STATE", 49: "INVALID_PRODUCER_ID_MAPPING",
    50: "INVALID_TRANSACTION_TIMEOUT", 51: "CONCURRENT_TRANSACTIONS",
    52: "TRANSACTION_COORDINATOR_FENCED", 53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    55: "OPERATION_NOT_ATTEMPTED", 76: "UNSUPPORTED_COMPRESSION_TYPE", 87: "INVALID_RECORD",
    88: "UNSTABLE_OFFSET_COMMIT", 90: "PRODUCER_FENCED", 105: "TRANSACTIONAL_ID_NOT_FOUND",
    120: "TRANSACTION_ABORTABLE", 128: "INVALID_REGULAR_EXPRESSION",
}
# Load and elections; and what only says that the end before is still under way.
LATER = {5, 6, 14, 15, 16}
BUSY = {19, 51}
TRANSACTIONAL, CONTROL, LOG_APPEND_TIME = 0x10, 0x20, 0x08


def setUpModule():
    conformance.set_up()


def tearDownModule():
    conformance.tear_down()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def varint(number):
    number = (number << 1 ^ number >> 63) & (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def batch(values=(b"a", b"b"), producer=(-1, -1), sequence=-1, attributes=0, timestamp=None,
          keys=None, base=0, last=None, count=None, flip=0, magic=2):
    """A record batch, right unless it is asked to be wrong."""
    timestamp = int(time.time() * 1000) if timestamp is None else timestamp
    records = b""
    for i, value in enumerate(values):
        key = keys[i] if keys else None
        record = (b"\0\0" + varint(i) + (varint(-1) if key is None else varint(len(key)) + key) +
                  varint(len(value)) + value + b"\0")
        records += varint(len(record)) + record
    tail = struct.pack(">hiqqqhii", attributes, len(values) - 1 if last is None else last,
                       timestamp, timestamp, *producer, sequence,
                       len(values) if count is None else count) + records
    rest = struct.pack(">ibI", -1, magic, crc32c(tail) ^ flip) + tail
    return struct.pack(">qi", base, len(rest)) + rest


class Transactions(conformance.Case):
    def setUp(self):
        self.broker = Connection(conformance.address)
        self.addCleanup(self.broker.close)
        self.lines, self.ids = [], {}
        # Short, and another one for each case: ids of transactions are for ever.
        self.tag = f"-{self.id().rsplit('.', 1)[1].replace('_', '-')}-{TAG}"
        self.topic = "raw" + self.tag
        for kind in (0, 1):
            self.ask("FindCoordinator", 4, lambda a: {a["Coordinators"][0]["ErrorCode"]}, LATER,
                     KeyType=kind, CoordinatorKeys=["g" + self.tag])
        self.create(self.topic, 2)

    def compare(self):
        name = self.id().rsplit(".", 1)[1].replace("test_", "")
        text = "\n".join(self.lines).replace(self.tag, "")
        self.expect("transactions/" + name, text, [
            (re.compile(r"\b\d{13}\b"), "NOW"), (re.compile(r"(?<=within \[)-\d+"), "BEFORE"),
            (re.compile(r"-?\b\d{19}\b"), "HUGE")])

    def ask(self, api, version, errors, until_not, **values):
        """Ask again while only these errors come back."""
        def asked():
            answer = self.broker.call(api, version, **values)
            return None if errors(answer) & until_not else [answer]
        return wait(asked, api)[0]

    def create(self, name, partitions=1, **configs):
        self.broker.call("CreateTopics", 7, timeoutMs=10000, Topics=[
            dict(Name=name, NumPartitions=partitions, ReplicationFactor=1, Assignments=[],
                 Configs=[dict(Name=key.replace("_", "."), Value=value)
                          for key, value in configs.items()])])
        wait(lambda: self.broker.call("Metadata", 12, Topics=[dict(Name=name)],
                                      AllowAutoTopicCreation=False)["Topics"][0]["ErrorCode"] == 0,
             name)

    def named(self, producer):
        return self.ids.get(producer, "-" if producer < 0 else "?")

    def note(self, what, *said):
        self.lines.append(f"{what}: " + " ".join(str(word) for word in said))

    # ---- requests; who is a producer: (id, epoch)

    def init(self, name, who=(-1, -1), version=5, timeout=60000):
        answer = self.ask(
            "InitProducerId", version, lambda a: {a["ErrorCode"]}, LATER | BUSY,
            TransactionalId=name and name + self.tag, TransactionTimeoutMs=timeout,
            **(dict(ProducerId=who[0], ProducerEpoch=who[1]) if version >= 3 else {}))
        got = answer["ProducerId"], answer["ProducerEpoch"]
        said = f"init {name!r} {self.named(who[0])} {who[1]} v{version} timeout {timeout}"
        if got[0] >= 0:
            self.ids.setdefault(got[0], f"P{len(self.ids)}")
        self.note(said, ERRORS[answer["ErrorCode"]], self.named(got[0]), got[1])
        return got

    def writer(self, name, who):
        return dict(TransactionalId=name and name + self.tag, ProducerId=who[0],
                    ProducerEpoch=who[1])

    def about(self, what, name, who, version):
        return f"{what} {name!r} {self.named(who[0])} {who[1]} v{version}"

    def add(self, name, who, *partitions, version=3, topic=None):
        answer = self.ask(
            "AddPartitionsToTxn", version,
            lambda a: {p["PartitionErrorCode"] for t in a["ResultsByTopicV3AndBelow"]
                       for p in t["ResultsByPartition"]}, LATER | BUSY,
            **{"V3AndBelow" + key: value for key, value in self.writer(name, who).items()},
            V3AndBelowTopics=[dict(Name=topic or self.topic, Partitions=list(partitions))])
        results = {p["PartitionIndex"]: ERRORS[p["PartitionErrorCode"]]
                   for t in answer["ResultsByTopicV3AndBelow"] for p in t["ResultsByPartition"]}
        self.note(self.about("add", name, who, version), dict(sorted(results.items())))

    def add_as_broker(self, name, who, *partitions, verify):
        answer = self.broker.call("AddPartitionsToTxn", 5, Transactions=[dict(
            self.writer(name, who), VerifyOnly=verify,
            Topics=[dict(Name=self.topic, Partitions=list(partitions))])])
        results = {p["PartitionIndex"]: ERRORS[p["PartitionErrorCode"]]
                   for r in answer["ResultsByTransaction"] for t in r["TopicResults"]
                   for p in t["ResultsByPartition"]}
        self.note(self.about("verify" if verify else "add", name, who, 5),
                  dict(sorted(results.items())))

    def produce(self, name, who, sequence, partition=0, count=1, version=11, data=None,
                attributes=TRANSACTIONAL, topic=None, what=None):
        data = batch([b"v"] * count, who, sequence, attributes) if data is None else data
        answer = self.ask(
            "Produce", version,
            lambda a: {a["Responses"][0]["PartitionResponses"][0]["ErrorCode"]}, LATER | BUSY,
            TransactionalId=name and name + self.tag, Acks=-1, TimeoutMs=5000,
            TopicData=[dict(Name=topic or self.topic,
                            PartitionData=[dict(Index=partition, Records=data)])])
        got = answer["Responses"][0]["PartitionResponses"][0]
        said = [ERRORS[got["ErrorCode"]], got["BaseOffset"], got.get("LogStartOffset")]
        for error in got.get("RecordErrors") or []:
            said.append(f"\n    {error['BatchIndex']}: {error['BatchIndexErrorMessage']}")
        if got.get("RecordErrors"):
            said.append(f"\n    {got['ErrorMessage']}")
        self.note(what or self.about("produce", name, who, version) +
                  f" partition {partition} sequence {sequence}+{count}", *said)

    def end(self, name, who, commit, version=4):
        answer = self.ask("EndTxn", version, lambda a: {a["ErrorCode"]}, LATER | BUSY,
                          **self.writer(name, who), Committed=commit)
        got = answer.get("ProducerId", -1), answer.get("ProducerEpoch", -1)
        if got[0] >= 0:
            self.ids.setdefault(got[0], f"P{len(self.ids)}")
        self.note(self.about("commit" if commit else "abort", name, who, version),
                  ERRORS[answer["ErrorCode"]], self.named(got[0]), got[1])
        # An end is under way for a while: what comes next must not depend on it.
        wait(lambda: not self.state(name).startswith("Prepare"), "the end")
        return got

    def state(self, name):
        return self.broker.call("DescribeTransactions", 0, TransactionalIds=[
            (name or "none") + self.tag])["TransactionStates"][0]["TransactionState"]

    def add_offsets(self, name, who, version=3):
        answer = self.ask("AddOffsetsToTxn", version, lambda a: {a["ErrorCode"]}, LATER | BUSY,
                          **self.writer(name, who), GroupId="g" + self.tag)
        self.note(self.about("add offsets", name, who, version), ERRORS[answer["ErrorCode"]])

    def pend(self, name, who, offset, version=4, generation=-1, member="", group="g",
             topic=None, metadata=""):
        more = dict(GenerationId=generation, MemberId=member) if version >= 3 else {}
        answer = self.ask(
            "TxnOffsetCommit", version,
            lambda a: {a["Topics"][0]["Partitions"][0]["ErrorCode"]}, LATER | BUSY,
            **self.writer(name, who), **more, GroupId=group and group + self.tag,
            Topics=[dict(Name=topic or self.topic, Partitions=[
                dict(PartitionIndex=0, CommittedOffset=offset, CommittedLeaderEpoch=-1,
                     CommittedMetadata=metadata)])])
        self.note(self.about("pend", name, who, version) + f" offset {offset}",
                  ERRORS[answer["Topics"][0]["Partitions"][0]["ErrorCode"]])

    def committed(self):
        said = []
        for stable in (True, False):
            answer = self.broker.call("OffsetFetch", 8, RequireStable=stable, Groups=[
                dict(GroupId="g" + self.tag,
                     Topics=[dict(Name=self.topic, PartitionIndexes=[0])])])["Groups"][0]
            got = answer["Topics"][0]["Partitions"][0]
            said += [ERRORS[got["ErrorCode"]], got["CommittedOffset"]]
        self.note("committed, stable and not", *said)

    def fetch(self, partition=0, offset=0, committed=True):
        answer = self.broker.call(
            "Fetch", 12, MaxWaitMs=0, MinBytes=0, MaxBytes=1 << 20, SessionEpoch=-1,
            IsolationLevel=int(committed), RackId="", ForgottenTopicsData=[],
            Topics=[dict(Topic=self.topic, Partitions=[dict(
                Partition=partition, FetchOffset=offset, PartitionMaxBytes=1 << 20)])])
        got = answer["Responses"][0]["Partitions"][0]
        aborted = got["AbortedTransactions"]
        self.note(f"fetch {partition} from {offset}", ERRORS[got["ErrorCode"]],
                  got["HighWatermark"], got["LastStableOffset"], got["LogStartOffset"],
                  aborted and [(self.named(a["ProducerId"]), a["FirstOffset"]) for a in aborted])
        data = got["Records"] or b""
        while data:
            base, size = struct.unpack(">qi", data[:12])
            attributes, = struct.unpack(">h", data[21:23])
            producer, epoch, sequence, count = struct.unpack(">qhii", data[43:61])
            marker = data[61:12 + size].hex() if attributes & CONTROL else ""
            self.lines.append(f"    {base} {attributes:#x} {self.named(producer)} {epoch} "
                              f"{sequence} {count} {marker}")
            data = data[12 + size:]

    def producers(self, *partitions, topic=None):
        answer = self.broker.call("DescribeProducers", 0, Topics=[
            dict(Name=topic or self.topic, PartitionIndexes=list(partitions))])
        for got in answer["Topics"][0]["Partitions"]:
            self.note(f"producers of {got['PartitionIndex']}", ERRORS[got["ErrorCode"]],
                      got["ErrorMessage"], sorted(
                          (self.named(p["ProducerId"]), p["ProducerEpoch"], p["LastSequence"],
                           p["CoordinatorEpoch"], p["CurrentTxnStartOffset"])
                          for p in got["ActiveProducers"]))

    def describe(self, name):
        got = self.broker.call("DescribeTransactions", 0,
                               TransactionalIds=[name and name + self.tag])["TransactionStates"][0]
        topics = {t["Topic"]: sorted(t["Partitions"]) if t["Topic"] == self.topic else "…"
                  for t in got["Topics"]}
        self.note(f"describe {name!r}", ERRORS[got["ErrorCode"]], got["TransactionState"],
                  got["TransactionTimeoutMs"], got["TransactionStartTimeMs"],
                  self.named(got["ProducerId"]) if got["ErrorCode"] == 0 else "",
                  got["ProducerEpoch"], dict(sorted(topics.items())))

    def transactions(self, what, **filters):
        got = self.broker.call("ListTransactions", 2, **filters)
        self.note(f"list {what}", ERRORS[got["ErrorCode"]], got["UnknownStateFilters"], sorted(
            (t["TransactionalId"], self.named(t["ProducerId"]), t["TransactionState"])
            for t in got["TransactionStates"] if t["TransactionalId"].endswith(self.tag)))

    def mark(self, who, commit, *partitions, version=1, coordinator=0, bumps=0, topic=None):
        more = dict(TransactionVersion=bumps) if version >= 2 else {}
        got = self.broker.call("WriteTxnMarkers", version, Markers=[dict(
            ProducerId=who[0], ProducerEpoch=who[1], TransactionResult=commit,
            CoordinatorEpoch=coordinator, **more,
            Topics=[dict(Name=topic or self.topic, PartitionIndexes=list(partitions))])])
        self.note(f"mark {self.named(who[0])} {who[1]} v{version} coordinator {coordinator}",
                  dict(sorted((p["PartitionIndex"], ERRORS[p["ErrorCode"]])
                              for m in got["Markers"] for t in m["Topics"]
                              for p in t["Partitions"])))

    # ---- cases

    def test_beginning(self):
        for timeout in (0, -5, 900001, 900000):
            self.init("a", timeout=timeout)
        self.init("")
        self.init("a", (5, -1))
        self.init("a", (-1, 3))
        first, second = self.init("a"), self.init("a")
        self.init("a", first)
        self.init("a", first, version=3)
        self.init("a", second)
        self.init("a", second)
        self.init("a", (999999, 0))
        self.init("new", (123456, 7))
        for version in (0, 1):
            self.init("a", version=version)
        self.init(None)
        self.init(None, timeout=0)
        for name in ("a", "none", ""):
            self.describe(name)
        self.compare()

    def test_version_1(self):
        me = self.init("a")
        other, late = (me[0] + 1000000, me[1]), (me[0], me[1] + 1)
        self.end("a", me, True)
        self.end("a", me, False)
        for name, who in (("", me), ("none", me), ("a", other), ("a", late)):
            self.end(name, who, True)
            self.add(name, who, 0)
        self.end("a", late, True, version=1)
        self.add("a", late, 0, version=1)
        self.add("a", me, 0, 5)
        self.add("a", me, 0, topic="none")
        for version in (9, 10, 11):
            self.produce("a", me, 0, version=version)
        self.add("a", me, 0)
        self.add("a", me, 0)
        self.describe("a")
        self.produce("a", me, 0, count=2)
        self.produce("a", me, 0, count=2)
        for sequence in (4, 2):
            self.produce("a", me, sequence)
        self.produce("a", me, 0, partition=1)
        self.produce("a", me, 3, attributes=0)
        self.produce(None, me, 3)
        self.produce("a", late, 0)
        self.add("a", me, 1)
        self.produce("a", me, 7, partition=1)  # the refused one comes first
        self.fetch()
        self.fetch(committed=False)
        self.producers(0, 1, 7)
        self.producers(0, topic="none")
        self.pend("a", me, 5)
        self.add_offsets("a", me)
        self.pend("a", me, 5)
        self.committed()
        self.describe("a")
        for commit in (True, True, False):
            self.end("a", me, commit)
        self.describe("a")
        self.committed()
        self.fetch()
        self.fetch(1)
        self.producers(0, 1)
        for version in (3, 4):
            self.pend("a", me, 5, version=version)
        self.add("a", me, 0)
        self.produce("a", me, 3)
        for commit in (False, False, True):
            self.end("a", me, commit)
        self.fetch(offset=3)
        self.add("a", me, 0)
        self.end("a", me, True)
        self.fetch(offset=5)
        self.pend("a", me, 5, group="")
        self.pend("a", me, 5, topic="none")
        self.compare()

    def test_fencing(self):
        me = self.init("a")
        self.add("a", me, 0)
        self.produce("a", me, 0)
        self.add_offsets("a", me)
        self.pend("a", me, 9)
        self.pend("a", me, 9, generation=3, member="x")
        self.pend("a", me, 9, metadata="x" * 5000)
        self.committed()
        now = self.init("a")
        self.produce("a", me, 1)
        self.add("a", me, 0)
        self.end("a", me, True)
        self.end("a", me, False)
        self.add_offsets("a", me)
        self.pend("a", me, 10)
        self.committed()
        self.fetch()
        self.add("a", now, 0)
        self.produce("a", now, 3)
        self.produce("a", now, 0)
        self.end("a", now, True)
        self.fetch()
        self.compare()

    def test_version_2(self):
        me = self.init("a")
        self.end("a", me, True, version=5)
        me = self.end("a", me, False, version=5)
        self.produce("a", me, 3, version=12)
        self.produce("a", me, 0, count=2, version=12)
        for _ in range(2):
            self.produce("a", me, 2, version=12)
        self.produce("a", me, 0, partition=1, version=12)
        self.pend("a", me, 7, version=5)
        self.describe("a")
        old, me = me, self.end("a", me, True, version=5)
        self.describe("a")
        for commit in (True, False):
            self.end("a", old, commit, version=5)
        self.committed()
        for version in (11, 12):
            self.produce("a", old, 3, version=version)
        self.end("a", me, True, version=5)
        self.fetch()
        self.fetch(1)
        self.producers(0, 1)
        self.produce("a", me, 3, version=12)
        self.produce("a", me, 0, version=12)
        last, me = me, self.end("a", me, False, version=5)
        for commit in (False, True):
            self.end("a", last, commit, version=5)
        self.fetch(offset=3)
        me = self.end("a", me, False, version=5)
        self.end("a", old, False, version=5)
        self.end("a", (me[0], me[1] + 3), True, version=5)
        self.init("a", me)
        self.init("a", me)
        self.init("a", last)
        self.compare()

    def test_verifying(self):
        me = self.init("a")
        self.add_as_broker("a", me, 0, verify=True)
        self.add_as_broker("a", me, 0, verify=False)
        self.add_as_broker("a", me, 0, 1, verify=True)
        self.add_as_broker("a", (me[0], me[1] + 1), 0, verify=True)
        self.add_as_broker("none", me, 0, verify=True)
        self.add_as_broker("", me, 0, verify=False)
        self.add_as_broker("a", me, 0, 9, verify=False)
        self.compare()

    def test_listing(self):
        open_, empty = self.init("open"), self.init("empty")
        self.produce("open", open_, 0, version=12)
        self.transactions("all")
        for states in (["Ongoing", "Blah", "Dead", "PrepareEpochFence"], ["Blah"], ["Empty"]):
            self.transactions(states, StateFilters=states)
        self.transactions("by id", ProducerIdFilters=[open_[0], empty[0]])
        begun = time.time()
        wait(lambda: time.time() > begun + 0.002, "a transaction longer than 0 ms")
        for ms in (0, 100000):
            self.transactions(f"longer than {ms}", DurationFilter=ms)
        for pattern in ("op.*", "open", "(", "", "e\\w+-.*"):
            self.transactions(pattern, TransactionalIdPattern=pattern)
        self.compare()

    def test_markers(self):
        me = self.init("a")
        self.produce("a", me, 0, version=12)
        self.mark(me, False, 0, 5)
        self.fetch()
        self.mark(me, False, 0, coordinator=5)
        self.mark(me, False, 0, coordinator=4)
        self.producers(0)
        self.describe("a")
        self.mark(me, True, 0, version=2, coordinator=6, bumps=2)
        self.mark((me[0], me[1] + 1), True, 0, version=2, coordinator=6, bumps=2)
        self.mark(me, True, 0, topic="none")
        self.fetch(offset=2)
        self.compare()

    def test_time_out(self):
        first, second = self.init("v1", timeout=1000), self.init("v2", timeout=1000)
        self.add("v1", first, 1)
        self.produce("v1", first, 0, partition=1)
        self.produce("v2", second, 0, version=12)
        wait(lambda: {self.state("v1"), self.state("v2")} == {"CompleteAbort"}, "the time-out")
        for name in ("v1", "v2"):
            self.describe(name)
        self.produce("v2", second, 1, version=12)
        self.produce("v1", first, 1, partition=1)
        self.add("v1", first, 1)
        self.add_offsets("v1", first)
        self.pend("v1", first, 3)
        for commit in (True, False):
            self.end("v1", first, commit)
        self.end("v2", second, True, version=5)
        second = self.end("v2", second, False, version=5)
        self.produce("v2", second, 0, version=12)
        self.end("v2", second, True, version=5)
        self.init("v1", first)
        self.fetch()
        self.fetch(1)
        self.compare()

    def test_sequences(self):
        me, wrapping = self.init(None), self.init(None)

        def send(who, sequence, count=1, epoch=0):
            self.produce(None, (who[0], epoch), sequence, count=count, version=9, attributes=0)

        for sequence, count in ((5, 2), (7, 1), (7, 1), (5, 2), (9, 1), (8, 1), (9, 1), (10, 1),
                                (11, 1), (12, 1), (5, 2), (7, 1), (8, 1), (8, 2), (3, 1)):
            send(me, sequence, count)
        for sequence, epoch in ((0, 1), (13, 0), (0, 1), (5, 2), (0, 2), (1, 2)):
            send(me, sequence, epoch=epoch)
        top = (1 << 31) - 1
        for sequence, count in ((top - 2, 2), (top, 3), (2, 1), (top, 3), (top - 2, 2), (3, 1)):
            send(wrapping, sequence, count)
        self.producers(0)
        self.fetch(committed=False)
        self.compare()

    def test_refused_batches(self):
        topics = {"compacted": dict(cleanup_policy="compact"),
                  "small": dict(max_message_bytes="200"),
                  "stamped": dict(message_timestamp_type="LogAppendTime"),
                  "timely": dict(message_timestamp_before_max_ms="60000",
                                 message_timestamp_after_max_ms="5000")}
        for name, configs in topics.items():
            self.create(name + self.tag, **configs)
        now, good = int(time.time() * 1000), batch()

        def send(what, data, topic=None, version=9):
            self.produce(None, (-1, -1), 0, data=data, version=version, what=what,
                         topic=topic and topic + self.tag)

        send("good", good)
        for size in (0, 11, 16, 50, 60):
            send(f"{size} bytes", good[:size])
        send("two", good + good)
        for behind in (b"xxxxx", b"\0" * 20, b"\xff" * 40):
            send(f"{len(behind)} bytes behind", good + behind)
        for what, data in {
                "base offset 1": batch(base=1), "checksum": batch(flip=1),
                "magic 1": batch(magic=1), "magic 0": batch(magic=0), "magic 3": batch(magic=3), "magic -1": batch(magic=-1),
                "last 2": batch(last=2), "last -1": batch(last=-1), "last -5": batch(last=-5),
                "count 0": batch(count=0), "count -1": batch(count=-1), "count 3": batch(count=3),
                "control": batch(attributes=CONTROL), "codec 5": batch(attributes=5),
                "type of time": batch(attributes=LOG_APPEND_TIME),
                "delete horizon": batch(attributes=0x40), "unknown bit": batch(attributes=0x80),
                "no sequence": batch(producer=(7, 0)), "producer -2": batch(producer=(-2, -1)),
                "no records": batch([], count=0, last=0),
                "time ahead": batch(timestamp=now + 7200000), "time -1": batch(timestamp=-1),
                "time 0": batch(timestamp=0), "time -5": batch(timestamp=-5),
                "time huge": batch(timestamp=(1 << 63) - 1)}.items():
            send(what, data)
        for what, timestamp in (("old", now - 120000), ("ahead", now + 60000), ("now", now),
                                ("-1", -1), ("0", 0)):
            send(f"timely {what}", batch(timestamp=timestamp), "timely")
        send("no keys", good, "compacted")
        send("one key", batch([b"a", b"b", b"c"], keys=[b"k", None, None]), "compacted")
        send("no key of many", batch([b"x"] * 10), "compacted")
        send("key", batch([b"a"], keys=[b"k"]), "compacted")
        send("stamped", good, "stamped")
        send("stamped by itself", batch(attributes=LOG_APPEND_TIME), "stamped")
        send("small", batch([b"x" * 50]), "small")
        send("large", batch([b"x" * 200]), "small")
        send("zstd", batch(attributes=4), version=3)
        self.compare()


if __name__ == "__main__":
    unittest.main()
