# SPDX-License-Identifier: MIT
"""A member of a group, request by request, for transcripts."""
import conformance
from conformance import TAG, wait
from protocol import Connection

TOPIC = "raw-" + TAG
SUBSCRIPTION = (b"\0\1\0\0\0\1" + len(TOPIC).to_bytes(2, "big") + TOPIC.encode() +
                b"\xff\xff\xff\xff\0\0\0\0")


class Client:
    """A connection and the group that it talks of; what it hears goes into the transcript."""

    def __init__(self, case, name, group):
        self.case, self.name, self.group = case, name, group
        self.connection = Connection(conformance.address, name)
        case.addCleanup(self.connection.close)
        self.member, self.generation, self.instance = "", -1, None
        self.protocol = "range"

    def hear(self, what, answer):
        self.case.note(f"{self.name}: {what}", answer)
        return answer

    def call(self, what, api, version, **values):
        return self.hear(f"{what} v{version}", self.connection.call(api, version, **values))

    # ---- joining

    def ask_join(self, version=9, member=None, instance=None, protocols=("range",),
                 metadata=SUBSCRIPTION, session_ms=10000, rebalance_ms=6000,
                 protocol_type="consumer", group=None):
        values = dict(GroupId=self.group if group is None else group,
                      SessionTimeoutMs=session_ms, ProtocolType=protocol_type,
                      MemberId=self.member if member is None else member,
                      Protocols=[dict(Name=p, Metadata=metadata) for p in protocols])
        if version >= 1:
            values["RebalanceTimeoutMs"] = rebalance_ms
        if version >= 5:
            values["GroupInstanceId"] = self.instance if instance is None else instance
        self.connection.send("JoinGroup", version, **values)

    def joined(self, what="joined"):
        answer = self.hear(what, self.connection.receive())
        if answer["ErrorCode"] == 0:
            self.member, self.generation = answer["MemberId"], answer["GenerationId"]
        return answer

    def try_join(self, what, version=9, **how):
        self.ask_join(version, **how)
        return self.joined(f"{what} v{version}")

    def ask_join_new(self, version=9, **how):
        """Join as a dynamic member: get an id, then join with it."""
        self.member = ""
        self.member = self.try_join("join without id", version, **how)["MemberId"]
        self.ask_join(version, **how)

    def waits(self):
        self.case.note(f"{self.name} waits", self.connection.is_waiting())

    # ---- the rest of the membership

    def ask_sync(self, version=5, member=None, generation=None, assignments=(), **more):
        values = dict(GroupId=self.group, MemberId=self.member if member is None else member,
                      GenerationId=self.generation if generation is None else generation,
                      Assignments=[dict(MemberId=m, Assignment=a) for m, a in assignments])
        if version >= 3:
            values["GroupInstanceId"] = self.instance
        if version >= 5:
            values.update(ProtocolType="consumer", ProtocolName=self.protocol)
        values.update(more)
        self.connection.send("SyncGroup", version, **values)

    def sync(self, version=5, **how):
        self.ask_sync(version, **how)
        return self.synced(f"sync v{version}")

    def synced(self, what="synced"):
        return self.hear(what, self.connection.receive())

    def heartbeat(self, version=4, member=None, generation=None, instance=None):
        values = dict(GroupId=self.group, MemberId=self.member if member is None else member,
                      GenerationId=self.generation if generation is None else generation)
        if version >= 3:
            values["GroupInstanceId"] = self.instance if instance is None else instance
        return self.call("heartbeat", "Heartbeat", version, **values)

    def leave(self, *members, version=5):
        if version < 3:
            values = dict(MemberId=members[0][0])
        else:
            values = dict(Members=[dict(MemberId=m, GroupInstanceId=i) for m, i in members])
        self.call("leave", "LeaveGroup", version, GroupId=self.group, **values)

    # ---- administration

    def describe(self, version=6, operations=False):
        values = dict(IncludeAuthorizedOperations=operations) if version >= 3 else {}
        answer = self.connection.call("DescribeGroups", version, Groups=[self.group], **values)
        return self.hear(f"describe v{version}", answer)

    def wait_until(self, state):
        wait(lambda: self.connection.call("DescribeGroups", 5, Groups=[self.group])
             ["Groups"][0]["GroupState"] == state, state)

    def list(self, states=(), types=(), version=5):
        values = {}
        if version >= 4:
            values["StatesFilter"] = states
        if version >= 5:
            values["TypesFilter"] = types
        answer = self.connection.call("ListGroups", version, **values)
        answer["Groups"] = [g for g in answer["Groups"] if g["GroupId"] == self.group]
        self.hear(f"list {list(states)} {list(types)} v{version}", answer)

    def delete(self, *groups):
        self.call("delete", "DeleteGroups", 2, GroupsNames=groups or (self.group,))

    # ---- offsets

    def commit(self, version=9, member=None, generation=None, instance=None, topic=TOPIC,
               partition=0, offset=5, metadata="m"):
        values = dict(GroupId=self.group, MemberId=self.member if member is None else member,
                      GenerationIdOrMemberEpoch=self.generation if generation is None
                      else generation,
                      Topics=[dict(Name=topic, Partitions=[dict(
                          PartitionIndex=partition, CommittedOffset=offset,
                          CommittedMetadata=metadata)])])
        if version >= 7:
            values["GroupInstanceId"] = self.instance if instance is None else instance
        self.call("commit", "OffsetCommit", version, **values)

    def commit_outside(self, offset=5, **how):
        self.commit(member="", generation=-1, offset=offset, **how)

    def fetch(self, topics=((TOPIC, (0, 1)),), version=9, member=None, epoch=-1):
        topics = None if topics is None else [
            dict(Name=name, PartitionIndexes=indexes) for name, indexes in topics]
        group = dict(GroupId=self.group, Topics=topics)
        if version >= 9:
            group.update(MemberId=member, MemberEpoch=epoch)
        self.call("fetch", "OffsetFetch", version, **(dict(Groups=[group]) if version >= 8
                                                      else group))

    def delete_offsets(self, *topics):
        topics = topics or ((TOPIC, (0, 1)),)
        self.call("delete offsets", "OffsetDelete", 0, GroupId=self.group, Topics=[
            dict(Name=name, Partitions=[dict(PartitionIndex=i) for i in indexes])
            for name, indexes in topics])

    def consumer_heartbeat(self, epoch, member="11111111-1111-1111-1111-111111111111",
                           owned=()):
        answer = self.connection.call(
            "ConsumerGroupHeartbeat", 1, GroupId=self.group, MemberId=member, MemberEpoch=epoch,
            RebalanceTimeoutMs=5000, SubscribedTopicNames=[TOPIC], TopicPartitions=owned)
        given = answer.pop("Assignment")
        answer["Partitions"] = given and sum(
            len(t["Partitions"]) for t in given["TopicPartitions"])
        self.hear(f"consumer heartbeat, epoch {epoch}", answer)
        return answer
