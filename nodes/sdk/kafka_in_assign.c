/* SPDX-License-Identifier: MIT */
#include "base/contract.h"
#include "base/log.h"
#include "sdk/client.h"
#include "sdk/config.h"
#include "sdk/kafka_in.h"

#include <string.h>

enum {
    ASK_MS = 1000,    /* one question for the committed offsets */
    AGAIN_MS = 100,
    FINISH_MS = 10000, /* for what is in hand when the assignment is taken away */
    COMMIT_MS = 5000,
    SERVE_MS = 50,
};

void kafka_in_drop(struct client *client)
{
    client->in.last = NULL;
    for (size_t i = 0; i < client->parts.count; i++) {
        if (client->parts.list[i] && !client->parts.list[i]->gone)
            parts_drop(&client->parts, client->parts.list[i]);
    }
}

/* Finish what is in hand and commit it, while the group waits for us. */
static void settle(struct client *client)
{
    int64_t until_ms = client->now_ms + FINISH_MS;

    while (parts_unfinished(&client->parts) > 0 && !client_failed(client) &&
           client->now_ms < until_ms) {
        kafka_out_retry(client);
        dead_step(client);
        client_serve(client, SERVE_MS);
    }
    commit_wait(client, client->now_ms + COMMIT_MS);
}

static void taken_away(struct client *client)
{
    struct kafka_in *in = &client->in;

    in->epoch++;
    in->discarded = true; /* librdkafka's positions are ahead of what we took */
    kafka_in_discard(client);
    if (in->assigning)
        rd_kafka_topic_partition_list_destroy(in->assigning);
    in->assigning = NULL;
    client_tick(client);
    if (rd_kafka_assignment_lost(in->rk)) {
        in->lost = true;
        in->outside_since_ms = client->now_ms;
    } else if (client->phase < CLIENT_OVER && !client_failed(client)) {
        settle(client);
    }
    kafka_in_drop(client);
    (void)rd_kafka_assign(in->rk, NULL);
}

void kafka_in_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                        rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct client *client = opaque;
    struct kafka_in *in = &client->in;

    if (code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        if (code != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
            log_write(LOG_WARN, "group", NULL, "%s", rd_kafka_err2str(code));
        taken_away(client);
        return;
    }
    broker_seen(&client->broker);
    if (client->phase != CLIENT_RUNNING) {
        in->left = client->phase == CLIENT_LEAVING;
        (void)rd_kafka_assign(rk, NULL);
        return;
    }
    in->assigning = rd_kafka_topic_partition_list_copy(list);
    in->assign_at_ms = 0;
}

/* The assignment, and partition 0 of each topic: has the group ever read the topic? */
static rd_kafka_topic_partition_list_t *
ask_committed(struct client *client, const rd_kafka_topic_partition_list_t *assigning)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_copy(assigning);
    rd_kafka_resp_err_t code;

    for (int i = 0; i < assigning->cnt; i++) {
        const char *topic = assigning->elems[i].topic;

        if (!rd_kafka_topic_partition_list_find(list, topic, 0))
            rd_kafka_topic_partition_list_add(list, topic, 0);
    }
    if (list->cnt == 0) /* more clients than partitions */
        return list;
    code = rd_kafka_committed(client->in.rk, list, ASK_MS);
    for (int i = 0; code == 0 && i < list->cnt; i++)
        code = list->elems[i].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return list;
    log_write(LOG_INFO, "group", NULL, "committed offsets: %s", rd_kafka_err2str(code));
    rd_kafka_topic_partition_list_destroy(list);
    return NULL;
}

static bool topic_was_read(const rd_kafka_topic_partition_list_t *committed,
                           const char *topic)
{
    for (int i = 0; i < committed->cnt; i++) {
        if (committed->elems[i].offset >= 0 &&
            strcmp(committed->elems[i].topic, topic) == 0)
            return true;
    }
    return false;
}

/* A partition without a commit: new in a topic that is read already, or forgotten. */
static int begin_at_beginning(struct client *client,
                              const rd_kafka_topic_partition_list_t *committed,
                              rd_kafka_topic_partition_t *element)
{
    int64_t low, high;

    if (!topic_was_read(committed, element->topic)) {
        client_fail(client, CONTRACT_EXIT_STAY_DOWN,
                    "group %s has no committed offset for topic %s partition %d: start "
                    "the dag again, it commits where to begin",
                    client->config.group, element->topic, element->partition);
        return -1;
    }
    if (rd_kafka_query_watermark_offsets(client->in.rk, element->topic,
                                         element->partition, &low, &high,
                                         ASK_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return -1;
    element->offset = low;
    return 0;
}

static int find_starts(struct client *client, rd_kafka_topic_partition_list_t *assigning,
                       const rd_kafka_topic_partition_list_t *committed)
{
    for (int i = 0; i < assigning->cnt; i++) {
        rd_kafka_topic_partition_t *element = &assigning->elems[i];
        const rd_kafka_topic_partition_t *found = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)(uintptr_t)committed, element->topic,
            element->partition);

        element->offset = found->offset;
        if (element->offset < 0 && begin_at_beginning(client, committed, element) < 0)
            return -1;
    }
    return 0;
}

static void add_parts(struct client *client,
                      const rd_kafka_topic_partition_list_t *assigning,
                      const rd_kafka_topic_partition_list_t *committed)
{
    for (int i = 0; i < assigning->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &assigning->elems[i];
        const rd_kafka_topic_partition_t *found = rd_kafka_topic_partition_list_find(
            (rd_kafka_topic_partition_list_t *)(uintptr_t)committed, element->topic,
            element->partition);
        struct window_totals totals =
            config_parse_totals(found->metadata, found->metadata_size);
        struct part *part = parts_add(&client->parts, element->topic, element->partition,
                                      element->offset, &totals);

        part->committed = found->offset >= 0 ? found->offset : -1;
    }
}

int64_t kafka_in_assign(struct client *client)
{
    struct kafka_in *in = &client->in;
    rd_kafka_topic_partition_list_t *committed;

    if (in->assigning == NULL || client->phase != CLIENT_RUNNING)
        return INT64_MAX;
    if (client->now_ms < in->assign_at_ms)
        return in->assign_at_ms;
    in->assign_at_ms = client->now_ms + AGAIN_MS;
    committed = ask_committed(client, in->assigning);
    if (committed == NULL)
        return in->assign_at_ms;
    if (find_starts(client, in->assigning, committed) == 0) {
        add_parts(client, in->assigning, committed);
        (void)rd_kafka_assign(in->rk, in->assigning);
        rd_kafka_topic_partition_list_destroy(in->assigning);
        in->assigning = NULL;
        in->discarded = false;
        in->more = in->refresh = true;
        in->outside_since_ms = 0;
        if (client->paused)
            kafka_in_pause(client, true);
        client_ready(client);
    }
    rd_kafka_topic_partition_list_destroy(committed);
    return in->assigning ? in->assign_at_ms : INT64_MAX;
}
