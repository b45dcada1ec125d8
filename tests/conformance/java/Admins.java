// SPDX-License-Identifier: MIT
//
// Admins - every call of Java's AdminClient that a single node answers, with its errors.
//
//   Admins ADDRESS TAG CASE
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

public final class Admins {
    final Clients c;
    final Admin admin;

    Admins(Clients clients) {
        c = clients;
        admin = clients.admin();
    }

    static NewTopic plain(String name, int partitions, int replicas) {
        return new NewTopic(name, partitions, (short) replicas);
    }

    Object create(NewTopic topic, boolean validateOnly) throws Exception {
        CreateTopicsResult made = admin.createTopics(
            List.of(topic), new CreateTopicsOptions().validateOnly(validateOnly));
        Config config = made.config(topic.name()).get();
        return made.numPartitions(topic.name()).get() + " partitions, "
            + made.replicationFactor(topic.name()).get() + " replicas, "
            + config.entries().size() + " configs, retention.ms="
            + config.get("retention.ms").value();
    }

    void topics() {
        String a = c.name("a");
        Clients.step("create", () -> create(plain(a, 3, 1), false));
        Clients.step("create again", () -> create(plain(a, 3, 1), false));
        Clients.step("create defaults", () -> create(
            new NewTopic(c.name("defaults"), Optional.empty(), Optional.empty()), false));
        Clients.step("validate only", () -> create(plain(c.name("v"), 2, 1), true));
        Clients.step("validate only existing", () -> create(plain(a, 2, 1), true));
        Clients.step("with config", () -> create(
            plain(c.name("b"), 1, 1).configs(Map.of("retention.ms", "77777")), false));
        Clients.step("0 partitions", () -> create(plain(c.name("z"), 0, 1), false));
        Clients.step("replicas 2", () -> create(plain(c.name("z"), 1, 2), false));
        Clients.step("replicas 0", () -> create(plain(c.name("z"), 1, 0), false));
        Clients.step("bad name", () -> create(plain("no spaces", 1, 1), false));
        Clients.step("empty name", () -> create(plain("", 1, 1), false));
        Clients.step("long name", () -> create(plain("n".repeat(250), 1, 1), false));
        Clients.step("name of 249", () -> create(
            plain("n".repeat(249 - c.tag.length()) + c.tag, 1, 1), true));
        Clients.step("unknown config", () -> create(
            plain(c.name("z"), 1, 1).configs(Map.of("no.such", "1")), false));
        Clients.step("bad config", () -> create(
            plain(c.name("z"), 1, 1).configs(Map.of("max.message.bytes", "-1")), false));
        Clients.step("assignment", () -> create(
            new NewTopic(c.name("assigned"), Map.of(0, List.of(1), 1, List.of(1))), false));
        Clients.step("assignment with a hole", () -> create(
            new NewTopic(c.name("z"), Map.of(0, List.of(1), 2, List.of(1))), false));
        Clients.step("assignment to nobody", () -> create(
            new NewTopic(c.name("z"), Map.of(0, List.of(9))), false));
        Clients.step("grow", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(5))).all().get());
        Clients.step("grow to the same", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(5))).all().get());
        Clients.step("shrink", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(1))).all().get());
        Clients.step("grow validate only", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(9)),
            new CreatePartitionsOptions().validateOnly(true)).all().get());
        Clients.step("grow unknown", () -> admin.createPartitions(
            Map.of(c.name("nowhere"), NewPartitions.increaseTo(5))).all().get());
        Clients.step("grow with assignment", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(6, List.of(List.of(1))))).all().get());
        Clients.step("grow with a short assignment", () -> admin.createPartitions(
            Map.of(a, NewPartitions.increaseTo(9, List.of(List.of(1))))).all().get());
        Clients.step("describe", () -> {
            TopicDescription d = admin.describeTopics(List.of(a)).allTopicNames().get().get(a);
            return d.partitions().size() + " partitions, internal " + d.isInternal() + ", "
                + d.partitions().get(5);
        });
        Clients.step("describe by id", () -> {
            Uuid id = admin.describeTopics(List.of(a)).allTopicNames().get().get(a).topicId();
            return admin.describeTopics(TopicCollection.ofTopicIds(List.of(id)))
                .allTopicIds().get().get(id).name();
        });
        Clients.step("describe unknown", () -> admin.describeTopics(
            List.of(c.name("nowhere"))).allTopicNames().get());
        Clients.step("describe unknown id", () -> admin.describeTopics(
            TopicCollection.ofTopicIds(List.of(new Uuid(1, 2)))).allTopicIds().get());
        Clients.step("describe bad name", () -> admin.describeTopics(
            List.of("no spaces")).allTopicNames().get());
        Clients.step("list", () -> admin.listTopics().names().get().stream()
            .filter(n -> n.matches("java-(a|b|v|z|defaults|assigned)-" + c.tag))
            .collect(Collectors.toCollection(TreeSet::new)));
        Clients.step("delete by id", () -> {
            String b = c.name("b");
            Uuid id = admin.describeTopics(List.of(b)).allTopicNames().get().get(b).topicId();
            return admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        });
        Clients.step("delete", () -> admin.deleteTopics(List.of(a)).all().get());
        Clients.step("delete again", () -> admin.deleteTopics(List.of(a)).all().get());
        Clients.step("delete unknown id", () -> admin.deleteTopics(
            TopicCollection.ofTopicIds(List.of(new Uuid(1, 2)))).all().get());
        Clients.step("create what was deleted", () -> create(plain(a, 1, 1), false));
    }

    static String entry(ConfigEntry e) {
        return e.value() + " " + e.source() + (e.isReadOnly() ? " read-only" : "")
            + (e.isSensitive() ? " sensitive" : "") + " " + e.type() + " "
            + e.synonyms().stream().map(s -> s.name() + "=" + s.value() + "@" + s.source())
                .collect(Collectors.toList());
    }

    Object alter(ConfigResource resource, AlterConfigOp... ops) throws Exception {
        return admin.incrementalAlterConfigs(Map.of(resource, List.of(ops))).all().get();
    }

    static AlterConfigOp op(String name, String value, AlterConfigOp.OpType type) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    void configs() throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC,
                                                  c.topic("configs", 1, "retention.ms", "5000"));
        ConfigResource nowhere = new ConfigResource(ConfigResource.Type.TOPIC, c.name("nowhere"));
        DescribeConfigsOptions full =
            new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
        Clients.step("all", () -> {
            Map<String, ConfigEntry> all = new TreeMap<>();
            admin.describeConfigs(List.of(topic), full).all().get().get(topic).entries()
                .forEach(e -> all.put(e.name(), e));
            all.values().forEach(e -> Clients.say("  " + e.name(), entry(e)));
            return all.values().stream().allMatch(e -> e.documentation() != null);
        });
        Clients.step("unknown topic", () -> admin.describeConfigs(List.of(nowhere)).all().get());
        Clients.step("set", () -> alter(topic, op("segment.ms", "9999",
                                                  AlterConfigOp.OpType.SET)));
        Clients.step("delete", () -> alter(topic, op("retention.ms", "",
                                                     AlterConfigOp.OpType.DELETE)));
        Clients.step("append", () -> alter(topic, op("cleanup.policy", "compact",
                                                     AlterConfigOp.OpType.APPEND)));
        Clients.step("subtract", () -> alter(topic, op("cleanup.policy", "delete",
                                                       AlterConfigOp.OpType.SUBTRACT)));
        Clients.step("append to a number", () -> alter(topic, op(
            "segment.ms", "1", AlterConfigOp.OpType.APPEND)));
        Clients.step("twice the same", () -> alter(
            topic, op("segment.ms", "1", AlterConfigOp.OpType.SET),
            op("segment.ms", "2", AlterConfigOp.OpType.SET)));
        Clients.step("null value", () -> alter(topic, op("segment.ms", null,
                                                         AlterConfigOp.OpType.SET)));
        Clients.step("unknown key", () -> alter(topic, op("no.such", "1",
                                                          AlterConfigOp.OpType.SET)));
        Clients.step("bad value", () -> alter(topic, op("min.cleanable.dirty.ratio", "2",
                                                        AlterConfigOp.OpType.SET)));
        Clients.step("bad boolean", () -> alter(topic, op("preallocate", "maybe",
                                                          AlterConfigOp.OpType.SET)));
        Clients.step("timestamp type", () -> alter(topic, op(
            "message.timestamp.type", "LogAppendTime", AlterConfigOp.OpType.SET)));
        Clients.step("alter unknown topic", () -> alter(nowhere, op(
            "segment.ms", "1", AlterConfigOp.OpType.SET)));
        Clients.step("validate only", () -> admin.incrementalAlterConfigs(
            Map.of(topic, List.of(op("segment.ms", "123", AlterConfigOp.OpType.SET))),
            new AlterConfigsOptions().validateOnly(true)).all().get());
        Clients.step("what is set", () -> admin.describeConfigs(List.of(topic)).all().get()
            .get(topic).entries().stream()
            .filter(e -> e.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
            .map(e -> e.name() + "=" + e.value()).collect(Collectors.toCollection(TreeSet::new)));
        Clients.step("group config", () -> {
            ConfigResource group =
                new ConfigResource(ConfigResource.Type.GROUP, c.name("group"));
            alter(group, op("consumer.heartbeat.interval.ms", "6000", AlterConfigOp.OpType.SET));
            return admin.describeConfigs(List.of(group)).all().get().get(group).entries().stream()
                .filter(e -> e.name().startsWith("consumer."))
                .map(e -> e.name() + "=" + e.value() + " " + e.source())
                .collect(Collectors.toCollection(TreeSet::new));
        });
    }

    Object offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        ListOffsetsResult.ListOffsetsResultInfo found =
            admin.listOffsets(Map.of(partition, spec)).partitionResult(partition).get();
        return found.offset() + " at " + found.timestamp() + " epoch " + found.leaderEpoch();
    }

    void offsets() throws Exception {
        String topic = c.topic("offsets", 2, "retention.ms", "-1");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        try (KafkaProducer<String, String> producer = c.producer("linger.ms", 0)) {
            long[] times = {1000, 3000, 2000, 3000, 5000, 4000};
            for (long time : times) {
                producer.send(new ProducerRecord<>(topic, 0, time, "k", "at " + time)).get();
            }
        }
        Clients.step("earliest", () -> offset(zero, OffsetSpec.earliest()));
        Clients.step("latest", () -> offset(zero, OffsetSpec.latest()));
        Clients.step("max timestamp", () -> offset(zero, OffsetSpec.maxTimestamp()));
        for (long time : new long[] {0, 1000, 1001, 2500, 3001, 5000, 5001}) {
            Clients.step("at " + time, () -> offset(zero, OffsetSpec.forTimestamp(time)));
        }
        Clients.step("max timestamp of nothing", () -> offset(one, OffsetSpec.maxTimestamp()));
        Clients.step("latest of nothing", () -> offset(one, OffsetSpec.latest()));
        Clients.step("local", () -> offset(zero, OffsetSpec.earliestLocal()));
        Clients.step("tiered", () -> offset(zero, OffsetSpec.latestTiered()));
        Clients.step("delete records", () -> admin.deleteRecords(
            Map.of(zero, RecordsToDelete.beforeOffset(2))).lowWatermarks().get(zero).get()
            .lowWatermark());
        Clients.step("delete too many", () -> admin.deleteRecords(
            Map.of(zero, RecordsToDelete.beforeOffset(7))).lowWatermarks().get(zero).get());
        Clients.step("delete a negative offset", () -> admin.deleteRecords(
            Map.of(zero, RecordsToDelete.beforeOffset(-2))).lowWatermarks().get(zero).get());
        Clients.step("earliest after it", () -> offset(zero, OffsetSpec.earliest()));
        Clients.step("at 0 after it", () -> offset(zero, OffsetSpec.forTimestamp(0)));
        Clients.step("delete all", () -> admin.deleteRecords(
            Map.of(zero, RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(zero).get()
            .lowWatermark());
        Clients.step("at 0 of nothing", () -> offset(zero, OffsetSpec.forTimestamp(0)));
        String compacted = c.topic("compacted", 1, "cleanup.policy", "compact");
        Clients.step("delete of a compacted topic", () -> admin.deleteRecords(
            Map.of(new TopicPartition(compacted, 0), RecordsToDelete.beforeOffset(0)))
            .all().get());
    }

    void groups() throws Exception {
        String topic = c.topic("groups", 2);
        String group = c.name("group");
        String nobody = c.name("nobody");
        TopicPartition zero = new TopicPartition(topic, 0);
        TopicPartition one = new TopicPartition(topic, 1);
        c.fill(topic, 0, 3);
        Clients.step("describe unknown", () -> admin.describeConsumerGroups(
            List.of(nobody)).all().get());
        Clients.step("describe unknown classic", () -> admin.describeClassicGroups(
            List.of(nobody)).all().get());
        Clients.step("offsets of unknown", () -> admin.listConsumerGroupOffsets(nobody)
            .partitionsToOffsetAndMetadata().get());
        Clients.step("delete unknown", () -> admin.deleteConsumerGroups(
            List.of(nobody)).all().get());
        Clients.step("alter offsets makes a group", () -> admin.alterConsumerGroupOffsets(
            group, Map.of(zero, new OffsetAndMetadata(2, Optional.of(0), "note"))).all().get());
        Clients.step("offsets", () -> admin.listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata().get());
        Clients.step("long metadata", () -> admin.alterConsumerGroupOffsets(
            group, Map.of(zero, new OffsetAndMetadata(2, "m".repeat(5000)))).all().get());
        Clients.step("offset of an unknown topic", () -> admin.alterConsumerGroupOffsets(
            group, Map.of(new TopicPartition(c.name("nowhere"), 0), new OffsetAndMetadata(2)))
            .all().get());
        Clients.step("describe", () -> admin.describeConsumerGroups(List.of(group)).all().get()
            .get(group).groupState());
        try (KafkaConsumer<String, String> member = c.consumer("group.id", group,
                                                               "client.id", "me")) {
            member.subscribe(List.of(topic));
            Clients.take(member, 1);
            member.commitSync();
            Clients.step("describe a member", () -> {
                ConsumerGroupDescription d =
                    admin.describeConsumerGroups(List.of(group)).all().get().get(group);
                MemberDescription m = d.members().iterator().next();
                return d.groupState() + " " + d.type() + " " + d.partitionAssignor() + " "
                    + d.isSimpleConsumerGroup() + " " + m.clientId() + " " + m.host() + " "
                    + new TreeSet<>(m.assignment().topicPartitions().stream()
                        .map(Object::toString).collect(Collectors.toList()))
                    + " " + m.groupInstanceId() + " " + d.coordinator().id() + " "
                    + d.authorizedOperations();
            });
            Clients.step("describe as classic", () -> {
                ClassicGroupDescription d =
                    admin.describeClassicGroups(List.of(group)).all().get().get(group);
                return d.protocol() + " " + d.protocolData() + " " + d.state() + " "
                    + d.members().size();
            });
            Clients.step("delete a busy one", () -> admin.deleteConsumerGroups(
                List.of(group)).all().get());
            Clients.step("alter offsets of a busy one", () -> admin.alterConsumerGroupOffsets(
                group, Map.of(zero, new OffsetAndMetadata(1))).all().get());
            Clients.step("delete offsets of a busy one", () -> admin.deleteConsumerGroupOffsets(
                group, Set.of(zero)).all().get());
            Clients.step("remove a member that is not", () -> admin
                .removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(
                    List.of(new MemberToRemove("nobody")))).all().get());
            Clients.step("remove all members", () -> admin.removeMembersFromConsumerGroup(
                group, new RemoveMembersFromConsumerGroupOptions()).all().get());
        }
        Clients.step("listed", () -> admin.listGroups(ListGroupsOptions.forConsumerGroups())
            .all().get().stream().filter(g -> g.groupId().equals(group))
            .map(g -> g.protocol() + " " + g.type() + " " + g.groupState())
            .collect(Collectors.toList()));
        Clients.step("listed by state", () -> admin.listGroups(new ListGroupsOptions()
            .inGroupStates(Set.of(GroupState.EMPTY))).all().get().stream()
            .anyMatch(g -> g.groupId().equals(group)));
        Clients.step("listed by type", () -> admin.listGroups(new ListGroupsOptions()
            .withTypes(Set.of(GroupType.CONSUMER))).all().get().stream()
            .anyMatch(g -> g.groupId().equals(group)));
        Clients.step("delete offsets", () -> {
            DeleteConsumerGroupOffsetsResult gone =
                admin.deleteConsumerGroupOffsets(group, Set.of(zero, one));
            return gone.partitionResult(zero).get();
        });
        Clients.step("offsets left", () -> new TreeMap<>(admin.listConsumerGroupOffsets(group)
            .partitionsToOffsetAndMetadata().get().entrySet().stream()
            .collect(Collectors.toMap(e -> e.getKey().toString(), Map.Entry::getValue))));
        Clients.step("delete", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        Clients.step("delete offsets of unknown", () -> admin.deleteConsumerGroupOffsets(
            nobody, Set.of(zero)).all().get());
    }

    Collection<LogDirDescription> dirs() throws Exception {
        return admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1).values();
    }

    void cluster() throws Exception {
        Clients.step("nodes", () -> admin.describeCluster().nodes().get().size());
        Clients.step("node", () -> admin.describeCluster().nodes().get().iterator().next().id());
        Clients.step("controller", () -> admin.describeCluster().controller().get().id());
        Clients.step("cluster id", () -> admin.describeCluster().clusterId().get().length());
        Clients.step("features", () -> new TreeMap<>(admin.describeFeatures().featureMetadata()
            .get().finalizedFeatures().entrySet().stream()
            .filter(e -> e.getKey().matches("group.version|transaction.version|metadata.version"))
            .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().maxVersionLevel()))));
        String topic = c.topic("dirs", 1);
        TopicPartition made = new TopicPartition(topic, 0);
        // A real Kafka makes the folder some time after the topic.
        Clients.until("folder", () -> dirs().iterator().next().replicaInfos().containsKey(made));
        Clients.step("log dirs", () -> {
            LogDirDescription dir = dirs().iterator().next();
            return dirs().size() + " " + dir.error() + " " + dir.replicaInfos().get(made) + " "
                + (dir.totalBytes().getAsLong() > 0) + " " + (dir.usableBytes().getAsLong() > 0);
        });
        Clients.step("config resources", () -> admin.listConfigResources().all().get().stream()
            .filter(r -> r.name().equals(topic)).map(ConfigResource::type)
            .collect(Collectors.toList()));
    }

    void transactions() throws Exception {
        String topic = c.topic("tx", 1);
        String id = c.name("tx");
        TopicPartition zero = new TopicPartition(topic, 0);
        KafkaProducer<String, String> producer = c.producer("transactional.id", id);
        producer.initTransactions();
        Clients.step("describe empty", () -> {
            TransactionDescription d = admin.describeTransactions(List.of(id)).description(id).get();
            return d.state() + " " + d.transactionTimeoutMs() + " " + d.topicPartitions() + " "
                + d.transactionStartTimeMs() + " " + d.coordinatorId();
        });
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 0, "k", "v")).get();
        Clients.step("describe open", () -> {
            TransactionDescription d = admin.describeTransactions(List.of(id)).description(id).get();
            return d.state() + " " + d.topicPartitions() + " "
                + d.transactionStartTimeMs().isPresent();
        });
        Clients.step("listed", () -> admin.listTransactions().all().get().stream()
            .filter(t -> t.transactionalId().equals(id)).map(TransactionListing::state)
            .collect(Collectors.toList()));
        Clients.step("listed by state", () -> admin.listTransactions(new ListTransactionsOptions()
            .filterStates(List.of(TransactionState.COMPLETE_COMMIT))).all().get().stream()
            .anyMatch(t -> t.transactionalId().equals(id)));
        Clients.step("listed by pattern", () -> admin.listTransactions(
            new ListTransactionsOptions().filterOnTransactionalIdPattern(".*-tx-" + c.tag))
            .all().get().stream().map(TransactionListing::transactionalId)
            .collect(Collectors.toList()));
        Clients.step("listed by a bad pattern", () -> admin.listTransactions(
            new ListTransactionsOptions().filterOnTransactionalIdPattern("(")).all().get());
        Clients.step("listed by duration", () -> admin.listTransactions(
            new ListTransactionsOptions().filterOnDuration(3600000)).all().get().stream()
            .anyMatch(t -> t.transactionalId().equals(id)));
        Clients.step("producers", () -> admin.describeProducers(List.of(zero))
            .partitionResult(zero).get().activeProducers().stream()
            .map(p -> "epoch " + p.producerEpoch() + " sequence " + p.lastSequence() + " open "
                + p.currentTransactionStartOffset() + " coordinator " + p.coordinatorEpoch())
            .collect(Collectors.toList()));
        Clients.step("fence", () -> admin.fenceProducers(List.of(id)).all().get());
        Clients.step("the fenced one", () -> {
            producer.send(new ProducerRecord<>(topic, 0, "k", "late")).get();
            producer.commitTransaction();
            return "committed";
        });
        producer.close();
        Clients.step("state after it", () -> admin.describeTransactions(List.of(id))
            .description(id).get().state());
        Clients.step("describe unknown", () -> admin.describeTransactions(
            List.of(c.name("nobody"))).description(c.name("nobody")).get());
        ProducerState last = admin.describeProducers(List.of(zero)).partitionResult(zero).get()
            .activeProducers().get(0);
        Clients.step("abort nothing", () -> admin.abortTransaction(new AbortTransactionSpec(
            zero, last.producerId(), (short) last.producerEpoch(), 0)).all().get());
    }

    public static void main(String[] args) throws Exception {
        Admins admins = new Admins(new Clients(args[0], args[1]));
        try (Admin closed = admins.admin) {
            switch (args[2]) {
            case "topics" -> admins.topics();
            case "configs" -> admins.configs();
            case "offsets" -> admins.offsets();
            case "groups" -> admins.groups();
            case "cluster" -> admins.cluster();
            case "transactions" -> admins.transactions();
            default -> throw new IllegalArgumentException(args[2]);
            }
        }
    }
}
