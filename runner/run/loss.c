/* SPDX-License-Identifier: MIT
 *
 * loss.c - the last word on "nothing is lost". Clients count records, the broker counts
 * offsets; once all processes are gone, a topic that only dagrun writes must have as many
 * of one as of the other.
 */
#include "run/run_state.h"

#include <string.h>

/* Others may write to a topic that is not dagrun's; replays write in transactions, whose
 * markers have offsets, too. */
static bool is_ours(const struct run_edge *edge)
{
    return edge->created && strcmp(edge->from, DAG_RETRY_FROM) != 0;
}

/* Offsets that the readers committed past without having counted a record. */
static int64_t passed_over(const struct run_edge *edge)
{
    int64_t sum = 0;

    for (size_t p = 0; p < edge->partition_count; p++) {
        const struct run_partition *part = &edge->partitions[p];

        sum += part->committed - part->start - (part->now.in - part->in_before);
    }
    return sum;
}

static bool find_passed_over(struct run *run, const struct run_edge *edge)
{
    int64_t count = is_ours(edge) ? passed_over(edge) : 0;

    if (count > 0)
        run_event(run, "error", "loss", run->dag->nodes[edge->to].name, NULL,
                  "edge %s: %lld offset%s read without a record in %s: records are lost, "
                  "unless another program writes to topic %s in transactions",
                  edge->id, (long long)count, count == 1 ? " was" : "s were",
                  count == 1 ? "it" : "them", edge->topic);
    return count > 0;
}

/* Does an earlier output of the node have the topic, too? */
static bool is_repeated(const struct run *run, const struct dag_node *node, size_t output)
{
    const char *topic = run->edges[node->outputs[output]].topic;

    for (size_t i = 0; i < output; i++) {
        if (strcmp(run->edges[node->outputs[i]].topic, topic) == 0)
            return true;
    }
    return false;
}

/* What has come to the topics of a node's outputs since the run began. */
static int64_t written(const struct run *run, const struct dag_node *node)
{
    int64_t sum = 0;

    for (size_t i = 0; i < node->output_count; i++) {
        const struct run_edge *edge = &run->edges[node->outputs[i]];

        for (size_t p = 0; p < edge->partition_count && !is_repeated(run, node, i); p++)
            sum += edge->partitions[p].end - edge->partitions[p].write_start;
    }
    return sum;
}

/* By the clients of this run. Commits may be the last run's: a runner that was killed and
 * started again at once meets clients that are still ending. */
static int64_t acknowledged(const struct run_node *node)
{
    return node->group ? node->done.out : node->totals.out;
}

static bool find_unwritten(struct run *run, size_t n)
{
    const struct dag_node *node = &run->dag->nodes[n];
    int64_t said = acknowledged(&run->nodes[n]);
    int64_t there = written(run, node);

    if (there < said)
        run_event(run, "error", "loss", node->name, NULL,
                  "the broker acknowledged %lld records and has %lld of them: %lld are lost",
                  (long long)said, (long long)there, (long long)(said - there));
    return there < said;
}

bool loss_find(struct run *run)
{
    bool found = false;

    for (size_t e = 0; e < run->edge_count; e++)
        found |= find_passed_over(run, &run->edges[e]);
    for (size_t n = 0; n < run->dag->node_count && run->ends_known; n++)
        found |= find_unwritten(run, n);
    return found;
}
