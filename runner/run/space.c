/* SPDX-License-Identifier: MIT
 *
 * space.c - frees what every reader has read: DeleteRecords below the lowest committed
 * offset of all groups that read a topic, keeping the last "retention" for looking back.
 * Only on topics of edges that dagrun made; never on dead letters, nor on what was sent
 * again of them: the proof that it was.
 */
#include "base/clock.h"
#include "run/run_state.h"

#include <stdlib.h>
#include <string.h>

/* The lowest committed offset of a topic's partition over the edges that share it. */
static int64_t read_by_all(const struct run *run, const struct plan_topic *topic, size_t p)
{
    int64_t lowest = INT64_MAX;

    for (size_t i = 0; i < topic->edge_count; i++) {
        const struct run_edge *edge = &run->edges[topic->edges[i]];
        int64_t committed = p < edge->partition_count ? edge->partitions[p].committed : 0;

        if (committed < lowest)
            lowest = committed;
    }
    return lowest;
}

static void on_deleted(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        for (size_t e = 0; e < run->edge_count && item->error_code == BROKER_OK; e++) {
            struct run_edge *edge = &run->edges[e];

            if (strcmp(edge->topic, item->name) == 0 && item->partition >= 0 &&
                (size_t)item->partition < edge->partition_count)
                edge->partitions[item->partition].beginning = item->offset;
        }
    }
}

static const struct plan_topic *find_topic(const struct run *run, const char *name)
{
    for (size_t t = 0; t < run->plan->edge_topic_count; t++) {
        if (strcmp(run->plan->topics[t].name, name) == 0)
            return &run->plan->topics[t];
    }
    return NULL;
}

/* The first record young enough to keep is known: delete what is older and read. */
static void on_young(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;
    struct broker_position *positions;
    size_t count = 0;

    if (reply->error_code != BROKER_OK)
        return;
    positions = mem_alloc((reply->count + 1) * sizeof *positions);
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];
        const struct plan_topic *topic = find_topic(run, item->name);
        int64_t below;

        if (topic == NULL || item->error_code != BROKER_OK)
            continue;
        below = read_by_all(run, topic, (size_t)item->partition);
        if (item->offset >= 0 && item->offset < below)
            below = item->offset;
        if (below > run->edges[topic->edges[0]].partitions[item->partition].beginning)
            positions[count++] = (struct broker_position){
                .topic = item->name, .partition = item->partition, .offset = below};
    }
    if (count > 0)
        broker_delete_records(run->broker, positions, count, RUN_BROKER_TIMEOUT_MS,
                              on_deleted, run);
    free(positions);
}

void space_free(struct run *run)
{
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t t = 0; t < run->plan->edge_topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];
        const struct run_edge *edge = &run->edges[topic->edges[0]];

        for (size_t p = 0; edge->created && p < edge->partition_count; p++) {
            if (read_by_all(run, topic, p) <= edge->partitions[p].beginning)
                continue;
            positions = mem_grow(positions, count, &capacity, sizeof *positions);
            positions[count++] = (struct broker_position){
                .topic = topic->name,
                .partition = (int32_t)p,
                .offset = clock_wall_ms() - topic->retention_ms};
        }
    }
    if (count > 0)
        broker_list_offsets(run->broker, positions, count, false, RUN_BROKER_TIMEOUT_MS,
                            on_young, run);
    free(positions);
}
