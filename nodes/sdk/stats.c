/* SPDX-License-Identifier: MIT */
#include "sdk/stats.h"

#include "sdk/client.h"
#include "sdk/quote.h"

enum {
    PERIOD_MS = 1000,
    GAP_MS = 20, /* before an early line; doubles with each until the next regular one */
    MAX_DOUBLINGS = 4,
};

static void append_number(struct text_buf *line, const char *name, int64_t number)
{
    text_appendf(line, ",\"%s\":%lld", name, (long long)number);
}

static void append_flag(struct text_buf *line, const char *name, bool flag)
{
    text_appendf(line, ",\"%s\":%s", name, flag ? "true" : "false");
}

/* The end that the last fetch saw; -1 while unknown. */
static int64_t known_end(const struct client *client, const struct part *part)
{
    int64_t low, high;

    if (client->in.rk == NULL ||
        rd_kafka_get_watermark_offsets(client->in.rk, part->topic, part->partition, &low,
                                       &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0)
        return -1;
    return high;
}

static bool is_input(const struct part *part)
{
    return part && !part->gone && part->topic;
}

static int64_t lag(const struct client *client)
{
    int64_t sum = 0;

    for (size_t i = 0; i < client->parts.count; i++) {
        const struct part *part = client->parts.list[i];
        int64_t end = is_input(part) ? known_end(client, part) : 0;

        if (end < 0)
            return -1;
        if (is_input(part) && end > part->window.low)
            sum += end - part->window.low;
    }
    return sum;
}

static void append_counts(struct text_buf *line, struct client *client)
{
    struct window_totals totals = parts_totals(&client->parts);
    int64_t answered = client->source.part ? 0 : totals.answered;

    /* A source takes nothing; what it could not write is counted, so that sums agree. */
    append_number(line, "in", client->source.part ? totals.dead : totals.in);
    append_number(line, "answered", answered);
    append_number(line, "dropped", totals.dropped);
    append_number(line, "dead", totals.dead);
    append_number(line, "out", client->out.acked);
    append_number(line, "taken", client->taken);
    append_number(line, "produced", client->out.produced);
    append_number(line, "inflight", parts_unfinished(&client->parts));
    append_flag(line, "paused", client->paused);
    append_flag(line, "idle", client_is_idle(client));
    append_flag(line, "broker", client->broker.reachable);
    append_number(line, "lag", lag(client));
    if (client->source.part) {
        append_flag(line, "finished",
                    client->source.finished && commit_is_clean(client));
        append_number(line, "position", source_position(client));
    }
}

static void append_latency(struct text_buf *line, const struct latency *latency)
{
    text_append(line, ",\"latency\":[");
    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++)
        text_appendf(line, "%s%lld", i ? "," : "", (long long)latency->buckets[i]);
    text_append(line, "]");
}

static void append_outputs(struct text_buf *line, const struct kafka_out *out)
{
    text_append(line, ",\"outputs\":[");
    for (size_t i = 0; i < out->count; i++) {
        text_append(line, i ? ",{\"topic\":" : "{\"topic\":");
        quote_text(line, out->topics[i].name);
        append_number(line, "out", out->topics[i].acked);
        text_append(line, "}");
    }
    text_append(line, "]");
}

static void append_partitions(struct text_buf *line, const struct client *client)
{
    const char *separator = "";

    text_append(line, ",\"partitions\":[");
    for (size_t i = 0; i < client->parts.count; i++) {
        const struct part *part = client->parts.list[i];

        if (!is_input(part))
            continue;
        text_appendf(line, "%s{\"topic\":", separator);
        quote_text(line, part->topic);
        append_number(line, "partition", part->partition);
        append_number(line, "start", part->start);
        append_number(line, "position", part->window.next_offset);
        append_number(line, "committed", part->committed);
        append_number(line, "end", known_end(client, part));
        append_number(line, "inflight", part->window.unfinished);
        text_append(line, "}");
        separator = ",";
    }
    text_append(line, "]");
}

static int64_t positions(const struct client *client)
{
    int64_t sum = 0;

    for (size_t i = 0; i < client->parts.count; i++) {
        if (client->parts.list[i] && !client->parts.list[i]->gone)
            sum += client->parts.list[i]->window.next_offset;
    }
    return sum;
}

void stats_send(struct client *client)
{
    struct stats *stats = &client->stats;
    struct text_buf line = {0};

    text_append(&line, "{\"type\":\"stats\"");
    append_counts(&line, client);
    append_latency(&line, &stats->latency);
    append_outputs(&line, &client->out);
    append_partitions(&line, client);
    text_append(&line, "}");
    link_send(&client->link, text_str(&line));
    text_buf_clear(&line);
    stats->asked = false;
    stats->sent_at_ms = client->now_ms;
    stats->sent_idle = client_is_idle(client);
    stats->sent_taken = client->taken;
    stats->sent_positions = positions(client);
}

/* Came to rest with something that the last line did not say? */
static bool has_news(const struct client *client)
{
    const struct stats *stats = &client->stats;

    return client_is_idle(client) &&
           (!stats->sent_idle || stats->sent_taken != client->taken ||
            stats->sent_positions != positions(client));
}

int64_t stats_step(struct client *client)
{
    struct stats *stats = &client->stats;
    int64_t due = stats->sent_at_ms + PERIOD_MS;

    if (due <= client->now_ms)
        stats->prompt = 0;
    if (has_news(client))
        due = stats->sent_at_ms + (GAP_MS << stats->prompt);
    if (stats->asked)
        due = client->now_ms;
    if (due > client->now_ms)
        return due;
    if (stats->prompt < MAX_DOUBLINGS)
        stats->prompt++;
    stats_send(client);
    return stats->sent_at_ms + PERIOD_MS;
}
