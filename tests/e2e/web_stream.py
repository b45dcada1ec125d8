# SPDX-License-Identifier: MIT
"""Readers of /api/v1/events: one, or a thousand in one process."""
import collections
import json
import selectors
import socket
import time

Event = collections.namedtuple("Event", "id name data")


class Stream:
    """One reader: a socket that never waits, and the events that came on it so far."""

    def __init__(self, address, token, query="", headers=None, receive_bytes=None):
        host, port = address.split(":")
        lines = {"Host": address, "Authorization": f"Bearer {token}", **(headers or {})}
        self.socket = socket.socket()
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(10)
        self.socket.connect((host, int(port)))
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.socket.sendall(f"GET /api/v1/events{query} HTTP/1.1\r\n{text}\r\n".encode())
        self.socket.setblocking(False)
        self.raw = b""      # what came
        self.text = b""     # without the chunks' sizes, what is no whole event yet
        self.status = None
        self.headers = ""
        self.body = b""     # of an answer that is no stream
        self.events = []
        self.comments = 0
        self.retry = None
        self.over = False

    def close(self):
        self.socket.close()
        self.over = True

    def fileno(self):
        return self.socket.fileno()

    def take(self):
        """Whatever is there now."""
        while not self.over:
            try:
                part = self.socket.recv(1 << 20)
            except BlockingIOError:
                return
            except ConnectionError:
                part = b""
            self.over = not part
            self.raw += part
            self.parse()
            if len(part) < 1 << 20:
                return

    def parse(self):
        if self.status is None:
            if b"\r\n\r\n" not in self.raw:
                return
            head, self.raw = self.raw.split(b"\r\n\r\n", 1)
            self.headers = head.decode()
            self.status = int(self.headers.split()[1])
        if self.status != 200:
            self.body, self.raw = self.body + self.raw, b""
            return
        while b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            self.text += rest[:length]
            self.raw = rest[length + 2:]
        *whole, self.text = self.text.split(b"\n\n")
        for block in whole:
            self.take_block(block.decode())

    def take_block(self, block):
        fields = {}
        for line in block.split("\n"):
            name, value = line.split(": ", 1)
            assert name not in fields, block
            fields[name] = value
        if "" in fields:
            self.comments += 1
        if "retry" in fields:
            self.retry = int(fields["retry"])
        if "event" in fields:
            self.events.append(Event(fields["id"], fields["event"],
                                     json.loads(fields["data"])))

    def wait(self, condition, what, limit=60):
        """Until condition() of what came; returns its value."""
        return wait_all([self], lambda _: condition(), what, limit) and condition()

    def names(self):
        return [event.name for event in self.events]


def wait_all(streams, condition, what, limit=60, meanwhile=None):
    """Read all until condition(stream) holds for each; meanwhile() is called now and then."""
    end = time.monotonic() + limit
    with selectors.DefaultSelector() as selector:
        left = {stream for stream in streams if not condition(stream)}
        for stream in streams:
            selector.register(stream, selectors.EVENT_READ)
        while left:
            if time.monotonic() > end:
                raise AssertionError(f"not within {limit} s: {what}; {len(left)} left")
            for key, _ in selector.select(0.2):
                stream = key.fileobj
                stream.take()
                if condition(stream):
                    left.discard(stream)
                if stream.over:
                    selector.unregister(stream)
                    if stream in left:
                        raise AssertionError(f"hung up on before {what}: {stream.headers} "
                                             f"{stream.body!r} {stream.events[-3:]}")
            if meanwhile:
                meanwhile()
    return True
