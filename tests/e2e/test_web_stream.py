# SPDX-License-Identifier: MIT
"""dagrun web: /api/v1/events, to one reader and to a thousand."""
import json
import resource
import time
import unittest

from web_case import LOADED, Web
from web_stream import Stream, wait_all

STREAMS_MAX = 1000


def numbers(events):
    return [int(event.id.split("-")[1]) for event in events]


class Streams(Web):
    def stream(self, *args, **more):
        stream = Stream(self.address, self.token, *args, **more)
        self.addCleanup(stream.close)
        return stream

    def begin(self):
        self.dagrun("start", self.dag(LOADED), "-d")

    def own(self, stream, name="status"):
        return [event for event in stream.events
                if event.name == name and event.data["dag"] == self.name]

    def records_in(self, event):
        return {node["node"]: node for node in event.data["nodes"]}["work"].get("in", 0)


class Streaming(Streams):
    def test_a_run_is_told_of_from_its_begin_to_its_end(self):
        stream = self.stream()
        stream.wait(lambda: stream.events, "the first event")
        self.assertEqual((stream.names(), stream.retry), (["reset"], 2000))
        self.assertIn("Content-Type: text/event-stream", stream.headers)
        self.assertIn("Cache-Control: no-store", stream.headers)
        self.begin()
        stream.wait(lambda: self.own(stream), "the run")
        stream.wait(lambda: self.records_in(self.own(stream)[-1]) > 20, "counts that move")
        last = self.own(stream)[-1].data
        now = self.get(f"/api/v1/dags/{self.name}/status")
        self.assertEqual({key: last[key] for key in ("dag", "run", "state", "live")},
                         {key: now[key] for key in ("dag", "run", "state", "live")})
        self.assertEqual(sorted(last), sorted(now))
        self.dagrun("stop", self.name)
        stream.wait(lambda: self.own(stream, "ended"), "its end")
        self.assertEqual(self.own(stream, "ended")[-1].data, {"dag": self.name, "run": 1})
        self.assertEqual(numbers(stream.events), sorted(set(numbers(stream.events))))

    def test_a_comment_comes_while_nothing_happens(self):
        stream = self.stream()
        stream.wait(lambda: stream.comments > 1, "two comments")
        self.assertEqual(stream.names(), ["reset"])

    def test_one_that_comes_back_gets_nothing_twice_and_misses_nothing(self):
        self.begin()
        first = self.stream()
        first.wait(lambda: len(self.own(first)) >= 2, "the run")
        first.close()
        last = first.events[-1]
        again = self.stream(headers={"Last-Event-ID": last.id})
        again.wait(lambda: self.own(again), "a change")
        self.assertNotIn("reset", again.names())
        self.assertGreater(min(numbers(again.events)), numbers([last])[0])
        again.close()
        self.dagrun("stop", "--now", self.name)
        self.wait_state("interrupted")
        last = again.events[-1]
        late = self.stream(f"?last_event_id={last.id}")
        late.wait(lambda: self.own(late, "ended"), "the end that it was not there for")
        self.assertNotIn("reset", late.names())
        both = self.stream(f"?last_event_id={first.events[0].id}",
                           headers={"Last-Event-ID": late.events[-1].id})
        both.wait(lambda: both.comments, "nothing", 60)
        self.assertEqual(both.events, [], "the header goes before the address")

    def test_another_life_of_the_server_begins_with_a_reset(self):
        self.begin()
        stream = self.stream()
        stream.wait(lambda: self.own(stream), "the run")
        self.stop(self.server)
        stream.wait(lambda: stream.over, "the end of the server")
        self.server = self.serve()
        again = self.stream(headers={"Last-Event-ID": stream.events[-1].id})
        again.wait(lambda: self.own(again), "the run")
        self.assertEqual(again.names()[0], "reset")

    def test_a_filter_lets_one_dag_through_and_what_is_wrong_is_refused(self):
        self.begin()
        other = self.stream("?dag=other")
        mine = self.stream(f"?dag={self.name}")
        mine.wait(lambda: len(self.own(mine)) >= 3, "three changes")
        other.take()
        self.assertEqual(other.names(), ["reset"])
        for query in ("?dag=a%20b", "?dags=a", "?last_event_id=a&last_event_id=b"):
            self.assertIn(self.ask("GET", f"/api/v1/events{query}")[0], (400, 422))
        status, headers, body = self.ask("HEAD", "/api/v1/events")
        self.assertEqual((status, headers["Content-Type"], body),
                         (200, "text/event-stream", b""))
        old = self.raw(f"GET /api/v1/events HTTP/1.0\r\nHost: {self.address}\r\n"
                       "Authorization: Bearer bad\r\n\r\n".encode())
        self.assertRegex(old, rb"^HTTP/1.\d 401 ")


class Thousand(Streams):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        super().setUp()

    def healthz(self):
        before = time.monotonic()
        self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
        self.worst = max(self.worst, time.monotonic() - before)

    def resident_kib(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as file:
            return int(file.read().split("VmRSS:")[1].split()[0])

    def test_a_thousand_get_every_change_and_requests_are_still_answered(self):
        self.worst = 0
        before = self.resident_kib()
        deaf = [self.stream(receive_bytes=2048) for _ in range(20)]
        readers = [self.stream() for _ in range(STREAMS_MAX - len(deaf))]
        wait_all(readers, lambda s: s.events, "the first event", meanwhile=self.healthz)
        more = self.stream()
        more.wait(lambda: more.status == 503, "a refusal")
        self.assertIn("streams are open", json.loads(more.body)["error"])
        self.assertIn("Retry-After: 60", more.headers)
        self.begin()
        wait_all(readers, lambda s: len(self.own(s)) >= 3, "three changes", 60, self.healthz)
        print(f"1,000 streams: {(self.resident_kib() - before) // 1024} MiB more; "
              f"/healthz within {self.worst * 1000:.0f} ms")
        self.dagrun("stop", "--now", self.name)
        wait_all(readers, lambda s: self.own(s, "ended"), "the end", 60, self.healthz)
        for stream in readers:
            self.assertEqual(numbers(stream.events), sorted(set(numbers(stream.events))))
        self.assertLess(self.worst, 2)
        for stream in readers + deaf:
            stream.close()
        again = self.stream()
        while not again.events:  # their places are free within a second or two
            self.healthz()
            again.take()
            if again.status == 503:
                again.close()
                time.sleep(0.2)
                again = self.stream()


if __name__ == "__main__":
    unittest.main()
