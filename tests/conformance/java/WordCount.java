// SPDX-License-Identifier: MIT
//
// WordCount - a Kafka Streams application with processing.guarantee=exactly_once_v2: words
// are repartitioned by key and counted in a store with a changelog.
//
//   WordCount ADDRESS IN OUT STATE_DIR      runs until told to stop
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.Stores;

public final class WordCount {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.putAll(Map.of(
            "bootstrap.servers", args[0], "application.id", args[2] + "-app",
            "state.dir", args[3], "processing.guarantee", "exactly_once_v2",
            "commit.interval.ms", "100", "num.stream.threads", "2", "replication.factor", "1",
            "auto.offset.reset", "earliest", "session.timeout.ms", "6000"));
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        StreamsBuilder builder = new StreamsBuilder();
        builder.<String, String>stream(args[1])
            .flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word)
            .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long()))
            .toStream().mapValues(count -> Long.toString(count))
            .to(args[2], Produced.with(Serdes.String(), Serdes.String()));
        CountDownLatch told = new CountDownLatch(1);
        Exit.addShutdownHook("end", told::countDown);
        try (KafkaStreams streams = new KafkaStreams(builder.build(settings), settings)) {
            streams.setStateListener((now, before) -> System.out.println(now));
            streams.start();
            told.await();
            streams.close(Duration.ofSeconds(20));
        }
    }
}
