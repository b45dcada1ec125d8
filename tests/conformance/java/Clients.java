// SPDX-License-Identifier: MIT
//
// Clients - what the tests do with Java's producer, consumer and admin client.
//
//   Clients ADDRESS CASE ARGS…
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Exit;

public final class Clients {
    static KafkaProducer<String, String> producer(String address, Map<String, Object> more) {
        Map<String, Object> settings = new java.util.HashMap<>(more);
        settings.put("bootstrap.servers", address);
        return new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
    }

    static void holdTransaction(String address, String topic, String id) throws Exception {
        KafkaProducer<String, String> producer =
            producer(address, Map.of("transactional.id", id));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "k", "in it")).get();
        System.out.println("held");
        Object forever = new Object();
        Exit.addShutdownHook("end", () -> producer.close(java.time.Duration.ZERO));
    }

    public static void main(String[] args) throws Exception {
        holdTransaction(args[0], args[2], args[3]);
    }
}
