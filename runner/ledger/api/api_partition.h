/* SPDX-License-Identifier: MIT
 *
 * api_partition.h - finding the partition that a request names, with Kafka's errors.
 * Layer: ledger/api.
 */
#ifndef LEDGER_API_API_PARTITION_H
#define LEDGER_API_API_PARTITION_H

#include "ledger/wire/errors.h"
#include "ledger/wire/wire.h"

#include <stdint.h>

struct ledger;
struct partition;
struct topic;

/*
 * topic may be NULL. Returns KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_STORAGE_ERROR when
 * the partition cannot be opened, or KAFKA_NONE and *out.
 */
enum kafka_error api_partition(struct ledger *ledger, struct topic *topic,
                               int32_t index, struct partition **out);

/*
 * Is the leader epoch that a client knows (-1: it does not say) the one we have?
 * KAFKA_NONE, KAFKA_FENCED_LEADER_EPOCH or KAFKA_UNKNOWN_LEADER_EPOCH.
 */
enum kafka_error api_leader_epoch(int32_t epoch);

#endif
