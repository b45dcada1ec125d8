/* SPDX-License-Identifier: MIT
 *
 * api.h - the requests that the broker knows: keys, version ranges, messages.
 * Layer: ledger/wire. Pure.
 */
#ifndef LEDGER_WIRE_API_H
#define LEDGER_WIRE_API_H

#include "ledger/wire/wire.h"

enum wire_key {
    WIRE_PRODUCE = 0,
    WIRE_FETCH = 1,
    WIRE_LIST_OFFSETS = 2,
    WIRE_METADATA = 3,
    WIRE_OFFSET_COMMIT = 8,
    WIRE_OFFSET_FETCH = 9,
    WIRE_FIND_COORDINATOR = 10,
    WIRE_JOIN_GROUP = 11,
    WIRE_HEARTBEAT = 12,
    WIRE_LEAVE_GROUP = 13,
    WIRE_SYNC_GROUP = 14,
    WIRE_DESCRIBE_GROUPS = 15,
    WIRE_LIST_GROUPS = 16,
    WIRE_API_VERSIONS = 18,
    WIRE_CREATE_TOPICS = 19,
    WIRE_DELETE_TOPICS = 20,
    WIRE_DELETE_RECORDS = 21,
    WIRE_INIT_PRODUCER_ID = 22,
    WIRE_OFFSET_FOR_LEADER_EPOCH = 23,
    WIRE_ADD_PARTITIONS_TO_TXN = 24,
    WIRE_ADD_OFFSETS_TO_TXN = 25,
    WIRE_END_TXN = 26,
    WIRE_WRITE_TXN_MARKERS = 27,
    WIRE_TXN_OFFSET_COMMIT = 28,
    WIRE_DESCRIBE_CONFIGS = 32,
    WIRE_ALTER_CONFIGS = 33,
    WIRE_DESCRIBE_LOG_DIRS = 35,
    WIRE_CREATE_PARTITIONS = 37,
    WIRE_DELETE_GROUPS = 42,
    WIRE_INCREMENTAL_ALTER_CONFIGS = 44,
    WIRE_OFFSET_DELETE = 47,
    WIRE_DESCRIBE_CLUSTER = 60,
    WIRE_DESCRIBE_PRODUCERS = 61,
    WIRE_DESCRIBE_TRANSACTIONS = 65,
    WIRE_LIST_TRANSACTIONS = 66,
    WIRE_CONSUMER_GROUP_HEARTBEAT = 68,
    WIRE_CONSUMER_GROUP_DESCRIBE = 69,
    WIRE_LIST_CONFIG_RESOURCES = 74,
    WIRE_DESCRIBE_TOPIC_PARTITIONS = 75,
    WIRE_KEYS
};

struct wire_api {
    int16_t key;
    int16_t min_version; /* what ApiVersions advertises */
    int16_t max_version;
    const char *name;
    const struct wire_message *request;
    const struct wire_message *response;
};

/* NULL: no such request. It may still be one without a handler (see api/api.h). */
const struct wire_api *wire_api_find(int16_t key);

/* Are request and response of this version written in the compact ("flexible") way? */
bool wire_api_flexible(const struct wire_api *api, int16_t version);

#endif
