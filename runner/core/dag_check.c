/* SPDX-License-Identifier: MIT */
#include "core/dag_check.h"

#include "base/text.h"

#include <string.h>

struct graph {
    struct dag *dag;
    struct diag_list *diags;
    size_t *waiting; /* by node: inputs that are not yet in the order */
    bool *done;
    size_t done_count; /* = nodes in dag->order */
    size_t cycles;
};

/* inputs and outputs of all nodes, each from one array. */
static void connect(struct dag *dag)
{
    size_t *inputs = mem_arena_alloc(&dag->arena, dag->edge_count * sizeof *inputs);
    size_t *outputs = mem_arena_alloc(&dag->arena, dag->edge_count * sizeof *outputs);

    for (size_t i = 0; i < dag->edge_count; i++) {
        dag->nodes[dag->edges[i].to].input_count++;
        dag->nodes[dag->edges[i].from].output_count++;
    }
    for (size_t i = 0; i < dag->node_count; i++) {
        struct dag_node *node = &dag->nodes[i];

        node->inputs = inputs;
        node->outputs = outputs;
        inputs += node->input_count;
        outputs += node->output_count;
        node->input_count = 0;
        node->output_count = 0;
    }
    for (size_t i = 0; i < dag->edge_count; i++) {
        struct dag_node *to = &dag->nodes[dag->edges[i].to];
        struct dag_node *from = &dag->nodes[dag->edges[i].from];

        to->inputs[to->input_count++] = i;
        from->outputs[from->output_count++] = i;
    }
}

/* Put a node into the order, then everything that waited for it alone. */
static void finish(struct graph *g, size_t first)
{
    struct dag *dag = g->dag;
    size_t next = g->done_count;

    g->done[first] = true;
    dag->order[g->done_count++] = first;
    for (; next < g->done_count; next++) {
        const struct dag_node *node = &dag->nodes[dag->order[next]];

        for (size_t i = 0; i < node->output_count; i++) {
            size_t to = dag->edges[node->outputs[i]].to;

            if (dag->nodes[to].layer < node->layer + 1)
                dag->nodes[to].layer = node->layer + 1;
            if (--g->waiting[to] == 0 && !g->done[to]) {
                g->done[to] = true;
                dag->order[g->done_count++] = to;
            }
        }
    }
}

/* The edge from a node that is not done: in a remaining graph every node has one. */
static size_t remaining_input(const struct graph *g, size_t node)
{
    const struct dag_node *n = &g->dag->nodes[node];
    size_t i = 0;

    while (i + 1 < n->input_count && g->done[g->dag->edges[n->inputs[i]].from])
        i++;
    return n->inputs[i];
}

/* "a -> b -> c -> a", long ones shortened in the middle. path: the cycle backwards. */
static void report_cycle(struct graph *g, const size_t *path, size_t count)
{
    enum { SHOWN_MAX = 20 };
    const struct dag *dag = g->dag;
    struct text_buf text = {0};
    struct dag_pos at;
    size_t start = 0;

    for (size_t i = 1; i < count; i++) {
        if (path[i] < path[start])
            start = i;
    }
    for (size_t i = 0; i < count; i++) {
        if (i < SHOWN_MAX || i + 1 == count)
            text_appendf(&text, "%s -> ",
                         dag->nodes[path[(start + count - i) % count]].name);
        else if (i == SHOWN_MAX)
            text_appendf(&text, "... (%zu more) -> ", count - SHOWN_MAX - 1);
    }
    at = dag->edges[remaining_input(g, path[start])].pos;
    diag_add(g->diags, at.line, at.column, "cycle: %s%s; a dag has none",
             text_str(&text), dag->nodes[path[start]].name);
    text_buf_clear(&text);
}

/*
 * Walk backwards from a node that is left over until one comes again: that is a cycle.
 * Its nodes count as done after the report, so that what is behind them is ordered,
 * too.
 */
static void break_cycle(struct graph *g, size_t from, size_t *path, size_t *seen_at)
{
    size_t count = 0;
    size_t begin;

    while (seen_at[from] == 0) {
        path[count++] = from;
        seen_at[from] = count;
        from = g->dag->edges[remaining_input(g, from)].from;
    }
    begin = seen_at[from] - 1;
    report_cycle(g, path + begin, count - begin);
    g->cycles++;
    for (size_t i = 0; i < count; i++)
        seen_at[path[i]] = 0;
    for (size_t i = begin; i < count; i++) {
        if (!g->done[path[i]])
            finish(g, path[i]);
    }
}

static void order_nodes(struct graph *g)
{
    struct dag *dag = g->dag;
    size_t *path = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *path);
    size_t *seen_at = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *seen_at);

    for (size_t i = 0; i < dag->node_count; i++)
        g->waiting[i] = dag->nodes[i].input_count;
    for (size_t i = 0; i < dag->node_count; i++) {
        if (dag->nodes[i].input_count == 0)
            finish(g, i);
    }
    for (size_t i = 0; i < dag->node_count && g->cycles < DIAG_MAX; i++) {
        if (!g->done[i])
            break_cycle(g, i, path, seen_at);
    }
}

static void check_sources(struct graph *g, const bool *from_given, bool complete)
{
    const struct dag *dag = g->dag;
    size_t sources = 0;

    for (size_t i = 0; i < dag->node_count; i++) {
        const struct dag_node *node = &dag->nodes[i];

        sources += !from_given[i];
        if (complete && !from_given[i] && node->output_count == 0 &&
            dag->node_count > 1)
            diag_add(
                g->diags, node->pos.line, node->pos.column,
                "node '%s' is connected to nothing: give it a 'from', or let another "
                "node read from it",
                node->name);
    }
    if (sources == 0 && g->cycles == 0 && g->diags->count == 0)
        diag_add(g->diags, dag->nodes[0].pos.line, dag->nodes[0].pos.column,
                 "no source: expected at least one node without 'from'");
}

static void check_partitions(const struct dag *dag, struct diag_list *diags)
{
    for (size_t i = 0; i < dag->edge_count; i++) {
        const struct dag_edge *edge = &dag->edges[i];
        size_t clients = dag->nodes[edge->to].client_count;

        if (edge->partitions > 0 && clients > (size_t)edge->partitions)
            diag_add(
                diags, edge->partitions_pos.line, edge->partitions_pos.column,
                "edge %s: %d partition%s for the %zu clients of node '%s': expected "
                "at least %zu, or fewer clients",
                edge->id, edge->partitions, edge->partitions == 1 ? "" : "s", clients,
                dag->nodes[edge->to].name, clients);
    }
}

static void check_restart(const struct dag *dag, struct diag_list *diags)
{
    for (size_t i = 0; i < dag->node_count; i++) {
        const struct dag_node *node = &dag->nodes[i];

        if (node->restart.backoff_ms > node->restart.backoff_max_ms)
            diag_add(diags, node->pos.line, node->pos.column,
                     "node '%s': restart: backoff is longer than backoff_max",
                     node->name);
    }
}

void dag_check_graph(struct dag *dag, const bool *from_given, bool complete,
                     struct diag_list *diags)
{
    struct graph g = {.dag = dag, .diags = diags};

    if (dag->node_count == 0)
        return;
    g.waiting = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *g.waiting);
    g.done = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *g.done);
    dag->order = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *dag->order);
    connect(dag);
    order_nodes(&g);
    check_sources(&g, from_given, complete);
    check_partitions(dag, diags);
    check_restart(dag, diags);
}
