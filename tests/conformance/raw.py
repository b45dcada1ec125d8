# SPDX-License-Identifier: MIT
"""A few requests of the Kafka protocol written by hand, for what no client can be made to
send: heartbeats of the consumer protocol with any member id and epoch. All versions used
here are flexible."""
import socket
import struct


class Writer:
    def __init__(self):
        self.data = bytearray()

    def put(self, form, *values):
        self.data += struct.pack(">" + form, *values)
        return self

    def count(self, number):
        while number >= 128:
            self.data.append(number & 127 | 128)
            number >>= 7
        self.data.append(number)
        return self

    def text(self, value):
        raw = None if value is None else value.encode()
        self.count(0 if raw is None else len(raw) + 1)
        self.data += raw or b""
        return self

    def array(self, items, write):
        self.count(0 if items is None else len(items) + 1)
        for item in items or ():
            write(self, item)
        return self

    def uuid(self, value):
        self.data += value
        return self

    def end(self):
        """No tagged fields."""
        return self.count(0)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def get(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(">" + form)))[0]

    def count(self):
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def text(self):
        size = self.count()
        return None if size == 0 else self.take(size - 1).decode()

    def array(self, read):
        size = self.count()
        return None if size == 0 else [read() for _ in range(size - 1)]

    def end(self):
        for _ in range(self.count()):
            self.count()
            self.take(self.count())


class Connection:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.correlation = 0

    def close(self):
        self.socket.close()

    def receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError("the broker closed the connection")
            data += piece
        return data

    def call(self, key, version, body):
        """The body of the answer."""
        self.correlation += 1
        head = Writer().put("hhih", key, version, self.correlation, 3)
        frame = bytes(head.data) + b"raw\0" + bytes(body.data)
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)
        answer = Reader(self.receive(struct.unpack(">i", self.receive(4))[0]))
        answer.get("i")
        answer.end()
        return answer

    def create_topic(self, name, partitions):
        """Its id."""
        body = Writer().array([name], lambda w, n: w.text(n).put("ih", partitions, 1)
                              .array([], None).array([], None).end())
        answer = self.call(19, 7, body.put("ib", 10000, 0).end())
        answer.get("i")
        _, topic, error = answer.array(
            lambda: (answer.text(), answer.take(16), answer.get("h")))[0]
        assert error == 0, error
        return topic

    def grow_topic(self, name, partitions):
        body = Writer().array([name], lambda w, n: w.text(n).put("i", partitions)
                              .array(None, None).end())
        self.call(37, 3, body.put("ib", 10000, 0).end())

    def delete_topic(self, name):
        body = Writer().array([name], lambda w, n: w.text(n).uuid(bytes(16)).end())
        self.call(20, 6, body.put("i", 10000).end())

    def heartbeat(self, group, member, epoch, instance=None, rack=None, timeout=-1,
                  names=None, regex=None, assignor=None, owned=None, version=1):
        """ConsumerGroupHeartbeat: (error, text, member, epoch, interval, {topic id: [partition]})."""
        body = Writer().text(group).text(member).put("i", epoch).text(instance).text(rack)
        body.put("i", timeout).array(names, lambda w, name: w.text(name))
        if version >= 1:
            body.text(regex)
        body.text(assignor)
        body.array(None if owned is None else list(owned.items()),
                   lambda w, item: w.uuid(item[0]).array(
                       item[1], lambda w, number: w.put("i", number)).end())
        answer = self.call(68, version, body.end())
        answer.get("i")
        head = (answer.get("h"), answer.text(), answer.text(), answer.get("i"),
                answer.get("i"))
        if answer.get("b") < 0:
            return (*head, None)
        return (*head, {topic: sorted(numbers) for topic, numbers, _ in answer.array(
            lambda: (answer.take(16), answer.array(lambda: answer.get("i")), answer.end()))})

    def describe(self, group):
        """ConsumerGroupDescribe: one line for the group and one for each member."""
        answer = self.call(69, 1, Writer().array([group], lambda w, g: w.text(g))
                           .put("b", 1).end())
        answer.get("i")

        def assignment():
            topics = answer.array(lambda: (
                answer.take(16), answer.text(),
                sorted(answer.array(lambda: answer.get("i"))), answer.end())[1:3])
            answer.end()
            return sorted(topics)

        def member():
            line = [answer.text(), answer.text(), answer.text(), answer.get("i"),
                    answer.text(), answer.text(), answer.array(answer.text), answer.text(),
                    assignment(), assignment(), answer.get("b")]
            answer.end()
            return line

        def described():
            head = [answer.get("h"), answer.text(), answer.text(), answer.text(),
                    answer.get("i"), answer.get("i"), answer.text()]
            members = sorted(answer.array(member), key=str)
            head.append(answer.get("i"))
            answer.end()
            return [head, *members]

        return answer.array(described)[0]

    def commit(self, group, member, epoch, topic, offset, version=9):
        """OffsetCommit of partition 0: its error."""
        body = Writer().text(group).put("i", epoch).text(member).text(None)
        body.array([topic], lambda w, name: w.text(name).array(
            [0], lambda w, number: w.put("iqi", number, offset, -1).text("").end()).end())
        answer = self.call(8, version, body.end())
        answer.get("i")
        return answer.array(lambda: (answer.text(), answer.array(
            lambda: (answer.get("i"), answer.get("h"), answer.end())[1]), answer.end())[1])

    def committed(self, group, member, epoch, topic):
        """OffsetFetch of partition 0: (error of the group, offsets)."""
        body = Writer().array([group], lambda w, name: w.text(name).text(member)
                              .put("i", epoch).array(
                                  [topic], lambda w, t: w.text(t).array(
                                      [0], lambda w, number: w.put("i", number)).end())
                              .end())
        answer = self.call(9, 9, body.put("b", 0).end())
        answer.get("i")

        def partition():
            values = (answer.get("i"), answer.get("q"), answer.get("i"), answer.text(),
                      answer.get("h"))
            answer.end()
            return values[1]

        def topics():
            return (answer.text(), answer.array(partition), answer.end())[1]

        return answer.array(lambda: (answer.text(), answer.array(topics), answer.get("h"),
                                     answer.end())[1:3])[0][::-1]

    def join(self, group, member, protocols, instance=None):
        """JoinGroup of the classic protocol: (error, generation, protocol, leader, member)."""
        body = Writer().text(group).put("ii", 45000, 60000).text(member).text(instance)
        body.text("consumer").array(protocols, lambda w, p: w.text(p[0]).count(
            len(p[1]) + 1).uuid(p[1]).end())
        answer = self.call(11, 9, body.text(None).end())
        answer.get("i")
        error, generation, _ = answer.get("h"), answer.get("i"), answer.text()
        protocol, leader = answer.text(), answer.text()
        answer.get("b")
        return error, generation, protocol, leader, answer.text()

    def sync(self, group, member, generation, protocol, assignments=None, instance=None):
        """SyncGroup: (error, what is embedded in the protocol)."""
        body = Writer().text(group).put("i", generation).text(member).text(instance)
        body.text("consumer").text(protocol)
        body.array(list((assignments or {}).items()), lambda w, a: w.text(a[0]).count(
            len(a[1]) + 1).uuid(a[1]).end())
        answer = self.call(14, 5, body.end())
        answer.get("i")
        error, _, _ = answer.get("h"), answer.text(), answer.text()
        return error, answer.take(answer.count() - 1)

    def classic_heartbeat(self, group, member, generation, instance=None):
        body = Writer().text(group).put("i", generation).text(member).text(instance)
        answer = self.call(12, 4, body.end())
        answer.get("i")
        return answer.get("h")

    def classic_leave(self, group, member, instance=None):
        body = Writer().text(group).array(
            [member], lambda w, m: w.text(m).text(instance).text(None).end())
        answer = self.call(13, 5, body.end())
        answer.get("i")
        return answer.get("h"), answer.array(
            lambda: (answer.text(), answer.text(), answer.get("h"), answer.end())[2])


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
    answer, topics = Reader(data), {}
    answer.get("h")
    for _ in range(answer.get("i")):
        name = answer.take(answer.get("h")).decode()
        topics[name] = sorted(answer.get("i") for _ in range(answer.get("i")))
    return topics
