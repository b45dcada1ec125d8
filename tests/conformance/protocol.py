# SPDX-License-Identifier: MIT
"""Kafka's protocol by hand: a connection that sends one request in one version.

For what no client lets one send: a stale generation, two requests at once, an old version.
The messages are those of Kafka's own definitions, common/message/*.json in kafka-clients.
"""
import glob
import json
import os
import re
import select
import socket
import struct
import subprocess
import uuid
import zipfile

NUMBERS = {"int8": ">b", "int16": ">h", "int32": ">i", "int64": ">q", "bool": ">?",
           "uint16": ">H", "float64": ">d"}
_definitions = {}


def definition(name):
    """The definition of a message, from the jar of the test Kafka."""
    if not _definitions:
        tool = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "kafka", "kafka")
        folder = subprocess.run([tool, "fetch"], check=True, stdout=subprocess.PIPE,
                                text=True).stdout.strip()
        jar, = glob.glob(os.path.join(folder, "kafka-clients-*.jar"))
        with zipfile.ZipFile(jar) as archive:
            for entry in archive.namelist():
                if re.fullmatch(r"common/message/\w+\.json", entry):
                    text = archive.read(entry).decode()
                    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
                    _definitions[os.path.basename(entry)[:-5]] = json.loads(text)
    return _definitions[name]


def within(versions, version):
    if versions is None or versions == "none":
        return False
    first, _, last = versions.partition("-")
    if first.endswith("+"):
        return version >= int(first[:-1])
    return int(first) <= version <= int(last or first)


def uvarint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


class Message:
    """One message in one version: fields to bytes and back."""

    def __init__(self, name, version):
        self.definition = definition(name)
        self.version = version
        self.flexible = within(self.definition["flexibleVersions"], version)
        self.structs = {s["name"]: s["fields"] for s in self.definition.get("commonStructs", [])}

    def fields_of(self, field):
        return field.get("fields") or self.structs[field["type"].removeprefix("[]")]

    def is_tagged(self, field):
        return "tag" in field and within(field.get("taggedVersions"), self.version)

    def is_nullable(self, field):
        return within(field.get("nullableVersions"), self.version)

    @staticmethod
    def default(field):
        kind, value = field["type"], field.get("default")
        if value == "null":
            return None
        if kind.startswith("[]"):
            return []
        if kind == "bool":
            return value in ("true", True)
        if kind in NUMBERS:
            return int(value, 0) if isinstance(value, str) else value or 0
        return {"string": value or "", "bytes": b"", "records": None,
                "uuid": uuid.UUID(int=0)}.get(kind, {})

    # ---- writing

    def length(self, count, form):
        if self.flexible:
            return uvarint(count + 1)
        return struct.pack(form, count)

    def write_one(self, field, kind, value):
        if kind.startswith("[]"):
            count = -1 if value is None else len(value)
            return self.length(count, ">i") + b"".join(
                self.write_one(field, kind[2:], item) for item in value or [])
        if kind in NUMBERS:
            return struct.pack(NUMBERS[kind], value)
        if kind == "uuid":
            return value.bytes
        if kind in ("string", "bytes", "records"):
            data = value.encode() if isinstance(value, str) else value
            return (self.length(-1 if data is None else len(data), ">h" if kind == "string" else ">i")
                    + (data or b""))
        if self.is_nullable(field) and kind == field["type"]:
            return b"\xff" if value is None else b"\x01" + self.write(self.fields_of(field), value)
        return self.write(self.fields_of(field), value)

    def write(self, fields, values):
        unknown = set(values) - {field["name"] for field in fields}
        if unknown:
            raise KeyError(f"no such fields: {unknown}")
        out, tagged = b"", []
        for field in fields:
            if not within(field["versions"], self.version):
                continue
            data = self.write_one(field, field["type"],
                                  values.get(field["name"], self.default(field)))
            if not self.is_tagged(field):
                out += data
            elif field["name"] in values:
                tagged.append(uvarint(field["tag"]) + uvarint(len(data)) + data)
        return out + (uvarint(len(tagged)) + b"".join(tagged) if self.flexible else b"")

    # ---- reading

    def read_one(self, reader, field, kind):
        if kind.startswith("[]"):
            count = reader.uvarint() - 1 if self.flexible else reader.number(">i")
            return None if count < 0 else [self.read_one(reader, field, kind[2:])
                                           for _ in range(count)]
        if kind in NUMBERS:
            return reader.number(NUMBERS[kind])
        if kind == "uuid":
            return uuid.UUID(bytes=reader.take(16))
        if kind in ("string", "bytes", "records"):
            form = ">h" if kind == "string" else ">i"
            count = reader.uvarint() - 1 if self.flexible else reader.number(form)
            data = None if count < 0 else reader.take(count)
            return data.decode() if data is not None and kind == "string" else data
        if self.is_nullable(field) and kind == field["type"] and reader.number(">b") < 0:
            return None
        return self.read(reader, self.fields_of(field))

    def read(self, reader, fields):
        values = {}
        for field in fields:
            if within(field["versions"], self.version) and not self.is_tagged(field):
                values[field["name"]] = self.read_one(reader, field, field["type"])
        if self.flexible:
            for _ in range(reader.uvarint()):
                reader.uvarint()
                reader.take(reader.uvarint())
        return values


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        taken, self.data = self.data[:count], self.data[count:]
        if len(taken) != count:
            raise AssertionError("the answer is too short")
        return taken

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def uvarint(self):
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return number


class Connection:
    def __init__(self, address, client_id="raw"):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), 10)
        self.client_id = client_id.encode()
        self.correlation = 0
        self.response = None

    def close(self):
        self.socket.close()

    def send(self, api, version, **values):
        request = Message(api + "Request", version)
        self.response = Message(api + "Response", version)
        self.correlation += 1
        head = struct.pack(">hhih", request.definition["apiKey"], version, self.correlation,
                           len(self.client_id)) + self.client_id
        body = request.write(request.definition["fields"], values)
        frame = head + (b"\0" if request.flexible else b"") + body
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def receive_bytes(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise AssertionError("the broker closed the connection")
            data += more
        return data

    def receive(self, seconds=30):
        self.socket.settimeout(seconds)
        reader = Reader(self.receive_bytes(struct.unpack(">i", self.receive_bytes(4))[0]))
        if reader.number(">i") != self.correlation:
            raise AssertionError("the answer to another request")
        if self.response.flexible:
            reader.uvarint()
        values = self.response.read(reader, self.response.definition["fields"])
        if reader.data:
            raise AssertionError(f"{len(reader.data)} bytes behind the answer")
        return values

    def call(self, api, version, **values):
        self.send(api, version, **values)
        return self.receive()

    def is_waiting(self, seconds=0.3):
        """Does the answer take longer than this?"""
        return not select.select([self.socket], [], [], seconds)[0]
