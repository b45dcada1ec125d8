# SPDX-License-Identifier: MIT
"""Kafka Streams: a word count, exactly once, whose instances come, go and begin anew."""
import collections
import random
import unittest

import conformance
from conformance import TAG, scratch, wait

TOPICS = "org.apache.kafka.tools.TopicCommand"
PRODUCER = "org.apache.kafka.tools.ConsoleProducer"
CONSUMER = "org.apache.kafka.tools.consumer.ConsoleConsumer"
CONFIGS = "kafka.admin.ConfigCommand"
jvm = None


def setUpModule():
    global jvm
    conformance.set_up()
    jvm = conformance.Jvm()


def tearDownModule():
    jvm.close()
    conformance.tear_down()


def tool(name, *args, text=""):
    code, out, err = jvm.call(name, "--bootstrap-server", conformance.address, *args, text=text)
    if code != 0:
        raise AssertionError(f"{name} {args}: exit {code}\n{out}{err}")
    return out


class Streams(unittest.TestCase):
    def test_words_are_counted_exactly_once(self):
        source, sink = f"streams-in-{TAG}", f"streams-out-{TAG}"
        for name in (source, sink):
            tool(TOPICS, "--create", "--topic", name, "--partitions", 2)
        words = collections.Counter()
        dice = random.Random(7)

        def feed(lines):
            text = []
            for _ in range(lines):
                line = dice.choices(["a", "b", "c", "dag", "run"], k=5)
                words.update(line)
                text.append(" ".join(line))
            tool(PRODUCER, "--topic", source, text="\n".join(text) + "\n")

        def counted():
            """Each word's results in order, as read_committed sees them."""
            out = tool(CONSUMER, "--topic", sink, "--from-beginning", "--isolation-level",
                       "read_committed", "--timeout-ms", 1500, "--formatter-property",
                       "print.key=true")
            seen = collections.defaultdict(list)
            for line in out.splitlines():
                word, count = line.split("\t")
                seen[word].append(int(count))
            return seen

        def start(state):
            run = jvm.start("WordCount", conformance.address, source, sink, scratch(state))
            self.addCleanup(run.stop)
            return run

        def done():
            return {word: counts[-1] for word, counts in counted().items()} == dict(words)

        feed(200)
        first = start("one")
        wait(lambda: "RUNNING" in first.peek().splitlines(), "it runs")
        wait(done, "all is counted")
        second = start("two")
        wait(lambda: "RUNNING" in second.peek().splitlines(), "the second runs")
        feed(200)
        first.stop()
        first.result()
        feed(200)
        wait(done, "all is counted by the second")
        second.stop()
        second.result()
        feed(100)
        third = start("three")  # has no state: it comes from the changelog
        wait(done, "all is counted by the third")
        third.stop()
        third.result()
        for word, counts in counted().items():
            self.assertEqual(sorted(set(counts)), counts, f"{word}: a result came twice")
        names = tool(TOPICS, "--list").split()
        for kind, policy in (("repartition", "delete"), ("changelog", "compact")):
            (name,) = (n for n in names if n.startswith(f"{sink}-app-") and n.endswith(kind))
            shown = tool(CONFIGS, "--describe", "--entity-type", "topics", "--entity-name", name)
            self.assertIn(f"cleanup.policy={policy} ", shown)


if __name__ == "__main__":
    unittest.main()
