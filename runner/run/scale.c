/* SPDX-License-Identifier: MIT
 *
 * scale.c - how many clients a node of a run has. For this run only: the next start takes
 * the number of the YAML again.
 */
#include "run/run_state.h"

#include <string.h>

/* The edge that can keep the fewest clients busy: each needs a partition. */
static size_t narrowest_input(const struct run *run, size_t n)
{
    const struct dag_node *node = &run->dag->nodes[n];
    size_t narrowest = node->inputs[0];

    for (size_t i = 1; i < node->input_count; i++) {
        if (run->edges[node->inputs[i]].partition_count <
            run->edges[narrowest].partition_count)
            narrowest = node->inputs[i];
    }
    return narrowest;
}

/* Partitions are not added: that would move keys, and break the order of their records. */
static int check_partitions(const struct run *run, size_t n, int64_t wanted,
                            struct error *err)
{
    size_t e = narrowest_input(run, n);
    size_t partitions = run->edges[e].partition_count;

    if (wanted <= (int64_t)partitions)
        return 0;
    error_set(err, ERROR_CONFLICT,
              "node %s can have %zu client%s: edge %s has %zu partition%s, and more "
              "clients would be idle; more partitions are a matter of the YAML "
              "(partitions: %lld at that edge, before the next start)",
              run->dag->nodes[n].name, partitions, partitions == 1 ? "" : "s",
              run->dag->edges[e].id, partitions, partitions == 1 ? "" : "s",
              (long long)wanted);
    return -1;
}

static int check(const struct run *run, size_t n, int64_t wanted, struct error *err)
{
    const struct dag_node *node = &run->dag->nodes[n];

    if (wanted < 1)
        error_set(err, ERROR_INPUT,
                  "node %s: at least 1 client expected; 'pause' lets a node take no input",
                  node->name);
    else if (!run->launched)
        error_set(err, ERROR_CONFLICT, "the run is still being started");
    else if (run->rec->stop != RECONCILE_GO_ON)
        error_set(err, ERROR_CONFLICT, "the run is being stopped");
    else if (node->input_count == 0)
        error_set(err, ERROR_CONFLICT,
                  "node %s is a source: each of its clients makes records of its own, so "
                  "their number is a matter of the YAML (clients:)",
                  node->name);
    else if (run->nodes[n].paused)
        error_set(err, ERROR_CONFLICT, "node %s is paused: resume it first", node->name);
    else if (strcmp(reconcile_node_state(run->rec, n), "done") == 0)
        error_set(err, ERROR_CONFLICT, "node %s has finished", node->name);
    return error_is_set(err) ? -1 : check_partitions(run, n, wanted, err);
}

int scale_node(struct run *run, size_t n, int64_t wanted, const char *by,
               struct error *err)
{
    size_t had = run->rec->nodes[n].wanted;

    if (check(run, n, wanted, err) < 0)
        return -1;
    if ((size_t)wanted == had)
        return 0;
    client_io_grow(run, n, (size_t)wanted);
    reconcile_scale(run->rec, n, (size_t)wanted);
    run_event(run, "info", "scale", run->dag->nodes[n].name, NULL,
              "scaled from %zu to %zu client%s%s", had, (size_t)wanted,
              wanted == 1 ? "" : "s", by);
    return 0;
}
