/* SPDX-License-Identifier: MIT
 *
 * api.h - which handler serves which request: one table (api.c).
 * Layer: ledger/api. What is not in the table is not advertised and not served. A part
 * that has a handler ready declares it here and adds its row in api.c, both under its
 * file's comment.
 */
#ifndef LEDGER_API_API_H
#define LEDGER_API_API_H

#include "ledger/server/request.h"

#include <stdint.h>

/* The handler of a request key, NULL when there is none. */
api_fn *api_find(int16_t key);

/* api_versions.c */
api_fn api_versions;

/* api_produce.c */
api_fn api_produce;

/* api_fetch.c */
api_fn api_fetch;

/* api_list_offsets.c */
api_fn api_list_offsets;
api_fn api_offset_for_leader_epoch;

/* api_coordinator.c */
api_fn api_find_coordinator;

/* api_metadata.c, api_topic_partitions.c */
api_fn api_metadata;
api_fn api_describe_topic_partitions;

/* api_topics.c, api_records.c */
api_fn api_create_topics;
api_fn api_create_partitions;
api_fn api_delete_topics;
api_fn api_delete_records;

/* api_configs.c, api_alter_configs.c */
api_fn api_describe_configs;
api_fn api_list_config_resources;
api_fn api_alter_configs;
api_fn api_incremental_alter_configs;

/* api_cluster.c */
api_fn api_describe_cluster;
api_fn api_describe_log_dirs;

/* api_groups.c */
api_fn api_join_group;
api_fn api_sync_group;
api_fn api_heartbeat;
api_fn api_leave_group;
api_fn api_list_groups;
api_fn api_describe_groups;
api_fn api_delete_groups;
/* Who asks, for the functions of groups.h. */
struct groups_caller;
void api_groups_caller(struct request *request, struct groups_caller *caller);

/* api_offsets.c, api_offset_fetch.c */
api_fn api_offset_commit;
api_fn api_offset_delete;
api_fn api_offset_fetch;

/* api_consumer.c */
api_fn api_consumer_group_heartbeat;
api_fn api_consumer_group_describe;

/* api_txn.c */
api_fn api_init_producer_id;
api_fn api_add_partitions_to_txn;
api_fn api_add_offsets_to_txn;
api_fn api_txn_offset_commit;
api_fn api_end_txn;
api_fn api_write_txn_markers;

/* api_txn_admin.c */
api_fn api_describe_producers;
api_fn api_list_transactions;
api_fn api_describe_transactions;

#endif
