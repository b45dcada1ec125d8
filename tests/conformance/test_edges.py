# SPDX-License-Identifier: MIT
"""Requests at their edges: what is named twice, is wrong in two ways, or is not there any more.

A case is a transcript of requests and answers, compared with the one of the real Kafka.
"""
import unittest

import conformance
import protocol
from conformance import TAG, wait
from test_admin import shown
from test_transactions import batch

TOPIC, BROKER, LOGGER, METRICS, GROUP = 2, 4, 8, 16, 32
EARLIEST, LATEST, LARGEST = -2, -1, -3


def setUpModule():
    conformance.set_up()


def tearDownModule():
    conformance.tear_down()


class Edges(conformance.Case):
    def setUp(self):
        self.broker = protocol.Connection(conformance.address)
        self.addCleanup(lambda: self.broker.close())
        self.prefix = f"{self.id().rsplit('.', 1)[1].replace('_', '-')}-{TAG}-"
        self.t, self.nope = self.prefix + "t", self.prefix + "nope"
        self.lines = []

    def tearDown(self):
        self.broker.call("DeleteTopics", 6, Topics=[{"Name": self.t}], TimeoutMs=10000)

    def write(self, what, answer):
        self.lines.append(f"{what}: {shown(answer)}")

    def call(self, what, api, version, **values):
        self.write(what, self.broker.call(api, version, **values))

    def same(self, name):
        self.expect("edges/" + name, "\n".join(self.lines).replace(self.prefix, ""))

    def make(self, partitions=1):
        topic = {"Name": self.t, "NumPartitions": partitions, "ReplicationFactor": 1,
                 "Configs": [{"Name": "retention.ms", "Value": "-1"}]}
        answer = self.broker.call("CreateTopics", 7, Topics=[topic], timeoutMs=10000)
        self.assertEqual(answer["Topics"][0]["ErrorCode"], 0)
        wait(lambda: {p["ErrorCode"] for p in self.offsets(
            *[(i, LATEST) for i in range(partitions)])} == {0}, "the topic is led")

    def offsets(self, *asked, committed=False, version=7):
        return self.broker.call("ListOffsets", version, ReplicaId=-1, IsolationLevel=committed,
                                Topics=[{"Name": self.t, "Partitions": [
                                    {"PartitionIndex": index, "Timestamp": timestamp}
                                    for index, timestamp in asked]}])["Topics"][0]["Partitions"]

    def produce(self, *timestamps, **more):
        """A batch of one record for each of them."""
        for timestamp in timestamps:
            answer = self.broker.call(
                "Produce", 9, Acks=-1, TimeoutMs=10000, TransactionalId=None, TopicData=[
                    {"Name": self.t, "PartitionData": [
                        {"Index": 0, "Records": batch((b"a",), timestamp=timestamp, **more)}]}])
            got = answer["Responses"][0]["PartitionResponses"][0]
            self.assertEqual(got["ErrorCode"], 0, got)

    def delete_before(self, offset):
        answer = self.broker.call("DeleteRecords", 2, TimeoutMs=5000, Topics=[
            {"Name": self.t, "Partitions": [{"PartitionIndex": 0, "Offset": offset}]}])
        self.assertEqual(answer["Topics"][0]["Partitions"][0]["LowWatermark"], offset)

    # ---- cases

    def times(self, what):
        self.write(what, self.offsets((0, LARGEST)))

    def test_largest_timestamps(self):
        self.make()
        self.times("empty")
        base = 1700000000000
        self.produce(base + 5, base + 9, base + 9, base + 3)
        self.times("four records")
        self.write("from a time on", [self.offsets((0, base + n)) for n in (0, 6, 9, 10)])
        self.delete_before(1)
        self.times("one that is not the largest is deleted")
        self.delete_before(3)
        self.write("times of what is left", [self.offsets((0, base + n)) for n in (0, 3, 4)])
        self.same("largest-timestamps")

    def test_named_twice(self):
        self.make(2)
        def twice(api, version, topic, array, index, **values):
            """The same topic twice, then the same partition twice."""
            one = {topic: self.t, array: [index]}
            self.call(f"{api}: topic twice", api, version, Topics=[one, one], **values)
            self.call(f"{api}: partition twice", api, version,
                      Topics=[{topic: self.t, array: [index, index]}], **values)

        twice("DeleteRecords", 2, "Name", "Partitions", {"PartitionIndex": 0, "Offset": 0},
              TimeoutMs=5000)
        twice("ListOffsets", 7, "Name", "Partitions", {"PartitionIndex": 0, "Timestamp": -1},
              ReplicaId=-1)
        twice("OffsetForLeaderEpoch", 4, "Topic", "Partitions",
              {"Partition": 0, "LeaderEpoch": 0}, ReplicaId=-2)
        twice("DescribeProducers", 0, "Name", "PartitionIndexes", 0)
        group = {"GroupId": self.prefix + "g"}
        twice("OffsetCommit", 8, "Name", "Partitions",
              {"PartitionIndex": 0, "CommittedOffset": 3, "CommittedMetadata": ""},
              GenerationIdOrMemberEpoch=-1, **group)
        twice("OffsetFetch", 7, "Name", "PartitionIndexes", 0, **group)
        twice("OffsetDelete", 0, "Name", "Partitions", {"PartitionIndex": 0}, **group)
        names = [self.prefix + "g"] * 2
        self.call("DescribeGroups", "DescribeGroups", 5, Groups=names)
        self.call("DeleteGroups", "DeleteGroups", 2, GroupsNames=names)
        self.call("DescribeTransactions", "DescribeTransactions", 0,
                  TransactionalIds=[self.nope] * 2)
        resource = {"ResourceType": TOPIC, "ResourceName": self.t,
                    "ConfigurationKeys": ["retention.ms", "retention.ms"]}
        for what, resources in (("keys", [resource]), ("resources", [resource, resource])):
            answer = self.broker.call("DescribeConfigs", 4, Resources=resources)
            self.write(f"DescribeConfigs: {what}", [
                [r["ErrorCode"], [c["Name"] for c in r["Configs"]]] for r in answer["Results"]])
        self.same("named-twice")

    def test_offsets_are_deleted(self):
        self.make(2)
        group = self.prefix + "g"

        def delete(what, name, *partitions, group=group):
            self.call(what, "OffsetDelete", 0, GroupId=group, Topics=[
                {"Name": name, "Partitions": [{"PartitionIndex": p} for p in partitions]}])

        delete("no group", self.t, 0, group="")
        delete("unknown group", self.t, 0)
        self.broker.call("OffsetCommit", 8, GroupId=group, GenerationIdOrMemberEpoch=-1, Topics=[
            {"Name": self.t, "Partitions": [
                {"PartitionIndex": 0, "CommittedOffset": 3, "CommittedMetadata": ""}]}])
        delete("unknown topic", self.nope, 0)
        delete("no topic", "", 0)
        delete("invalid topic", "a b", 0)
        delete("unknown partition", self.t, 7)
        delete("no partition", self.t, -1)
        delete("no offset there", self.t, 1)
        delete("no partitions", self.t)
        self.call("no topics", "OffsetDelete", 0, GroupId=group, Topics=[])
        delete("its offset and others", self.t, 0, 1, 7)
        delete("once more", self.t, 0)
        self.same("offset-delete")

    def test_configs_wrong_in_two_ways(self):
        self.make()

        def alter(what, kind, name, *configs, validate=True):
            resource = {"ResourceType": kind, "ResourceName": name}
            for api, version, more in (("AlterConfigs", 2, {}),
                                       ("IncrementalAlterConfigs", 1, {"ConfigOperation": 0})):
                answer = self.broker.call(api, version, ValidateOnly=validate, Resources=[
                    {**resource, "Configs": [{"Name": key, "Value": value, **more}
                                             for key, value in configs]}])
                self.write(f"{api}: {what}", [
                    [r["ErrorCode"], r["ErrorMessage"]] for r in answer["Responses"]])

        wrong, unknown, null = ("retention.ms", "x"), ("nope", "x"), ("retention.ms", None)
        right = ("retention.ms", "5")
        for what, name in (("unknown topic", self.nope), ("no topic", ""),
                           ("invalid topic", "a b"), ("a topic", self.t)):
            for why, configs in (("right", [right]), ("wrong", [wrong]), ("unknown", [unknown]),
                                 ("null", [null]), ("twice", [right, right]),
                                 ("nothing", []), ("wrong and unknown", [wrong, unknown])):
                alter(f"{what}, {why}", TOPIC, name, *configs)
        retention = "log.retention.ms"
        for what, name in (("another broker", "2"), ("no broker", "x")):
            for why, configs in (("wrong", [(retention, "x")]), ("unknown", [unknown]),
                                 ("null", [(retention, None)]), ("nothing", [])):
                alter(f"{what}, {why}", BROKER, name, *configs)
        session = "consumer.session.timeout.ms"
        for what, name in (("no group", ""), ("a group", self.prefix + "g")):
            for why, configs in (("wrong", [(session, "x")]), ("unknown", [unknown]),
                                 ("null", [(session, None)]), ("nothing", [])):
                alter(f"{what}, {why}", GROUP, name, *configs)
        alter("unknown type, wrong", 99, self.t, wrong)
        self.same("wrong-twice")

    def test_config_resources_are_listed(self):
        self.make()
        for types in ([], [TOPIC], [BROKER], [LOGGER], [METRICS], [GROUP], [LOGGER, GROUP],
                      [TOPIC, TOPIC], [0], [99], [TOPIC, 99], [-1]):
            answer = self.broker.call("ListConfigResources", 1, ResourceTypes=types)
            answer["ConfigResources"] = sorted(
                (c["ResourceType"], c["ResourceName"]) for c in answer["ConfigResources"]
                if c["ResourceType"] not in (TOPIC, GROUP)  # other cases have some, too
                or c["ResourceName"].startswith(self.prefix))
            self.write(f"{types}", [answer["ErrorCode"], [
                f"{kind} {name}" for kind, name in answer["ConfigResources"]]])
        self.call("version 0", "ListConfigResources", 0)
        self.same("config-resources")


if __name__ == "__main__":
    unittest.main()
