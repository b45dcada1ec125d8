/* SPDX-License-Identifier: MIT */
#include "sdk/commit.h"

#include "base/contract.h"
#include "base/log.h"
#include "sdk/client.h"
#include "sdk/kafka_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IDLE_MS = 20,     /* wait for more before a commit at rest */
    IDLE_GAP_MS = 25, /* between commits at rest; doubles while they follow each other */
    BURST_MS = 1000,
    MAX_DOUBLINGS = 6,
    RETRY_MS = 200,
    WAIT_MS = 50,
};

void commit_init(struct client *client, rd_kafka_t *rk)
{
    client->commit = (struct commit){.rk = rk};
    if (rk) {
        client->commit.queue = rd_kafka_queue_new(rk);
        kafka_wake(client, client->commit.queue);
    }
}

void commit_clear(struct client *client)
{
    if (client->commit.queue)
        rd_kafka_queue_destroy(client->commit.queue);
    client->commit = (struct commit){0};
}

static void set_metadata(rd_kafka_topic_partition_t *element, const char *text, size_t len)
{
    element->metadata = malloc(len + 1);
    if (element->metadata == NULL)
        abort();
    memcpy(element->metadata, text, len + 1);
    element->metadata_size = len;
}

static bool part_is_clean(const struct part *part)
{
    return part == NULL || part->gone || part->committed == part->window.low;
}

bool commit_is_clean(const struct client *client)
{
    if (client->commit.in_flight)
        return false;
    for (size_t i = 0; i < client->parts.count; i++) {
        if (!part_is_clean(client->parts.list[i]))
            return false;
    }
    return !client->source.finished || client->commit.finish_confirmed;
}

static rd_kafka_topic_partition_list_t *list_inputs(const struct client *client)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)client->parts.count);

    for (size_t i = 0; i < client->parts.count; i++) {
        const struct part *part = client->parts.list[i];
        rd_kafka_topic_partition_t *element;
        char metadata[WINDOW_METADATA];

        if (part_is_clean(part))
            continue;
        element = rd_kafka_topic_partition_list_add(list, part->topic, part->partition);
        element->offset = part->window.low;
        set_metadata(element, metadata,
                     window_format_totals(&part->window.totals, metadata));
    }
    return list;
}

static rd_kafka_topic_partition_list_t *list_checkpoint(struct client *client)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(list, client->config.checkpoint_topic, 0);
    int64_t position = source_position(client);
    char text[256];
    int len = snprintf(text, sizeof text, CONTRACT_CHECKPOINT,
                       (long long)client->config.run,
                       client->commit.finished ? "true" : "false", (long long)position,
                       (long long)source_out(client));

    element->offset = position;
    set_metadata(element, text, (size_t)len);
    return list;
}

static void confirm_source(struct client *client)
{
    client->source.part->committed = client->commit.sent_low;
    client->commit.finish_confirmed = client->commit.finished;
}

static void start(struct client *client)
{
    struct commit *commit = &client->commit;
    rd_kafka_topic_partition_list_t *list = NULL;
    struct dagnode_error program = {0};
    rd_kafka_resp_err_t code;

    /* What is listed was handled before on_commit, so it is durable after it. */
    commit->sent_at_ms = client->now_ms;
    if (client->source.part) {
        commit->sent_low = client->source.part->window.low;
        commit->finished = client->source.finished &&
                           client->source.part->window.unfinished == 0;
        list = commit->rk ? list_checkpoint(client) : NULL;
    } else {
        list = list_inputs(client);
    }
    if (client->handled && node_commit(&client->n, &program) < 0) {
        client_fail(client, CLIENT_FAILED, "%s", program.text);
    } else if (list == NULL) {
        client->handled = false;
        confirm_source(client);
    } else {
        client->handled = false;
        code = rd_kafka_commit_queue(commit->rk, list, commit->queue, NULL, NULL);
        commit->in_flight = code == RD_KAFKA_RESP_ERR_NO_ERROR;
        if (code)
            commit->retry_at_ms = client->now_ms + RETRY_MS;
    }
    if (list)
        rd_kafka_topic_partition_list_destroy(list);
}

static void refused(struct client *client, rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
        if (!kafka_in_is_fenced_by_itself(client))
            client_fail(client, CONTRACT_EXIT_STAY_DOWN, "another process is %s",
                        client->config.client_id);
        return;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_COMMIT_OFFSET_SIZE:
    case RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE:
        client_fail(client, CLIENT_FAILED, "commit: %s", rd_kafka_err2str(code));
        return;
    default: /* the broker or the membership comes back */
        log_write(LOG_INFO, "commit", NULL, "%s", rd_kafka_err2str(code));
        client->commit.retry_at_ms = client->now_ms + RETRY_MS;
    }
}

static void confirm_inputs(struct client *client,
                           const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];
        struct part *part =
            parts_find(&client->parts, element->topic, element->partition);

        if (element->err)
            refused(client, element->err);
        else if (part)
            part->committed = element->offset;
    }
}

void commit_serve(struct client *client)
{
    struct commit *commit = &client->commit;
    rd_kafka_event_t *event;

    while (commit->queue && (event = rd_kafka_queue_poll(commit->queue, 0)) != NULL) {
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
            rd_kafka_resp_err_t code = rd_kafka_event_error(event);

            commit->in_flight = false;
            if (code) {
                refused(client, code);
            } else {
                broker_seen(&client->broker);
                client->in.lost = false;
                if (client->source.part)
                    confirm_source(client);
                else
                    confirm_inputs(client, rd_kafka_event_topic_partition_list(event));
            }
        }
        rd_kafka_event_destroy(event);
    }
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When the next commit is due, given that something waits for it. */
static int64_t due_at(struct client *client, bool at_rest)
{
    const struct commit *commit = &client->commit;
    int64_t due = commit->sent_at_ms + client->config.commit_ms, idle_due;

    if (at_rest) {
        idle_due = client->phase == CLIENT_RUNNING && !client->source.finished
                       ? max_of(commit->idle_at_ms + IDLE_MS,
                                commit->sent_at_ms + (IDLE_GAP_MS << commit->burst))
                       : client->now_ms;
        if (idle_due < due)
            due = idle_due;
    }
    return max_of(due, commit->retry_at_ms);
}

int64_t commit_step(struct client *client)
{
    struct commit *commit = &client->commit;
    bool at_rest = client_is_at_rest(client);
    int64_t due;

    if (!at_rest)
        commit->idle_at_ms = 0;
    else if (commit->idle_at_ms == 0)
        commit->idle_at_ms = client->now_ms;
    if (at_rest)
        kafka_in_refresh(client);
    if (commit->in_flight || commit_is_clean(client))
        return INT64_MAX;
    due = due_at(client, at_rest);
    if (due > client->now_ms)
        return due;
    if (client->now_ms - commit->sent_at_ms > BURST_MS)
        commit->burst = 0;
    else if (at_rest && commit->burst < MAX_DOUBLINGS)
        commit->burst++;
    start(client);
    return commit->in_flight ? INT64_MAX : commit->retry_at_ms;
}

void commit_wait(struct client *client, int64_t deadline_ms)
{
    while (!commit_is_clean(client) && !client_failed(client) &&
           client->now_ms < deadline_ms) {
        if (!client->commit.in_flight && client->now_ms >= client->commit.retry_at_ms)
            start(client);
        client_serve(client, WAIT_MS);
    }
}
