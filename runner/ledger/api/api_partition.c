/* SPDX-License-Identifier: MIT */
#include "ledger/api/api_partition.h"

#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"

enum kafka_error api_partition(struct ledger *ledger, struct topic *topic,
                               int32_t index, struct partition **out)
{
    *out = NULL;
    if (topic == NULL || index < 0 || index >= topic->partitions)
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    *out = topics_partition(ledger->topics, topic, index);
    return *out ? KAFKA_NONE : KAFKA_STORAGE_ERROR;
}

enum kafka_error api_leader_epoch(int32_t epoch)
{
    if (epoch == -1 || epoch == LEDGER_LEADER_EPOCH)
        return KAFKA_NONE;
    return epoch < LEDGER_LEADER_EPOCH ? KAFKA_FENCED_LEADER_EPOCH
                                       : KAFKA_UNKNOWN_LEADER_EPOCH;
}
