/* SPDX-License-Identifier: MIT
 *
 * config_table.c - the configs there are, as Apache Kafka 4.2 describes them.
 * All keys of topics and groups; of the broker's those that mean something here or that
 * tools look at.
 */
#include "ledger/topic/config.h"

#include <stdlib.h>
#include <string.h>

#define FOREVER "9223372036854775807"
#define CODECS "uncompressed, zstd, lz4, snappy, gzip, producer"
#define AT_LEAST(n) .has_min = true, .min = (n)
#define AT_MOST(n) .has_max = true, .max = (n)
#define HOUR_MS 3600000
#define MINUTE_MS 60000

/* A key takes two or three lines, not ten. */
/* clang-format off */
static const struct config_key TOPIC_KEYS[] = {
    {.name = "cleanup.policy", .type = CONFIG_LIST, .fallback = "delete",
     .valid = "compact, delete", .synonyms = {{"log.cleanup.policy", 0}},
     .about = "What happens to old segments: delete them, compact them by key, or "
              "both."},
    {.name = "compression.gzip.level", .type = CONFIG_INT, .fallback = "-1",
     .custom = true, .synonyms = {{"compression.gzip.level", 0}},
     .about = "Of batches that compression.type=gzip makes; -1 is the usual level."},
    {.name = "compression.lz4.level", .type = CONFIG_INT, .fallback = "9", AT_LEAST(1),
     AT_MOST(17), .synonyms = {{"compression.lz4.level", 0}},
     .about = "Of batches that compression.type=lz4 makes; 9 is the fast one."},
    {.name = "compression.type", .type = CONFIG_STRING, .fallback = "producer",
     .valid = CODECS, .synonyms = {{"compression.type", 0}},
     .about = "Codec of the stored batches; producer keeps what was sent."},
    {.name = "compression.zstd.level", .type = CONFIG_INT, .fallback = "3",
     AT_LEAST(-131072), AT_MOST(22), .synonyms = {{"compression.zstd.level", 0}},
     .about = "Of batches that compression.type=zstd makes."},
    {.name = "delete.retention.ms", .type = CONFIG_LONG, .fallback = "86400000",
     AT_LEAST(0), .synonyms = {{"log.cleaner.delete.retention.ms", 0}},
     .about = "How long compaction keeps tombstones and transaction markers."},
    {.name = "file.delete.delay.ms", .type = CONFIG_LONG, .fallback = "60000",
     AT_LEAST(0), .synonyms = {{"log.segment.delete.delay.ms", 0}},
     .about = "Time between taking a segment out of the log and removing its file."},
    {.name = "flush.messages", .type = CONFIG_LONG, .fallback = FOREVER, AT_LEAST(1),
     .synonyms = {{"log.flush.interval.messages", 0}},
     .about = "Number of records after which the log is flushed to disk."},
    {.name = "flush.ms", .type = CONFIG_LONG, .fallback = FOREVER, AT_LEAST(0),
     .synonyms = {{"log.flush.interval.ms", 0}, {"log.flush.scheduler.interval.ms", 0}},
     .about = "Time after which the log is flushed to disk."},
    {.name = "follower.replication.throttled.replicas", .type = CONFIG_LIST,
     .fallback = "", .custom = true,
     .about = "Kept only: there is one broker, nothing is replicated."},
    {.name = "index.interval.bytes", .type = CONFIG_INT, .fallback = "4096",
     AT_LEAST(0), .synonyms = {{"log.index.interval.bytes", 0}},
     .about = "Bytes of log between two entries of the offset index."},
    {.name = "leader.replication.throttled.replicas", .type = CONFIG_LIST,
     .fallback = "", .custom = true,
     .about = "Kept only: there is one broker, nothing is replicated."},
    {.name = "local.retention.bytes", .type = CONFIG_LONG, .fallback = "-2",
     AT_LEAST(-2), .synonyms = {{"log.local.retention.bytes", 0}},
     .about = "Kept only: there is no remote storage."},
    {.name = "local.retention.ms", .type = CONFIG_LONG, .fallback = "-2", AT_LEAST(-2),
     .synonyms = {{"log.local.retention.ms", 0}},
     .about = "Kept only: there is no remote storage."},
    {.name = "max.compaction.lag.ms", .type = CONFIG_LONG, .fallback = FOREVER,
     AT_LEAST(1), .synonyms = {{"log.cleaner.max.compaction.lag.ms", 0}},
     .about = "Longest time that a record may stay out of reach of compaction."},
    {.name = "max.message.bytes", .type = CONFIG_INT, .fallback = "1048588",
     AT_LEAST(0), .synonyms = {{"message.max.bytes", 0}},
     .about = "Largest record batch, after compression, that is accepted."},
    {.name = "message.timestamp.after.max.ms", .type = CONFIG_LONG,
     .fallback = "3600000", AT_LEAST(0),
     .synonyms = {{"log.message.timestamp.after.max.ms", 0}},
     .about = "How far a record's timestamp may be ahead of the broker's clock."},
    {.name = "message.timestamp.before.max.ms", .type = CONFIG_LONG,
     .fallback = FOREVER, AT_LEAST(0),
     .synonyms = {{"log.message.timestamp.before.max.ms", 0}},
     .about = "How far a record's timestamp may be behind the broker's clock."},
    {.name = "message.timestamp.type", .type = CONFIG_STRING, .fallback = "CreateTime",
     .valid = "CreateTime, LogAppendTime",
     .synonyms = {{"log.message.timestamp.type", 0}},
     .about = "Whether timestamps are the producer's or the broker's."},
    {.name = "min.cleanable.dirty.ratio", .type = CONFIG_DOUBLE, .fallback = "0.5",
     AT_LEAST(0), AT_MOST(1), .synonyms = {{"log.cleaner.min.cleanable.ratio", 0}},
     .about = "Share of not yet compacted bytes from which on a log is compacted."},
    {.name = "min.compaction.lag.ms", .type = CONFIG_LONG, .fallback = "0", AT_LEAST(0),
     .synonyms = {{"log.cleaner.min.compaction.lag.ms", 0}},
     .about = "Shortest time that a record stays out of reach of compaction."},
    {.name = "min.insync.replicas", .type = CONFIG_INT, .fallback = "1", AT_LEAST(1),
     .synonyms = {{"min.insync.replicas", 0}},
     .about = "Kept only: the one broker is always in sync with itself."},
    {.name = "preallocate", .type = CONFIG_BOOLEAN, .fallback = "false",
     .synonyms = {{"log.preallocate", 0}},
     .about = "Whether a new segment's file gets its full size at once."},
    {.name = "remote.log.copy.disable", .type = CONFIG_BOOLEAN, .fallback = "false",
     .about = "Kept only: there is no remote storage."},
    {.name = "remote.log.delete.on.disable", .type = CONFIG_BOOLEAN,
     .fallback = "false",
     .about = "Kept only: there is no remote storage."},
    {.name = "remote.storage.enable", .type = CONFIG_BOOLEAN, .fallback = "false",
     .custom = true,
     .about = "Only false: there is no remote storage."},
    {.name = "retention.bytes", .type = CONFIG_LONG, .fallback = "-1",
     .synonyms = {{"log.retention.bytes", 0}},
     .about = "Size of a partition above which its oldest segments go; -1 for no "
              "limit."},
    {.name = "retention.ms", .type = CONFIG_LONG, .fallback = "604800000", AT_LEAST(-1),
     .synonyms = {{"log.retention.ms", 0}, {"log.retention.minutes", MINUTE_MS},
                  {"log.retention.hours", HOUR_MS}},
     .about = "Age from which on segments are deleted; -1 for no limit."},
    {.name = "segment.bytes", .type = CONFIG_INT, .fallback = "1073741824",
     AT_LEAST(1048576), .synonyms = {{"log.segment.bytes", 0}},
     .about = "Size of a segment's file."},
    {.name = "segment.index.bytes", .type = CONFIG_INT, .fallback = "10485760",
     AT_LEAST(4), .synonyms = {{"log.index.size.max.bytes", 0}},
     .about = "Largest size of a segment's index."},
    {.name = "segment.jitter.ms", .type = CONFIG_LONG, .fallback = "0", AT_LEAST(0),
     .synonyms = {{"log.roll.jitter.ms", 0}, {"log.roll.jitter.hours", HOUR_MS}},
     .about = "Largest random time by which a segment is rolled earlier."},
    {.name = "segment.ms", .type = CONFIG_LONG, .fallback = "604800000", AT_LEAST(1),
     .synonyms = {{"log.roll.ms", 0}, {"log.roll.hours", HOUR_MS}},
     .about = "Age at which a segment is rolled even when it is not full."},
    {.name = "unclean.leader.election.enable", .type = CONFIG_BOOLEAN,
     .fallback = "false", .synonyms = {{"unclean.leader.election.enable", 0}},
     .about = "Kept only: there is one broker and no election."},
};

static const struct config_key GROUP_KEYS[] = {
    {.name = "consumer.heartbeat.interval.ms", .type = CONFIG_INT, .fallback = "5000",
     AT_LEAST(1), .custom = true,
     .synonyms = {{"group.consumer.heartbeat.interval.ms", 0}},
     .about = "Interval at which members of the consumer protocol send heartbeats."},
    {.name = "consumer.session.timeout.ms", .type = CONFIG_INT, .fallback = "45000",
     AT_LEAST(1), .custom = true,
     .synonyms = {{"group.consumer.session.timeout.ms", 0}},
     .about = "Silence after which a member of the consumer protocol is out of the "
              "group."},
    {.name = "share.auto.offset.reset", .type = CONFIG_STRING, .fallback = "latest",
     .custom = true,
     .about = "Kept only: share groups are not offered."},
    {.name = "share.heartbeat.interval.ms", .type = CONFIG_INT, .fallback = "5000",
     AT_LEAST(1), .custom = true,
     .about = "Kept only: share groups are not offered."},
    {.name = "share.isolation.level", .type = CONFIG_STRING,
     .fallback = "read_uncommitted", .valid = "read_committed, read_uncommitted",
     .about = "Kept only: share groups are not offered."},
    {.name = "share.record.lock.duration.ms", .type = CONFIG_INT, .fallback = "30000",
     AT_LEAST(1000), .custom = true,
     .about = "Kept only: share groups are not offered."},
    {.name = "share.session.timeout.ms", .type = CONFIG_INT, .fallback = "45000",
     AT_LEAST(1), .custom = true,
     .about = "Kept only: share groups are not offered."},
    {.name = "streams.heartbeat.interval.ms", .type = CONFIG_INT, .fallback = "5000",
     AT_LEAST(1), .custom = true,
     .about = "Kept only: streams groups are not offered."},
    {.name = "streams.initial.rebalance.delay.ms", .type = CONFIG_INT,
     .fallback = "3000", AT_LEAST(0),
     .about = "Kept only: streams groups are not offered."},
    {.name = "streams.num.standby.replicas", .type = CONFIG_INT, .fallback = "0",
     AT_LEAST(0), .custom = true,
     .about = "Kept only: streams groups are not offered."},
    {.name = "streams.session.timeout.ms", .type = CONFIG_INT, .fallback = "45000",
     AT_LEAST(1), .custom = true,
     .about = "Kept only: streams groups are not offered."},
};

/* Without a range: nobody can set it while the broker runs. */
static const struct config_key BROKER_KEYS[] = {
    {.name = "advertised.listeners", .type = CONFIG_LIST},
    {.name = "auto.create.topics.enable", .type = CONFIG_BOOLEAN, .fallback = "true"},
    {.name = "broker.id", .type = CONFIG_INT, .fallback = "-1"},
    {.name = "broker.rack", .type = CONFIG_STRING},
    {.name = "compression.gzip.level", .type = CONFIG_INT, .fallback = "-1",
     .dynamic = true, .custom = true},
    {.name = "compression.lz4.level", .type = CONFIG_INT, .fallback = "9",
     .dynamic = true, AT_LEAST(1), AT_MOST(17)},
    {.name = "compression.type", .type = CONFIG_STRING, .fallback = "producer",
     .dynamic = true, .valid = CODECS},
    {.name = "compression.zstd.level", .type = CONFIG_INT, .fallback = "3",
     .dynamic = true, AT_LEAST(-131072), AT_MOST(22)},
    {.name = "connections.max.idle.ms", .type = CONFIG_LONG, .fallback = "600000"},
    {.name = "default.replication.factor", .type = CONFIG_INT, .fallback = "1"},
    {.name = "delete.topic.enable", .type = CONFIG_BOOLEAN, .fallback = "true"},
    {.name = "fetch.max.bytes", .type = CONFIG_INT, .fallback = "57671680"},
    {.name = "group.consumer.assignors", .type = CONFIG_LIST,
     .fallback = "uniform,range"},
    {.name = "group.consumer.heartbeat.interval.ms", .type = CONFIG_INT,
     .fallback = "5000"},
    {.name = "group.consumer.max.heartbeat.interval.ms", .type = CONFIG_INT,
     .fallback = "15000"},
    {.name = "group.consumer.max.session.timeout.ms", .type = CONFIG_INT,
     .fallback = "60000"},
    {.name = "group.consumer.max.size", .type = CONFIG_INT, .fallback = "2147483647"},
    {.name = "group.consumer.migration.policy", .type = CONFIG_STRING,
     .fallback = "bidirectional"},
    {.name = "group.consumer.min.heartbeat.interval.ms", .type = CONFIG_INT,
     .fallback = "5000"},
    {.name = "group.consumer.min.session.timeout.ms", .type = CONFIG_INT,
     .fallback = "45000"},
    {.name = "group.consumer.session.timeout.ms", .type = CONFIG_INT,
     .fallback = "45000"},
    {.name = "group.coordinator.rebalance.protocols", .type = CONFIG_LIST,
     .fallback = "classic,consumer"},
    {.name = "group.initial.rebalance.delay.ms", .type = CONFIG_INT,
     .fallback = "3000"},
    {.name = "group.max.session.timeout.ms", .type = CONFIG_INT, .fallback = "1800000"},
    {.name = "group.max.size", .type = CONFIG_INT, .fallback = "2147483647"},
    {.name = "group.min.session.timeout.ms", .type = CONFIG_INT, .fallback = "6000"},
    {.name = "inter.broker.listener.name", .type = CONFIG_STRING},
    {.name = "listener.security.protocol.map", .type = CONFIG_STRING,
     .fallback =
         "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"},
    {.name = "listeners", .type = CONFIG_LIST, .fallback = "PLAINTEXT://:9092"},
    {.name = "log.cleaner.delete.retention.ms", .type = CONFIG_LONG,
     .fallback = "86400000", .dynamic = true, AT_LEAST(0)},
    {.name = "log.cleaner.enable", .type = CONFIG_BOOLEAN, .fallback = "true"},
    {.name = "log.cleaner.max.compaction.lag.ms", .type = CONFIG_LONG,
     .fallback = FOREVER, .dynamic = true, AT_LEAST(1)},
    {.name = "log.cleaner.min.cleanable.ratio", .type = CONFIG_DOUBLE,
     .fallback = "0.5", .dynamic = true, AT_LEAST(0), AT_MOST(1)},
    {.name = "log.cleaner.min.compaction.lag.ms", .type = CONFIG_LONG, .fallback = "0",
     .dynamic = true, AT_LEAST(0)},
    {.name = "log.cleanup.policy", .type = CONFIG_LIST, .fallback = "delete",
     .dynamic = true, .valid = "compact, delete"},
    {.name = "log.dirs", .type = CONFIG_LIST},
    {.name = "log.flush.interval.messages", .type = CONFIG_LONG, .fallback = FOREVER,
     .dynamic = true, AT_LEAST(1)},
    {.name = "log.flush.interval.ms", .type = CONFIG_LONG, .dynamic = true,
     AT_LEAST(0)},
    {.name = "log.flush.scheduler.interval.ms", .type = CONFIG_LONG,
     .fallback = FOREVER},
    {.name = "log.index.interval.bytes", .type = CONFIG_INT, .fallback = "4096",
     .dynamic = true, AT_LEAST(0)},
    {.name = "log.index.size.max.bytes", .type = CONFIG_INT, .fallback = "10485760",
     .dynamic = true, AT_LEAST(4)},
    {.name = "log.local.retention.bytes", .type = CONFIG_LONG, .fallback = "-2",
     .dynamic = true, AT_LEAST(-2)},
    {.name = "log.local.retention.ms", .type = CONFIG_LONG, .fallback = "-2",
     .dynamic = true, AT_LEAST(-2)},
    {.name = "log.message.timestamp.after.max.ms", .type = CONFIG_LONG,
     .fallback = "3600000", .dynamic = true, AT_LEAST(0)},
    {.name = "log.message.timestamp.before.max.ms", .type = CONFIG_LONG,
     .fallback = FOREVER, .dynamic = true, AT_LEAST(0)},
    {.name = "log.message.timestamp.type", .type = CONFIG_STRING,
     .fallback = "CreateTime", .dynamic = true, .valid = "CreateTime, LogAppendTime"},
    {.name = "log.preallocate", .type = CONFIG_BOOLEAN, .fallback = "false",
     .dynamic = true},
    {.name = "log.retention.bytes", .type = CONFIG_LONG, .fallback = "-1",
     .dynamic = true},
    {.name = "log.retention.check.interval.ms", .type = CONFIG_LONG,
     .fallback = "300000"},
    {.name = "log.retention.hours", .type = CONFIG_INT, .fallback = "168"},
    {.name = "log.retention.minutes", .type = CONFIG_INT,
     .synonyms = {{"log.retention.minutes", 0}, {"log.retention.hours", 60}}},
    {.name = "log.retention.ms", .type = CONFIG_LONG, .dynamic = true, .custom = true,
     .synonyms = {{"log.retention.ms", 0}, {"log.retention.minutes", MINUTE_MS},
                  {"log.retention.hours", HOUR_MS}}},
    {.name = "log.roll.hours", .type = CONFIG_INT, .fallback = "168"},
    {.name = "log.roll.jitter.hours", .type = CONFIG_INT, .fallback = "0"},
    {.name = "log.roll.jitter.ms", .type = CONFIG_LONG, .dynamic = true, .custom = true,
     .synonyms = {{"log.roll.jitter.ms", 0}, {"log.roll.jitter.hours", HOUR_MS}}},
    {.name = "log.roll.ms", .type = CONFIG_LONG, .dynamic = true, .custom = true,
     .synonyms = {{"log.roll.ms", 0}, {"log.roll.hours", HOUR_MS}}},
    {.name = "log.segment.bytes", .type = CONFIG_INT, .fallback = "1073741824",
     .dynamic = true, AT_LEAST(1048576)},
    {.name = "log.segment.delete.delay.ms", .type = CONFIG_LONG, .fallback = "60000",
     .dynamic = true, AT_LEAST(0)},
    {.name = "max.connections", .type = CONFIG_INT, .fallback = "2147483647"},
    {.name = "max.incremental.fetch.session.cache.slots", .type = CONFIG_INT,
     .fallback = "1000"},
    {.name = "max.request.partition.size.limit", .type = CONFIG_INT,
     .fallback = "2000"},
    {.name = "message.max.bytes", .type = CONFIG_INT, .fallback = "1048588",
     .dynamic = true, AT_LEAST(0)},
    {.name = "min.insync.replicas", .type = CONFIG_INT, .fallback = "1",
     .dynamic = true, AT_LEAST(1), .custom = true},
    {.name = "node.id", .type = CONFIG_INT},
    {.name = "num.partitions", .type = CONFIG_INT, .fallback = "1"},
    {.name = "offset.metadata.max.bytes", .type = CONFIG_INT, .fallback = "4096"},
    {.name = "offsets.retention.check.interval.ms", .type = CONFIG_LONG,
     .fallback = "600000"},
    {.name = "offsets.retention.minutes", .type = CONFIG_INT, .fallback = "10080"},
    {.name = "offsets.topic.num.partitions", .type = CONFIG_INT, .fallback = "50"},
    {.name = "offsets.topic.replication.factor", .type = CONFIG_SHORT, .fallback = "3"},
    {.name = "process.roles", .type = CONFIG_LIST},
    {.name = "producer.id.expiration.ms", .type = CONFIG_INT, .fallback = "86400000"},
    {.name = "security.inter.broker.protocol", .type = CONFIG_STRING,
     .fallback = "PLAINTEXT"},
    {.name = "socket.request.max.bytes", .type = CONFIG_INT, .fallback = "104857600"},
    {.name = "transaction.abort.timed.out.transaction.cleanup.interval.ms",
     .type = CONFIG_INT, .fallback = "10000"},
    {.name = "transaction.max.timeout.ms", .type = CONFIG_INT, .fallback = "900000"},
    {.name = "transaction.partition.verification.enable", .type = CONFIG_BOOLEAN,
     .fallback = "true"},
    {.name = "transaction.state.log.num.partitions", .type = CONFIG_INT,
     .fallback = "50"},
    {.name = "transaction.state.log.replication.factor", .type = CONFIG_SHORT,
     .fallback = "3"},
    {.name = "transactional.id.expiration.ms", .type = CONFIG_INT,
     .fallback = "604800000"},
    {.name = "unclean.leader.election.enable", .type = CONFIG_BOOLEAN,
     .fallback = "false", .dynamic = true},
};

/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const struct config_key *config_keys(enum config_resource resource, size_t *count)
{
    switch (resource) {
    case CONFIG_TOPIC:
        *count = COUNT(TOPIC_KEYS);
        return TOPIC_KEYS;
    case CONFIG_GROUP:
        *count = COUNT(GROUP_KEYS);
        return GROUP_KEYS;
    case CONFIG_BROKER:
        *count = COUNT(BROKER_KEYS);
        return BROKER_KEYS;
    default:
        *count = 0;
        return NULL;
    }
}

static int compare_name(const void *name, const void *key)
{
    return strcmp(name, ((const struct config_key *)key)->name);
}

const struct config_key *config_find(enum config_resource resource, const char *name)
{
    size_t count;
    const struct config_key *keys = config_keys(resource, &count);

    return count > 0 ? bsearch(name, keys, count, sizeof(*keys), compare_name) : NULL;
}
