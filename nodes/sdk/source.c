/* SPDX-License-Identifier: MIT */
#include "sdk/source.h"

#include "base/mem.h"
#include "sdk/client.h"
#include "sdk/config.h"

#include <stdlib.h>

enum { SLICE_MS = 20, ASK_MS = 1000, SERVE_MS = 50, SPAN = 1 << 20 };

/*
 * How far earlier attempts of this run got. The runner knows it only from the last stats
 * line, up to a second old; a checkpoint of another run is what the runner gave us.
 */
static int read_checkpoint(struct client *client)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    struct checkpoint checkpoint;
    rd_kafka_resp_err_t code;

    rd_kafka_topic_partition_list_add(list, client->config.checkpoint_topic, 0);
    code = rd_kafka_committed(client->commit.rk, list, ASK_MS);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = list->elems[0].err;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR &&
        config_parse_checkpoint(list->elems[0].metadata, list->elems[0].metadata_size,
                                &checkpoint) &&
        checkpoint.run == client->config.run) {
        client->source.out_before = checkpoint.out;
        client->source.position = checkpoint.position;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code ? -1 : 0;
}

void source_open(struct client *client)
{
    struct source *source = &client->source;
    const struct window_totals none = {0};

    source->position = client->config.has_position ? client->config.position : 0;
    while ((client->config.has_position || client->config.attempt > 1) &&
           client->commit.rk && !client_failed(client) &&
           client->phase == CLIENT_RUNNING && read_checkpoint(client) < 0)
        client_serve(client, SERVE_MS);
    client->n.position = source->position;
    source->part = parts_add(&client->parts, NULL, 0, source->position + 1, &none);
    source->part->committed = source->position + 1;
}

int64_t source_position(const struct client *client)
{
    return client->source.part->window.low - 1;
}

int64_t source_out(const struct client *client)
{
    return client->source.out_before + client->source.part->window.totals.out;
}

static int refuse(struct client *client, uint64_t tag, const struct emission *emission,
                  const struct out_topic *topic)
{
    int64_t max = topic->max_record > 0 ? topic->max_record : client->config.max_record;
    char *reason = mem_printf("a record of %zu bytes is larger than topic %s allows "
                              "(max_record: %lld bytes with key and headers)",
                              emission->key_len + emission->value_len, topic->name,
                              (long long)max);
    struct dead_letter letter = {.original = *emission,
                                 .failed_at = "WRITE",
                                 .topic = topic->name,
                                 .reason = reason,
                                 .offset = -1};

    dead_letter_send(client, tag, &letter);
    free(reason);
    return client_failed(client) ? -1 : 0;
}

static int write_all(struct client *client, uint64_t tag, const struct emission *emission)
{
    struct kafka_out *out = &client->out;
    struct part *part = client->source.part;

    for (size_t i = 0; i < out->count; i++) {
        if (kafka_out_too_large(client, &out->topics[i], emission, NULL))
            return refuse(client, tag, emission, &out->topics[i]);
    }
    for (size_t i = 0; i < out->count; i++) {
        struct out_write write = {
            .topic = &out->topics[i], .tag = tag, .emission = *emission};
        rd_kafka_resp_err_t code = kafka_out_write(client, &write);

        if (code && !client_failed(client))
            client_fail(client, CLIENT_FAILED, "topic %s: %s", write.topic->name,
                        rd_kafka_err2str(code));
        if (code)
            return -1;
        window_slot(&part->window, part_sequence(tag))->pending++;
    }
    return 0;
}

int source_emit(struct client *client, const struct dagnode_output *output,
                struct dagnode_error *err)
{
    struct source *source = &client->source;
    struct emission emission = emission_complete(NULL, output, client->wall_ms);
    uint64_t sequence;
    int result;

    if (client_failed(client))
        return dagnode_fail(err, DAGNODE_FATAL, "%s", client->failure);
    if (emission.position > 0)
        source->position = emission.position;
    sequence = window_take(&source->part->window, source->position);
    client->taken++;
    client->handled = true;
    result = write_all(client, part_tag(source->part, sequence), &emission);
    window_release(&source->part->window, sequence);
    return result < 0 ? dagnode_fail(err, DAGNODE_FATAL, "%s", client->failure) : 0;
}

static void poll_once(struct client *client)
{
    struct source *source = &client->source;
    struct dagnode_error err = {0};

    switch (node_poll(&client->n, &err)) {
    case DAGNODE_MORE:
        return;
    case DAGNODE_FAILED:
        client_fail(client, CLIENT_FAILED, "%s", err.text);
        return;
    case DAGNODE_WAIT:
        source->waits = true;
        (void)client_tick(client);
        source->poll_at_ms = client->now_ms + client->n.wait_ms;
        return;
    case DAGNODE_END:
        source->finished = true;
        return;
    }
}

static bool may_poll(const struct client *client)
{
    return !client->paused && client->phase == CLIENT_RUNNING && !client_failed(client) &&
           !client->source.finished && !client->source.waits &&
           client->out.unreported < client->out.limit &&
           parts_span(&client->parts) < SPAN;
}

bool source_work(struct client *client)
{
    struct source *source = &client->source;
    int64_t until_ms = client->now_ms + SLICE_MS;

    if (source->waits && client->now_ms >= source->poll_at_ms)
        source->waits = false;
    while (may_poll(client) && client->now_ms < until_ms) {
        poll_once(client);
        kafka_out_serve(client);
        (void)client_tick(client);
    }
    return may_poll(client);
}
