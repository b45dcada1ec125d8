/* SPDX-License-Identifier: MIT
 *
 * start.c - takes a start step by step, nothing waits; and its first questions: is the
 * broker there, does anyone else run this dag, which topics exist.
 */
#include "base/clock.h"
#include "host/local.h"
#include "run/start.h"

#include <stdlib.h>
#include <string.h>

static void find_cluster(struct run *run);
static void find_members(struct run *run);
static void find_topics(struct run *run);

void start_begin(struct run *run)
{
    run->next_step = find_cluster;
}

void start_step(struct run *run)
{
    run_step_fn *step = run->next_step;

    if (run->pending > 0 || step == NULL || run->failure.kind != ERROR_NONE)
        return;
    if (run->step_at_ms > clock_mono_ms())
        return;
    run->step_at_ms = 0;
    run->next_step = NULL;
    step(run);
}

bool start_answered(struct run *run, const struct broker_reply *reply, const char *what)
{
    run->pending--;
    if (reply->error_code == BROKER_OK)
        return false;
    if (reply->error_code != BROKER_CLOSED)
        run_fail(run, ERROR_UNREACHABLE,
                 "the broker at %s did not answer (%s: %s); is it up, and is the address "
                 "right?",
                 run->options->brokers, what, reply->error);
    return true;
}

/* ------------------------------------------------------------------ is a broker there? */

static void on_cluster(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;
    const char *why = broker_last_error(run->broker);

    run->pending--;
    if (reply->error_code != BROKER_OK && reply->error_code != BROKER_CLOSED)
        run_fail(run, ERROR_UNREACHABLE,
                 "no Kafka broker answers at %s: %s; start it, or name another with "
                 "kafka.brokers, --brokers or DAGRUN_BROKERS",
                 run->options->brokers, why ? why : reply->error);
}

static void find_cluster(struct run *run)
{
    run->pending++;
    run->next_step = find_members;
    broker_ping(run->broker, RUN_BROKER_TIMEOUT_MS, on_cluster, run);
}

/* ------------------------------------------------------ does anyone else run this dag? */

/* The client that a member was, by its client id; NULL: none of this dag's. */
static struct run_client *find_client(struct run *run, size_t n, const char *id)
{
    for (size_t c = 0; c < run->nodes[n].client_count; c++) {
        if (strcmp(run->nodes[n].clients[c]->id, id) == 0)
            return run->nodes[n].clients[c];
    }
    return NULL;
}

static bool has_input(const struct run *run, const struct broker_member *member)
{
    char *parking = dag_parking_topic(run->dag);
    bool result = member->topic && strcmp(member->topic, parking) != 0;

    free(parking);
    return result;
}

/* A group at rest gives a member's place to who comes under its name: that of the last run's
 * client is welcome, but not a place without input, which one that left has for 10 s. */
static void take_place(struct run *run, const struct broker_item *group,
                       const struct broker_member *member)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        bool its = run->nodes[n].group && strcmp(run->nodes[n].group, group->name) == 0;
        struct run_client *client = its ? find_client(run, n, member->client_id) : NULL;

        if (client == NULL || member->instance == NULL)
            continue;
        if (has_input(run, member)) {
            free(client->instance);
            client->instance = mem_strdup(member->instance);
        } else if (client->instance == NULL) {
            client_io_rename(client);
        }
    }
}

static void on_members(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "describe groups"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        for (size_t m = 0; m < reply->items[i].member_count; m++) {
            const struct broker_member *member = &reply->items[i].members[m];

            /* One of this host is dead: we hold the dag's lock. */
            if (!local_is_own_address(member->host))
                run_fail(run, ERROR_CONFLICT,
                         "dag %s runs on another machine: group %s has the member %s at "
                         "%s; stop it there, or wait 10 s if that machine died",
                         run->dag->name, reply->items[i].name, member->client_id,
                         member->host);
            if (strcmp(reply->items[i].state, "Stable") == 0)
                take_place(run, &reply->items[i], member);
        }
    }
}

static void find_members(struct run *run)
{
    const char **groups = mem_alloc((run->dag->node_count + 1) * sizeof *groups);
    size_t count = 0;

    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (run->nodes[n].group)
            groups[count++] = run->nodes[n].group;
    }
    run->next_step = find_topics;
    if (count > 0 && !run->prepare_only) {
        run->pending++;
        broker_describe_groups(run->broker, groups, count, RUN_BROKER_TIMEOUT_MS,
                               on_members, run);
    }
    free(groups);
}

/* --------------------------------------------------------------- which topics are there? */

void start_grow_edge(struct run_edge *edge, size_t count)
{
    size_t capacity = edge->partition_count;

    if (count <= capacity)
        return;
    edge->partitions = mem_resize(edge->partitions, count * sizeof *edge->partitions);
    for (size_t p = capacity; p < count; p++)
        edge->partitions[p] = (struct run_partition){.beginning = 0,
                                                     .end = -1,
                                                     .write_start = -1,
                                                     .start = -1,
                                                     .committed = -1,
                                                     .final_end = -1};
    edge->partition_count = count;
}

static void see_topic(struct run *run, const struct broker_item *item)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];

        if (strcmp(edge->topic, item->name) != 0 || item->error_code != BROKER_OK)
            continue;
        free(edge->topic_id);
        edge->topic_id = mem_strdup(item->topic_id);
        edge->existing = (size_t)item->partitions;
        start_grow_edge(edge, edge->existing);
    }
    for (size_t g = 0; g < run->gone_count; g++) {
        struct run_gone *gone = &run->gone[g];

        if (strcmp(gone->known->topic, item->name) != 0 || item->error_code != BROKER_OK)
            continue;
        gone->topic_there = true;
        gone->same_topic = gone->known->topic_id == NULL || item->topic_id == NULL ||
                           strcmp(gone->known->topic_id, item->topic_id) == 0;
        gone->partition_count = (size_t)item->partitions;
        free(gone->committed);
        gone->committed = mem_alloc(gone->partition_count * sizeof *gone->committed);
        /* By the history, unless the broker knows better. */
        for (size_t p = 0; p < gone->partition_count; p++)
            gone->committed[p] =
                p < (size_t)gone->known->partitions ? gone->known->committed[p] : -1;
    }
}

static void on_topics(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "describe topics"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code != BROKER_OK && item->error_code != BROKER_UNKNOWN_TOPIC)
            run_fail(run, ERROR_UNREACHABLE, "topic %s: %s", item->name, item->error);
        else
            see_topic(run, item);
    }
}

/* The broker refuses a list that names a topic twice; edges may have shared one. */
static size_t add_once(const char **names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return count;
    }
    names[count] = name;
    return count + 1;
}

static void find_topics(struct run *run)
{
    size_t room = run->plan->topic_count + run->gone_count;
    const char **names = mem_alloc((room + 1) * sizeof *names);
    size_t count = 0;

    for (size_t t = 0; t < run->plan->topic_count; t++) {
        if (run->plan->topics[t].kind == PLAN_EDGE || run->plan->topics[t].kind == PLAN_RETRY)
            names[count++] = run->plan->topics[t].name;
    }
    for (size_t g = 0; g < run->gone_count; g++)
        count = add_once(names, count, run->gone[g].known->topic);
    run->next_step = start_find_offsets;
    if (count > 0) {
        run->pending++;
        broker_describe_topics(run->broker, names, count, RUN_BROKER_TIMEOUT_MS, on_topics,
                               run);
    }
    free(names);
}
