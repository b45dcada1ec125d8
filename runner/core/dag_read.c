/* SPDX-License-Identifier: MIT */
#include "core/dag_read.h"

#include "core/name_table.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "node 'add': restart: ", or less of it. */
static void append_place(const struct dag_reader *r, struct text_buf *text)
{
    char shown[DAG_SHOWN];

    if (r->where_node) {
        dag_text_show(r->where_node, shown);
        text_appendf(text, "node %s: ", shown);
    } else if (r->where_edge) {
        text_appendf(text, "edge %s: ", r->where_edge);
    }
    if (r->where_section)
        text_appendf(text, "%s: ", r->where_section);
}

void dag_read_report(struct dag_reader *r, struct dag_pos at, const char *format, ...)
{
    struct text_buf text = {0};
    char *message = NULL;
    va_list ap;

    append_place(r, &text);
    va_start(ap, format);
    if (vasprintf(&message, format, ap) >= 0)
        text_append(&text, message);
    va_end(ap);
    diag_add(r->diags, at.line, at.column, "%s", text_str(&text));
    free(message);
    text_buf_clear(&text);
}

/* Keys of edges are often written at the node, and the other way round. */
static const struct {
    enum dag_scope found;
    enum dag_scope meant;
    const char *place;
} places[] = {
    {DAG_SCOPE_NODE, DAG_SCOPE_EDGE, "an edge: from: {NAME: {...}}"},
    {DAG_SCOPE_NODE, DAG_SCOPE_RESTART, "'restart'"},
    {DAG_SCOPE_NODE, DAG_SCOPE_STOP, "'stop'"},
    {DAG_SCOPE_EDGE, DAG_SCOPE_NODE, "a node, not to an edge"},
    {DAG_SCOPE_ROOT, DAG_SCOPE_KAFKA, "'kafka'"},
};

/* True and reported when the key is one of another scope. */
static bool report_misplaced(struct dag_reader *r, enum dag_scope scope,
                             const struct dag_value *key)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct dag_key *meant = dag_key_find(places[i].meant, key->text);

        if (places[i].found != scope || meant == NULL)
            continue;
        dag_read_report(
            r, key->pos, "'%s' belongs to %s%s", meant->name, places[i].place,
            meant->flags & DAG_KEY_LATER ? ", and is not supported yet" : "");
        return true;
    }
    return false;
}

static void report_unknown(struct dag_reader *r, enum dag_scope scope,
                           const struct dag_value *key)
{
    const char *near = dag_key_nearest(scope, key->text);
    char shown[DAG_SHOWN];
    char names[256];
    size_t len = 0;

    dag_text_show(key->text, shown);
    if (report_misplaced(r, scope, key))
        return;
    if (near) {
        dag_read_report(r, key->pos, "unknown key %s (did you mean '%s'?)", shown,
                        near);
        return;
    }
    names[0] = '\0';
    for (const struct dag_key *k = dag_keys; k->name && len < sizeof names; k++) {
        if (k->scope == scope && !(k->flags & DAG_KEY_LATER))
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s",
                                    len > 0 ? ", " : "", k->name);
    }
    dag_read_report(r, key->pos, "unknown key %s: expected one of %s", shown, names);
}

/* Only keys of a node or an edge stand directly in defaults:, not those inside. */
static bool may_be_default(const struct dag_key *key)
{
    return (key->scope != DAG_SCOPE_NODE && key->scope != DAG_SCOPE_EDGE) ||
           (key->flags & DAG_KEY_DEFAULT);
}

void dag_read_section(struct dag_reader *r, enum dag_scope scope,
                      const struct dag_value *map, void *target)
{
    for (const struct dag_item *item = map->items; item; item = item->next) {
        const struct dag_key *key = dag_key_find(scope, item->key->text);

        if (key == NULL)
            report_unknown(r, scope, item->key);
        else if (key->flags & DAG_KEY_LATER)
            dag_read_report(r, item->key->pos, "%s is not supported yet; leave it out",
                            key->name);
        else if (r->in_defaults && !may_be_default(key))
            dag_read_report(r, item->key->pos,
                            "%s can't be a default, it belongs to each %s itself",
                            key->name, scope == DAG_SCOPE_NODE ? "node" : "edge");
        else
            dag_read_value(r, key, item->value, target);
    }
}

/* What holds for a node or edge that says nothing, before defaults: is read. */
static void set_defaults(struct dag_reader *r)
{
    r->node_defaults = (struct dag_node){
        .restart = {.when = DAG_RESTART_ON_FAILURE,
                    .max = 5,
                    .window_ms = 60 * 1000,
                    .backoff_ms = 100,
                    .backoff_max_ms = 30 * 1000},
        .stop = {.grace_ms = 10 * 1000, .drain_ms = 30 * 1000},
        .cwd = r->dag->dir,
    };
    r->edge_defaults = (struct dag_edge){
        .replication = -1,
        .retention_ms = DAG_RETENTION_MS,
        .max_record_bytes = DAG_MAX_RECORD_BYTES,
    };
    r->dag->prefix = "";
}

static void check_node_name(struct dag_reader *r, const struct dag_value *name)
{
    static const char *const reserved[] = {"dlq", "retry", "parking"};
    char shown[DAG_SHOWN];

    dag_text_show(name->text, shown);
    if (!dag_is_name(name->text))
        diag_add(r->diags, name->pos.line, name->pos.column,
                 "node name %s: expected " DAG_NAME_RULE, shown);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        if (strcmp(name->text, reserved[i]) == 0)
            diag_add(
                r->diags, name->pos.line, name->pos.column,
                "node name %s is reserved for dagrun's own topics; expected another",
                shown);
    }
}

/* run: is refused as not supported; that program: is missing then need not be said. */
static bool has_key(const struct dag_value *map, const char *name)
{
    for (const struct dag_item *item = map->items; item; item = item->next) {
        if (strcmp(item->key->text, name) == 0)
            return true;
    }
    return false;
}

static void read_node(struct dag_reader *r, const struct dag_item *item)
{
    struct dag_node *node = &r->dag->nodes[r->node];
    static const char *no_args[] = {NULL};

    *node = r->node_defaults;
    node->name = item->key->text;
    node->pos = item->key->pos;
    node->args = no_args;
    node->program = "";
    check_node_name(r, item->key);
    name_table_put(r->dag->node_names, node->name, node);
    r->where_node = node->name;
    if (item->value->kind != DAG_MAP) {
        char found[DAG_SHOWN];

        dag_value_show(item->value, found);
        if (!item->value->failed)
            dag_read_report(r, item->value->pos,
                            "expected a map with at least 'program', found %s", found);
        r->from_given[r->node] = true;
        return;
    }
    r->from_given[r->node] = has_key(item->value, "from");
    dag_read_section(r, DAG_SCOPE_NODE, item->value, node);
    if (!has_key(item->value, "program") && !has_key(item->value, "run"))
        dag_read_report(
            r, node->pos,
            "program is missing: expected the name of a built-in program or "
            "a path");
}

static void read_nodes(struct dag_reader *r)
{
    struct dag *dag = r->dag;

    dag->nodes = mem_arena_alloc(&dag->arena, r->nodes->count * sizeof *dag->nodes);
    r->from_given =
        mem_arena_alloc(&dag->arena, r->nodes->count * sizeof *r->from_given);
    for (const struct dag_item *item = r->nodes->items; item; item = item->next) {
        r->node = dag->node_count++;
        read_node(r, item);
    }
}

static void report_dangling(struct dag_reader *r, const struct dag_link *link)
{
    enum {
        MANY = 1000,
        FIRST = 20
    }; /* looking for more similar names costs too much */
    const struct dag *dag = r->dag;
    const char *names[MANY];
    const char *near = NULL;
    char shown[DAG_SHOWN];

    if (dag->node_count <= MANY && r->diags->count < FIRST) {
        for (size_t i = 0; i < dag->node_count; i++)
            names[i] = dag->nodes[i].name;
        near = text_nearest(link->from->text, names, dag->node_count);
    }
    dag_text_show(link->from->text, shown);
    if (near)
        dag_read_report(r, link->from->pos, "from: no node %s (did you mean '%s'?)",
                        shown, near);
    else
        dag_read_report(r, link->from->pos,
                        "from: no node %s: expected one that stands under 'nodes'",
                        shown);
}

static void read_edge(struct dag_reader *r, const struct dag_link *link)
{
    struct dag *dag = r->dag;
    struct dag_edge *edge = &dag->edges[dag->edge_count];
    const struct dag_node *from = name_table_find(dag->node_names, link->from->text);
    const struct dag_node *to = &dag->nodes[link->to];
    const struct dag_edge *first;

    r->where_node = to->name;
    r->where_edge = NULL;
    if (from == NULL) {
        report_dangling(r, link);
        return;
    }
    *edge = r->edge_defaults;
    edge->id = mem_arena_join(&dag->arena, from->name, ":", to->name, NULL);
    edge->from = (size_t)(from - dag->nodes);
    edge->to = link->to;
    edge->pos = link->from->pos;
    edge->topic_pos = edge->pos;
    first = name_table_find(dag->edge_names, edge->id);
    if (first) {
        dag_read_report(r, edge->pos, "from: '%s' stands there twice, first at %d:%d",
                        from->name, first->pos.line, first->pos.column);
        return;
    }
    name_table_put(dag->edge_names, edge->id, edge);
    dag->edge_count++;
    r->where_node = NULL;
    r->where_edge = edge->id;
    if (link->settings)
        dag_read_section(r, DAG_SCOPE_EDGE, link->settings, edge);
    edge->topic_given = edge->topic != NULL;
    if (edge->topic == NULL)
        edge->topic = mem_arena_join(&dag->arena, dag->prefix, dag->name, ".",
                                     from->name, ".", to->name, NULL);
}

static struct name_table *new_table(struct dag *dag)
{
    struct name_table *table = mem_arena_alloc(&dag->arena, sizeof *table);

    table->arena = &dag->arena;
    return table;
}

/* The file's name without folder and .yaml. */
static void name_by_file(struct dag_reader *r)
{
    struct dag *dag = r->dag;
    const char *base = strrchr(dag->path, '/');
    const char *dot;
    char shown[DAG_SHOWN];

    base = base ? base + 1 : dag->path;
    dot = strrchr(base, '.');
    if (dot == NULL || (strcmp(dot, ".yaml") != 0 && strcmp(dot, ".yml") != 0))
        dot = base + strlen(base);
    dag->name = mem_arena_strndup(&dag->arena, base, (size_t)(dot - base));
    if (dag_is_name(dag->name))
        return;
    dag_text_show(dag->name, shown);
    diag_add(r->diags, 1, 1,
             "the file's name gives the dag the name %s, expected " DAG_NAME_RULE
             ": write 'name: NAME'",
             shown);
}

void dag_read(struct dag_reader *r, const struct dag_value *root)
{
    struct dag *dag = r->dag;
    char shown[DAG_SHOWN];

    r->links_tail = &r->links;
    dag->node_names = new_table(dag);
    dag->edge_names = new_table(dag);
    set_defaults(r);
    if (root->kind != DAG_MAP) {
        dag_value_show(root, shown);
        diag_add(r->diags, root->pos.line, root->pos.column,
                 "expected a map with 'nodes', found %s", shown);
        return;
    }
    dag_read_section(r, DAG_SCOPE_ROOT, root, dag);
    if (!has_key(root, "name"))
        name_by_file(r);
    else if (dag->name == NULL)
        dag->name = "";
    if (!has_key(root, "nodes"))
        diag_add(r->diags, root->pos.line, root->pos.column,
                 "nodes is missing: expected a map of node names to nodes");
    if (r->nodes == NULL)
        return;
    read_nodes(r);
    dag->edges = mem_arena_alloc(&dag->arena, r->link_count * sizeof *dag->edges);
    for (const struct dag_link *link = r->links; link; link = link->next)
        read_edge(r, link);
}
