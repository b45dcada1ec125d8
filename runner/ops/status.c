/* SPDX-License-Identifier: MIT
 *
 * The state of a dag: its runner's word while that lives, else the history's.
 */
#include "ops/ops.h"

#include "core/dag.h"
#include "host/control.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000 };

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *node_status(const struct history_node *node)
{
    json_t *object = json_object();

    put(object, "node", json_text(node->node));
    put(object, "program", json_text(node->program));
    put(object, "state", json_text(node->state));
    put(object, "want", json_integer(node->clients));
    put(object, "up", json_integer(0));
    put(object, "in", json_integer(node->totals.in));
    put(object, "answered", json_integer(node->totals.answered));
    put(object, "dropped", json_integer(node->totals.dropped));
    put(object, "dead", json_integer(node->totals.dead));
    put(object, "out", json_integer(node->totals.out));
    put(object, "restarts", json_integer(node->restarts));
    put(object, "last_error", json_text(node->last_error));
    put(object, "clients", json_array());
    return object;
}

static json_t *edge_status(const struct history_edge *edge)
{
    json_t *object = json_object();

    put(object, "edge", json_text(edge->edge));
    put(object, "from", json_text(edge->from));
    put(object, "to", json_text(edge->to));
    put(object, "topic", json_text(edge->topic));
    put(object, "partitions", json_integer(edge->partitions));
    return object;
}

json_t *ops_recorded_status(const struct ops *ops, const char *dag, struct error *err)
{
    struct ops_run run = {0};
    const struct history_details *details = &run.details;
    json_t *object = NULL;
    json_t *nodes = json_array();
    json_t *edges = json_array();

    if (ops_run(ops, dag, 0, &run, err) != 0) {
        json_decref(nodes);
        json_decref(edges);
        ops_run_clear(&run);
        return NULL;
    }
    for (size_t i = 0; i < details->node_count; i++)
        (void)json_array_append_new(nodes, node_status(&details->nodes[i]));
    for (size_t i = 0; i < details->edge_count; i++) {
        if (strcmp(details->edges[i].from, DAG_RETRY_FROM) != 0) /* as a runner does */
            (void)json_array_append_new(edges, edge_status(&details->edges[i]));
    }
    object = json_object();
    put(object, "dag", json_text(dag));
    put(object, "run", json_integer(details->run.run));
    put(object, "state", json_text(details->run.state));
    put(object, "live", json_boolean(run.live));
    put(object, "since_ms", json_integer(details->run.started_ms));
    if (details->run.ended_ms > 0)
        put(object, "ended_ms", json_integer(details->run.ended_ms));
    put(object, "yaml", json_text(details->run.path));
    put(object, "text", json_text(details->run.text));
    put(object, "broker", json_pack("{s:o}", "address", json_text(details->run.broker)));
    put(object, "home", json_text(ops_home(ops)));
    put(object, "nodes", nodes);
    put(object, "edges", edges);
    ops_run_clear(&run);
    return object;
}

/* NULL without an error: nobody listens (yet, or any more). */
static json_t *status_of_runner(const struct ops *ops, const char *dag, struct error *err)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    struct error missing = {0};
    struct control_client *client = control_connect(path, &missing);
    json_t *request = json_pack("{s:s}", "do", "status");
    json_t *reply = NULL;
    json_t *status = NULL;

    if (client)
        reply = control_call(client, request, ANSWER_MS, &missing);
    if (reply) {
        status = json_incref(json_object_get(reply, "status"));
        if (status == NULL)
            error_set(err, ERROR_INTERNAL, "the runner of '%s' answers without a status: %s",
                      dag, json_get_string(reply, "error", "no reason given"));
        else
            put(status, "live", json_true());
    } else if (missing.kind == ERROR_TIMEOUT) {
        error_set(err, missing.kind, "the runner of '%s' does not answer: %s", dag,
                  missing.text);
    }
    json_decref(reply);
    json_decref(request);
    control_client_free(client);
    free(path);
    return status;
}

json_t *ops_status(const struct ops *ops, const char *dag, struct error *err)
{
    json_t *status = NULL;

    if (ops_is_live(ops, dag))
        status = status_of_runner(ops, dag, err);
    if (status || error_is_set(err))
        return status;
    return ops_recorded_status(ops, dag, err);
}
