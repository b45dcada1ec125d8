# SPDX-License-Identifier: MIT
"""Topics and configs, request by request: codes and texts that tools only show in part.

A case is a transcript of requests and answers, compared with the one of the real Kafka.
"""
import unittest
import uuid

import conformance
import protocol
from conformance import TAG, wait

TOPIC, BROKER, GROUP = 2, 4, 32
SET, DELETE, APPEND, SUBTRACT = range(4)
NO_ID = uuid.UUID(int=0)
SOME_ID = uuid.UUID(int=1)


def setUpModule():
    conformance.set_up()


def tearDownModule():
    conformance.tear_down()


def shown(value):
    """An answer in one line; ids are random and shown as what they stand for."""
    if isinstance(value, dict):
        return "{" + " ".join(f"{name}={shown(item)}" for name, item in value.items()
                              if name not in ("ThrottleTimeMs", "Port", "Host")) + "}"
    if isinstance(value, list):
        return "[" + " ".join(shown(item) for item in value) + "]"
    if isinstance(value, uuid.UUID):
        return {NO_ID: "no-id", SOME_ID: "unknown-id"}.get(value, "id")
    return "null" if value is None else str(value)


class Admin(conformance.Case):
    def setUp(self):
        self.broker = protocol.Connection(conformance.address)
        self.addCleanup(lambda: self.broker.close())
        self.prefix = f"{self.id().rsplit('.', 1)[1].replace('_', '-')}-{TAG}-"
        self.lines, self.made = [], []

    def tearDown(self):
        for name in self.made:
            self.broker.call("DeleteTopics", 6, Topics=[{"Name": name}], TimeoutMs=10000)

    def write(self, what, answer):
        self.lines.append(f"{what}: {shown(answer)}")

    def same(self, name):
        self.expect("admin/" + name, "\n".join(self.lines).replace(self.prefix, ""))

    def metadata(self, version=12, **more):
        return self.broker.call("Metadata", version, **more)

    def make(self, name, partitions=1):
        """A topic that all parts of the broker know."""
        topic = {"Name": self.prefix + name, "NumPartitions": partitions,
                 "ReplicationFactor": 1}
        answer = self.broker.call("CreateTopics", 7, Topics=[topic], timeoutMs=10000)
        self.assertEqual(answer["Topics"][0]["ErrorCode"], 0)
        self.made.append(self.prefix + name)
        self.until_there(name, partitions)
        return answer["Topics"][0]["TopicId"]

    def until_there(self, name, partitions):
        """Metadata and the leader itself learn of a partition at different times."""
        def is_there():
            topic = self.metadata(Topics=[{"Name": self.prefix + name}])["Topics"][0]
            return [p["LeaderId"] for p in topic["Partitions"]] == [1] * partitions

        def is_led():
            offsets = self.broker.call("ListOffsets", 7, ReplicaId=-1, Topics=[
                {"Name": self.prefix + name, "Partitions": [
                    {"PartitionIndex": index, "Timestamp": -1} for index in range(partitions)]}])
            return {p["ErrorCode"] for p in offsets["Topics"][0]["Partitions"]} == {0}
        wait(is_there, name)
        wait(is_led, name)

    # ---- CreateTopics

    def refused(self, what, **topic):
        """What making this topic would give; nothing is made."""
        topic = {"Name": self.prefix + "new", "NumPartitions": 1, "ReplicationFactor": 1,
                 **topic}
        answer = self.broker.call("CreateTopics", 7, Topics=[topic], timeoutMs=10000,
                                  validateOnly=True)["Topics"]
        self.write(what, [{key: t[key] for key in ("ErrorCode", "ErrorMessage",
                                                   "NumPartitions", "ReplicationFactor")}
                          for t in answer])

    def test_topics_are_created(self):
        self.make("a.b")
        for name in ("", ".", "..", "a b", "a/b", "ä", "x" * 249, "x" * 250,
                     "__cluster_metadata"):
            self.refused(f"name '{name}'", Name=name)
        self.refused("name that is there", Name=self.prefix + "a.b")
        self.refused("name that collides", Name=self.prefix + "a_b")
        for partitions, factor in ((0, 1), (-1, 1), (-2, 1), (10001, 1), (1, 0), (1, -1),
                                   (1, -2), (1, 2), (1, 3)):
            self.refused(f"{partitions} partitions, factor {factor}",
                         NumPartitions=partitions, ReplicationFactor=factor)
        self.refused("manual and a factor", Assignments=[
            {"PartitionIndex": 0, "BrokerIds": [1]}])
        for assigned in ({0: [1]}, {0: [1], 1: [1]}, {0: [2]}, {1: [1]}, {0: []}, {0: [1, 1]},
                         {0: [-1]}, {0: [1, 2]}, {0: [1], 2: [1]}):
            self.refused(f"manual {assigned}", NumPartitions=-1, ReplicationFactor=-1,
                         Assignments=[{"PartitionIndex": index, "BrokerIds": brokers}
                                      for index, brokers in assigned.items()])
        twice = {"Name": self.prefix + "new", "NumPartitions": 1, "ReplicationFactor": 1}
        self.write("twice", self.broker.call("CreateTopics", 7, Topics=[twice, twice],
                                             timeoutMs=1000, validateOnly=True))
        much = [dict(twice, Name=self.prefix + name, NumPartitions=6000) for name in "ab"]
        self.write("too much", self.broker.call("CreateTopics", 7, Topics=much,
                                                timeoutMs=1000, validateOnly=True))
        self.write("none", self.broker.call("CreateTopics", 7, Topics=[], timeoutMs=1000))
        self.same("create")

    def test_configs_of_new_topics(self):
        for name, value in (
                ("retention.ms", "abc"), ("retention.ms", "-2"), ("retention.ms", ""),
                ("retention.ms", None), ("retention.ms", "99999999999999999999"),
                ("retention.ms", " 5 "), ("retention.bytes", "-2"),
                ("cleanup.policy", "foo"), ("cleanup.policy", ""),
                ("cleanup.policy", "compact , delete"), ("cleanup.policy", "[compact]"),
                ("segment.bytes", "1048575"), ("segment.bytes", "3000000000"),
                ("segment.ms", "0"), ("segment.jitter.ms", "-1"),
                ("segment.index.bytes", "3"), ("max.message.bytes", "-1"),
                ("max.message.bytes", "1.5"), ("message.timestamp.type", "x"),
                ("message.timestamp.after.max.ms", "-1"),
                ("message.timestamp.before.max.ms", "-1"),
                ("min.cleanable.dirty.ratio", "1.5"), ("min.cleanable.dirty.ratio", "x"),
                ("min.cleanable.dirty.ratio", "-0.1"), ("min.compaction.lag.ms", "-1"),
                ("max.compaction.lag.ms", "0"), ("delete.retention.ms", "-1"),
                ("file.delete.delay.ms", "-1"), ("flush.messages", "0"), ("flush.ms", "-1"),
                ("index.interval.bytes", "-1"), ("compression.type", "foo"),
                ("compression.gzip.level", "10"), ("compression.lz4.level", "18"),
                ("compression.zstd.level", "23"), ("min.insync.replicas", "0"),
                ("unclean.leader.election.enable", "maybe"), ("preallocate", "TRUE"),
                ("leader.replication.throttled.replicas", "foo"),
                ("leader.replication.throttled.replicas", "*"),
                ("follower.replication.throttled.replicas", "0:1,1:1"),
                ("remote.storage.enable", "true"), ("remote.log.copy.disable", "true"),
                ("local.retention.ms", "-3"), ("local.retention.bytes", "5"),
                ("message.format.version", "2.0"), ("nonsense", "1")):
            self.refused(f"{name}={value}", Configs=[{"Name": name, "Value": value}])
        self.refused("lags that contradict", Configs=[
            {"Name": "min.compaction.lag.ms", "Value": "10"},
            {"Name": "max.compaction.lag.ms", "Value": "5"}])
        self.refused("unknown and wrong", Configs=[{"Name": "retention.ms", "Value": "abc"},
                                                   {"Name": "nonsense", "Value": "x"}])
        self.same("create-configs")

    # ---- CreatePartitions, DeleteTopics, DeleteRecords

    def grow(self, what, name, count, assigned=None, validate=False):
        topic = {"Name": self.prefix + name, "Count": count, "Assignments": assigned and [
            {"BrokerIds": brokers} for brokers in assigned]}
        answer = self.broker.call("CreatePartitions", 3, Topics=[topic], TimeoutMs=10000,
                                  ValidateOnly=validate)
        self.write(what, answer["Results"])

    def test_topics_grow(self):
        self.make("t")
        self.grow("unknown", "nope", 3)
        for count in (1, 0, -1):
            self.grow(f"to {count}", "t", count)
        for count, assigned in ((2, [[2]]), (3, [[1]]), (2, [[1], [1]]), (2, [[]]),
                                (2, [[1, 1]])):
            self.grow(f"to {count} as {assigned}", "t", count, assigned)
        self.grow("validated", "t", 2, validate=True)
        self.grow("to 3", "t", 3)
        self.until_there("t", 3)
        self.grow("to 4, assigned", "t", 4, [[1]])
        self.until_there("t", 4)
        self.grow("back to 2", "t", 2)
        topic = {"Name": self.prefix + "t", "Count": 5, "Assignments": None}
        self.write("twice", self.broker.call("CreatePartitions", 3, Topics=[topic, topic],
                                             TimeoutMs=10000)["Results"])
        self.same("grow")

    def delete(self, what, *topics):
        answer = self.broker.call("DeleteTopics", 6, TimeoutMs=10000, Topics=[
            {"Name": name and self.prefix + name, "TopicId": id} for name, id in topics])
        self.write(what, answer["Responses"])

    def test_topics_are_deleted(self):
        t, u = self.make("t"), self.make("u")
        self.delete("unknown name", ("nope", NO_ID))
        self.write("unknown name in version 5", self.broker.call(
            "DeleteTopics", 5, TopicNames=[self.prefix + "nope"], TimeoutMs=10000))
        self.delete("unknown id", (None, SOME_ID))
        self.delete("neither", (None, NO_ID))
        self.delete("both", ("t", t))
        self.delete("name twice", ("t", NO_ID), ("t", NO_ID))
        self.delete("name and id", ("t", NO_ID), (None, t))
        self.delete("id twice", (None, t), (None, t))
        self.delete("id", (None, t))
        self.delete("name", ("u", NO_ID))
        self.delete("none")
        wait(lambda: {topic["ErrorCode"] for topic in self.metadata(
            Topics=[{"Name": None, "TopicId": id} for id in (t, u)])["Topics"]} == {100},
            "they are gone")
        self.made = []
        self.same("delete")

    def test_records_are_deleted(self):
        self.make("t", 2)
        for name, partition, offset in (("nope", 0, 0), ("t", 5, 0), ("t", -1, 0),
                                        ("t", 0, 0), ("t", 0, -1), ("t", 0, 5),
                                        ("t", 0, -2)):
            self.write(f"{name} {partition} {offset}", self.broker.call(
                "DeleteRecords", 2, TimeoutMs=5000, Topics=[
                    {"Name": self.prefix + name, "Partitions": [
                        {"PartitionIndex": partition, "Offset": offset}]}]))
        self.same("records")

    # ---- Metadata, DescribeTopicPartitions, DescribeCluster, DescribeLogDirs

    def described(self, what, version, cluster=False, **request):
        answer = self.metadata(version, **request)
        answer.pop("ClusterId", None)
        for topic in answer["Topics"]:
            topic["Partitions"].sort(key=lambda p: p["PartitionIndex"])
        self.write(what, answer if cluster else answer["Topics"])

    def test_metadata(self):
        id = self.make("t", 2)
        t = {"Name": self.prefix + "t"}
        for version in range(14):
            request = {"Topics": [t]}
            if version >= 8:
                request["IncludeTopicAuthorizedOperations"] = True
            if 8 <= version <= 10:
                request["IncludeClusterAuthorizedOperations"] = True
            self.described(f"version {version}", version, cluster=True, **request)
        self.described("unknown and invalid", 12, Topics=[
            {"Name": self.prefix + "nope"}, {"Name": "a b"}, {"Name": ""}],
            IncludeTopicAuthorizedOperations=True)
        self.described("by id", 12, Topics=[{"Name": None, "TopicId": id}])
        self.described("the id counts", 12, Topics=[{"Name": "zzz", "TopicId": id}, t])
        self.described("unknown id", 12, Topics=[{"Name": None, "TopicId": SOME_ID}])
        self.described("neither", 12, Topics=[{"Name": None}])
        self.described("neither in version 11", 11, cluster=True, Topics=[{"Name": None}, t])
        self.described("id in version 10", 10, Topics=[{"Name": "", "TopicId": id}])
        self.described("twice", 12, Topics=[t, t])
        self.described("none", 12, Topics=[])
        self.same("metadata")

    def pages(self, what, names, limit=2000, cursor=None):
        if cursor:
            cursor = {"TopicName": self.prefix + cursor[0], "PartitionIndex": cursor[1]}
        answer = self.broker.call("DescribeTopicPartitions", 0, Cursor=cursor, Topics=[
            {"Name": self.prefix + name} for name in names], ResponsePartitionLimit=limit)
        self.write(what, answer)

    def test_partitions_page_by_page(self):
        self.make("a")
        self.make("b", 3)
        self.pages("all", ["b", "a", "nope", "a"])
        self.pages("an invalid one", ["b", "a b"])
        for limit in (3, 2, 1, 0, -1):
            self.pages(f"limit {limit}", ["b", "a"], limit)
        for cursor in (("a", 1), ("b", 1), ("b", 9), ("b", -1), ("zzz", 0), ("aa", 1)):
            self.pages(f"from {cursor}", ["a", "b"], cursor=cursor)
        self.same("pages")

    def test_cluster(self):
        for version, request in ((0, {}), (1, {"IncludeClusterAuthorizedOperations": True}),
                                 (1, {"EndpointType": 2}), (1, {"EndpointType": 3}),
                                 (2, {"IncludeFencedBrokers": True})):
            answer = self.broker.call("DescribeCluster", version, **request)
            answer["ClusterId"] = "some" if answer["ClusterId"] else ""
            self.write(f"version {version} {request}", answer)
        self.make("t", 3)
        asked = [{"Topic": self.prefix + "t", "Partitions": [0, 2, 7]},
                 {"Topic": self.prefix + "nope", "Partitions": [0]}]
        for version in (1, 3, 4):
            answer = self.broker.call("DescribeLogDirs", version, Topics=asked)
            for folder in answer["Results"]:
                folder["LogDir"] = "folder"
                for name in ("TotalBytes", "UsableBytes"):
                    if name in folder:
                        folder[name] = folder[name] > 0
                for topic in folder["Topics"]:
                    topic["Partitions"].sort(key=lambda p: p["PartitionIndex"])
            self.write(f"folders, version {version}", answer)
        self.same("cluster")

    # ---- configs

    def alter(self, what, kind, name, *configs, validate=False):
        resource = {"ResourceType": kind, "ResourceName": name, "Configs": [
            {"Name": key, "ConfigOperation": operation, "Value": value}
            for key, operation, value in configs]}
        answer = self.broker.call("IncrementalAlterConfigs", 1, Resources=[resource],
                                  ValidateOnly=validate)
        self.write(what, [[r["ErrorCode"], r["ErrorMessage"]] for r in answer["Responses"]])

    def values(self, kind, name, *keys, synonyms=True):
        answer = self.broker.call("DescribeConfigs", 4, IncludeSynonyms=synonyms, Resources=[
            {"ResourceType": kind, "ResourceName": name,
             "ConfigurationKeys": list(keys) or None}])["Results"][0]
        answer["Configs"].sort(key=lambda config: config["Name"])
        for config in answer["Configs"]:
            config.pop("Documentation")
        return answer

    def until(self, kind, name, key, value):
        """A broker may learn late of what was set."""
        def is_so():
            configs = self.values(kind, name, key)["Configs"]
            return [c["Value"] for c in configs] == ([value] if value else [])
        wait(is_so, f"{key}={value}")

    def test_configs_are_altered(self):
        self.make("t")
        t = self.prefix + "t"
        retention, policy = "retention.ms", "cleanup.policy"
        self.alter("wrong", TOPIC, t, (retention, SET, "x"))
        self.alter("unknown", TOPIC, t, ("nope", SET, "x"))
        self.alter("unknown topic", TOPIC, self.prefix + "nope", (retention, SET, "1"))
        self.alter("no topic", TOPIC, "", (retention, SET, "1"))
        self.alter("invalid topic", TOPIC, "a b", (retention, SET, "1"))
        self.alter("append to a number", TOPIC, t, (retention, APPEND, "1"))
        self.alter("subtract from a number", TOPIC, t, (retention, SUBTRACT, "1"))
        self.alter("set to null", TOPIC, t, (retention, SET, None))
        self.alter("delete", TOPIC, t, (retention, DELETE, None))
        self.alter("twice", TOPIC, t, (retention, SET, "1"), (retention, SET, "2"))
        self.alter("nothing", TOPIC, t)
        self.alter("validated", TOPIC, t, (policy, APPEND, "compact"), validate=True)
        self.alter("append", TOPIC, t, (policy, APPEND, "compact"))
        self.until(TOPIC, t, policy, "delete,compact")
        self.alter("append again", TOPIC, t, (policy, APPEND, "compact"))
        self.alter("subtract", TOPIC, t, (policy, SUBTRACT, "delete"))
        self.until(TOPIC, t, policy, "compact")
        self.alter("append what is wrong", TOPIC, t, (policy, APPEND, "foo"))
        self.alter("unknown type", 99, t, (retention, SET, "1"))
        resource = {"ResourceType": TOPIC, "ResourceName": t, "Configs": [
            {"Name": retention, "ConfigOperation": SET, "Value": "1"}]}
        self.write("resource twice", [r["ErrorCode"] for r in self.broker.call(
            "IncrementalAlterConfigs", 1, Resources=[resource, resource])["Responses"]])
        for what, configs in (("replace", {retention: "7000"}), ("replace wrong", {"no": "x"}),
                              ("replace by null", {retention: None})):
            self.write(what, self.broker.call("AlterConfigs", 2, Resources=[
                {"ResourceType": TOPIC, "ResourceName": t, "Configs": [
                    {"Name": key, "Value": value} for key, value in configs.items()]}]))
        self.until(TOPIC, t, policy, "delete")
        self.until(TOPIC, t, retention, "7000")
        self.write("in the end", self.values(TOPIC, t, retention, policy))
        self.same("alter")

    def test_configs_of_the_broker(self):
        self.make("t")
        t, retention = self.prefix + "t", "log.retention.ms"
        self.write("at first", self.values(TOPIC, t, "retention.ms"))
        self.alter("this broker", BROKER, "1", (retention, SET, "1000000"))
        self.until(BROKER, "1", retention, "1000000")
        self.alter("every broker", BROKER, "", (retention, SET, "2000000"))
        self.until(BROKER, "", retention, "2000000")
        self.alter("the topic", TOPIC, t, ("retention.ms", SET, "5"))
        self.until(TOPIC, t, "retention.ms", "5")
        self.write("all of them", self.values(TOPIC, t, "retention.ms"))
        self.write("without synonyms", self.values(TOPIC, t, "retention.ms", synonyms=False))
        self.write("this broker's", self.values(BROKER, "1", retention, "log.retention.hours"))
        self.write("every broker's", self.values(BROKER, "", retention))
        for name in ("1", ""):
            self.alter(f"not any more {name}", BROKER, name, (retention, DELETE, None))
        self.until(BROKER, "", retention, None)
        wait(lambda: self.values(BROKER, "1", retention)["Configs"][0]["Value"] is None, "gone")
        self.alter("wrong", BROKER, "1", (retention, SET, "x"), validate=True)
        self.alter("nought", BROKER, "1", (retention, SET, "0"), validate=True)
        self.alter("append to a number", BROKER, "1", (retention, APPEND, "1"), validate=True)
        self.alter("too small", BROKER, "", ("log.segment.bytes", SET, "5"), validate=True)
        self.alter("cannot be set", BROKER, "1", ("num.partitions", SET, "3"), validate=True)
        self.alter("in sync here", BROKER, "1", ("min.insync.replicas", SET, "2"),
                   validate=True)
        self.alter("in sync nowhere", BROKER, "", ("min.insync.replicas", DELETE, None),
                   validate=True)
        self.alter("another broker", BROKER, "2", (retention, SET, "5"), validate=True)
        self.alter("no broker", BROKER, "x", (retention, SET, "5"), validate=True)
        for name in ("2", "x"):
            self.write(f"broker {name}", self.values(BROKER, name))
        self.same("broker-configs")

    def test_configs_of_a_group(self):
        group, session = self.prefix + "g", "consumer.session.timeout.ms"
        self.write("at first", self.values(GROUP, group, session))
        for name, value in ((session, "0"), (session, "5"), (session, "60001"),
                            ("consumer.heartbeat.interval.ms", "x"),
                            ("consumer.heartbeat.interval.ms", "15001"),
                            ("share.auto.offset.reset", "nope"),
                            ("share.isolation.level", "nope"),
                            ("streams.num.standby.replicas", "99"), ("nope", "1")):
            self.alter(f"{name}={value}", GROUP, group, (name, SET, value))
        self.alter("no group", GROUP, "", (session, SET, "50000"))
        self.alter("set", GROUP, group, (session, SET, "50000"))
        self.until(GROUP, group, session, "50000")
        self.write("then", self.values(GROUP, group, session))
        self.alter("delete", GROUP, group, (session, DELETE, None))
        self.until(GROUP, group, session, "45000")
        self.write("no name", self.values(GROUP, ""))
        self.same("group-configs")

    def test_configs_are_described(self):
        self.make("t")
        self.write("topic", self.values(TOPIC, self.prefix + "t"))
        self.write("some keys", self.values(TOPIC, self.prefix + "t", "retention.ms", "nope"))
        for name in (self.prefix + "nope", "", "a b"):
            self.write(f"topic '{name}'", self.values(TOPIC, name))
        self.same("describe-configs")


if __name__ == "__main__":
    unittest.main()
