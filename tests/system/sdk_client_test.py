# SPDX-License-Identifier: MIT
"""A client of the SDK under a runner that the test plays: what comes out, what is committed."""
import json
import os
import subprocess
import tempfile
import time
import unittest
import uuid

from runner_stub import Client

COPY = [os.environ["COPY"]]
TWIST = [os.environ["HELPER"]]


def tool(*words):
    return subprocess.run([os.environ["KAFKA_TOOL"], *map(str, words)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def committed(group, topic):
    """{partition: (offset, metadata)}"""
    lines = (line.split(" ", 2) for line in tool("committed", group, topic).splitlines())
    return {int(p): (int(offset), json.loads(rest) if rest else None)
            for p, offset, rest in lines}


def dump(topic):
    """[(partition, offset, ms, key, value, {header: value})]"""
    records = []
    for line in tool("dump", topic).splitlines():
        partition, offset, ms, key, value, *headers = line.split("\t")
        records.append((int(partition), int(offset), int(ms), key, value,
                        dict(h.split("=", 1) for h in headers)))
    return records


def values(topic):
    return [record[4] for record in dump(topic)]


def totals(group, topic):
    counts = [c for _, c in committed(group, topic).values() if c]
    return {name: sum(c[name] for c in counts)
            for name in ("in", "answered", "dropped", "dead", "out")}


class Case(unittest.TestCase):
    def setUp(self):
        self.id = f"sdk-{uuid.uuid4().hex[:8]}"

    def topic(self, name, partitions=1, *settings):
        topic = f"{self.id}-{name}"
        tool("create", topic, partitions, "retention.ms=-1", *settings)
        return topic

    def edge(self, partitions=1, outputs=1):
        """An input topic whose group may begin, output topics and a dead-letter topic."""
        self.input = self.topic("in", partitions)
        self.outputs = [self.topic(f"out{i}", partitions) for i in range(outputs)]
        self.dlq = self.topic("dlq")
        self.parking = self.topic("parking")
        tool("begin", self.id, self.input)

    def client(self, command=COPY, **config):
        config = {"inputs": [self.input], "outputs": self.outputs, "group": self.id,
                  "dlq": self.dlq, "parking": self.parking, **config}
        return Client(command, **config)

    def ask(self, *texts):
        """Put these values into the input."""
        for text in texts:
            probe = subprocess.run([os.environ["PROBE"], "produce", self.input], check=True,
                                   input=text + "\n", text=True)
            self.assertEqual(probe.returncode, 0)


class Records(Case):
    def test_key_timestamp_and_headers_pass_through(self):
        self.edge(2)
        tool("fill", self.input, 500, 100, "keys", "headers", "ms=1700000000000")
        with self.client() as client:
            client.wait_stats(lambda s: s["in"] == 500 and s["idle"])
            self.assertEqual(client.drain(), 0)
            self.assertEqual(client.stats["outputs"],
                             [{"topic": self.outputs[0], "out": 500}])
        strip = lambda topic: sorted((r[2], r[3], r[4], sorted(r[5].items()))
                                     for r in dump(topic))
        self.assertEqual(strip(self.outputs[0]), strip(self.input))
        self.assertEqual(totals(self.id, self.input),
                         {"in": 500, "answered": 500, "dropped": 0, "dead": 0, "out": 500})

    def test_what_librdkafka_is_asked_to_tell_is_in_the_log(self):
        self.edge()
        for kafka, told in (({}, False), ({"debug": "cgrp"}, True)):
            with tempfile.TemporaryFile("w+") as log:
                with self.client(kafka=kafka, stderr=log) as client:
                    client.wait_ready()
                    self.assertEqual(client.drain(), 0)
                log.seek(0)
                self.assertEqual("CGRPJOINSTATE" in log.read(), told)

    def test_every_output_topic_gets_every_output(self):
        self.edge(1, 3)
        tool("fill", self.input, 100, 10, "headers")
        with self.client() as client:
            client.wait_stats(lambda s: s["in"] == 100 and s["idle"])
            self.assertEqual(client.drain(), 0)
        for topic in self.outputs:
            records = dump(topic)
            self.assertEqual([r[4] for r in records], [str(i) for i in range(100)])
            self.assertTrue(all(r[5]["trace"] == r[4] for r in records))
        self.assertEqual(totals(self.id, self.input)["out"], 300)

    def test_nothing_of_a_failed_record_comes_out(self):
        self.edge()
        began_ms = int(time.time() * 1000)
        self.ask("fail a", "many", "none", "plain", "fail b")
        with self.client(TWIST) as client:
            client.wait_stats(lambda s: s["in"] == 5 and s["idle"])
            self.assertEqual(client.drain(), 0)
            self.assertEqual([d["offset"] for d in client.dead], [0, 4])
            self.assertEqual((client.stats["answered"], client.stats["dead"],
                              client.stats["out"]), (3, 2, 4))
        self.assertEqual(values(self.outputs[0]), ["part0", "part1", "part2", "plain"])
        letters = dump(self.dlq)
        self.assertEqual([r[4] for r in letters], ["fail", "fail"])
        died_ms = int(letters[1][5].pop("dagrun-time"))
        self.assertTrue(began_ms <= died_ms <= time.time() * 1000, died_ms)
        self.assertEqual(letters[1][5], {
            "dagrun-reason": 'asked to fail, "quoted"', "dagrun-failed-at": "DECODE",
            "dagrun-node": "node", "dagrun-attempt": "1", "dagrun-run": "1",
            "dagrun-topic": self.input, "dagrun-partition": "0", "dagrun-offset": "4"})
        self.assertEqual(totals(self.id, self.input),
                         {"in": 5, "answered": 3, "dropped": 0, "dead": 2, "out": 4})

    def test_an_output_that_its_topic_does_not_take_is_a_dead_letter(self):
        self.edge(1, 2)
        self.ask("a", "big", "b")
        with self.client(TWIST, outputs=[
                {"topic": self.outputs[0]},
                {"topic": self.outputs[1], "max_record": 1 << 20}]) as client:
            client.wait_stats(lambda s: s["in"] == 3 and s["idle"])
            self.assertEqual(client.drain(), 0)
        self.assertEqual(values(self.outputs[0]), ["a", "b"])
        letter, = dump(self.dlq)
        self.assertEqual((letter[4], letter[5]["dagrun-failed-at"]), ("big", "WRITE"))

    def test_what_the_broker_refuses_takes_its_neighbours_not_along(self):
        self.edge(1)
        small = self.topic("small", 1, "max.message.bytes=2000")
        tool("fill", self.input, 50, 100, "keys", "headers")
        tool("fill", self.input, 1, 5000, "keys", "headers", "from=50")
        tool("fill", self.input, 50, 100, "keys", "headers", "from=51")
        with self.client(outputs=[small]) as client:
            client.wait_stats(lambda s: s["in"] == 101 and s["idle"])
            self.assertEqual(client.drain(), 0)
            self.assertEqual(client.stats["dead"], 1)
        self.assertEqual(sorted(map(int, values(small))),
                         [i for i in range(101) if i != 50])
        letter, = dump(self.dlq)
        self.assertEqual((letter[3], letter[4]), ("k50", "50"))
        self.assertEqual((letter[5]["trace"], letter[5]["dagrun-failed-at"],
                          letter[5]["dagrun-offset"]), ("50", "WRITE", "50"))

    def test_a_program_that_can_not_go_on_loses_nothing(self):
        self.edge()
        self.ask("a", "die", "b")
        with self.client(TWIST, stderr=subprocess.DEVNULL) as client:
            self.assertEqual(client.wait_exit(), 1)
            self.assertEqual(client.errors, ["asked to die"])
        self.assertLessEqual(committed(self.id, self.input)[0][0], 1)


class Control(Case):
    def test_a_drain_finishes_what_is_in_hand_and_the_next_client_goes_on(self):
        self.edge()
        total, parts = 400000, []
        tool("fill", self.input, total, 64)
        for i in range(6):
            with self.client() as client:
                client.wait_ready()
                client.poll(0.01 * i)
                self.assertEqual(client.drain(), 0)
                parts.append(client.stats["in"])
        self.assertLess(sum(parts), total, "the drains came too late to matter")
        self.assertGreater(sum(parts), 0)
        with self.client() as client:
            client.wait_done({(self.input, 0): total})
            self.assertEqual(client.stats["in"], total - sum(parts))
            self.assertEqual(client.drain(), 0)
        self.assertEqual(values(self.outputs[0]), [str(i) for i in range(total)])
        self.assertEqual(totals(self.id, self.input)["in"], total)

    def test_a_drain_does_not_wait_for_records_that_are_only_fetched(self):
        self.edge()
        for _ in range(2):
            self.ask(*["slow"] * 3)
        tool("fill", self.input, 100, 10)
        with self.client(TWIST) as client:
            client.wait_ready()
            time.sleep(0.12)
            self.assertEqual(client.drain(), 0)
            taken = client.stats["taken"]
        with self.client(TWIST) as client:
            client.wait_done({(self.input, 0): 106})
            self.assertEqual(client.stats["in"], 106 - taken)
            self.assertEqual(client.drain(), 0)
        self.assertEqual(len(values(self.outputs[0])), 106)

    def test_a_paused_client_takes_nothing_and_then_goes_on(self):
        self.edge()
        tool("fill", self.input, 100, 10)
        with self.client() as client:
            client.wait_stats(lambda s: s["in"] == 100 and s["idle"])
            client.send("pause")
            client.wait_stats(lambda s: s["paused"])
            tool("fill", self.input, 1000, 10, "from=100")
            client.send("report")
            time.sleep(0.7)
            client.send("report")
            client.poll(0.2)
            self.assertEqual(client.stats["taken"], 100)
            client.send("resume")
            client.wait_done({(self.input, 0): 1100})
            self.assertEqual(client.drain(), 0)
        self.assertEqual(values(self.outputs[0]), [str(i) for i in range(1100)])

    def test_a_client_is_gone_soon_after_its_runner(self):
        self.edge()
        self.ask(*["slow"] * 2)
        tool("fill", self.input, 100, 10)
        with self.client() as client:
            client.wait_ready()
            client.socket.close()
            start = time.monotonic()
            client.process.wait(5)
            self.assertLess(time.monotonic() - start, 1.0)
            client.socket = __import__("socket").socket()

    def test_a_client_with_the_same_name_ends_the_older_one_for_good(self):
        self.edge()
        with self.client(stderr=subprocess.DEVNULL) as older:
            older.wait_ready()
            with self.client() as newer:
                newer.wait_ready()
                self.assertEqual(older.wait_exit(), 100)
                self.assertIn("test.node.0", older.errors[0])
                self.assertEqual(newer.drain(), 0)

    def test_bad_options_and_arguments_are_usage_errors(self):
        self.edge()
        for config, text in (({"with": {"tag": 1}}, "unknown option 'tag'"),
                             ({"kafka": {"no.such": "1"}}, "no.such"),
                             ({"source": True}, "is no source")):
            with self.client(stderr=subprocess.DEVNULL, **config) as client:
                self.assertEqual(client.wait_exit(), 2)
                self.assertIn(text, client.errors[0])
        with self.client(COPY + ["x"], stderr=subprocess.DEVNULL) as client:
            self.assertEqual(client.wait_exit(), 2)


class Groups(Case):
    def test_markers_of_transactions_do_not_keep_a_partition_from_its_end(self):
        self.edge()
        tool("fill", self.input, 30, 10, "txn=10")
        tool("fill", self.input, 7, 10, "abort")
        ends = int(subprocess.check_output([os.environ["PROBE"], "ends", self.input],
                                           text=True).split()[2])
        self.assertGreater(ends, 37)
        with self.client() as client:
            client.wait_done({(self.input, 0): ends})
            self.assertEqual(client.stats["in"], 30)
            self.assertEqual(client.drain(), 0)
        self.assertEqual(committed(self.id, self.input)[0],
                         (ends, {"in": 30, "answered": 30, "dropped": 0, "dead": 0,
                                 "out": 30}))

    def test_partitions_move_between_clients_with_their_counts(self):
        self.edge(4)
        tool("fill", self.input, 20000, 100)
        with self.client() as one:
            one.wait_ready()
            with self.client(client_id="test.node.1") as two:
                two.wait_stats(lambda s: len(s["partitions"]) == 2)
                tool("fill", self.input, 20000, 100, "from=20000")
                two.wait_stats(lambda s: s["in"] > 0 and s["idle"] and s["lag"] == 0)
                start = time.monotonic()
                self.assertEqual(two.drain(leave=True), 0)
                one.wait_stats(lambda s: len(s["partitions"]) == 4)
                self.assertLess(time.monotonic() - start, 6)
            tool("fill", self.input, 10000, 100, "from=40000")
            one.wait_stats(lambda s: s["idle"] and s["lag"] == 0 and
                           sum(p["committed"] for p in s["partitions"]) == 50000)
            self.assertEqual(one.drain(), 0)
        self.assertEqual(sorted(map(int, values(self.outputs[0]))), list(range(50000)))
        self.assertEqual(totals(self.id, self.input)["in"], 50000)

    def test_a_partition_that_was_added_is_read_from_its_beginning(self):
        self.edge()
        with self.client() as client:
            client.wait_ready()
            tool("grow", self.input, 2)
            tool("fill", self.input, 100, 10, "keys")
            client.wait_stats(lambda s: s["in"] == 100 and s["idle"])
            self.assertEqual(client.drain(), 0)

    def test_a_client_without_partitions_is_ready_and_idle(self):
        self.edge()
        with self.client() as one:
            one.wait_ready()
            with self.client(client_id="test.node.1") as two:
                two.wait_ready()
                two.wait_stats(lambda s: s["idle"])
                one.wait_stats(lambda s: s["idle"])
                self.assertEqual(two.drain(leave=True), 0)
            self.assertEqual(one.drain(), 0)

    def test_a_drain_before_the_first_assignment_ends(self):
        self.edge(4)
        for i in range(6):
            with self.client() as client:
                time.sleep(0.02 * i)
                self.assertEqual(client.drain(seconds=10), 0)

    def test_a_group_without_offsets_is_an_error_and_not_a_jump(self):
        self.edge()
        with self.client(group=self.id + "-other", stderr=subprocess.DEVNULL) as client:
            self.assertEqual(client.wait_exit(), 100)
            self.assertIn("no committed offset", client.errors[0])

    def test_kills_at_random_moments_lose_nothing_and_counts_stay_exact(self):
        self.edge(3)
        kills, total, busy = 25, 300000, 0
        tool("fill", self.input, total, 64)
        for i in range(kills):
            with self.client() as client:
                client.wait_ready()
                client.poll(0.01 * (i % 7))
                client.kill()
            done = totals(self.id, self.input)["in"] if i % 5 == 0 else 0
            busy += done < total
        self.assertEqual(busy, kills, "the kills came too late to matter")
        with self.client() as client:
            client.wait_stats(lambda s: s["idle"] and sum(
                p["committed"] for p in s["partitions"]) == total, seconds=120)
            self.assertEqual(client.drain(), 0)
        self.assertEqual(totals(self.id, self.input),
                         {"in": total, "answered": total, "dropped": 0, "dead": 0,
                          "out": total})
        self.assertEqual(set(map(int, values(self.outputs[0]))), set(range(total)))


class Sources(Case):
    def source(self, *args, **config):
        config = {"outputs": self.outputs, "dlq": self.dlq, "source": True,
                  "checkpoint": {"group": self.id + ".checkpoint",
                                 "topic": self.outputs[0]}, **config}
        return Client(TWIST + list(args), env={"SDK_HELPER": "source"}, **config)

    def checkpoint(self):
        return committed(self.id + ".checkpoint", self.outputs[0])[0]

    def setUp(self):
        super().setUp()
        self.outputs = [self.topic("out")]
        self.dlq = self.topic("dlq")

    def test_a_source_that_made_everything_says_so_and_exits(self):
        with self.source("5000") as source:
            self.assertEqual(source.wait_exit(), 0)
            self.assertEqual((source.stats["out"], source.stats["position"],
                              source.stats["finished"]), (5000, 5000, True))
        self.assertEqual(values(self.outputs[0]), [str(i) for i in range(5000)])
        self.assertEqual(self.checkpoint(), (5000, {"run": 1, "finished": True,
                                                    "position": 5000, "out": 5000}))

    def test_a_source_that_is_kept_idles(self):
        with self.source("100", keep=True) as source:
            source.wait_stats(lambda s: s["finished"] and s["idle"])
            self.assertTrue(self.checkpoint()[1]["finished"])
            source.poll(0.3)
            self.assertIsNone(source.process.poll())
            self.assertEqual(source.drain(), 0)

    def test_a_killed_source_goes_on_where_it_was_acknowledged(self):
        total, position = 200000, None
        for _ in range(8):
            with self.source(str(total), "slow",
                             **({"position": position} if position else {})) as source:
                source.wait_ready()
                time.sleep(0.35)
                source.kill()
            offset, data = self.checkpoint()
            if data:
                self.assertGreaterEqual(offset, position or 0)
                self.assertFalse(data["finished"])
                position = offset
        self.assertGreater(position, 0)
        self.assertLess(position, total, "the kills came too late to matter")
        with self.source(str(total), position=position) as source:
            self.assertEqual(source.wait_exit(60), 0)
        offset, data = self.checkpoint()
        self.assertEqual((offset, data["finished"], data["out"]), (total, True, total))
        made = list(map(int, values(self.outputs[0])))
        self.assertEqual(set(made), set(range(total)))
        self.assertLess(len(made), 2 * total, "it began anew")

    def test_a_drained_source_is_not_finished(self):
        with self.source("50", "stay") as source:
            source.wait_stats(lambda s: s["out"] == 50 and s["idle"])
            self.assertEqual(source.drain(), 0)
        self.assertEqual(self.checkpoint(), (50, {"run": 1, "finished": False,
                                                  "position": 50, "out": 50}))

    def test_a_send_leaves_no_checkpoint(self):
        with self.source("10", mode="send") as source:
            self.assertEqual(source.wait_exit(), 0)
        self.assertEqual(len(values(self.outputs[0])), 10)
        self.assertEqual(self.checkpoint()[0], -1001)


if __name__ == "__main__":
    unittest.main()
