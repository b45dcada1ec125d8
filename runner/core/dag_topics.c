/* SPDX-License-Identifier: MIT
 *
 * Topic names: legal, not the same for Kafka, shared only where that makes sense.
 */
#include "base/text.h"
#include "core/dag_check.h"
#include "core/name_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A name that is taken: by an edge, or by a topic that dagrun makes for itself. */
struct taken {
    const char *topic;
    const struct dag_edge *edge; /* NULL: what says whose it is */
    const char *what;
};

struct checker {
    const struct dag *dag;
    struct diag_list *diags;
    struct mem_arena arena;
    struct name_table taken; /* by normalised name → struct taken */
};

/* Kafka's metrics take '.' and '_' for the same, so the broker refuses such pairs. */
static char *normalised(struct checker *c, const char *topic)
{
    char *name = mem_arena_strdup(&c->arena, topic);

    for (char *s = name; *s; s++) {
        if (*s == '.')
            *s = '_';
    }
    return name;
}

static void take(struct checker *c, const char *topic, const struct dag_edge *edge,
                 const char *what)
{
    struct taken *taken = mem_arena_alloc(&c->arena, sizeof *taken);

    *taken = (struct taken){.topic = topic, .edge = edge, .what = what};
    name_table_put(&c->taken, normalised(c, topic), taken);
}

static void take_derived(struct checker *c)
{
    const struct dag *dag = c->dag;
    const char *base = mem_arena_printf(&c->arena, "%s%s", dag->prefix, dag->name);

    take(c, mem_arena_printf(&c->arena, "%s.parking", base), NULL, "the parking topic");
    for (size_t i = 0; i < dag->node_count; i++) {
        const char *name = dag->nodes[i].name;

        take(c, mem_arena_printf(&c->arena, "%s.%s.dlq", base, name), NULL,
             mem_arena_printf(&c->arena, "the dead-letter topic of node '%s'", name));
        take(c, mem_arena_printf(&c->arena, "%s.%s.retry", base, name), NULL,
             mem_arena_printf(&c->arena, "the retry topic of node '%s'", name));
    }
}

/* What is wrong with a topic's name; NULL: nothing. */
static const char *illegal(const char *topic)
{
    enum { TOPIC_MAX = 249 };

    if (strcmp(topic, ".") == 0 || strcmp(topic, "..") == 0)
        return "'.' and '..' are no names";
    if (strcmp(topic, "__consumer_offsets") == 0 ||
        strcmp(topic, "__transaction_state") == 0)
        return "it is Kafka's own";
    if (strlen(topic) > TOPIC_MAX)
        return "it is longer than Kafka's 249 characters";
    for (const char *s = topic; *s; s++) {
        if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
            return "expected only letters, digits, '.', '_' and '-'";
    }
    return NULL;
}

static bool same_settings(const struct dag_edge *a, const struct dag_edge *b,
                          const char **setting)
{
    *setting = a->partitions != b->partitions               ? "partitions"
               : a->replication != b->replication           ? "replication"
               : a->retention_ms != b->retention_ms         ? "retention"
               : a->max_record_bytes != b->max_record_bytes ? "max_record"
                                                            : NULL;
    return *setting == NULL;
}

/* Both edges have the name exactly. */
static void check_shared(struct checker *c, const struct dag_edge *edge,
                         const struct dag_edge *other)
{
    const char *setting;

    if (edge->from != other->from)
        diag_add(c->diags, edge->topic_pos.line, edge->topic_pos.column,
                 "edge %s: topic '%s' is that of edge %s at %d:%d, which another node "
                 "writes: only edges that leave the same node can share a topic",
                 edge->id, edge->topic, other->id, other->topic_pos.line,
                 other->topic_pos.column);
    else if (!same_settings(edge, other, &setting))
        diag_add(
            c->diags, edge->topic_pos.line, edge->topic_pos.column,
            "edge %s: shares topic '%s' with edge %s at %d:%d, but its %s differ%s: "
            "expected the same settings at both",
            edge->id, edge->topic, other->id, other->topic_pos.line,
            other->topic_pos.column, setting,
            strcmp(setting, "partitions") == 0 ? "" : "s");
}

static void check_edge(struct checker *c, const struct dag_edge *edge)
{
    const char *why = edge->topic_given ? illegal(edge->topic) : NULL;
    const struct taken *taken;
    char what[160];

    if (why) {
        diag_add(c->diags, edge->topic_pos.line, edge->topic_pos.column,
                 "edge %s: topic '%.260s': %s", edge->id, edge->topic, why);
        return;
    }
    taken = name_table_find(&c->taken, normalised(c, edge->topic));
    if (taken == NULL) {
        take(c, edge->topic, edge, NULL);
        return;
    }
    if (taken->edge && strcmp(taken->topic, edge->topic) == 0) {
        check_shared(c, edge, taken->edge);
        return;
    }
    if (strcmp(taken->topic, edge->topic) == 0) {
        /* By default only a reserved node name leads here, which is reported already.
         */
        if (edge->topic_given)
            diag_add(c->diags, edge->topic_pos.line, edge->topic_pos.column,
                     "edge %s: topic '%s' is %s: write another 'topic'", edge->id,
                     edge->topic, taken->what);
        return;
    }
    if (taken->edge)
        (void)snprintf(what, sizeof what, "that of edge %.128s at %d:%d",
                       taken->edge->id, taken->edge->topic_pos.line,
                       taken->edge->topic_pos.column);
    else
        (void)snprintf(what, sizeof what, "%s", taken->what);
    diag_add(
        c->diags, edge->topic_pos.line, edge->topic_pos.column,
        "edge %s: topic '%s' collides with '%s', %s (Kafka takes '.' and '_' for the "
        "same): write another 'topic'",
        edge->id, edge->topic, taken->topic, what);
}

void dag_check_topics(const struct dag *dag, struct diag_list *diags)
{
    struct checker c = {.dag = dag, .diags = diags};

    if (dag->edge_count == 0)
        return;
    c.taken.arena = &c.arena;
    take_derived(&c);
    for (size_t i = 0; i < dag->edge_count; i++)
        check_edge(&c, &dag->edges[i]);
    mem_arena_clear(&c.arena);
}
