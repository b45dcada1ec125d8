/* SPDX-License-Identifier: MIT
 *
 * api.c - which versions of which request. The upper ends are those of Apache
 * Kafka 4.2; so are the lower ones but for clients of older times: 4.0 dropped versions
 * that those of Kafka 1.0, sarama or kafka-go may still ask for, and the messages have
 * the fields:
 *
 *   ListOffsets 0        one or more segment ends ("old style") instead of one offset
 *   OffsetCommit 0, 1    no member (0); a commit timestamp per partition (1)
 *   OffsetFetch 0        as 1 (it once meant offsets in ZooKeeper)
 *   CreateTopics 0, 1    no error message (0), no throttle time
 *   DeleteTopics 0       no throttle time
 *   DescribeConfigs 0    is_default instead of the source of a value
 *   Produce 0 to 2       advertised because librdkafka derives from it which codecs
 * there are, as Apache Kafka does; they carry message formats that nobody writes any
 * more, and are refused when asked for
 *
 * Fetch stays at 4: 0 to 3 would need answers in the old message formats.
 */
#include "ledger/wire/api.h"

#include "ledger/wire/messages_configs.h"
#include "ledger/wire/messages_consumer.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_groups.h"
#include "ledger/wire/messages_metadata.h"
#include "ledger/wire/messages_offsets.h"
#include "ledger/wire/messages_produce.h"
#include "ledger/wire/messages_topics.h"
#include "ledger/wire/messages_txn.h"
#include "ledger/wire/table.h"

#define API(key_, min, max, name_, message)                                            \
    [key_] = {.key = key_,                                                             \
              .min_version = min,                                                      \
              .max_version = max,                                                      \
              .name = name_,                                                           \
              .request = &message##_request_message,                                   \
              .response = &message##_response_message}

static const struct wire_api apis[WIRE_KEYS] = {
    API(WIRE_PRODUCE, 0, 13, "Produce", produce),
    API(WIRE_FETCH, 4, 18, "Fetch", fetch),
    API(WIRE_LIST_OFFSETS, 0, 11, "ListOffsets", list_offsets),
    API(WIRE_METADATA, 0, 13, "Metadata", metadata),
    API(WIRE_OFFSET_COMMIT, 0, 10, "OffsetCommit", offset_commit),
    API(WIRE_OFFSET_FETCH, 0, 10, "OffsetFetch", offset_fetch),
    API(WIRE_FIND_COORDINATOR, 0, 6, "FindCoordinator", find_coordinator),
    API(WIRE_JOIN_GROUP, 0, 9, "JoinGroup", join_group),
    API(WIRE_HEARTBEAT, 0, 4, "Heartbeat", heartbeat),
    API(WIRE_LEAVE_GROUP, 0, 5, "LeaveGroup", leave_group),
    API(WIRE_SYNC_GROUP, 0, 5, "SyncGroup", sync_group),
    API(WIRE_DESCRIBE_GROUPS, 0, 6, "DescribeGroups", describe_groups),
    API(WIRE_LIST_GROUPS, 0, 5, "ListGroups", list_groups),
    API(WIRE_API_VERSIONS, 0, 4, "ApiVersions", api_versions),
    API(WIRE_CREATE_TOPICS, 0, 7, "CreateTopics", create_topics),
    API(WIRE_DELETE_TOPICS, 0, 6, "DeleteTopics", delete_topics),
    API(WIRE_DELETE_RECORDS, 0, 2, "DeleteRecords", delete_records),
    API(WIRE_INIT_PRODUCER_ID, 0, 5, "InitProducerId", init_producer_id),
    API(WIRE_OFFSET_FOR_LEADER_EPOCH, 2, 4, "OffsetForLeaderEpoch",
        offset_for_leader_epoch),
    API(WIRE_ADD_PARTITIONS_TO_TXN, 0, 5, "AddPartitionsToTxn", add_partitions_to_txn),
    API(WIRE_ADD_OFFSETS_TO_TXN, 0, 4, "AddOffsetsToTxn", add_offsets_to_txn),
    API(WIRE_END_TXN, 0, 5, "EndTxn", end_txn),
    API(WIRE_WRITE_TXN_MARKERS, 1, 2, "WriteTxnMarkers", write_txn_markers),
    API(WIRE_TXN_OFFSET_COMMIT, 0, 5, "TxnOffsetCommit", txn_offset_commit),
    API(WIRE_DESCRIBE_CONFIGS, 0, 4, "DescribeConfigs", describe_configs),
    API(WIRE_ALTER_CONFIGS, 0, 2, "AlterConfigs", alter_configs),
    API(WIRE_DESCRIBE_LOG_DIRS, 1, 4, "DescribeLogDirs", describe_log_dirs),
    API(WIRE_CREATE_PARTITIONS, 0, 3, "CreatePartitions", create_partitions),
    API(WIRE_DELETE_GROUPS, 0, 2, "DeleteGroups", delete_groups),
    API(WIRE_INCREMENTAL_ALTER_CONFIGS, 0, 1, "IncrementalAlterConfigs",
        incremental_alter_configs),
    API(WIRE_OFFSET_DELETE, 0, 0, "OffsetDelete", offset_delete),
    API(WIRE_DESCRIBE_CLUSTER, 0, 2, "DescribeCluster", describe_cluster),
    API(WIRE_DESCRIBE_PRODUCERS, 0, 0, "DescribeProducers", describe_producers),
    API(WIRE_DESCRIBE_TRANSACTIONS, 0, 0, "DescribeTransactions",
        describe_transactions),
    API(WIRE_LIST_TRANSACTIONS, 0, 2, "ListTransactions", list_transactions),
    API(WIRE_CONSUMER_GROUP_HEARTBEAT, 0, 1, "ConsumerGroupHeartbeat",
        consumer_group_heartbeat),
    API(WIRE_CONSUMER_GROUP_DESCRIBE, 0, 1, "ConsumerGroupDescribe",
        consumer_group_describe),
    API(WIRE_LIST_CONFIG_RESOURCES, 0, 1, "ListConfigResources", list_config_resources),
    API(WIRE_DESCRIBE_TOPIC_PARTITIONS, 0, 0, "DescribeTopicPartitions",
        describe_topic_partitions),
};

const struct wire_api *wire_api_find(int16_t key)
{
    if (key < 0 || key >= WIRE_KEYS || apis[key].name == NULL)
        return NULL;
    return &apis[key];
}

bool wire_api_flexible(const struct wire_api *api, int16_t version)
{
    return version >= api->request->flexible;
}
