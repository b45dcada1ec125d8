/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/wire/api.h"

static api_fn *const table[WIRE_KEYS] = {
    /* api_versions.c */
    [WIRE_API_VERSIONS] = api_versions,

    /* api_produce.c */
    [WIRE_PRODUCE] = api_produce,

    /* api_fetch.c */
    [WIRE_FETCH] = api_fetch,

    /* api_list_offsets.c */
    [WIRE_LIST_OFFSETS] = api_list_offsets,
    [WIRE_OFFSET_FOR_LEADER_EPOCH] = api_offset_for_leader_epoch,

    /* api_coordinator.c */
    [WIRE_FIND_COORDINATOR] = api_find_coordinator,

    /* api_metadata.c */
    [WIRE_METADATA] = api_metadata,

    /* api_topics.c, api_records.c */
    [WIRE_CREATE_TOPICS] = api_create_topics,
    [WIRE_CREATE_PARTITIONS] = api_create_partitions,
    [WIRE_DELETE_TOPICS] = api_delete_topics,
    [WIRE_DELETE_RECORDS] = api_delete_records,

    /* api_topic_partitions.c */
    [WIRE_DESCRIBE_TOPIC_PARTITIONS] = api_describe_topic_partitions,

    /* api_configs.c, api_alter_configs.c */
    [WIRE_DESCRIBE_CONFIGS] = api_describe_configs,
    [WIRE_LIST_CONFIG_RESOURCES] = api_list_config_resources,
    [WIRE_ALTER_CONFIGS] = api_alter_configs,
    [WIRE_INCREMENTAL_ALTER_CONFIGS] = api_incremental_alter_configs,

    /* api_cluster.c */
    [WIRE_DESCRIBE_CLUSTER] = api_describe_cluster,
    [WIRE_DESCRIBE_LOG_DIRS] = api_describe_log_dirs,

    /* api_groups.c */
    [WIRE_JOIN_GROUP] = api_join_group,
    [WIRE_SYNC_GROUP] = api_sync_group,
    [WIRE_HEARTBEAT] = api_heartbeat,
    [WIRE_LEAVE_GROUP] = api_leave_group,
    [WIRE_LIST_GROUPS] = api_list_groups,
    [WIRE_DESCRIBE_GROUPS] = api_describe_groups,
    [WIRE_DELETE_GROUPS] = api_delete_groups,

    /* api_offsets.c, api_offset_fetch.c */
    [WIRE_OFFSET_COMMIT] = api_offset_commit,
    [WIRE_OFFSET_DELETE] = api_offset_delete,
    [WIRE_OFFSET_FETCH] = api_offset_fetch,

    /* api_consumer.c */
    [WIRE_CONSUMER_GROUP_HEARTBEAT] = api_consumer_group_heartbeat,
    [WIRE_CONSUMER_GROUP_DESCRIBE] = api_consumer_group_describe,

    /* api_txn.c */
    [WIRE_INIT_PRODUCER_ID] = api_init_producer_id,
    [WIRE_ADD_PARTITIONS_TO_TXN] = api_add_partitions_to_txn,
    [WIRE_ADD_OFFSETS_TO_TXN] = api_add_offsets_to_txn,
    [WIRE_TXN_OFFSET_COMMIT] = api_txn_offset_commit,
    [WIRE_END_TXN] = api_end_txn,
    [WIRE_WRITE_TXN_MARKERS] = api_write_txn_markers,

    /* api_txn_admin.c */
    [WIRE_DESCRIBE_PRODUCERS] = api_describe_producers,
    [WIRE_LIST_TRANSACTIONS] = api_list_transactions,
    [WIRE_DESCRIBE_TRANSACTIONS] = api_describe_transactions,
};

api_fn *api_find(int16_t key)
{
    return key >= 0 && key < WIRE_KEYS ? table[key] : NULL;
}
