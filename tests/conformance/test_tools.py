# SPDX-License-Identifier: MIT
"""Apache Kafka's own command-line tools, from the jars of tests/kafka/kafka.

A case is a transcript: the commands that ran, what they printed and how they ended.
"""
import concurrent.futures
import json
import re
import unittest

import conformance
from conformance import TAG, scratch, wait

CLASSES = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-e2e-latency": "org.apache.kafka.tools.EndToEndLatency",
    "kafka-verifiable-producer": "org.apache.kafka.tools.VerifiableProducer",
    "kafka-verifiable-consumer": "org.apache.kafka.tools.VerifiableConsumer",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}
jvm = None


def setUpModule():
    global jvm
    conformance.set_up()
    jvm = conformance.Jvm()


def tearDownModule():
    jvm.close()
    conformance.tear_down()


def start(tool, *args, text=""):
    server = ["--bootstrap-server", conformance.address]
    args = [*args, *server] if tool == "kafka-cluster" else [*server, *args]
    return jvm.start(CLASSES[tool], *args, text=text)


def call(tool, *args, text=""):
    return start(tool, *args, text=text).result()


def must(tool, *args, text=""):
    code, out, err = call(tool, *args, text=text)
    if code != 0:
        raise AssertionError(f"{tool} {args}: exit {code}\n{out}{err}")
    return out


class Transcript(conformance.Case):
    """A test whose commands and their output are compared as a whole."""

    def setUp(self):
        self.lines = []
        self.rules = []

    def do(self, tool, *args, text="", ordered=True):
        code, out, err = call(tool, *args, text=text)
        shown = " ".join(str(a) for a in args).replace(conformance.scratch(""), "")
        for said in (out, err):
            said = said.strip("\n")
            if said and not ordered:
                said = "\n".join(sorted(said.split("\n")))
            if said:
                shown += "\n" + said
        self.lines.append(f"$ {tool} {shown}\nexit {code}\n")
        return out

    def done(self, name):
        self.expect("tools/" + name, "\n".join(self.lines), self.rules)


def topic(name, partitions=1, *configs):
    name = f"tools-{name}-{TAG}"
    args = [x for config in configs for x in ("--config", config)]
    must("kafka-topics", "--create", "--topic", name, "--partitions", partitions, *args)
    return name


def produce(name, *lines, props=()):
    args = [x for prop in props for x in ("--reader-property", prop)]
    must("kafka-console-producer", "--topic", name, *args, text="".join(f"{x}\n" for x in lines))


def impatient():
    """A file of settings for what would retry for a minute."""
    path = scratch("impatient.properties")
    with open(path, "w", encoding="ascii") as file:
        file.write("default.api.timeout.ms=2000\nrequest.timeout.ms=1000\n")
    return path


def consume(name, count, *args):
    start_at = () if "--offset" in args else ("--from-beginning",)
    return must("kafka-console-consumer", "--topic", name, *start_at,
                "--max-messages", count, *args)


class Topics(Transcript):
    def test_topics_are_made_described_grown_and_deleted(self):
        name = f"tools-life-{TAG}"
        self.do("kafka-topics", "--create", "--topic", name, "--partitions", 3,
                "--config", "retention.ms=3600000", "--config", "cleanup.policy=compact,delete")
        self.do("kafka-topics", "--describe", "--topic", name)
        self.do("kafka-topics", "--create", "--topic", name)
        self.do("kafka-topics", "--create", "--if-not-exists", "--topic", name)
        self.do("kafka-topics", "--list", "--topic", f"tools-life-{TAG}")
        self.do("kafka-topics", "--alter", "--topic", name, "--partitions", 5)
        self.do("kafka-topics", "--alter", "--topic", name, "--partitions", 2)
        self.do("kafka-topics", "--alter", "--topic", name, "--partitions", 5)
        self.do("kafka-topics", "--describe", "--topic", name)
        self.do("kafka-topics", "--describe", "--topics-with-overrides", "--topic", name)
        self.do("kafka-topics", "--describe", "--unavailable-partitions", "--topic", name)
        self.do("kafka-topics", "--describe", "--under-replicated-partitions", "--topic", name)
        self.do("kafka-topics", "--describe", "--at-min-isr-partitions", "--topic", name)
        self.do("kafka-topics", "--delete", "--topic", name)
        self.do("kafka-topics", "--delete", "--topic", name)
        self.do("kafka-topics", "--delete", "--if-exists", "--topic", name)
        self.do("kafka-topics", "--describe", "--topic", name)
        self.do("kafka-topics", "--alter", "--topic", name, "--partitions", 7)
        self.done("topics")

    def test_topics_that_cannot_be_are_refused(self):
        name = f"tools-refused-{TAG}"
        for bad in (["--topic", name, "--replication-factor", 3],
                    ["--topic", name, "--config", "retention.ms=soon"],
                    ["--topic", name, "--config", "retention.ms=-2"],
                    ["--topic", name, "--config", "cleanup.policy=shred"],
                    ["--topic", name, "--config", "no.such.key=1"],
                    ["--topic", name, "--config", "min.insync.replicas=0"],
                    ["--topic", name, "--config", "compression.type=rar"],
                    ["--topic", name, "--partitions", 0],
                    ["--topic", name, "--replica-assignment", "1,7"],
                    ["--topic", name, "--replica-assignment", "7"],
                    ["--topic", "tools/slash"],
                    ["--topic", ".."],
                    ["--topic", "x" * 250]):
            self.do("kafka-topics", "--create", *bad)
        self.do("kafka-topics", "--create", "--topic", name, "--replica-assignment", "1,1")
        self.do("kafka-topics", "--create", "--topic", f"tools.refused.{TAG}")
        self.do("kafka-topics", "--create", "--topic", f"tools_refused.{TAG}")
        self.do("kafka-topics", "--create", "--topic", f"tools-refused2-{TAG}",
                "--replica-assignment", "1,1")
        self.done("topics-refused")

    def test_a_topic_is_found_by_its_id(self):
        name = topic("byid", 2)
        text = must("kafka-topics", "--describe", "--topic", name)
        uuid = re.search(r"TopicId: (\S+)", text).group(1)
        found = must("kafka-topics", "--describe", "--topic-id", uuid)
        self.assertIn(f"TopicId: {uuid}", found)
        code, out, err = call("kafka-topics", "--describe", "--topic-id",
                              "AAAAAAAAQACAAAAAAAAAZw")
        self.expect("tools/topic-id", f"{found}{out}{err}exit {code}")


class Configs(Transcript):
    def test_topic_configs_are_set_shown_and_removed(self):
        name = topic("configs", 1, "segment.bytes=2097152")
        entity = ["--entity-type", "topics", "--entity-name", name]
        self.do("kafka-configs", "--describe", *entity)
        self.do("kafka-configs", "--alter", *entity, "--add-config",
                "retention.ms=1000000,max.message.bytes=65536,cleanup.policy=[compact,delete]")
        self.do("kafka-configs", "--describe", *entity)
        self.do("kafka-configs", "--alter", *entity, "--delete-config", "retention.ms")
        self.do("kafka-configs", "--describe", *entity)
        self.do("kafka-configs", "--alter", *entity, "--delete-config", "flush.ms")
        self.do("kafka-configs", "--alter", *entity, "--add-config", "retention.ms=soon")
        self.do("kafka-configs", "--alter", *entity, "--add-config", "no.such.key=1")
        self.do("kafka-configs", "--alter", *entity, "--add-config", "segment.bytes=1")
        self.do("kafka-configs", "--alter", "--entity-type", "topics", "--entity-name",
                f"tools-nowhere-{TAG}", "--add-config", "retention.ms=1")
        self.do("kafka-configs", "--describe", "--entity-type", "topics", "--entity-name",
                f"tools-nowhere-{TAG}")
        self.done("configs")

    def test_every_topic_config_has_kafkas_default(self):
        name = topic("defaults")
        self.do("kafka-configs", "--describe", "--all", "--entity-type", "topics",
                "--entity-name", name, ordered=False)
        self.done("configs-all")

    def test_group_configs_are_set_shown_and_removed(self):
        entity = ["--entity-type", "groups", "--entity-name", f"tools-group-{TAG}"]
        self.do("kafka-configs", "--describe", *entity)
        self.do("kafka-configs", "--alter", *entity, "--add-config",
                "consumer.session.timeout.ms=50000")
        self.do("kafka-configs", "--describe", *entity)
        self.do("kafka-configs", "--alter", *entity, "--add-config",
                "consumer.session.timeout.ms=50")
        self.do("kafka-configs", "--alter", *entity, "--add-config", "no.such.key=1")
        self.do("kafka-configs", "--alter", *entity, "--delete-config",
                "consumer.session.timeout.ms")
        self.done("configs-group")

    def test_broker_configs_can_be_read(self):
        code, out, err = call("kafka-configs", "--describe", "--all", "--entity-type", "brokers",
                              "--entity-name", "1")
        self.assertEqual((0, ""), (code, err))
        for line in ("log.retention.hours=168 ", "num.partitions=1 ", "node.id=1 ",
                     "auto.create.topics.enable=false ", "offsets.retention.minutes=10080 ",
                     "message.max.bytes=1048588 ", "log.segment.bytes=1073741824 ",
                     "group.initial.rebalance.delay.ms=0 ", "default.replication.factor=1 "):
            self.assertRegex(out, rf"(?m)^\s*{re.escape(line)}")


class Offsets(Transcript):
    def test_offsets_are_found(self):
        name = topic("offsets", 3)
        self.do("kafka-get-offsets", "--topic", name)
        produce(name, "a:1", "b:2", "c:3", "d:4", "e:5", "f:6",
                props=("parse.key=true", "key.separator=:"))
        for time in ("-1", "-2", "earliest", "latest", "-4", "earliest-local", "0",
                     "99999999999999"):
            self.do("kafka-get-offsets", "--topic", name, "--time", time)
        self.do("kafka-get-offsets", "--topic", name, "--partitions", "0,2")
        self.do("kafka-get-offsets", "--topic-partitions", f"{name}:1-")
        self.do("kafka-get-offsets", "--topic", f"tools-nowhere-{TAG}")
        self.do("kafka-get-offsets", "--topic", name, "--time", "soon")
        self.done("get-offsets")

    def test_records_are_deleted(self):
        name = topic("delete", 2)
        for n in range(10):
            produce(name, *(f"{n}{k}" for k in range(2)))
        ends = [int(line.rsplit(":", 1)[1]) for line in
                must("kafka-get-offsets", "--topic", name).splitlines()]
        self.assertEqual(20, sum(ends))
        full = ends.index(max(ends))
        rules = [(re.compile(rf"\btools-delete-t+-{full}\b"), "full"),
                 (re.compile(r"low_watermark: \d\d"), "low_watermark: END"),
                 (re.compile(r"TimeoutException: .*"), "TimeoutException")]
        path = scratch("delete.json")

        def delete(*what):
            with open(path, "w", encoding="ascii") as file:
                json.dump({"version": 1, "partitions": [
                    {"topic": t, "partition": p, "offset": o} for t, p, o in what]}, file)
            code, out, err = call("kafka-delete-records", "--offset-json-file", path,
                                  "--command-config", impatient())
            self.lines.append(f"{out}{err}exit {code}\n")

        delete((name, full, 3))
        delete((name, full, 2))
        delete((name, full, 1000))
        delete((name, 7, 1))
        delete((f"tools-nowhere-{TAG}", 0, 1))
        start_of = must("kafka-get-offsets", "--topic-partitions", f"{name}:{full}",
                        "--time", "-2")
        self.assertEqual(f"{name}:{full}:3\n", start_of)
        delete((name, full, -1))
        start_of = must("kafka-get-offsets", "--topic-partitions", f"{name}:{full}",
                        "--time", "-2")
        self.assertEqual(f"{name}:{full}:{ends[full]}\n", start_of)
        self.rules = rules
        self.done("delete-records")

    def test_log_dirs_show_the_partitions(self):
        name = topic("logdirs", 2)
        out = must("kafka-log-dirs", "--describe", "--topic-list", name)
        report = json.loads(out.strip().splitlines()[-1])
        self.assertEqual([1], [b["broker"] for b in report["brokers"]])
        (folder,) = report["brokers"][0]["logDirs"]
        self.assertIsNone(folder["error"])
        self.assertEqual([(f"{name}-{p}", 0, 0, False) for p in range(2)], sorted(
            (p["partition"], p["size"], p["offsetLag"], p["isFuture"])
            for p in folder["partitions"]))
        produce(name, "x" * 1000, "y" * 1000)
        out = must("kafka-log-dirs", "--describe", "--topic-list", name)
        report = json.loads(out.strip().splitlines()[-1])
        sizes = [p["size"] for p in report["brokers"][0]["logDirs"][0]["partitions"]]
        self.assertTrue(2000 < sum(sizes) < 2400, sizes)


class Console(Transcript):
    def test_keys_headers_and_nulls_come_back(self):
        name = topic("console")
        produce(name, "h1:v1,h2:\tkey\tvalue", "NULL\tNULL\tno headers", "h:v\tk\tNULL",
                "h:v\té\tgrüße 世界",
                props=("parse.key=true", "parse.headers=true", "null.marker=NULL"))
        self.lines.append(consume(
            name, 4, *(x for prop in
                       ("print.key", "print.headers", "print.offset", "print.partition")
                       for x in ("--formatter-property", f"{prop}=true"))))
        self.lines.append(consume(name, 2, "--partition", 0, "--offset", 2))
        self.done("console")

    def test_every_codec_comes_back(self):
        for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
            name = topic(codec)
            lines = [f"line {n} {'abc' * n}" for n in range(200)]
            must("kafka-console-producer", "--topic", name, "--compression-codec", codec,
                 text="".join(f"{x}\n" for x in lines))
            self.assertEqual(lines, consume(name, 200).splitlines(), codec)

    def test_read_committed_and_an_ending_at_timeout(self):
        name = topic("isolation")
        produce(name, "one")
        code, out, err = call("kafka-console-consumer", "--topic", name, "--from-beginning",
                              "--isolation-level", "read_committed", "--timeout-ms", "2000")
        self.assertEqual((0, "one\n"), (code, out))
        self.assertIn("Processed a total of 1 messages", err)

    def test_an_unknown_topic_is_an_error(self):
        code, out, err = call("kafka-console-producer", "--topic", f"tools-nowhere-{TAG}",
                              "--sync", "--command-property", "max.block.ms=1500", text="x\n")
        self.assertEqual(1, code)
        self.assertIn("not present in metadata after 1500 ms", out + err)


class Groups(Transcript):
    def group(self, name):
        return f"tools-{name}-{TAG}"

    def fill(self, name, partitions=2, records=6):
        made = topic(name, partitions)
        produce(made, *(f"k{n}:v{n}" for n in range(records)),
                props=("parse.key=true", "key.separator=:"))
        return made

    def test_a_group_is_listed_described_and_deleted(self):
        name, group = self.fill("groups"), self.group("groups")
        self.rules = [(re.compile(r" +"), " ")]
        self.do("kafka-consumer-groups", "--describe", "--group", group)
        consume(name, 6, "--group", group)
        select = ["--group", group]
        self.do("kafka-consumer-groups", "--describe", *select, ordered=False)
        self.do("kafka-consumer-groups", "--describe", "--members", *select)
        self.do("kafka-consumer-groups", "--describe", "--state", *select)
        self.do("kafka-consumer-groups", "--describe", "--offsets", "--verbose", *select,
                ordered=False)
        listed = must("kafka-consumer-groups", "--list").split()
        self.assertIn(group, listed)
        for arg in (["--state"], ["--state", "empty"], ["--type"], ["--type", "classic"],
                    ["--type", "consumer"], ["--state", "stable"]):
            rows = must("kafka-consumer-groups", "--list", *arg).splitlines()
            self.lines.append(f"$ list {arg}\n" + "\n".join(
                re.sub(r" +", " ", row) for row in rows if group in row) + "\n")
        rows = must("kafka-groups", "--list").splitlines()
        self.lines += [re.sub(r" +", " ", row) for row in rows if group in row] + [""]
        self.do("kafka-consumer-groups", "--delete-offsets", *select, "--topic", f"{name}:1")
        self.do("kafka-consumer-groups", "--describe", *select, ordered=False)
        self.do("kafka-consumer-groups", "--delete-offsets", *select, "--topic",
                f"tools-nowhere-{TAG}")
        self.do("kafka-consumer-groups", "--delete", *select)
        self.do("kafka-consumer-groups", "--delete", *select)
        self.do("kafka-consumer-groups", "--describe", *select)
        self.do("kafka-consumer-groups", "--delete-offsets", *select, "--topic", name)
        self.done("groups")

    def busy(self, protocol):
        """A group with a member that stays."""
        name, group = self.fill("busy-" + protocol), self.group("busy-" + protocol)
        member = start("kafka-verifiable-consumer", "--topic", name, "--group-id", group,
                       "--group-protocol", protocol, "--reset-policy", "earliest")
        self.addCleanup(member.stop)
        wait(lambda: "offsets_committed" in member.peek(), "offsets are committed")
        wait(lambda: all(int(row.split()[3]) == int(row.split()[4]) for row in must(
            "kafka-consumer-groups", "--describe", "--group", group).splitlines()
            if group in row), "all is committed")
        return name, group, member

    def test_a_busy_group(self):
        for protocol in ("classic", "consumer"):
            self.lines = []
            name, group, member = self.busy(protocol)
            select = ["--group", group]
            self.rules = [(re.compile(r" +"), " "),
                          (re.compile(r"\S{22}(?= /127)"), "MEMBER"),
                          (re.compile(r"(consumer-tools-\S+-)\d+"), r"\1N")]
            self.do("kafka-consumer-groups", "--describe", *select, ordered=False)
            self.do("kafka-consumer-groups", "--describe", "--members", "--verbose", *select)
            self.do("kafka-consumer-groups", "--describe", "--state", *select)
            self.do("kafka-consumer-groups", "--describe", "--state", "--verbose", *select)
            self.do("kafka-consumer-groups", "--delete", *select)
            self.do("kafka-consumer-groups", "--delete-offsets", *select, "--topic", name)
            self.do("kafka-consumer-groups", "--reset-offsets", *select, "--topic", name,
                    "--to-earliest", "--execute")
            member.stop()
            member.result()
            self.do("kafka-consumer-groups", "--describe", "--members", *select)
            self.do("kafka-consumer-groups", "--delete", *select)
            self.done("groups-busy-" + protocol)

    def test_offsets_are_reset(self):
        name, group = self.fill("reset", 2, 10), self.group("reset")
        reset = ["kafka-consumer-groups", "--reset-offsets", "--group", group]
        self.do(*reset, "--topic", name, "--to-latest", "--execute", ordered=False)
        for how in (["--to-earliest"], ["--to-offset", 2], ["--shift-by", 1],
                    ["--shift-by", -100], ["--to-offset", 100], ["--to-current"],
                    ["--to-datetime", "2020-01-01T00:00:00.000"], ["--by-duration", "PT0S"],
                    ["--by-duration", "P1D"], ["--to-datetime", "2099-01-01T00:00:00.000"]):
            self.do(*reset, "--topic", name, *how, "--execute", ordered=False)
        self.do(*reset, "--topic", f"{name}:1", "--to-latest", "--execute")
        self.do(*reset, "--all-topics", "--to-offset", 1, "--dry-run", ordered=False)
        self.do(*reset, "--topic", f"tools-nowhere-{TAG}", "--to-earliest", "--execute")
        self.do(*reset, "--topic", name, "--to-offset", 1, ordered=False)
        plan = must(*reset, "--topic", name, "--to-offset", 3, "--export", "--dry-run")
        self.lines.append("\n".join(sorted(plan.splitlines())) + "\n")
        with open(scratch("plan.csv"), "w", encoding="ascii") as file:
            file.write(plan)
        self.do(*reset, "--from-file", scratch("plan.csv"), "--execute", ordered=False)
        self.do("kafka-consumer-groups", "--describe", "--group", group, ordered=False)
        self.done("groups-reset")


class Transactions(Transcript):
    """The transaction that hangs is that of a producer which stopped in the middle of it."""

    def test_a_hanging_transaction_is_shown_and_aborted(self):
        name = topic("hanging")
        tid = f"tools-tx-{TAG}"
        held = jvm.start("Clients", conformance.address, "hold-transaction", name, tid)
        self.addCleanup(held.stop)
        wait(lambda: "held" in held.peek(), "a transaction is open")
        self.rules = [(re.compile(r" +"), " ")]
        produce(name, "after it")
        listed = must("kafka-transactions", "list")
        self.lines.append("\n".join(
            re.sub(r"\s+\d+\s+\d+\s+", " PID ", line, count=1).strip() for line in listed.splitlines() if tid in line))
        described = must("kafka-transactions", "describe", "--transactional-id", tid)
        head, row = (line.split() for line in described.splitlines())
        shown = dict(zip(head, row))
        self.assertEqual([tid, "0", "Ongoing", "60000", f"{name}-0"],
                         [shown[k] for k in ("TransactionalId", "ProducerEpoch",
                                             "TransactionState", "TransactionTimeoutMs",
                                             "TopicPartitions")])
        rows = must("kafka-transactions", "describe-producers", "--topic", name, "--partition",
                    0).splitlines()
        open_rows = [r.split() for r in rows[1:] if not r.rstrip().endswith("None")]
        self.assertEqual(1, len(open_rows), rows)
        self.assertEqual("0", open_rows[0][-1])
        self.do("kafka-transactions", "find-hanging", "--topic", name, "--partition", 0)
        self.assertEqual("", must(
            "kafka-console-consumer", "--topic", name, "--from-beginning", "--isolation-level",
            "read_committed", "--timeout-ms", 1500))
        self.do("kafka-transactions", "abort", "--topic", name, "--partition", 0,
                "--start-offset", 0)
        self.assertEqual("after it\n", consume(name, 1, "--isolation-level", "read_committed"))
        self.do("kafka-transactions", "abort", "--topic", name, "--partition", 0,
                "--start-offset", 0)
        self.do("kafka-transactions", "describe", "--transactional-id", f"nobody-{TAG}")
        self.do("kafka-transactions", "forceTerminateTransaction", "--transactionalId", tid)
        wait(lambda: re.search("CompleteAbort|Empty", must(
            "kafka-transactions", "describe", "--transactional-id", tid)), "it is ended", 15)
        self.done("transactions")


class Load(conformance.Case):
    def test_performance_tools_see_every_record(self):
        name = topic("perf", 3)
        for codec in ("none", "lz4"):
            out = must("kafka-producer-perf-test", "--topic", name, "--num-records", 20000,
                       "--record-size", 200, "--throughput", -1, "--command-property",
                       f"compression.type={codec}", "acks=all")
            self.assertIn("20000 records sent", out)
        out = must("kafka-producer-perf-test", "--topic", name, "--num-records", 2000,
                   "--record-size", 200, "--throughput", -1, "--transactional-id",
                   f"tools-perf-{TAG}", "--transaction-duration-ms", 100)
        self.assertIn("2000 records sent", out)
        out = must("kafka-consumer-perf-test", "--topic", name, "--num-records", 42000)
        self.assertGreaterEqual(int(out.splitlines()[-1].split(", ")[4]), 42000)

    def test_latency_end_to_end(self):
        name = topic("e2e")
        out = must("kafka-e2e-latency", "--topic", name, "--num-records", 100,
                   "--producer-acks", "1", "--record-size", 100)
        self.assertIn("Avg latency", out)


class Verifiable(conformance.Case):
    def lines(self, run):
        return [json.loads(line) for line in run.peek().splitlines() if line.startswith("{")]

    def owned(self, member):
        now = set()
        for line in self.lines(member):
            if line["name"] == "partitions_assigned":
                now |= {p["partition"] for p in line["partitions"]}
            elif line["name"] == "partitions_revoked":
                now -= {p["partition"] for p in line["partitions"]}
        return now

    def come_and_go(self, protocol):
        name, group = topic("verify-" + protocol, 4), f"tools-verify-{protocol}-{TAG}"
        producer = start("kafka-verifiable-producer", "--topic", name, "--throughput", 200,
                         "--acks", -1)
        self.addCleanup(producer.stop)
        members = []

        def join():
            member = start("kafka-verifiable-consumer", "--topic", name, "--group-id", group,
                           "--group-protocol", protocol, "--reset-policy", "earliest")
            members.append(member)
            self.addCleanup(member.stop)

        def shared(count):
            parts = [self.owned(m) for m in members]
            return (all(len(p) == count for p in parts)
                    and set().union(*parts) == set(range(4)))

        def committed():
            rows = [r.split() for r in must("kafka-consumer-groups", "--describe", "--group",
                                            group).splitlines() if group in r]
            return [sum(int(r[n].replace("-", "0")) for r in rows) for n in (3, 4)]

        join()
        wait(lambda: shared(4), "one member has all four")
        join()
        wait(lambda: shared(2), "two members have two each")
        members.pop().stop()
        wait(lambda: shared(4), lambda: "the one left has all four: " + must(
            "kafka-consumer-groups", "--describe", "--members", "--verbose", "--group", group)
            + members[0].peek()[:600])
        producer.stop()
        code, out, err = producer.result()
        self.assertEqual(0, code, out + err)
        acked = out.count('"producer_send_success"')
        self.assertGreater(acked, 100)
        wait(lambda: len(set(committed())) == 1, lambda: f"all is committed: {committed()}")
        self.assertGreaterEqual(committed()[0], acked)

    def test_members_come_and_go_while_records_flow(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self.come_and_go, ("classic", "consumer")))


class Cluster(Transcript):
    def test_what_the_cluster_says_of_itself(self):
        code, out, _ = call("kafka-cluster", "cluster-id")
        self.assertEqual(0, code)
        self.assertRegex(out, r"^Cluster ID: \S{22}$")
        code, out, err = call("kafka-broker-api-versions")
        self.assertEqual((0, ""), (code, err))
        self.assertRegex(out, r"Produce\(0\): 0 to 13 \[usable: 13\]")
        code, out, err = call("kafka-features", "describe")
        self.assertEqual(0, code, err)
        for feature in ("group.version", "transaction.version"):
            self.assertRegex(out, rf"Feature: {feature}\s")


if __name__ == "__main__":
    unittest.main()
