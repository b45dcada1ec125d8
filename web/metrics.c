/* SPDX-License-Identifier: MIT
 *
 * The runs that live, as Prometheus reads them: a table of metrics over status objects.
 */
#include "web/call.h"

#include <inttypes.h>
#include <string.h>

enum scope { OF_RUN, OF_NODE, OF_EDGE, OF_CLIENT };

struct metric {
    const char *name;
    const char *type;
    enum scope scope;
    const char *key; /* of the object; NULL: 1 */
    double factor;   /* from the object's unit to Prometheus's; 0: as it is */
    const char *help;
};

static const struct metric metrics[] = {
    {.name = "dagrun_run_up",
     .type = "gauge",
     .scope = OF_RUN,
     .help = "1 for every run that lives."},
    {.name = "dagrun_run_start_time_seconds",
     .type = "gauge",
     .scope = OF_RUN,
     .key = "since_ms",
     .factor = 1e-3,
     .help = "When the run began, Unix time."},
    {.name = "dagrun_node_clients_wanted",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "want",
     .help = "Clients a node should have."},
    {.name = "dagrun_node_clients_up",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "up",
     .help = "Clients that work."},
    {.name = "dagrun_node_records_in_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "in",
     .help = "Input records handled."},
    {.name = "dagrun_node_records_answered_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "answered",
     .help = "Input records with an output, or kept by a sink."},
    {.name = "dagrun_node_records_dropped_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "dropped",
     .help = "Input records without an output."},
    {.name = "dagrun_node_records_dead_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "dead",
     .help = "Dead letters."},
    {.name = "dagrun_node_records_out_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "out",
     .help = "Outputs acknowledged."},
    {.name = "dagrun_node_records_repeated_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "repeats",
     .help = "Records handled again after a crash."},
    {.name = "dagrun_node_restarts_total",
     .type = "counter",
     .scope = OF_NODE,
     .key = "restarts",
     .help = "Clients started again after a failure."},
    {.name = "dagrun_node_in_records_per_second",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "in_per_s",
     .help = "Input rate."},
    {.name = "dagrun_node_out_records_per_second",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "out_per_s",
     .help = "Output rate."},
    {.name = "dagrun_node_backlog_records",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "backlog",
     .help = "Records behind the ends of the node's inputs."},
    {.name = "dagrun_node_retry_backlog_records",
     .type = "gauge",
     .scope = OF_NODE,
     .key = "retry_backlog",
     .help = "Of these, dead letters that were sent again."},
    {.name = "dagrun_edge_in_records_per_second",
     .type = "gauge",
     .scope = OF_EDGE,
     .key = "in_per_s",
     .help = "Rate written to the edge."},
    {.name = "dagrun_edge_out_records_per_second",
     .type = "gauge",
     .scope = OF_EDGE,
     .key = "out_per_s",
     .help = "Rate read from the edge."},
    {.name = "dagrun_edge_backlog_records",
     .type = "gauge",
     .scope = OF_EDGE,
     .key = "backlog",
     .help = "Records written and not handled yet."},
    {.name = "dagrun_client_cpu_percent",
     .type = "gauge",
     .scope = OF_CLIENT,
     .key = "cpu_percent",
     .help = "CPU of a client, 100 is one core."},
    {.name = "dagrun_client_resident_memory_bytes",
     .type = "gauge",
     .scope = OF_CLIENT,
     .key = "rss_bytes",
     .help = "Memory of a client."},
};

/* A label's value: backslash, quote and newline escaped. */
static void append_label(struct text_buf *out, const char *name, const char *value)
{
    text_appendf(out, "%s%s=\"", out->data[out->len - 1] == '{' ? "" : ",", name);
    for (const char *c = value; *c; c++) {
        if (*c == '\n')
            text_append(out, "\\n");
        else if (*c == '\\' || *c == '"')
            text_appendf(out, "\\%c", *c);
        else
            text_append_bytes(out, c, 1);
    }
    text_append(out, "\"");
}

static bool value_of(const struct metric *metric, const json_t *object, double *value)
{
    const json_t *number = metric->key ? json_object_get(object, metric->key) : NULL;

    *value = number ? json_number_value(number) : 1;
    if (metric->factor > 0)
        *value *= metric->factor;
    return metric->key == NULL || json_is_number(number);
}

struct labels {
    const char *dag;
    const char *state; /* of the run */
    const char *node;
    const char *edge;
    const char *client;
};

static void append_sample(struct text_buf *out, const struct metric *metric,
                          const struct labels *labels, const json_t *object)
{
    double value;

    if (!value_of(metric, object, &value))
        return;
    text_appendf(out, "%s{", metric->name);
    append_label(out, "dag", labels->dag);
    if (metric->key == NULL)
        append_label(out, "state", labels->state);
    if (labels->node)
        append_label(out, "node", labels->node);
    if (labels->edge)
        append_label(out, "edge", labels->edge);
    if (labels->client)
        append_label(out, "client", labels->client);
    text_appendf(out, "} %.17g\n", value);
}

static void append_nodes(struct text_buf *out, const struct metric *metric,
                         struct labels labels, const json_t *status)
{
    const json_t *nodes = json_object_get(status, "nodes");

    for (size_t n = 0; n < json_array_size(nodes); n++) {
        const json_t *node = json_array_get(nodes, n);
        const json_t *clients = json_object_get(node, "clients");

        labels.node = json_get_string(node, "node", "");
        labels.client = NULL;
        if (metric->scope == OF_NODE)
            append_sample(out, metric, &labels, node);
        for (size_t c = 0; metric->scope == OF_CLIENT && c < json_array_size(clients);
             c++) {
            labels.client = json_get_string(json_array_get(clients, c), "client", "");
            append_sample(out, metric, &labels, json_array_get(clients, c));
        }
    }
}

static void append_status(struct text_buf *out, const struct metric *metric,
                          const json_t *status)
{
    const json_t *edges = json_object_get(status, "edges");
    struct labels labels = {.dag = json_get_string(status, "dag", ""),
                            .state = json_get_string(status, "state", "")};

    if (metric->scope == OF_RUN)
        append_sample(out, metric, &labels, status);
    if (metric->scope == OF_NODE || metric->scope == OF_CLIENT)
        append_nodes(out, metric, labels, status);
    for (size_t e = 0; metric->scope == OF_EDGE && e < json_array_size(edges); e++) {
        labels.edge = json_get_string(json_array_get(edges, e), "edge", "");
        append_sample(out, metric, &labels, json_array_get(edges, e));
    }
}

void api_metrics(struct web_call *call)
{
    const json_t *live = call->source->live(call->source->arg);
    struct text_buf out = {0};

    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        text_appendf(&out, "# HELP %s %s\n# TYPE %s %s\n", metrics[m].name,
                     metrics[m].help, metrics[m].name, metrics[m].type);
        for (size_t i = 0; i < json_array_size(live); i++)
            append_status(&out, &metrics[m], json_array_get(live, i));
    }
    call_answer_text(call, call->route->type, &out);
}
