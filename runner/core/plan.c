/* SPDX-License-Identifier: MIT */
#include "core/plan.h"

#include "core/name_table.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_PER_CLIENT = 4 };

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* Edges of one writer and topic are on one plan topic: count them, then list them. */
static void group_edges(struct plan *plan)
{
    const struct dag *dag = plan->dag;
    struct mem_arena *arena = &plan->arena;
    struct name_table names = {.arena = arena};
    size_t *lists = mem_arena_alloc(arena, dag->edge_count * sizeof *lists);

    for (size_t i = 0; i < dag->edge_count; i++) {
        const struct dag_edge *edge = &dag->edges[i];
        struct plan_topic *topic = name_table_find(&names, edge->topic);

        if (topic == NULL) {
            topic = &plan->topics[plan->topic_count++];
            *topic = (struct plan_topic){.kind = PLAN_EDGE,
                                         .name = edge->topic,
                                         .writer = edge->from,
                                         .partitions = edge->partitions,
                                         .replication = edge->replication,
                                         .retention_ms = edge->retention_ms,
                                         .max_message_bytes = edge->max_record_bytes};
            name_table_put(&names, edge->topic, topic);
        }
        topic->edge_count++;
        plan->topic_of_edge[i] = (size_t)(topic - plan->topics);
    }
    for (size_t i = 0; i < plan->topic_count; i++) {
        plan->topics[i].edges = lists;
        lists += plan->topics[i].edge_count;
        plan->topics[i].edge_count = 0;
    }
    for (size_t i = 0; i < dag->edge_count; i++) {
        struct plan_topic *topic = &plan->topics[plan->topic_of_edge[i]];

        topic->edges[topic->edge_count++] = i;
    }
    plan->edge_topic_count = plan->topic_count;
}

/* One client keeps order as a pipe does; several get some partitions each to share. */
static int default_partitions(const struct dag *dag, const struct plan_topic *topic)
{
    size_t clients = 1;

    for (size_t i = 0; i < topic->edge_count; i++) {
        const struct dag_node *reader = &dag->nodes[dag->edges[topic->edges[i]].to];

        if (reader->client_count > clients)
            clients = reader->client_count;
    }
    return clients == 1 ? 1 : (int)clients * PARTITIONS_PER_CLIENT;
}

/* A dead letter is an input record with headers more; a source's is what it wrote. One
 * that is sent again is no larger. */
static void add_letters(struct plan *plan, enum plan_topic_kind kind, size_t node)
{
    const struct dag *dag = plan->dag;
    const struct dag_node *n = &dag->nodes[node];
    struct plan_topic *topic = &plan->topics[plan->topic_count++];
    size_t count = n->input_count > 0 ? n->input_count : n->output_count;
    const size_t *edges = n->input_count > 0 ? n->inputs : n->outputs;
    char *name =
        kind == PLAN_DLQ ? dag_dlq_topic(dag, node) : dag_retry_topic(dag, node);
    int64_t largest = count > 0 ? 0 : DAG_MAX_RECORD_BYTES;
    int replication = -1;

    for (size_t i = 0; i < count; i++) {
        const struct dag_edge *edge = &dag->edges[edges[i]];

        replication = max_int(replication, edge->replication);
        if (edge->max_record_bytes > largest)
            largest = edge->max_record_bytes;
    }
    *topic = (struct plan_topic){.kind = kind,
                                 .name = mem_arena_strdup(&plan->arena, name),
                                 .writer = node,
                                 .partitions = 1,
                                 .replication = replication,
                                 .retention_ms = -1,
                                 .max_message_bytes = largest + DAG_DLQ_EXTRA_BYTES};
    free(name);
}

/* Where clients subscribe that leave their group for good; nothing is ever written. */
static void add_parking(struct plan *plan)
{
    const struct dag *dag = plan->dag;
    struct plan_topic *topic = &plan->topics[plan->topic_count++];
    char *name = dag_parking_topic(dag);
    int replication = -1;

    for (size_t i = 0; i < dag->edge_count; i++)
        replication = max_int(replication, dag->edges[i].replication);
    *topic = (struct plan_topic){.kind = PLAN_PARKING,
                                 .name = mem_arena_strdup(&plan->arena, name),
                                 .partitions = 1,
                                 .replication = replication,
                                 .retention_ms = -1,
                                 .max_message_bytes = DAG_MAX_RECORD_BYTES};
    free(name);
}

struct plan *plan_build(const struct dag *dag)
{
    struct plan *plan = mem_alloc(sizeof *plan);

    plan->dag = dag;
    plan->topics = mem_arena_alloc(
        &plan->arena, (dag->edge_count + 2 * dag->node_count + 1) * sizeof *plan->topics);
    plan->topic_of_edge =
        mem_arena_alloc(&plan->arena, dag->edge_count * sizeof *plan->topic_of_edge);
    group_edges(plan);
    for (size_t i = 0; i < plan->topic_count; i++) {
        struct plan_topic *topic = &plan->topics[i];

        if (topic->partitions == 0)
            topic->partitions = default_partitions(dag, topic);
    }
    for (size_t i = 0; i < dag->node_count; i++)
        add_letters(plan, PLAN_DLQ, i);
    for (size_t i = 0; i < dag->node_count; i++) {
        if (dag->nodes[i].input_count > 0)
            add_letters(plan, PLAN_RETRY, i);
    }
    if (dag->edge_count > 0)
        add_parking(plan);
    return plan;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL)
        return;
    mem_arena_clear(&plan->arena);
    free(plan);
}

/*
 * Kafka expires records by their own timestamps: without these settings a record 30
 * days old is gone within a minute, and one from the future is refused. dagrun frees
 * space itself, behind the slowest reader.
 */
const char *const *plan_topic_config(struct plan *plan, size_t topic)
{
    const char *const config[] = {
        "retention.ms",
        "-1",
        "retention.bytes",
        "-1",
        "message.timestamp.after.max.ms",
        "9223372036854775807",
        "cleanup.policy",
        "delete",
        "max.message.bytes",
        mem_arena_printf(&plan->arena, "%" PRId64,
                         plan->topics[topic].max_message_bytes),
        NULL,
    };
    const char **copy = mem_arena_alloc(&plan->arena, sizeof config);

    memcpy(copy, config, sizeof config);
    return copy;
}

static void hash_text(EVP_MD_CTX *context, const char *text)
{
    /* With its end, so that "ab", "c" is not "a", "bc". */
    (void)EVP_DigestUpdate(context, text, strlen(text) + 1);
}

void plan_source_hash(const struct dag *dag, size_t node, char hash[65])
{
    const struct dag_node *n = &dag->nodes[node];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    char count[24];
    unsigned len = 0;

    (void)snprintf(count, sizeof count, "%zu", n->arg_count);
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
        hash_text(context, n->program);
        hash_text(context, count);
        for (size_t i = 0; i < n->arg_count; i++)
            hash_text(context, n->args[i]);
        for (size_t i = 0; i < n->with.count; i++) {
            hash_text(context, n->with.items[i].name);
            hash_text(context, n->with.items[i].value);
        }
        (void)EVP_DigestFinal_ex(context, digest, &len);
    }
    EVP_MD_CTX_free(context);
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", digest[i]);
}
