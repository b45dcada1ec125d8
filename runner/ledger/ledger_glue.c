/* SPDX-License-Identifier: MIT */
#include "ledger/ledger_private.h"

#include "ledger/group/offsets.h"

void ledger_group_answer(void *ticket, const void *response)
{
    request_answer(ticket, response);
}

bool ledger_topic_exists(void *arg, struct wire_string topic)
{
    const struct ledger *ledger = arg;

    return topics_find(ledger->topics, topic) != NULL;
}

static struct partition *find_partition(void *arg, struct wire_string name,
                                        int32_t index, bool *broken)
{
    const struct ledger *ledger = arg;
    struct topic *topic = topics_find(ledger->topics, name);
    struct partition *partition;

    *broken = false;
    if (topic == NULL || index < 0 || index >= topic->partitions)
        return NULL;
    partition = topics_partition(ledger->topics, topic, index);
    *broken = partition == NULL;
    return partition;
}

static int settle(void *arg, int64_t producer_id, bool commit, struct error *err)
{
    const struct ledger *ledger = arg;

    return offsets_settle(ledger->offsets, producer_id, commit, err);
}

struct txns_host ledger_txns_host(struct ledger *ledger)
{
    return (struct txns_host){.partition = find_partition,
                              .settle = settle,
                              .arg = ledger,
                              .sync = ledger->fsync_always};
}
