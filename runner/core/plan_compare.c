/* SPDX-License-Identifier: MIT
 *
 * What would be lost if the plan were started as it is, given the last run.
 */
#include "base/text.h"
#include "core/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct comparison {
    const struct plan *plan;
    const struct plan_permits *permits;
    const char *broker; /* of the last run, when it was another */
    struct plan_conflict *conflicts;
    size_t count;
    size_t capacity;
};

static void add(struct comparison *c, enum plan_conflict_kind kind, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

static void add(struct comparison *c, enum plan_conflict_kind kind, const char *format,
                ...)
{
    struct plan_conflict *conflict;
    char *text = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    c->conflicts = mem_grow(c->conflicts, c->count, &c->capacity, sizeof *c->conflicts);
    conflict = &c->conflicts[c->count++];
    conflict->kind = kind;
    conflict->text = text ? text : mem_strdup(format);
}

/* May what is unread on this edge be skipped? */
static bool may_skip(const struct comparison *c, const char *edge)
{
    if (c->permits->fresh)
        return true;
    for (size_t i = 0; i < c->permits->abandon_count; i++) {
        if (strcmp(c->permits->abandon[i], edge) == 0)
            return true;
    }
    return false;
}

/* "1 record" or "12,345 records". */
enum { RECORDS_TEXT = TEXT_NUMBER + 16 };
static void records_text(int64_t count, char text[RECORDS_TEXT])
{
    char number[TEXT_NUMBER];

    text_format_count(count, number);
    (void)snprintf(text, RECORDS_TEXT, "%s record%s", number, count == 1 ? "" : "s");
}

/* The last run read another topic, or in another group, or has an edge that is gone. */
static bool check_gone(struct comparison *c, const struct plan_edge_state *state,
                       int edge)
{
    const struct dag *dag = c->plan->dag;
    char records[RECORDS_TEXT];
    char *group = edge < 0 ? NULL : dag_group(dag, dag->edges[edge].to);
    bool other_topic = edge >= 0 && strcmp(dag->edges[edge].topic, state->topic) != 0;
    bool other_group = edge >= 0 && state->group && strcmp(group, state->group) != 0;
    bool gone = edge < 0 || other_topic || other_group;

    records_text(state->unread, records);
    if (gone && state->unread > 0 && state->topic_id && !may_skip(c, state->id)) {
        if (edge < 0)
            add(c, PLAN_EDGE_GONE,
                "edge %s is gone from the YAML with %s unread on topic %s: start the "
                "old "
                "YAML to finish them, or skip them with --abandon %s or --fresh",
                state->id, records, state->topic, state->id);
        else
            add(c, PLAN_EDGE_GONE,
                "edge %s now reads topic %s in group %s, with %s unread on topic %s in "
                "group %s: start the old YAML to finish them, or skip them with "
                "--abandon "
                "%s or --fresh",
                state->id, dag->edges[edge].topic, group, records, state->topic,
                state->group ? state->group : "-", state->id);
    }
    free(group);
    return gone;
}

static bool same_topic(const struct plan_edge_state *state)
{
    return state->topic_id_now && strcmp(state->topic_id, state->topic_id_now) == 0;
}

static void check_topic(struct comparison *c, const struct plan_edge_state *state)
{
    if (state->topic_id == NULL || may_skip(c, state->id))
        return;
    if (c->broker && !same_topic(state))
        add(c, PLAN_TOPIC_REMADE,
            "edge %s: the last run was on the broker %s, and what it left unread on topic "
            "%s is there: go on there with --brokers %s, or begin here with --abandon %s "
            "or --fresh",
            state->id, c->broker, state->topic, c->broker, state->id);
    else if (state->topic_id_now == NULL)
        add(c, PLAN_TOPIC_REMADE,
            "edge %s: topic %s was deleted since the last run, and with it every "
            "record "
            "not yet read: to begin with an empty one, start with --abandon %s or "
            "--fresh",
            state->id, state->topic, state->id);
    else if (!same_topic(state))
        add(c, PLAN_TOPIC_REMADE,
            "edge %s: topic %s was deleted and made anew since the last run (id %s, "
            "was "
            "%s), so the place where reading stopped means nothing: to begin at the "
            "new "
            "one's end, start with --abandon %s or --fresh",
            state->id, state->topic, state->topic_id_now, state->topic_id, state->id);
    else if (state->offsets_missing && !state->restorable)
        add(c, PLAN_OFFSETS_LOST,
            "edge %s: Kafka has forgotten where group %s stopped on topic %s, and the "
            "history does not know it either: start with --abandon %s or --fresh to go "
            "on "
            "at the end",
            state->id, state->group ? state->group : "-", state->topic, state->id);
}

static void check_partitions(struct comparison *c, const struct plan_edge_state *state,
                             const struct dag_edge *edge, size_t index)
{
    int planned = c->plan->topics[c->plan->topic_of_edge[index]].partitions;
    char records[RECORDS_TEXT];

    if (state->partitions_now == 0 || planned == state->partitions_now)
        return;
    if (planned < state->partitions_now) {
        /* A number that dagrun chose itself gives way to what is there. */
        if (edge->partitions > 0)
            add(c, PLAN_PARTITIONS_SHRINK,
                "edge %s: partitions: %d, but topic %s has %d, and Kafka can't take "
                "any "
                "away: write %d, or another topic",
                state->id, planned, state->topic, state->partitions_now,
                state->partitions_now);
        return;
    }
    if (!state->keyed || state->unread == 0 || may_skip(c, state->id))
        return;
    records_text(state->unread, records);
    add(c, PLAN_PARTITIONS_KEYED,
        "edge %s: %d partitions instead of %d would part equal keys while %s with keys "
        "are "
        "unread on topic %s: write 'partitions: %d' until they are read, or skip them "
        "with "
        "--abandon %s or --fresh",
        state->id, planned, state->partitions_now, records, state->topic,
        state->partitions_now, state->id);
}

/* Is it a retry topic that the plan has, too? */
static bool is_retry(const struct plan *plan, const struct plan_edge_state *state)
{
    for (size_t t = plan->edge_topic_count; t < plan->topic_count; t++) {
        if (plan->topics[t].kind == PLAN_RETRY &&
            strcmp(plan->topics[t].name, state->topic) == 0)
            return true;
    }
    return false;
}

static void check_edge(struct comparison *c, const struct plan_edge_state *state)
{
    int edge = dag_find_edge(c->plan->dag, state->id);

    if (edge < 0 && is_retry(c->plan, state)) {
        check_topic(c, state);
        return;
    }
    if (check_gone(c, state, edge))
        return;
    check_topic(c, state);
    if (state->topic_id_now)
        check_partitions(c, state, &c->plan->dag->edges[edge], (size_t)edge);
}

static void check_source(struct comparison *c, const struct plan_source_state *state)
{
    const struct dag *dag = c->plan->dag;
    int node = dag_find_node(dag, state->node);
    char position[TEXT_NUMBER];
    char hash[65];

    if (!state->interrupted || c->permits->fresh)
        return;
    text_format_count(state->position, position);
    if (node < 0 || dag->nodes[node].input_count > 0) {
        add(c, PLAN_SOURCE_CHANGED,
            "source %s was interrupted at position %s and is no source of the YAML any "
            "more: start the old YAML to finish it, or leave the rest out with --fresh",
            state->node, position);
        return;
    }
    plan_source_hash(dag, (size_t)node, hash);
    if (state->hash && strcmp(state->hash, hash) != 0)
        add(c, PLAN_SOURCE_CHANGED,
            "source %s was interrupted at position %s and its program, args or options "
            "have changed since: start the old YAML to finish it, or begin it anew "
            "with "
            "--fresh",
            state->node, position);
}

size_t plan_compare(const struct plan *plan, const struct plan_last *last,
                    const struct plan_permits *permits,
                    struct plan_conflict **conflicts)
{
    struct comparison c = {.plan = plan, .permits = permits, .broker = last->broker};

    /* Another file's edges say nothing about this one: nothing else is compared then.
     */
    if (last->path && strcmp(last->path, plan->dag->path) != 0 && !permits->adopt) {
        add(&c, PLAN_OTHER_PATH,
            "the name %s belongs to %s; this is %s: write another 'name', or take the "
            "name "
            "and its topics over with --adopt",
            plan->dag->name, last->path, plan->dag->path);
    } else {
        for (size_t i = 0; i < last->edge_count; i++)
            check_edge(&c, &last->edges[i]);
        for (size_t i = 0; i < last->source_count; i++)
            check_source(&c, &last->sources[i]);
    }
    *conflicts = c.conflicts;
    return c.count;
}

void plan_conflicts_free(struct plan_conflict *conflicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(conflicts[i].text);
    free(conflicts);
}
