/* SPDX-License-Identifier: MIT
 *
 * status.c - a run as one JSON object: for the control socket, the live table, the API.
 */
#include "base/clock.h"
#include "run/run_state.h"

#include <stdlib.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    return text ? json_text(text) : json_null();
}

static json_t *ms_or_null(double ms)
{
    return ms < 0 ? json_null() : json_real(ms);
}

static void add_latency(json_t *object, const struct latency *latency)
{
    (void)json_object_set_new(object, "p50_ms",
                              ms_or_null(latency_percentile(latency, 0.5)));
    (void)json_object_set_new(object, "p99_ms",
                              ms_or_null(latency_percentile(latency, 0.99)));
}

/* How long what waits lasts at the rate it is worked off; null: nobody can say. */
static void add_wait(json_t *object, int64_t backlog, double per_s)
{
    double seconds = backlog <= 0 ? 0 : per_s > 0 ? (double)backlog / per_s : -1;

    (void)json_object_set_new(object, "backlog_s", ms_or_null(seconds));
}

static json_t *client_json(const struct run *run, size_t n, size_t c)
{
    const struct run_client *client = run->nodes[n].clients[c];
    const struct reconcile_client *rec = &run->rec->nodes[n].clients[c];
    bool alive = client->process != NULL;

    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:I,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:I,s:f,s:I,s:o,s:o,"
        "s:o,s:o,s:b}",
        "client", client->name, "client_id", client->id, "state",
        client_state_name(rec->state), "pid",
        (json_int_t)(alive ? process_pid(client->process) : 0), "attempt", client->attempt,
        "restarts", reconcile_restarts(run->rec, n, c), "uptime_ms",
        (json_int_t)(alive ? clock_mono_ms() - client->started_mono_ms : 0), "in",
        (json_int_t)client->totals.in, "answered", (json_int_t)client->totals.answered,
        "dropped", (json_int_t)client->totals.dropped, "dead",
        (json_int_t)client->totals.dead, "out", (json_int_t)client->totals.out, "in_per_s",
        client->in_per_s, "out_per_s", client->out_per_s, "lag", (json_int_t)client->lag,
        "cpu_percent", client->cpu_percent, "rss_bytes", (json_int_t)client->rss_bytes,
        "last_exit", text_or_null(client->last_exit), "last_error",
        text_or_null(client->last_error), "last_words", text_or_null(client->last_words),
        "log", text_or_null(client->log_path), "start_limit", rec->limit_reached);
    add_latency(json, &client->latency);
    return json;
}

/* How much of what there will ever be is done; null while the end is not known. */
static json_t *progress(const struct run *run, size_t n)
{
    const struct run_node *node = &run->nodes[n];
    int64_t all = 0;
    int64_t left = 0;

    if (!run->rec->nodes[n].ends_known)
        return json_null();
    for (size_t i = 0; i < node->input_count; i++) {
        const struct run_edge *edge = node->inputs[i];

        for (size_t p = 0; p < edge->partition_count; p++) {
            const struct run_partition *part = &edge->partitions[p];

            all += part->final_end - part->start;
            if (part->final_end > part->committed)
                left += part->final_end - part->committed;
        }
    }
    return json_real(all > 0 ? (double)(all - left) / (double)all : 1);
}

/* In one word; what a user has asked for goes before that all is well. */
static const char *node_state(const struct run *run, size_t n)
{
    const char *state = reconcile_node_state(run->rec, n);

    return run->nodes[n].paused && strcmp(state, "running") == 0 ? "paused" : state;
}

static json_t *node_json(const struct run *run, size_t n)
{
    const struct dag_node *node = &run->dag->nodes[n];
    const struct run_node *rn = &run->nodes[n];
    json_t *clients = json_array();
    double in_per_s = 0;
    double out_per_s = 0;
    int64_t backlog = 0;
    int64_t retry_backlog = 0;
    struct latency latency = {0};
    json_t *json;
    int restarts = 0;
    int up = 0;

    for (size_t c = 0; c < rn->client_count; c++) {
        restarts += reconcile_restarts(run->rec, n, c);
        if (client_io_is_gone(rn->clients[c]))
            continue;
        (void)json_array_append_new(clients, client_json(run, n, c));
        in_per_s += rn->clients[c]->in_per_s;
        out_per_s += rn->clients[c]->out_per_s;
        up += run->rec->nodes[n].clients[c].state == CLIENT_UP;
        latency_add(&latency, &rn->clients[c]->latency);
    }
    for (size_t i = 0; i < rn->input_count; i++) {
        int64_t unread = offsets_backlog(rn->inputs[i]);

        backlog += unread;
        if (i >= node->input_count)
            retry_backlog += unread;
    }
    json = json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:I,s:I,s:o,s:i,s:o,s:o}",
        "node", node->name, "program", node->program, "state",
        node_state(run, n), "want", (int)run->rec->nodes[n].wanted, "up", up,
        "layer", (int)node->layer, "in", (json_int_t)rn->totals.in, "answered",
        (json_int_t)rn->totals.answered, "dropped", (json_int_t)rn->totals.dropped, "dead",
        (json_int_t)rn->totals.dead, "out", (json_int_t)rn->totals.out, "repeats",
        (json_int_t)rn->totals.repeats, "in_per_s", in_per_s, "out_per_s", out_per_s,
        "backlog", (json_int_t)backlog, "retry_backlog", (json_int_t)retry_backlog,
        "progress", progress(run, n), "restarts", restarts,
        "last_error", text_or_null(rn->last_error), "clients", clients);
    add_wait(json, backlog, in_per_s);
    add_latency(json, &latency);
    return json;
}

static double rate_of(const struct run *run, size_t n, bool out)
{
    double sum = 0;

    for (size_t c = 0; c < run->nodes[n].client_count; c++)
        sum += out ? run->nodes[n].clients[c]->out_per_s : run->nodes[n].clients[c]->in_per_s;
    return sum;
}

/* Of what its reader reads; even until the first commits tell. */
static double share_of(const struct run *run, size_t e)
{
    const struct run_node *node = &run->nodes[run->dag->edges[e].to];
    double all = 0;

    for (size_t i = 0; i < node->input_count; i++)
        all += node->inputs[i]->lately;
    if (all > 0)
        return run->edges[e].lately / all;
    return 1 / (double)run->dag->nodes[run->dag->edges[e].to].input_count;
}

double run_edge_rate(const struct run *run, size_t e, bool in)
{
    const struct dag_edge *edge = &run->dag->edges[e];
    size_t topics = 0;

    if (!in)
        return rate_of(run, edge->to, false) * share_of(run, e);
    for (size_t t = 0; t < run->plan->edge_topic_count; t++)
        topics += run->plan->topics[t].writer == edge->from;
    return rate_of(run, edge->from, true) / (double)(topics ? topics : 1);
}

static json_t *edge_json(const struct run *run, size_t e)
{
    const struct dag_edge *edge = &run->dag->edges[e];
    const struct run_edge *re = &run->edges[e];
    int64_t backlog = offsets_backlog(re);
    double out_per_s = run_edge_rate(run, e, false);
    json_t *json = json_pack(
        "{s:s,s:s,s:s,s:s,s:i,s:f,s:f,s:I}", "edge", edge->id, "from",
        run->dag->nodes[edge->from].name, "to", run->dag->nodes[edge->to].name, "topic",
        edge->topic, "partitions", (int)re->partition_count, "in_per_s",
        run_edge_rate(run, e, true), "out_per_s", out_per_s, "backlog",
        (json_int_t)backlog);

    add_wait(json, backlog, out_per_s);
    return json;
}

json_t *run_status(const struct run *run)
{
    json_t *nodes = json_array();
    json_t *edges = json_array();

    for (size_t n = 0; n < run->dag->node_count; n++)
        (void)json_array_append_new(nodes, node_json(run, n));
    for (size_t e = 0; e < run->dag->edge_count; e++)
        (void)json_array_append_new(edges, edge_json(run, e));
    return json_pack("{s:s,s:I,s:s,s:I,s:s,s:{s:s,s:b,s:o},s:s,s:o,s:o,s:o}", "dag",
                     run->dag->name, "run", (json_int_t)run->number, "state",
                     run_state_name(run->rec->state), "since_ms",
                     (json_int_t)run->started_wall_ms, "yaml", run->dag->path, "broker",
                     "address", run->options->brokers, "up", broker_is_up(run->broker),
                     "error", text_or_null(broker_is_up(run->broker)
                                               ? NULL
                                               : broker_last_error(run->broker)),
                     "home", run->options->home, "nodes", nodes, "edges", edges,
                     "history_degraded", text_or_null(history_degraded(run->history)));
}
