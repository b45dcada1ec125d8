# SPDX-License-Identifier: MIT
"""A proxy before a broker that is its only address for clients, and can make them believe
that the cluster has no broker, as a Kafka does for a moment while it starts or ends."""
import contextlib
import socket
import struct
import threading

METADATA = 3


class Proxy:
    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.away = False
        self.no_brokers = False
        self.told = 0  # answers without a broker
        self.open = set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.server.accept()
                if self.away:
                    near.close()
                    continue
                far = socket.create_connection(self.target)
            except OSError:
                return
            self.open |= {near, far}
            asked = {}  # correlation id: version of Metadata
            for work in ((self.requests, near, far, asked), (self.answers, far, near, asked)):
                threading.Thread(target=self.pump, args=work, daemon=True).start()

    def pump(self, work, source, sink, asked):
        with contextlib.suppress(OSError, EOFError):
            while True:
                frame = read(source, struct.unpack(">i", read(source, 4))[0])
                frame = work(frame, asked)
                sink.sendall(struct.pack(">i", len(frame)) + frame)
        for end in (source, sink):
            self.end(end)

    @staticmethod
    def requests(frame, asked):
        api, version, correlation = struct.unpack(">hhi", frame[:8])
        if api == METADATA:
            asked[correlation] = version
        return frame

    def answers(self, frame, asked):
        version = asked.pop(struct.unpack(">i", frame[:4])[0], None)
        if version is None:
            return frame
        if version < 9:
            raise OSError(f"Metadata {version} is too old for this proxy")
        return self.rewrite(frame)

    def rewrite(self, frame):
        """Correlation id, tags, throttle time, then the brokers, in the compact encoding."""
        at = 4 + 1 + 4
        brokers, count = b"", frame[at] - 1
        begin, at = at, at + 1
        for _ in range(count):
            length = frame[at + 4] - 1
            head = frame[at:at + 5 + length]
            at += 5 + length + 4
            rack = max(frame[at] - 1, 0)
            brokers += head + struct.pack(">i", self.port) + frame[at:at + 1 + rack + 1]
            at += 1 + rack + 1
        if self.no_brokers:
            count, brokers = 0, b""
            self.told += 1
        return frame[:begin] + bytes([count + 1]) + brokers + frame[at:]

    def end(self, connection):
        self.open.discard(connection)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def go_away(self):
        self.away = True
        for connection in list(self.open):
            self.end(connection)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.go_away()


def read(source, count):
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
