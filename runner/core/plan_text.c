/* SPDX-License-Identifier: MIT
 *
 * The plan for people and as JSON.
 */
#include "base/json.h"
#include "base/text.h"
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

/* A table whose columns are as wide as their widest cell. */
enum { COLUMNS_MAX = 7 };
struct table {
    struct mem_arena arena;
    size_t columns;
    const char **cells;
    size_t count;
    size_t capacity;
};

static void add_cell(struct table *table, const char *text)
{
    table->cells =
        mem_grow(table->cells, table->count, &table->capacity, sizeof *table->cells);
    table->cells[table->count++] = mem_arena_strdup(&table->arena, text);
}

static void print_table(struct table *table, struct text_buf *out)
{
    size_t widths[COLUMNS_MAX] = {0};

    for (size_t i = 0; i < table->count; i++) {
        size_t len = strlen(table->cells[i]);

        if (len > widths[i % table->columns])
            widths[i % table->columns] = len;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;

        if (column + 1 == table->columns)
            text_appendf(out, "%s\n", table->cells[i]);
        else
            text_appendf(out, "%-*s  ", (int)widths[column], table->cells[i]);
    }
    mem_arena_clear(&table->arena);
    free(table->cells);
}

static const char *retention_text(const struct plan_topic *topic,
                                  char text[TEXT_NUMBER])
{
    if (topic->retention_ms < 0)
        return "-";
    text_format_duration(topic->retention_ms, text);
    return text;
}

static char *readers_text(const struct plan *plan, const struct plan_topic *topic)
{
    struct text_buf text = {0};

    for (size_t i = 0; i < topic->edge_count; i++)
        text_appendf(&text, "%s%s", i > 0 ? ", " : "",
                     plan->dag->nodes[plan->dag->edges[topic->edges[i]].to].name);
    if (topic->kind == PLAN_DLQ)
        text_append(&text, "dead letters, kept until 'dagrun clean'");
    else if (topic->kind == PLAN_RETRY)
        text_appendf(&text, "%s: dead letters sent again",
                     plan->dag->nodes[topic->writer].name);
    else if (topic->kind == PLAN_PARKING)
        text_append(&text, "clients that leave");
    return text_take(&text);
}

static void print_topics(const struct plan *plan, struct text_buf *out)
{
    static const char *const heads[] = {"TOPIC",     "PARTITIONS", "REPLICATION",
                                        "RETENTION", "MAX RECORD", "WRITER",
                                        "READERS"};
    struct table table = {.columns = sizeof heads / sizeof *heads};
    char text[TEXT_NUMBER];

    for (size_t i = 0; i < table.columns; i++)
        add_cell(&table, heads[i]);
    for (size_t i = 0; i < plan->topic_count; i++) {
        const struct plan_topic *topic = &plan->topics[i];
        char *readers = readers_text(plan, topic);

        add_cell(&table, topic->name);
        (void)snprintf(text, sizeof text, "%d", topic->partitions);
        add_cell(&table, text);
        (void)snprintf(text, sizeof text, "%d", topic->replication);
        add_cell(&table, topic->replication == -1 ? "broker's" : text);
        add_cell(&table, retention_text(topic, text));
        text_format_bytes(topic->max_message_bytes, text);
        add_cell(&table, text);
        add_cell(&table, topic->kind == PLAN_PARKING || topic->kind == PLAN_RETRY
                             ? "-"
                             : plan->dag->nodes[topic->writer].name);
        add_cell(&table, readers);
        free(readers);
    }
    print_table(&table, out);
}

/* "d.n.0, d.n.1", many shortened to "d.n.0 … d.n.7 (8)". */
static char *clients_text(const struct dag *dag, size_t node)
{
    enum { LISTED_MAX = 4 };
    size_t count = dag->nodes[node].client_count;
    struct text_buf text = {0};

    for (size_t i = 0; i < count; i++) {
        char *id;

        if (count > LISTED_MAX && i > 0 && i + 1 < count)
            continue;
        id = dag_client_id(dag, node, dag->nodes[node].clients[i]);
        text_appendf(&text, "%s%s",
                     i == 0               ? ""
                     : count > LISTED_MAX ? " ... "
                                          : ", ",
                     id);
        free(id);
    }
    if (count > LISTED_MAX)
        text_appendf(&text, " (%zu)", count);
    return text_take(&text);
}

static void print_nodes(const struct dag *dag, struct text_buf *out)
{
    struct table table = {.columns = 4};

    add_cell(&table, "NODE");
    add_cell(&table, "PROGRAM");
    add_cell(&table, "GROUP");
    add_cell(&table, "CLIENTS");
    for (size_t i = 0; i < dag->node_count; i++) {
        char *group = dag_group(dag, i);
        char *clients = clients_text(dag, i);

        add_cell(&table, dag->nodes[i].name);
        add_cell(&table, dag->nodes[i].program);
        add_cell(&table, dag->nodes[i].input_count > 0 ? group : "-");
        add_cell(&table, clients);
        free(group);
        free(clients);
    }
    print_table(&table, out);
}

char *plan_text(const struct plan *plan)
{
    const struct dag *dag = plan->dag;
    struct text_buf out = {0};
    size_t clients = 0;

    for (size_t i = 0; i < dag->node_count; i++)
        clients += dag->nodes[i].client_count;
    text_appendf(&out, "%s: %zu node%s, %zu edge%s, %zu client%s, %zu topics\n\n",
                 dag->name, dag->node_count, dag->node_count == 1 ? "" : "s",
                 dag->edge_count, dag->edge_count == 1 ? "" : "s", clients,
                 clients == 1 ? "" : "s", plan->topic_count);
    print_topics(plan, &out);
    text_append(&out, "\n");
    print_nodes(dag, &out);
    return text_take(&out);
}

static json_t *text_and_free(char *text)
{
    json_t *value = json_text(text);

    free(text);
    return value;
}

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *topic_json(const struct plan *plan, const struct plan_topic *topic)
{
    static const char *const kinds[] = {[PLAN_EDGE] = "edge",
                                        [PLAN_DLQ] = "dlq",
                                        [PLAN_RETRY] = "retry",
                                        [PLAN_PARKING] = "parking"};
    bool written = topic->kind == PLAN_EDGE || topic->kind == PLAN_DLQ;
    json_t *object = json_object();
    json_t *edges = json_array();

    for (size_t i = 0; i < topic->edge_count; i++)
        (void)json_array_append_new(edges,
                                    json_text(plan->dag->edges[topic->edges[i]].id));
    set(object, "name", json_text(topic->name));
    set(object, "kind", json_string(kinds[topic->kind]));
    set(object, "writer",
        written ? json_text(plan->dag->nodes[topic->writer].name) : json_null());
    if (topic->kind == PLAN_RETRY)
        set(object, "reader", json_text(plan->dag->nodes[topic->writer].name));
    set(object, "edges", edges);
    set(object, "partitions", json_integer(topic->partitions));
    set(object, "replication", json_integer(topic->replication));
    set(object, "retention_ms", json_integer(topic->retention_ms));
    set(object, "max_message_bytes", json_integer(topic->max_message_bytes));
    return object;
}

static json_t *node_json(const struct dag *dag, size_t node)
{
    const struct dag_node *n = &dag->nodes[node];
    json_t *object = json_object();
    json_t *clients = json_array();

    for (size_t i = 0; i < n->client_count; i++)
        (void)json_array_append_new(
            clients, text_and_free(dag_client_id(dag, node, n->clients[i])));
    set(object, "name", json_text(n->name));
    set(object, "program", json_text(n->program));
    set(object, "group",
        n->input_count > 0 ? text_and_free(dag_group(dag, node)) : json_null());
    set(object, "clients", clients);
    return object;
}

json_t *plan_json_value(const struct plan *plan)
{
    json_t *object = json_object();
    json_t *topics = json_array();
    json_t *nodes = json_array();

    for (size_t i = 0; i < plan->topic_count; i++)
        (void)json_array_append_new(topics, topic_json(plan, &plan->topics[i]));
    for (size_t i = 0; i < plan->dag->node_count; i++)
        (void)json_array_append_new(nodes, node_json(plan->dag, i));
    set(object, "dag", json_text(plan->dag->name));
    set(object, "path", json_text(plan->dag->path));
    set(object, "topics", topics);
    set(object, "nodes", nodes);
    return object;
}

char *plan_json(const struct plan *plan)
{
    json_t *object = plan_json_value(plan);
    char *line = json_line(object);

    json_decref(object);
    return line;
}
