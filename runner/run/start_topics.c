/* SPDX-License-Identifier: MIT
 *
 * start_topics.c - makes the topics and partitions that are missing, and waits until their
 * leaders take records.
 */
#include "base/clock.h"
#include "run/start.h"

#include <stdlib.h>
#include <string.h>

enum { LEADER_POLL_MS = 50 };

static void find_leaders(struct run *run);
static void check_leaders(struct run *run);
static void find_logs(struct run *run);
static void check_logs(struct run *run);

/* ------------------------------------------------------------------- topics are made */

/* Partitions that an edge's or a retry topic has already. Of the others it is not known. */
static size_t existing_partitions(const struct run *run, const struct plan_topic *topic)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        if (strcmp(run->edges[e].topic, topic->name) == 0)
            return run->edges[e].existing;
    }
    return 0;
}

/* host/history.h has its own words for the kinds of plan.h. */
static enum history_topic_kind history_kind(enum plan_topic_kind kind)
{
    static const enum history_topic_kind kinds[] = {
        [PLAN_EDGE] = HISTORY_TOPIC_EDGE,
        [PLAN_DLQ] = HISTORY_TOPIC_DLQ,
        [PLAN_RETRY] = HISTORY_TOPIC_RETRY,
        [PLAN_PARKING] = HISTORY_TOPIC_PARKING,
    };

    return kinds[kind];
}

/* A topic that dagrun made may be emptied and deleted by it: that must not be forgotten. */
static void note_created(struct run *run, const char *name)
{
    for (size_t t = 0; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];

        if (strcmp(topic->name, name) != 0)
            continue;
        history_topic(run->history,
                      &(struct history_topic){.topic = name,
                                              .kind = history_kind(topic->kind),
                                              .created = true});
    }
    for (size_t e = 0; e < run->edge_count; e++)
        run->edges[e].created |= strcmp(run->edges[e].topic, name) == 0;
}

static void on_created(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "create topics"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code == BROKER_OK)
            note_created(run, item->name);
        else if (item->error_code != BROKER_TOPIC_EXISTS)
            run_fail(run, ERROR_UNREACHABLE, "topic %s could not be created: %s",
                     item->name, item->error);
    }
}

static void on_grown(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "create partitions"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].error_code != BROKER_OK)
            run_fail(run, ERROR_UNREACHABLE, "topic %s could not get more partitions: %s",
                     reply->items[i].name, reply->items[i].error);
    }
}

void start_make_topics(struct run *run)
{
    struct broker_topic *fresh = mem_alloc(run->plan->topic_count * sizeof *fresh);
    struct broker_topic *grown = mem_alloc(run->plan->topic_count * sizeof *grown);
    size_t fresh_count = 0;
    size_t grown_count = 0;

    for (size_t t = 0; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];
        size_t existing = existing_partitions(run, topic);
        struct broker_topic spec = {.name = topic->name,
                                    .partitions = topic->partitions,
                                    .replication = topic->replication,
                                    .config = plan_topic_config(run->plan, t)};

        if (existing == 0)
            fresh[fresh_count++] = spec;
        else if ((size_t)topic->partitions > existing)
            grown[grown_count++] = spec;
    }
    run->next_step = find_leaders;
    run->step_limit_ms = clock_mono_ms() + START_LEADER_LIMIT_MS;
    if (fresh_count > 0) {
        struct history_dag dag = {.dag = run->dag->name,
                                  .path = run->dag->path,
                                  .broker = run->options->broker_name};
        struct error full = {0};

        /* The data goes on without its history, here as later in the run. */
        if (history_dag_begin(run->history, &dag, &full) < 0)
            run_talk(run, "%s", full.text);
        run->pending++;
        broker_create_topics(run->broker, fresh, fresh_count, RUN_BROKER_TIMEOUT_MS,
                             on_created, run);
    }
    if (grown_count > 0) {
        run->pending++;
        broker_create_partitions(run->broker, grown, grown_count, RUN_BROKER_TIMEOUT_MS,
                                 on_grown, run);
    }
    free(fresh);
    free(grown);
}

bool start_makes_topics(const struct run *run)
{
    return run->pending > 0 && run->next_step == find_leaders;
}

static int planned_partitions(const struct run *run, const char *topic)
{
    for (size_t t = 0; t < run->plan->topic_count; t++) {
        if (strcmp(run->plan->topics[t].name, topic) == 0)
            return run->plan->topics[t].partitions;
    }
    return 0;
}

static void see_leaders(struct run *run, const struct broker_item *item)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        if (strcmp(run->edges[e].topic, item->name) != 0)
            continue;
        free(run->edges[e].topic_id);
        run->edges[e].topic_id = mem_strdup(item->topic_id);
        start_grow_edge(&run->edges[e], (size_t)item->partitions);
    }
}

static void on_leaders(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "describe topics"))
        return;
    run->leaderless = 0;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        /* A topic that was grown may show its old size for a moment. */
        if (item->error_code == BROKER_OK && item->leaderless == 0 &&
            item->partitions >= planned_partitions(run, item->name))
            see_leaders(run, item);
        else
            run->leaderless++;
    }
}

static void find_leaders(struct run *run)
{
    const char **names = mem_alloc((run->plan->topic_count + 1) * sizeof *names);

    for (size_t t = 0; t < run->plan->topic_count; t++)
        names[t] = run->plan->topics[t].name;
    run->next_step = check_leaders;
    if (run->plan->topic_count > 0) {
        run->pending++;
        broker_describe_topics(run->broker, names, run->plan->topic_count,
                               RUN_BROKER_TIMEOUT_MS, on_leaders, run);
    }
    free(names);
}

/* Ask again until no topic lacks what it needs, then go on. */
static void wait_for_topics(struct run *run, run_step_fn *again, run_step_fn *then)
{
    int64_t now_ms = clock_mono_ms();

    if (run->leaderless == 0) {
        run->next_step = then;
        return;
    }
    if (now_ms > run->step_limit_ms) {
        run_fail(run, ERROR_UNREACHABLE, "%zu topics or partitions have no leader after %d s",
                 run->leaderless, START_LEADER_LIMIT_MS / 1000);
        return;
    }
    run->next_step = again;
    run->step_at_ms = now_ms + LEADER_POLL_MS;
}

static void check_leaders(struct run *run)
{
    wait_for_topics(run, find_leaders, find_logs);
}

/* ------------------------------------------------------ their leaders have made the logs */

static void on_logs(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "list offsets"))
        return;
    run->leaderless = 0;
    for (size_t i = 0; i < reply->count; i++)
        run->leaderless += reply->items[i].error_code != BROKER_OK;
}

/*
 * A broker is named as the leader of a new partition before it has a log for it, and refuses
 * what is written until then. First batches that are refused may come out of order.
 */
static void find_logs(struct run *run)
{
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t t = 0; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];

        for (int p = 0; p < topic->partitions; p++) {
            positions = mem_grow(positions, count, &capacity, sizeof *positions);
            positions[count++] = (struct broker_position){
                .topic = topic->name, .partition = p, .offset = BROKER_LATEST};
        }
    }
    run->next_step = check_logs;
    if (count > 0) {
        run->pending++;
        broker_list_offsets(run->broker, positions, count, true, RUN_BROKER_TIMEOUT_MS,
                            on_logs, run);
    }
    free(positions);
}

static void check_logs(struct run *run)
{
    wait_for_topics(run, find_logs, start_commit_offsets);
    if (run->next_step == start_commit_offsets)
        run->step_limit_ms = clock_mono_ms() + START_GROUP_LIMIT_MS;
}
