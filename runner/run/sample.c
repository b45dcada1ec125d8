/* SPDX-License-Identifier: MIT
 *
 * sample.c - once a second what flows, waits and is used, as rows of the history: of
 * every edge and node and of the whole run, and of every client while there are few.
 */
#include "base/clock.h"
#include "run/run_state.h"

#include <stdlib.h>

/* Beyond it only nodes are sampled: each series is a row of the file every second. */
enum { SAMPLED_CLIENTS_MAX = 200 };

static void add(struct history_sample *sum, const struct history_sample *part)
{
    sum->in_per_s += part->in_per_s;
    sum->out_per_s += part->out_per_s;
    sum->cpu_percent += part->cpu_percent;
    sum->rss_bytes += part->rss_bytes;
    if (part->backlog > 0)
        sum->backlog += part->backlog;
}

static void put(struct run *run, struct history_sample *row,
                const struct latency *latency)
{
    row->p50_ms = latency_percentile(latency, 0.5);
    row->p99_ms = latency_percentile(latency, 0.99);
    history_sample(run->history, row);
}

static void sample_client(const struct run_client *client,
                          const struct history_sample *row,
                          const struct latency *latency)
{
    struct run *run = client->run;
    char *id = mem_printf("%s.%s", run->dag->nodes[client->node].name, client->name);
    struct history_sample own = *row;

    own.series = HISTORY_CLIENT;
    own.id = id;
    put(run, &own, latency);
    free(id);
}

static void sample_node(struct run *run, size_t n, bool clients_too,
                        struct history_sample *all, struct latency *all_latency)
{
    const struct dag_node *node = &run->dag->nodes[n];
    struct history_sample row = {
        .ts_ms = all->ts_ms, .series = HISTORY_NODE, .id = node->name};
    struct latency latency = {0};

    for (size_t c = 0; c < run->nodes[n].client_count; c++) {
        struct run_client *client = run->nodes[n].clients[c];
        struct latency own_latency;
        const struct history_sample own = {.ts_ms = all->ts_ms,
                                           .in_per_s = client->in_per_s,
                                           .out_per_s = client->out_per_s,
                                           .backlog = client->lag,
                                           .cpu_percent = client->cpu_percent,
                                           .rss_bytes = client->rss_bytes};

        if (client_io_is_gone(client))
            continue;
        /* Two stats lines may have come since the last sample, or none. */
        latency_since(&client->latency_base, &client->latency_sampled, &own_latency);
        client->latency_sampled = client->latency_base;
        if (clients_too)
            sample_client(client, &own, &own_latency);
        add(&row, &own);
        latency_add(&latency, &own_latency);
    }
    row.backlog = offsets_node_backlog(run, n);
    put(run, &row, &latency);
    add(all, &row);
    latency_add(all_latency, &latency);
}

static void sample_edge(struct run *run, size_t e, int64_t ts_ms)
{
    struct history_sample row = {.ts_ms = ts_ms,
                                 .series = HISTORY_EDGE,
                                 .id = run->dag->edges[e].id,
                                 .in_per_s = run_edge_rate(run, e, true),
                                 .out_per_s = run_edge_rate(run, e, false),
                                 .backlog = offsets_backlog(&run->edges[e]),
                                 .p50_ms = -1,
                                 .p99_ms = -1};

    history_sample(run->history, &row);
}

/*
 * Clients say how much they read in all; from which input is known by the counts in
 * their commits. Those come in bursts: a second weighs half as much as the one after
 * it.
 */
static void see_inputs(struct run *run)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];
        int64_t in = 0;

        for (size_t p = 0; p < edge->partition_count; p++)
            in += edge->partitions[p].now.in - edge->partitions[p].base.in;
        edge->lately /= 2;
        if (in > edge->seen_in)
            edge->lately += (double)(in - edge->seen_in);
        edge->seen_in = in;
    }
}

void sample_tick(struct run *run)
{
    struct history_sample all = {
        .ts_ms = clock_wall_ms(), .series = HISTORY_ALL, .id = ""};
    struct latency latency = {0};
    size_t clients = 0;

    see_inputs(run);
    for (size_t n = 0; n < run->dag->node_count; n++)
        clients += run->nodes[n].client_count;
    for (size_t n = 0; n < run->dag->node_count; n++)
        sample_node(run, n, clients <= SAMPLED_CLIENTS_MAX, &all, &latency);
    for (size_t e = 0; e < run->dag->edge_count; e++)
        sample_edge(run, e, all.ts_ms);
    put(run, &all, &latency);
}
