# SPDX-License-Identifier: MIT
"""dagrun web: messages of an edge, read by children of the server."""
import contextlib
import json
import os
import signal
import socket
import time
import unittest
import urllib.parse

from harness import wait_for
from web_case import Web

EDGE = """
nodes:
  src:  {program: lines, with: {path: in.txt}}
  work: {program: copy, from: {src: {topic: %s.edge, max_record: 1MiB}}}
  out:  {program: file, from: work, with: {path: out.jsonl}}
"""


class Messages(Web):
    def setUp(self):
        super().setUp()
        self.place = f"/api/v1/dags/{self.name}/edges/src/work/messages"

    def begin(self, lines=()):
        self.write("dags/in.txt", "".join(f"{line}\n" for line in lines))
        self.dagrun("start", self.dag(EDGE % self.name))

    def page(self, status=200, **query):
        return self.get(f"{self.place}?{urllib.parse.urlencode(query)}", status)

    def values(self, **query):
        return [message["value"] for message in self.page(**query)["messages"]]

    def readers(self):
        """{pid: argv} of the server's children that read messages."""
        return {pid: argv for pid, argv in self.processes().items() if argv[1:2] == ["tap"]}

    def test_a_page_is_the_object_of_the_command(self):
        self.begin(f'{{"n":{i},"by":"{"ab"[i % 2]}"}}' for i in range(120))
        page = self.page()
        self.assertEqual(len(page["messages"]), 50)
        self.assertEqual(page, json.loads(self.dagrun(
            "tap", f"{self.name}/src:work", "--page", "-n", "50").out))
        older = self.page(until=page["before"], limit=500)
        self.assertEqual(len(older["messages"]), 70)
        self.assertIsNone(older["before"])
        self.assertEqual(self.page(**{"from": page["next"]})["messages"], [])
        self.assertEqual(self.values(where="n=77"), ['{"n":77,"by":"b"}'])
        self.assertEqual(len(self.values(where="by=a", contains="n\":1", limit=500)), 15)
        self.assertEqual(len(self.values(**{"from": "earliest", "limit": 2})), 2)
        self.assertEqual(self.values(partition=0, limit=1), ['{"n":119,"by":"b"}'])

    def test_a_long_value_is_cut_and_one_message_is_whole(self):
        self.begin()
        self.probe.put(f"{self.name}.edge", [(b"k", b"x" * 500000, {b"h": b"v"})])
        message, = self.page()["messages"]
        self.assertEqual((len(message["value"]), message["size"], message["cut"]),
                         (65536, 500000, True))
        whole = self.get(f"{self.place}/0/0")
        self.assertEqual((len(whole["value"]), whole.get("cut"), whole["headers"]),
                         (500000, None, [{"name": "h", "value": "v"}]))
        self.assertIn("no record 1", self.get(f"{self.place}/0/1", 404)["error"])
        self.get(f"{self.place}/7/0", 404)

    def test_what_makes_no_sense_is_refused_in_one_sentence(self):
        self.begin()
        for query, status, words in (
                ({"from": "--help"}, 422, "^--from --help: expected earliest"),
                ({"until": "soon"}, 422, "^--until soon: expected .*0:120,1:98\\)$"),
                ({"where": "n"}, 422, "FIELD=VALUE expected"),
                ({"limit": "501"}, 422, "from 1 to 500"),
                ({"partition": "9"}, 404, "has no partition 9"),
                ({"form": "1"}, 422, "did you mean 'from'"),
                ({"contains": ""}, 422, "an empty filter")):
            with self.subTest(query):
                self.assertRegex(self.page(status, **query)["error"], words)
        self.assertRegex(
            self.get(f"/api/v1/dags/{self.name}/edges/src/wrok/messages", 404)["error"],
            "did you mean 'src:work'")
        self.get("/api/v1/dags/nodag/edges/a/b/messages", 404)

    def test_dead_letters_are_messages_too(self):
        self.write("dags/in.txt", '{"operator_1": "1", "operator_2": "x", "operation": "sum"}\n')
        self.dagrun("start", self.dag("""
nodes:
  src:  {program: lines, with: {path: in.txt}}
  calc: {program: arithmetic, from: src}
  out:  {program: file, from: calc, with: {path: out.jsonl}}
"""), code=1)
        page = self.get(f"/api/v1/dags/{self.name}/edges/calc/dlq/messages")
        message, = page["messages"]
        names = {header["name"]: header["value"] for header in message["headers"]}
        self.assertTrue(any("reason" in name for name in names), names)

    def ask_and_wait(self):
        """A request whose child can't end: it is stopped with a signal."""
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        peer.sendall(f"GET {self.place} HTTP/1.1\r\nHost: {self.address}\r\n"
                     f"Authorization: Bearer {self.token}\r\n\r\n".encode())
        return peer

    def freeze(self, seen):
        """Stop a reader that is not in seen before it has answered."""
        def catch():
            for pid in self.readers():
                if pid not in seen:
                    os.kill(pid, signal.SIGSTOP)
                    return pid
            return None
        return wait_for(catch, "a reader", 3)

    def hold(self, seen):
        """A peer and its stopped reader; one that was ending, or gone, is left alone."""
        for _ in range(20):
            peer = self.ask_and_wait()
            pid = 0
            with contextlib.suppress(AssertionError, OSError):
                pid = self.freeze(seen)
            time.sleep(0.3)
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == "T":
                    return peer, pid
            peer.close()
        raise AssertionError("no reader could be stopped")

    def test_a_reader_ends_when_nobody_waits_for_it_and_only_some_run_at_once(self):
        self.begin()
        frozen, peers = [], []
        for _ in range(4):
            peer, pid = self.hold(frozen)
            peers.append(peer)
            frozen.append(pid)
        self.assertIn("too much is being done", self.page(503)["error"])
        self.assertEqual(self.ask("GET", "/healthz")[0], 200)
        peers[0].close()
        wait_for(lambda: frozen[0] not in self.readers(), "the reader ends", 12)  # not by its limit of 25 s
        self.assertEqual(set(self.readers()), set(frozen[1:]))
        self.page()
        os.kill(frozen[1], signal.SIGCONT)
        self.assertTrue(peers[1].recv(100).startswith(b"HTTP/1.1 200"))
        self.stop(self.server)  # with two that wait
        for peer in peers[1:]:
            peer.close()
        wait_for(lambda: not self.readers(), "no reader is left")


if __name__ == "__main__":
    unittest.main()
