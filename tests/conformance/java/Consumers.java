// SPDX-License-Identifier: MIT
//
// Consumers - what Java's consumer sees: positions, groups of both protocols, members that
// come, go and stop polling.
//
//   Consumers ADDRESS TAG CASE
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

public final class Consumers {
    static final long LONG_AGO = 1000000000000L;
    static final String CLASSIC = "classic";
    static final String CONSUMER = "consumer";

    final Clients c;

    Consumers(Clients clients) {
        c = clients;
    }

    /** A member in a thread of its own: polls until told to end. */
    final class Member extends Thread implements ConsumerRebalanceListener {
        final KafkaConsumer<String, String> consumer;
        final Set<String> owned = new TreeSet<>();
        volatile boolean ending;
        volatile boolean stalled;
        volatile int polled;
        volatile Throwable failure;
        int assigned;

        Member(Collection<String> topics, Object... settings) {
            this(topics, null, null, settings);
        }

        Member(Collection<String> topics, Pattern pattern, SubscriptionPattern re2,
               Object... settings) {
            consumer = c.consumer(settings);
            if (pattern != null) {
                consumer.subscribe(pattern, this);
            } else if (re2 != null) {
                consumer.subscribe(re2, this);
            } else {
                consumer.subscribe(topics, this);
            }
            start();
        }

        @Override
        public void run() {
            try {
                while (!ending && !stalled) {
                    polled += consumer.poll(Duration.ofMillis(50)).count();
                }
                if (stalled) {
                    return;
                }
            } catch (Throwable thrown) {
                failure = thrown;
            }
            consumer.close();
        }

        synchronized Set<String> owned() {
            return new TreeSet<>(owned);
        }

        synchronized int assigned() {
            return assigned;
        }

        @Override
        public synchronized void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            assigned++;
            partitions.forEach(p -> owned.add(p.toString().replace("-" + c.tag, "")));
        }

        @Override
        public synchronized void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            partitions.forEach(p -> owned.remove(p.toString().replace("-" + c.tag, "")));
        }

        @Override
        public synchronized void onPartitionsLost(Collection<TopicPartition> partitions) {
            onPartitionsRevoked(partitions);
        }

        void end() throws Exception {
            ending = true;
            join();
        }
    }

    static List<Integer> shares(List<Member> members) {
        return members.stream().map(m -> m.owned().size()).sorted().collect(Collectors.toList());
    }

    static void shared(String what, int total, List<Member> members, Integer... want)
        throws Exception {
        try {
            Clients.until(what, () -> {
                Set<String> all = new TreeSet<>();
                members.forEach(m -> all.addAll(m.owned()));
                return all.size() == total && shares(members).equals(List.of(want));
            });
        } catch (IllegalStateException late) {
            Clients.say("late", what + " " + shares(members));
        }
        Clients.say(what, shares(members));
    }

    void positions() throws Exception {
        String topic = c.topic("positions", 2, "retention.ms", "-1");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        try (KafkaProducer<String, String> producer = c.producer()) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>(topic, 0, LONG_AGO + i * 10, "k", "v" + i)).get();
            }
        }
        try (KafkaConsumer<String, String> consumer = c.consumer()) {
            Clients.say("partitions", consumer.partitionsFor(topic).size());
            Clients.step("partitions of unknown", () -> consumer.partitionsFor(c.name("nowhere")));
            Clients.say("listed", consumer.listTopics().containsKey(topic));
            consumer.assign(List.of(zero, one));
            Clients.say("from the beginning", Clients.values(Clients.take(consumer, 10)));
            consumer.seek(zero, 7);
            Clients.say("from 7", Clients.values(Clients.take(consumer, 3)));
            consumer.seekToEnd(List.of(zero));
            Clients.say("position at the end", consumer.position(zero));
            Clients.say("ends", new TreeMap<>(Map.of("begin", consumer.beginningOffsets(
                List.of(zero, one)).values().stream().sorted().toList(), "end",
                consumer.endOffsets(List.of(zero, one)).values().stream().sorted().toList())));
            for (long time : new long[] {-LONG_AGO, 0, 35, 90, 91}) {
                var found = consumer.offsetsForTimes(Map.of(zero, LONG_AGO + time)).get(zero);
                Clients.say("at " + time, found);
            }
            consumer.seek(zero, 0);
            consumer.seek(one, 0);
            consumer.pause(List.of(zero));
            Clients.say("paused", consumer.poll(Duration.ofMillis(500)).count());
            consumer.resume(List.of(zero));
            Clients.say("resumed", Clients.take(consumer, 10).size());
            consumer.seek(zero, 100);
            Clients.say("out of range goes to the earliest",
                        Clients.values(Clients.take(consumer, 10)).get(0));
        }
        try (KafkaConsumer<String, String> consumer = c.consumer("auto.offset.reset", "none",
                                                                 "group.id", c.name("none"))) {
            consumer.assign(List.of(zero));
            Clients.step("no offset", () -> consumer.poll(Duration.ofMillis(3000)));
            consumer.seek(zero, 100);
            Clients.step("out of range", () -> {
                consumer.poll(Duration.ofMillis(3000));
                return "nothing";
            });
        }
        try (KafkaConsumer<String, String> consumer = c.consumer(
                 "auto.offset.reset", "by_duration:P20000D", "group.id", c.name("duration"))) {
            consumer.assign(List.of(zero));
            Clients.say("by duration", Clients.take(consumer, 10).size());
        }
        try (KafkaConsumer<String, String> consumer = c.consumer("max.partition.fetch.bytes", 1)) {
            consumer.assign(List.of(zero));
            Clients.say("one byte at a time", Clients.take(consumer, 10).size());
        }
    }

    void commits(String protocol) throws Exception {
        String topic = c.topic("commits-" + protocol, 2);
        String group = c.name("commits-" + protocol);
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        c.fill(topic, 0, 10);
        c.fill(topic, 1, 5);
        try (KafkaConsumer<String, String> consumer = c.consumer("group.id", group,
                                                                 "group.protocol", protocol)) {
            consumer.subscribe(List.of(topic));
            Clients.say("nothing committed", new TreeMap<>(consumer.committed(Set.of(zero, one))
                .entrySet().stream().collect(Collectors.toMap(
                    e -> e.getKey().toString(), e -> "" + e.getValue()))));
            Clients.say("read", Clients.take(consumer, 15).size());
            consumer.commitSync(Map.of(zero, new OffsetAndMetadata(4, Optional.of(0), "four")));
            Clients.say("committed", consumer.committed(Set.of(zero)).get(zero));
            consumer.commitSync();
            Clients.say("all", new TreeMap<>(consumer.committed(Set.of(zero, one)).entrySet()
                .stream().collect(Collectors.toMap(e -> e.getKey().toString(),
                                                   e -> e.getValue().offset()))));
            Clients.say("member of", consumer.groupMetadata().groupId().equals(group));
            Clients.step("too much metadata", () -> {
                consumer.commitSync(Map.of(zero, new OffsetAndMetadata(1, "m".repeat(5000))));
                return "committed";
            });
        }
        try (KafkaConsumer<String, String> consumer = c.consumer("group.id", group,
                                                                 "group.protocol", protocol)) {
            consumer.subscribe(List.of(topic));
            c.fill(topic, 0, 1);
            Clients.say("goes on", Clients.values(Clients.take(consumer, 1)));
        }
        try (KafkaConsumer<String, String> stranger = c.consumer("group.id", group)) {
            stranger.assign(List.of(zero));
            stranger.commitSync(Map.of(zero, new OffsetAndMetadata(1)));
            Clients.say("committed by who is no member", stranger.committed(Set.of(zero)));
        }
    }

    /** Members come, go in order, and one stops polling (who is killed: see the others). */
    void members(String protocol, String assignor) throws Exception {
        String topic = c.topic("members-" + protocol + "-" + assignor, 6);
        List<Object> settings = new ArrayList<>(List.of(
            "group.id", c.name("members-" + protocol + "-" + assignor),
            "group.protocol", protocol));
        if (protocol.equals(CLASSIC)) {
            settings.addAll(List.of("max.poll.interval.ms", 5000, "heartbeat.interval.ms", 200,
                "partition.assignment.strategy", "org.apache.kafka.clients.consumer."
                + Map.of("range", "RangeAssignor", "cooperative", "CooperativeStickyAssignor",
                         "roundrobin", "RoundRobinAssignor").get(assignor)));
        } else {
            settings.addAll(List.of("group.remote.assignor", assignor));
        }
        Object[] s = settings.toArray();
        List<Member> members = new ArrayList<>();
        members.add(new Member(List.of(topic), s));
        shared("one", 6, members, 6);
        members.add(new Member(List.of(topic), s));
        shared("two", 6, members, 3, 3);
        members.add(new Member(List.of(topic), s));
        shared("three", 6, members, 2, 2, 2);
        members.remove(1).end();
        shared("one left", 6, members, 3, 3);
        try (Admin admin = c.admin()) {
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(8))).all().get();
        }
        if (protocol.equals(CONSUMER)) {
            shared("two more partitions", 8, members, 4, 4);
        }
        if (protocol.equals(CLASSIC) && assignor.equals("range")) {
            Member victim = members.remove(0);
            victim.stalled = true;
            victim.join();
            Clients.until("its partitions move", () -> members.get(0).owned().size() >= 6);
            Clients.say("one stopped polling", members.size());
            victim.consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
        for (Member member : members) {
            member.end();
            Clients.say("failure", member.failure);
        }
    }

    void statics(String protocol) throws Exception {
        String topic = c.topic("static-" + protocol, 4);
        String group = c.name("static-" + protocol);
        Object[] a = {"group.id", group, "group.protocol", protocol, "group.instance.id", "a"};
        Object[] b = {"group.id", group, "group.protocol", protocol, "group.instance.id", "b"};
        List<Member> members = new ArrayList<>();
        members.add(new Member(List.of(topic), a));
        members.add(new Member(List.of(topic), b));
        shared("two", 4, members, 2, 2);
        Set<String> before = members.get(0).owned();
        int rebalances = members.get(1).assigned();
        members.remove(0).end();
        members.add(0, new Member(List.of(topic), a));
        shared("a came back", 4, members, 2, 2);
        Clients.say("to what it had", members.get(0).owned().equals(before));
        Clients.say("without b's help", members.get(1).assigned() == rebalances);
        Member second = new Member(List.of(topic), a);
        Clients.until("one of the two is fenced",
                      () -> second.failure != null || members.get(0).failure != null);
        Clients.say("the older is fenced", members.get(0).failure != null);
        Throwable failure = second.failure != null ? second.failure : members.get(0).failure;
        Clients.say("with", failure.getClass().getSimpleName() + ": " + failure.getMessage()
            .replaceAll("[A-Za-z0-9_-]{22}", "MEMBER"));
        try (Admin admin = c.admin()) {
            Clients.step("members", () -> admin.describeConsumerGroups(List.of(group)).all().get()
                .get(group).members().stream().map(m -> m.groupInstanceId().get())
                .collect(Collectors.toCollection(TreeSet::new)));
        }
        second.end();
        members.get(0).end();
        members.get(1).end();
    }

    void patterns() throws Exception {
        Object[] classic = {"group.id", c.name("pattern"), "metadata.max.age.ms", 300};
        Object[] modern = {"group.id", c.name("pattern-re2"), "group.protocol", CONSUMER};
        c.topic("pat-1", 1);
        c.topic("other", 1);
        Member one = new Member(null, Pattern.compile("java-pat-.*-" + c.tag), null, classic);
        Member two = new Member(null, null, new SubscriptionPattern("java-pat-.*-" + c.tag),
                                modern);
        Clients.until("both have one", () -> one.owned().size() == 1 && two.owned().size() == 1);
        Clients.say("classic", one.owned());
        Clients.say("consumer", two.owned());
        c.topic("pat-2", 1);
        Clients.until("both have two", () -> one.owned().size() == 2 && two.owned().size() == 2);
        Clients.say("classic", one.owned());
        Clients.say("consumer", two.owned());
        one.end();
        two.end();
        Member bad = new Member(null, null, new SubscriptionPattern("("), modern);
        Clients.until("a bad pattern fails", () -> bad.failure != null);
        Clients.say("a bad pattern", bad.failure.getClass().getSimpleName());
        bad.end();
    }

    /** A group of the one protocol is left by all, then joined with the other. */
    void change() throws Exception {
        String topic = c.topic("change", 4);
        Object[] old = {"group.id", c.name("change")};
        Object[] next = {"group.id", c.name("change"), "group.protocol", CONSUMER};
        try (Admin admin = c.admin()) {
            for (Object[] settings : List.of(old, next, old)) {
                List<Member> members = List.of(new Member(List.of(topic), settings));
                shared("one", 4, members, 4);
                Clients.step("type", () -> admin.describeConsumerGroups(
                    List.of(c.name("change"))).all().get().get(c.name("change")).type());
                members.get(0).end();
                Clients.say("failure", members.get(0).failure);
                Clients.step("state", () -> admin.describeConsumerGroups(
                    List.of(c.name("change"))).all().get().get(c.name("change")).groupState());
            }
        }
    }

    /** Members of the other protocol join while the group works. */
    void migrate() throws Exception {
        String topic = c.topic("migrate", 4);
        Object[] old = {"group.id", c.name("migrate"), "heartbeat.interval.ms", 200,
                        "session.timeout.ms", 6000};
        Object[] next = {"group.id", c.name("migrate"), "group.protocol", CONSUMER};
        List<Member> members = new ArrayList<>();
        members.add(new Member(List.of(topic), old));
        shared("classic", 4, members, 4);
        members.add(new Member(List.of(topic), next));
        shared("both", 4, members, 2, 2);
        members.remove(0).end();
        shared("consumer", 4, members, 4);
        members.add(new Member(List.of(topic), old));
        shared("both again", 4, members, 2, 2);
        members.remove(0).end();
        shared("classic again", 4, members, 4);
        members.remove(0).end();
    }

    public static void main(String[] args) throws Exception {
        Consumers consumers = new Consumers(new Clients(args[0], args[1]));
        String[] words = args[2].split("-");
        switch (words[0]) {
        case "positions" -> consumers.positions();
        case "commits" -> consumers.commits(words[1]);
        case "members" -> consumers.members(words[1], words[2]);
        case "static" -> consumers.statics(words[1]);
        case "patterns" -> consumers.patterns();
        case "change" -> consumers.change();
        case "migrate" -> consumers.migrate();
        default -> throw new IllegalArgumentException(args[2]);
        }
    }
}
