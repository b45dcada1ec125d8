/* SPDX-License-Identifier: MIT
 *
 * start_commit.c - commits where each group begins before any reader starts, so that no
 * client ever has to guess; then the run begins.
 */
#include "base/clock.h"
#include "base/contract.h"
#include "run/start.h"

#include <stdlib.h>
#include <string.h>

static void finish_start(struct run *run);

/* -------------------------------------------------------------- start offsets are set */

/* What the group's offset of a partition must be before a reader starts; -1: stays. */
static int64_t wanted_start(const struct run *run, const struct run_edge *edge, size_t p)
{
    const struct run_partition *part = &edge->partitions[p];

    if (start_gives_up(run, edge) && part->end >= 0 &&
        part->end != part->committed)
        return part->end;
    if (part->given)
        return -1;
    return part->committed >= 0 ? part->committed : part->beginning;
}

static char *counts_text(const struct run_partition *part, int64_t skipped)
{
    return mem_printf(CONTRACT_COUNTS, (long long)part->base.in + skipped,
                      (long long)part->base.answered, (long long)part->base.dropped + skipped,
                      (long long)part->base.dead, (long long)part->base.out);
}

static void on_start_committed(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;
    bool refused = reply->error_code == BROKER_UNKNOWN_MEMBER;

    for (size_t i = 0; i < reply->count; i++)
        refused = refused || reply->items[i].error_code == BROKER_UNKNOWN_MEMBER;
    if (refused && clock_mono_ms() < run->step_limit_ms) {
        /* Members of the last run: the broker drops them 10 s after their last word. */
        if (!run->told_waiting)
            run_talk(run, "waits until the broker has dropped the clients of the last run "
                          "(up to 10 s): only then start offsets can be set");
        run->told_waiting = true;
        run->pending--;
        run->next_step = start_commit_offsets;
        run->step_at_ms = clock_mono_ms() + 500;
        return;
    }
    if (start_answered(run, reply, "commit the start offsets"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].error_code != BROKER_OK)
            run_fail(run, ERROR_UNREACHABLE, "start offset of %s [%d]: %s",
                     reply->items[i].name, (int)reply->items[i].partition,
                     reply->items[i].error);
    }
}

/* The records before the start that nobody has read: given up. */
static int64_t skipped_before(const struct run_edge *edge,
                              const struct run_partition *part)
{
    int64_t from = part->committed >= 0 ? part->committed : part->beginning;

    return offsets_records(edge, from, part->start);
}

/* The start offsets of one node's inputs, in one request. */
static void commit_node(struct run *run, size_t n)
{
    const struct run_node *node = &run->nodes[n];
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t i = 0; i < node->input_count; i++) {
        struct run_edge *edge = node->inputs[i];

        for (size_t p = 0; p < edge->partition_count; p++) {
            struct run_partition *part = &edge->partitions[p];
            int64_t offset = wanted_start(run, edge, p);

            if (offset < 0)
                continue;
            part->start = offset;
            positions = mem_grow(positions, count, &capacity, sizeof *positions);
            positions[count++] = (struct broker_position){
                .topic = edge->topic,
                .partition = (int32_t)p,
                .offset = offset,
                .metadata = counts_text(part, skipped_before(edge, part))};
        }
    }
    if (count > 0) {
        run->pending++;
        broker_alter_group_offsets(run->broker, run->nodes[n].group, positions, count,
                                   RUN_BROKER_TIMEOUT_MS, on_start_committed, run);
    }
    for (size_t i = 0; i < count; i++)
        free((char *)positions[i].metadata);
    free(positions);
}

/* A source begins anew: also when this run ends before its first checkpoint. */
static void reset_client(struct run *run, struct run_client *client)
{
    const struct dag_node *node = &run->dag->nodes[client->node];
    char *metadata;
    struct broker_position position = {.partition = 0, .offset = 0};

    if (client->checkpoint_group == NULL || client->resume_position == 0)
        return;
    metadata = mem_printf(CONTRACT_CHECKPOINT, (long long)client->checkpoint_run + 1, "true",
                          0LL, 0LL);
    position.topic = run->dag->edges[node->outputs[0]].topic;
    position.metadata = metadata;
    run->pending++;
    broker_alter_group_offsets(run->broker, client->checkpoint_group, &position, 1,
                               RUN_BROKER_TIMEOUT_MS, on_start_committed, run);
    free(metadata);
}

static void reset_source(struct run *run, size_t n)
{
    for (size_t c = 0; c < run->nodes[n].client_count; c++)
        reset_client(run, run->nodes[n].clients[c]);
}

void start_commit_offsets(struct run *run)
{
    run->next_step = finish_start;
    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (run->nodes[n].group)
            commit_node(run, n);
        else if (run->options->permits.fresh)
            reset_source(run, n);
    }
}

/* ------------------------------------------------------------------------ all is there */

static void settle_partition(struct run *run, const struct run_edge *edge,
                             struct run_partition *part)
{
    int64_t skipped = skipped_before(edge, part);

    if (part->end < 0)
        part->end = 0;
    part->write_start = part->end;
    if (part->start < 0)
        part->start = part->committed >= 0 ? part->committed : part->beginning;
    run->skipped_records += skipped;
    run->nodes[edge->to].skipped += skipped;
    part->now.in += skipped;
    part->now.dropped += skipped;
    part->in_before = part->now.in;
    part->committed = part->start;
}

static void finish_start(struct run *run)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        for (size_t p = 0; p < run->edges[e].partition_count; p++)
            settle_partition(run, &run->edges[e], &run->edges[e].partitions[p]);
    }
    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; run->options->permits.fresh && c < run->nodes[n].client_count;
             c++)
            run->nodes[n].clients[c]->resume_position = 0;
    }
    if (run->prepare_only) {
        run->over = true;
        return;
    }
    record_begin(run);
    if (run->failure.kind == ERROR_NONE)
        run->launched = true;
}
