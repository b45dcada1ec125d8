// SPDX-License-Identifier: MIT
//
// Clients - what the Java cases share: clients, topics of a run, results as lines.
//
//   Clients ADDRESS hold-transaction TOPIC ID   leave a transaction open until told to stop
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

public final class Clients {
    interface Step {
        Object run() throws Exception;
    }

    final String address;
    final String tag;

    Clients(String address, String tag) {
        this.address = address;
        this.tag = tag;
    }

    String name(String what) {
        return "java-" + what + "-" + tag;
    }

    Map<String, Object> settings(Object... pairs) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", address);
        for (int i = 0; i < pairs.length; i += 2) {
            settings.put((String) pairs[i], pairs[i + 1]);
        }
        return settings;
    }

    Admin admin(Object... more) {
        return Admin.create(settings(more));
    }

    KafkaProducer<String, String> producer(Object... more) {
        return new KafkaProducer<>(settings(more), new StringSerializer(),
                                   new StringSerializer());
    }

    KafkaConsumer<String, String> consumer(Object... more) {
        Map<String, Object> settings = settings("auto.offset.reset", "earliest",
                                                "enable.auto.commit", "false");
        settings.putAll(settings(more));
        return new KafkaConsumer<>(settings, new StringDeserializer(),
                                   new StringDeserializer());
    }

    String topic(String what, int partitions, String... configs) throws Exception {
        String topic = name(what);
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) {
            map.put(configs[i], configs[i + 1]);
        }
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(partitions),
                                                    Optional.empty()).configs(map)))
                .all().get();
        }
        return topic;
    }

    static ProducerRecord<String, String> record(String topic, int partition, String value) {
        return new ProducerRecord<>(topic, partition, null, value);
    }

    /** Values 0..count-1 into one partition. */
    void fill(String topic, int partition, int count) throws Exception {
        try (KafkaProducer<String, String> producer = producer()) {
            for (int i = 0; i < count; i++) {
                producer.send(record(topic, partition, "v" + i));
            }
        }
    }

    static void say(String what, Object result) {
        System.out.println(what + ": " + result);
    }

    /** Print what the step gives, or what it throws. */
    static boolean step(String what, Step step) {
        try {
            say(what, step.run());
            return true;
        } catch (Throwable thrown) {
            Throwable cause = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
            say(what, cause.getClass().getSimpleName() + ": " + cause.getMessage());
            return false;
        }
    }

    /** Poll until count records are there; they are sorted by partition, then offset. */
    static List<ConsumerRecord<String, String>> take(KafkaConsumer<String, String> consumer,
                                                     int count) {
        Map<TopicPartition, List<ConsumerRecord<String, String>>> parts =
            new TreeMap<>((a, b) -> a.toString().compareTo(b.toString()));
        long end = System.currentTimeMillis() + 30000;
        int found = 0;
        while (found < count && System.currentTimeMillis() < end) {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
                parts.computeIfAbsent(new TopicPartition(r.topic(), r.partition()),
                                      k -> new ArrayList<>()).add(r);
                found++;
            }
        }
        List<ConsumerRecord<String, String>> all = new ArrayList<>();
        parts.values().forEach(all::addAll);
        return all;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        List<String> values = new ArrayList<>();
        records.forEach(r -> values.add(r.partition() + "/" + r.offset() + "=" + r.value()));
        return values;
    }

    static void until(String what, java.util.concurrent.Callable<Boolean> condition)
        throws Exception {
        long end = System.currentTimeMillis() + 90000;
        while (!condition.call()) {
            if (System.currentTimeMillis() > end) {
                throw new IllegalStateException("not in time: " + what);
            }
            Thread.sleep(20);
        }
    }

    static void holdTransaction(Clients clients, String topic, String id) throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        Exit.addShutdownHook("end", told::countDown);
        KafkaProducer<String, String> producer = clients.producer("transactional.id", id);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "k", "in it")).get();
        System.out.println("held");
        told.await();
        producer.close(Duration.ZERO);
    }

    public static void main(String[] args) throws Exception {
        holdTransaction(new Clients(args[0], ""), args[2], args[3]);
    }
}
