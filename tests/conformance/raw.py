# SPDX-License-Identifier: MIT
"""What test_heartbeat sends: heartbeats of the consumer protocol with any member id and
epoch, and what members of the classic protocol send to the same group."""
import struct
import uuid

import protocol


def by_topic(topics):
    """{topic id: [partition]} of a list of topics with partitions."""
    return {t["TopicId"].bytes: sorted(t["Partitions"]) for t in topics}


class Connection(protocol.Connection):
    def create_topic(self, name, partitions):
        """Its id."""
        answer = self.call("CreateTopics", 7, timeoutMs=10000, Topics=[dict(
            Name=name, NumPartitions=partitions, ReplicationFactor=1)])["Topics"][0]
        assert answer["ErrorCode"] == 0, answer
        return answer["TopicId"].bytes

    def grow_topic(self, name, partitions):
        self.call("CreatePartitions", 3, TimeoutMs=10000, Topics=[dict(
            Name=name, Count=partitions, Assignments=None)])

    def delete_topic(self, name):
        self.call("DeleteTopics", 6, TimeoutMs=10000, Topics=[dict(Name=name)])

    def heartbeat(self, group, member, epoch, instance=None, rack=None, timeout=-1,
                  names=None, regex=None, assignor=None, owned=None, version=1):
        """ConsumerGroupHeartbeat: (error, text, member, epoch, interval, {topic id: [partition]})."""
        answer = self.call(
            "ConsumerGroupHeartbeat", version, GroupId=group, MemberId=member,
            MemberEpoch=epoch, InstanceId=instance, RackId=rack, RebalanceTimeoutMs=timeout,
            SubscribedTopicNames=names, SubscribedTopicRegex=regex, ServerAssignor=assignor,
            TopicPartitions=None if owned is None else [
                dict(TopicId=uuid.UUID(bytes=topic), Partitions=numbers)
                for topic, numbers in owned.items()])
        given = answer["Assignment"]
        return (answer["ErrorCode"], answer["ErrorMessage"], answer["MemberId"],
                answer["MemberEpoch"], answer["HeartbeatIntervalMs"],
                given and by_topic(given["TopicPartitions"]))

    def describe(self, group):
        """ConsumerGroupDescribe: one line for the group and one for each member."""
        answer = self.call("ConsumerGroupDescribe", 1, GroupIds=[group],
                           IncludeAuthorizedOperations=True)["Groups"][0]

        def line(member):
            values = dict(member)
            for name in ("Assignment", "TargetAssignment"):
                values[name] = sorted((t["TopicName"], sorted(t["Partitions"]))
                                      for t in member[name]["TopicPartitions"])
            return list(values.values())

        members = answer.pop("Members")
        return [list(answer.values()), *sorted(map(line, members), key=str)]

    def commit(self, group, member, epoch, topic, offset, version=9):
        """OffsetCommit of partition 0: its error."""
        answer = self.call("OffsetCommit", version, GroupId=group, MemberId=member,
                           GenerationIdOrMemberEpoch=epoch, Topics=[dict(
                               Name=topic, Partitions=[dict(
                                   PartitionIndex=0, CommittedOffset=offset,
                                   CommittedMetadata="")])])
        return [[p["ErrorCode"] for p in t["Partitions"]] for t in answer["Topics"]]

    def committed(self, group, member, epoch, topic):
        """OffsetFetch of partition 0: (error of the group, offsets)."""
        answer = self.call("OffsetFetch", 9, Groups=[dict(
            GroupId=group, MemberId=member, MemberEpoch=epoch,
            Topics=[dict(Name=topic, PartitionIndexes=[0])])])["Groups"][0]
        return answer["ErrorCode"], [[p["CommittedOffset"] for p in t["Partitions"]]
                                     for t in answer["Topics"]]

    def join(self, group, member, protocols, instance=None):
        """JoinGroup of the classic protocol: (error, generation, protocol, leader, member)."""
        answer = self.call("JoinGroup", 9, GroupId=group, SessionTimeoutMs=45000,
                           RebalanceTimeoutMs=60000, MemberId=member,
                           GroupInstanceId=instance, ProtocolType="consumer", Protocols=[
                               dict(Name=n, Metadata=m) for n, m in protocols])
        return tuple(answer[name] for name in (
            "ErrorCode", "GenerationId", "ProtocolName", "Leader", "MemberId"))

    def sync(self, group, member, generation, protocol_name, assignments=None, instance=None):
        """SyncGroup: (error, what is embedded in the protocol)."""
        answer = self.call("SyncGroup", 5, GroupId=group, GenerationId=generation,
                           MemberId=member, GroupInstanceId=instance,
                           ProtocolType="consumer", ProtocolName=protocol_name, Assignments=[
                               dict(MemberId=m, Assignment=a)
                               for m, a in (assignments or {}).items()])
        return answer["ErrorCode"], answer["Assignment"]

    def classic_heartbeat(self, group, member, generation, instance=None):
        return self.call("Heartbeat", 4, GroupId=group, GenerationId=generation,
                         MemberId=member, GroupInstanceId=instance)["ErrorCode"]

    def classic_leave(self, group, member, instance=None):
        answer = self.call("LeaveGroup", 5, GroupId=group, Members=[
            dict(MemberId=member, GroupInstanceId=instance)])
        return answer["ErrorCode"], [m["ErrorCode"] for m in answer["Members"]]


def embedded(topics):
    """{name: [partition]} as the classic protocol embeds it."""
    data = struct.pack(">i", len(topics))
    for name, partitions in topics.items():
        raw = name.encode()
        data += struct.pack(">h", len(raw)) + raw
        data += struct.pack(f">i{len(partitions)}i", len(partitions), *partitions)
    return data


def subscription(names, owned):
    """ConsumerProtocolSubscription, version 1."""
    data = struct.pack(">hi", 1, len(names))
    for name in names:
        data += struct.pack(">h", len(name.encode())) + name.encode()
    return data + struct.pack(">i", -1) + embedded(owned)


def assignment(topics):
    """ConsumerProtocolAssignment, version 1."""
    return struct.pack(">h", 1) + embedded(topics) + struct.pack(">i", -1)


def assigned(data):
    """The other way round."""
    if not data:
        return None
    answer, topics = protocol.Reader(data), {}
    answer.number(">h")
    for _ in range(answer.number(">i")):
        name = answer.take(answer.number(">h")).decode()
        topics[name] = sorted(answer.number(">i") for _ in range(answer.number(">i")))
    return topics
