// SPDX-License-Identifier: MIT
//
// Producers - what Java's producer sends, alone and in transactions, and what it is refused.
//
//   Producers ADDRESS TAG CASE
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;

public final class Producers {
    final Clients c;

    Producers(Clients clients) {
        c = clients;
    }

    List<ConsumerRecord<String, String>> read(String topic, int count, String isolation) {
        try (KafkaConsumer<String, String> consumer = c.consumer("isolation.level", isolation)) {
            TopicPartition zero = new TopicPartition(topic, 0);
            consumer.assign(List.of(zero));
            consumer.seekToBeginning(List.of(zero));
            return Clients.take(consumer, count);
        }
    }

    void codecs() throws Exception {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            String topic = c.topic("codec-" + codec, 1);
            List<String> sent = new ArrayList<>();
            try (KafkaProducer<String, String> producer = c.producer(
                     "compression.type", codec, "linger.ms", 20)) {
                for (int i = 0; i < 1000; i++) {
                    String value = "value " + i + " " + "x".repeat(i % 300);
                    sent.add(value);
                    producer.send(new ProducerRecord<>(topic, "k" + i, value));
                }
            }
            Clients.say(codec, read(topic, 1000, "read_committed").stream()
                .map(ConsumerRecord::value).collect(Collectors.toList()).equals(sent));
        }
    }

    void records() throws Exception {
        String topic = c.topic("records", 1, "retention.ms", "-1");
        try (KafkaProducer<String, String> producer = c.producer("acks", "all")) {
            ProducerRecord<String, String> full =
                new ProducerRecord<>(topic, 0, 1234567890123L, "key", "value");
            full.headers().add("a", "1".getBytes()).add("a", "2".getBytes()).add("null", null)
                .add("", new byte[0]);
            producer.send(full).get();
            producer.send(new ProducerRecord<String, String>(topic, 0, (Long) 1L, null, (String) null)).get();
            producer.send(new ProducerRecord<>(topic, 0, 2L, "", "")).get();
            producer.send(new ProducerRecord<>(topic, 0, 3L, "big", "b".repeat(900000))).get();
        }
        for (ConsumerRecord<String, String> r : read(topic, 4, "read_uncommitted")) {
            List<String> headers = new ArrayList<>();
            r.headers().forEach(h -> headers.add(h.key() + "=" + (h.value() == null
                ? "null" : new String(h.value()))));
            String value = r.value() != null && r.value().length() > 9
                ? r.value().length() + " bytes" : r.value();
            Clients.say("record", r.offset() + " " + r.timestampType() + " " + r.timestamp() + " "
                + r.key() + " " + value + " " + headers + " epoch " + r.leaderEpoch());
        }
        Clients.say("first offsets with acks", acks());
    }

    Map<String, Object> acks() throws Exception {
        Map<String, Object> seen = new java.util.TreeMap<>();
        for (String acks : new String[] {"0", "1", "all"}) {
            String topic = c.topic("acks-" + acks, 1);
            try (KafkaProducer<String, String> producer = c.producer(
                     "acks", acks, "enable.idempotence", "false")) {
                RecordMetadata at = producer.send(new ProducerRecord<>(topic, "v")).get();
                seen.put(acks, at.hasOffset() ? at.offset() : "none");
            }
            seen.put(acks + " read", read(topic, 1, "read_committed").size());
        }
        return seen;
    }

    void refused() throws Exception {
        String small = c.topic("small", 1, "max.message.bytes", "2000");
        String stamped = c.topic("stamped", 1, "message.timestamp.type", "LogAppendTime");
        String strict = c.topic("strict", 1, "message.timestamp.before.max.ms", "60000",
                                "message.timestamp.after.max.ms", "60000");
        String compacted = c.topic("keys", 1, "cleanup.policy", "compact");
        try (KafkaProducer<String, String> producer = c.producer("linger.ms", 0)) {
            Clients.step("too large", () -> producer.send(
                new ProducerRecord<>(small, "v".repeat(3000))).get());
            Clients.step("small enough", () -> producer.send(
                new ProducerRecord<>(small, "v".repeat(1000))).get().offset());
            Clients.step("log append time", () -> Math.abs(producer.send(
                new ProducerRecord<>(stamped, 0, 5L, "k", "v")).get().timestamp()
                - System.currentTimeMillis()) < 60000);
            Clients.step("too old", () -> producer.send(
                new ProducerRecord<>(strict, 0, 5L, "k", "v")).get());
            Clients.step("too new", () -> producer.send(
                new ProducerRecord<>(strict, 0, System.currentTimeMillis() + 3600000, "k", "v"))
                .get());
            Clients.step("no key", () -> producer.send(
                new ProducerRecord<>(compacted, "v")).get());
            Clients.step("a key", () -> producer.send(
                new ProducerRecord<>(compacted, "k", "v")).get().offset());
        }
        try (KafkaProducer<String, String> producer = c.producer("max.block.ms", 1500)) {
            Clients.step("unknown topic", () -> producer.send(
                new ProducerRecord<>(c.name("nowhere"), "v")).get());
            Clients.step("bad topic", () -> producer.send(
                new ProducerRecord<>("no spaces", "v")).get());
        }
        Clients.say("append time read", read(stamped, 1, "read_committed").get(0)
            .timestampType());
    }

    void transactions() throws Exception {
        String topic = c.topic("transactions", 1);
        String id = c.name("transactions");
        try (KafkaProducer<String, String> producer = c.producer("transactional.id", id)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(Clients.record(topic, 0, "c1"));
            producer.send(Clients.record(topic, 0, "c2")).get();
            Clients.say("open", values(read(topic, 2, "read_uncommitted")));
            producer.commitTransaction();
            producer.beginTransaction();
            producer.send(Clients.record(topic, 0, "a1")).get();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(Clients.record(topic, 0, "c3"));
            producer.commitTransaction();
        }
        c.fill(topic, 0, 1);
        Clients.say("read_committed", values(read(topic, 4, "read_committed")));
        Clients.say("read_uncommitted", values(read(topic, 5, "read_uncommitted")));
        try (KafkaProducer<String, String> one = c.producer("transactional.id", id);
             KafkaProducer<String, String> two = c.producer("transactional.id", id)) {
            one.initTransactions();
            one.beginTransaction();
            one.send(Clients.record(topic, 0, "fenced")).get();
            two.initTransactions();
            Clients.step("fenced sends", () -> one.send(Clients.record(topic, 0, "x")).get());
            Clients.step("fenced commits", () -> {
                one.commitTransaction();
                return "committed";
            });
            two.beginTransaction();
            two.send(Clients.record(topic, 0, "by two"));
            two.commitTransaction();
        }
        Clients.say("after fencing", values(read(topic, 5, "read_committed")));
        try (KafkaConsumer<String, String> consumer = c.consumer(
                 "isolation.level", "read_committed")) {
            TopicPartition zero = new TopicPartition(topic, 0);
            Clients.say("end", consumer.endOffsets(List.of(zero)).get(zero));
        }
    }

    /** The last stable offset waits for the oldest open transaction. */
    void stable() throws Exception {
        String topic = c.topic("stable", 1);
        TopicPartition zero = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> a = c.producer("transactional.id", c.name("sa"));
             KafkaProducer<String, String> b = c.producer("transactional.id", c.name("sb"));
             KafkaConsumer<String, String> committed = c.consumer(
                 "isolation.level", "read_committed");
             KafkaConsumer<String, String> all = c.consumer()) {
            committed.assign(List.of(zero));
            a.initTransactions();
            b.initTransactions();
            a.beginTransaction();
            b.beginTransaction();
            a.send(Clients.record(topic, 0, "a1")).get();
            b.send(Clients.record(topic, 0, "b1")).get();
            a.send(Clients.record(topic, 0, "a2")).get();
            b.commitTransaction();
            Clients.say("stable end", committed.endOffsets(List.of(zero)).get(zero));
            Clients.say("high watermark", all.endOffsets(List.of(zero)).get(zero));
            committed.poll(Duration.ofMillis(300));
            Clients.say("position", committed.position(zero));
            Clients.say("lag", committed.currentLag(zero));
            a.abortTransaction();
            Clients.say("then", values(Clients.take(committed, 1)));
            Clients.until("the end is stable",
                          () -> committed.endOffsets(List.of(zero)).get(zero) == 5);
        }
    }

    void timeout() throws Exception {
        String topic = c.topic("timeout", 1);
        String id = c.name("timeout");
        try (KafkaProducer<String, String> late = c.producer("transactional.id", id,
                                                             "transaction.timeout.ms", 1500);
             Admin admin = c.admin()) {
            late.initTransactions();
            late.beginTransaction();
            late.send(Clients.record(topic, 0, "late")).get();
            Clients.until("aborted by the coordinator", () -> admin.describeTransactions(
                List.of(id)).description(id).get().state() == TransactionState.COMPLETE_ABORT);
            Clients.step("late sends", () -> late.send(Clients.record(topic, 0, "x")).get());
            Clients.step("late commits", () -> {
                late.commitTransaction();
                return "committed";
            });
        }
        try (KafkaProducer<String, String> next = c.producer("transactional.id", id)) {
            next.initTransactions();
            next.beginTransaction();
            next.send(Clients.record(topic, 0, "next"));
            next.commitTransaction();
        }
        Clients.say("read", values(read(topic, 1, "read_committed")));
        Clients.step("a timeout over the maximum", () -> {
            try (KafkaProducer<String, String> p = c.producer(
                     "transactional.id", id, "transaction.timeout.ms", 1000000)) {
                p.initTransactions();
                return "taken";
            }
        });
    }

    /** Consume, change, produce: each input's results once, in spite of aborts. */
    void copy() throws Exception {
        String from = c.topic("from", 1);
        String to = c.topic("to", 1);
        String group = c.name("copy");
        TopicPartition zero = new TopicPartition(from, 0);
        c.fill(from, 0, 50);
        try (KafkaProducer<String, String> producer = c.producer("transactional.id", group);
             KafkaConsumer<String, String> consumer = c.consumer(
                 "group.id", group, "isolation.level", "read_committed",
                 "max.poll.records", 10)) {
            producer.initTransactions();
            consumer.subscribe(List.of(from));
            int round = 0;
            int done = 0;
            while (done < 50) {
                var batch = consumer.poll(Duration.ofMillis(200));
                if (batch.isEmpty()) {
                    continue;
                }
                producer.beginTransaction();
                long next = 0;
                for (ConsumerRecord<String, String> r : batch) {
                    producer.send(Clients.record(to, 0, r.value() + "!"));
                    next = r.offset() + 1;
                }
                producer.sendOffsetsToTransaction(Map.of(zero, new OffsetAndMetadata(next)),
                                                  consumer.groupMetadata());
                if (round++ % 3 == 1) {
                    producer.abortTransaction();
                    OffsetAndMetadata last = consumer.committed(java.util.Set.of(zero)).get(zero);
                    consumer.seek(zero, last == null ? 0 : last.offset());
                } else {
                    producer.commitTransaction();
                    done += batch.count();
                }
            }
            Clients.say("committed", consumer.committed(java.util.Set.of(zero)).get(zero));
            List<ConsumerRecord<String, String>> copied = read(to, 50, "read_committed");
            List<String> want = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                want.add("v" + i + "!");
            }
            Clients.say("exactly once", copied.stream().map(ConsumerRecord::value)
                .collect(Collectors.toList()).equals(want));
            producer.beginTransaction();
            Clients.step("offsets of a member that is not", () -> {
                producer.sendOffsetsToTransaction(
                    Map.of(zero, new OffsetAndMetadata(1)),
                    new ConsumerGroupMetadata(group, 1, "nobody", java.util.Optional.empty()));
                return "sent";
            });
            producer.abortTransaction();
        }
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return Clients.values(records);
    }

    public static void main(String[] args) throws Exception {
        Producers producers = new Producers(new Clients(args[0], args[1]));
        switch (args[2]) {
        case "codecs" -> producers.codecs();
        case "records" -> producers.records();
        case "refused" -> producers.refused();
        case "transactions" -> producers.transactions();
        case "stable" -> producers.stable();
        case "timeout" -> producers.timeout();
        case "copy" -> producers.copy();
        default -> throw new IllegalArgumentException(args[2]);
        }
    }
}
