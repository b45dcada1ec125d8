/* SPDX-License-Identifier: MIT */
#include "core/graph_route.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct span {
    int top;
    int bottom;
};

static bool same_targets(const struct layout_vertex *a, const struct layout_vertex *b)
{
    return a->out_count == b->out_count &&
           memcmp(a->out, b->out, a->out_count * sizeof *a->out) == 0;
}

static struct graph_pin *pins_of(const size_t *vertices, size_t count,
                                 struct mem_arena *arena)
{
    struct graph_pin *pins = mem_arena_alloc(arena, count * sizeof *pins);

    for (size_t i = 0; i < count; i++)
        pins[i] = (struct graph_pin){.vertex = vertices[i], .turn_column = -1};
    return pins;
}

void graph_route_nets(struct graph_channel *channel, const struct layout_graph *graph,
                      size_t layer, struct mem_arena *arena)
{
    const struct layout_layer *from = &graph->layers[layer];
    size_t *members = mem_alloc(from->count * sizeof *members);
    bool *taken = mem_alloc(from->count * sizeof *taken);

    *channel = (struct graph_channel){
        .nets = mem_arena_alloc(arena, from->count * sizeof *channel->nets)};
    for (size_t i = 0; i < from->count; i++) {
        const struct layout_vertex *first = &graph->vertices[from->vertices[i]];
        struct graph_net *net = &channel->nets[channel->net_count];
        size_t count = 0;

        if (taken[i] || first->out_count == 0)
            continue;
        for (size_t j = i; j < from->count; j++) {
            if (!same_targets(first, &graph->vertices[from->vertices[j]]))
                continue;
            taken[j] = true;
            members[count++] = from->vertices[j];
        }
        net->sources = pins_of(members, count, arena);
        net->source_count = count;
        net->targets = pins_of(first->out, first->out_count, arena);
        net->target_count = first->out_count;
        channel->net_count++;
    }
    free(members);
    free(taken);
}

size_t graph_route_entries(const struct graph_channel *channel, size_t vertex)
{
    size_t count = 0;

    for (size_t n = 0; n < channel->net_count; n++) {
        for (size_t i = 0; i < channel->nets[n].target_count; i++)
            count += channel->nets[n].targets[i].vertex == vertex;
    }
    return count;
}

/* A box with several entries has them around its middle, two rows apart, net by net. */
static void set_rows(struct graph_channel *channel, const struct layout_graph *graph)
{
    size_t *entered = mem_alloc(graph->vertex_count * sizeof *entered);

    for (size_t n = 0; n < channel->net_count; n++) {
        struct graph_net *net = &channel->nets[n];

        for (size_t i = 0; i < net->source_count; i++) {
            net->sources[i].row = graph->vertices[net->sources[i].vertex].y;
            net->sources[i].turn_row = net->sources[i].row;
        }
        for (size_t i = 0; i < net->target_count; i++) {
            struct graph_pin *pin = &net->targets[i];
            int entries = (int)graph_route_entries(channel, pin->vertex);

            pin->row = graph->vertices[pin->vertex].y - (entries - 1) +
                       2 * (int)entered[pin->vertex]++;
            pin->turn_row = pin->row;
        }
    }
    free(entered);
}

static bool is_straight(const struct graph_net *net)
{
    return net->source_count == 1 && net->target_count == 1 &&
           net->sources[0].row == net->targets[0].row;
}

static void widen(struct span *span, int row)
{
    span->top = row < span->top ? row : span->top;
    span->bottom = row > span->bottom ? row : span->bottom;
}

static struct span trunk_of(const struct graph_net *net)
{
    struct span span = {net->targets[0].row, net->targets[0].row};

    for (size_t i = 0; i < net->source_count; i++)
        widen(&span, net->sources[i].turn_row);
    for (size_t i = 0; i < net->target_count; i++)
        widen(&span, net->targets[i].row);
    return span;
}

static bool touch(struct span a, struct span b)
{
    return a.top <= b.bottom && b.top <= a.bottom;
}

/* Must a's trunk stand left of b's, for b reaches a row that a leaves? */
static bool is_before(const struct graph_net *a, const struct graph_net *b)
{
    for (size_t i = 0; i < a->source_count; i++) {
        if (a->sources[i].turn_column >= 0)
            continue;
        for (size_t j = 0; j < b->target_count; j++) {
            if (a->sources[i].row == b->targets[j].row)
                return a != b;
        }
    }
    return false;
}

static bool is_free(const struct graph_channel *channel, const struct graph_net *net)
{
    for (size_t n = 0; n < channel->net_count; n++) {
        const struct graph_net *other = &channel->nets[n];

        if (!other->routed && is_before(other, net))
            return false;
    }
    return !net->routed;
}

static bool goes_down(const struct graph_net *net)
{
    return net->targets[net->target_count - 1].row > net->sources[0].row;
}

/*
 * The next net whose trunk may be set. Of lines that go down the lowest is leftmost, of
 * those that go up the highest: so parallel ones nest instead of crossing.
 */
static struct graph_net *next_net(struct graph_channel *channel)
{
    struct graph_net *up = NULL;

    for (size_t n = channel->net_count; n-- > 0;) {
        struct graph_net *net = &channel->nets[n];

        if (!is_free(channel, net))
            continue;
        if (goes_down(net))
            return net;
        up = net;
    }
    return up;
}

/* The first column from least on where nothing touches the net's trunk. */
static int column_for(const struct graph_channel *channel, const struct graph_net *net)
{
    struct span span = trunk_of(net);
    int column = 0;
    bool moved = true;

    for (size_t n = 0; n < channel->net_count; n++) {
        const struct graph_net *other = &channel->nets[n];

        if (other->routed && is_before(other, net) && other->column >= column)
            column = other->column + 1;
    }
    while (moved) {
        moved = false;
        for (size_t n = 0; n < channel->net_count; n++) {
            const struct graph_net *other = &channel->nets[n];

            if (other->routed && other->column == column && touch(span, trunk_of(other))) {
                column++;
                moved = true;
            }
        }
    }
    return column;
}

static bool row_is_used(const struct graph_channel *channel, int row)
{
    for (size_t n = 0; n < channel->net_count; n++) {
        const struct graph_net *net = &channel->nets[n];

        for (size_t i = 0; i < net->source_count; i++) {
            if (net->sources[i].row == row || net->sources[i].turn_row == row)
                return true;
        }
        for (size_t i = 0; i < net->target_count; i++) {
            if (net->targets[i].row == row)
                return true;
        }
    }
    return row < 0;
}

static int free_row_near(const struct graph_channel *channel, int row)
{
    for (int distance = 1;; distance++) {
        if (!row_is_used(channel, row + distance))
            return row + distance;
        if (!row_is_used(channel, row - distance))
            return row - distance;
    }
}

static bool steps_touch(const struct graph_pin *a, const struct graph_pin *b)
{
    struct span x = {a->row, a->row};
    struct span y = {b->row, b->row};

    widen(&x, a->turn_row);
    widen(&y, b->turn_row);
    return a->turn_column == b->turn_column && touch(x, y);
}

static int step_column(const struct graph_channel *channel, struct graph_pin *pin)
{
    bool moved = true;

    pin->turn_column = 0;
    while (moved) {
        moved = false;
        for (size_t n = 0; n < channel->net_count; n++) {
            const struct graph_net *net = &channel->nets[n];

            for (size_t i = 0; i < net->source_count; i++) {
                if (&net->sources[i] != pin && steps_touch(pin, &net->sources[i])) {
                    pin->turn_column++;
                    moved = true;
                }
            }
        }
    }
    return pin->turn_column;
}

static bool blocks(const struct graph_channel *channel, const struct graph_net *net)
{
    for (size_t n = 0; n < channel->net_count; n++) {
        if (!channel->nets[n].routed && is_before(net, &channel->nets[n]))
            return !net->routed;
    }
    return false;
}

/* Break a cycle of conditions: a net that others wait for leaves its rows at once. */
static int step_aside(struct graph_channel *channel)
{
    size_t n = 0;
    int columns = 0;
    struct graph_net *net;

    while (!blocks(channel, &channel->nets[n]))
        n++;
    net = &channel->nets[n];
    for (size_t i = 0; i < net->source_count; i++) {
        struct graph_pin *pin = &net->sources[i];
        int column;

        assert(pin->turn_column < 0);
        pin->turn_row = free_row_near(channel, pin->row);
        column = step_column(channel, pin);
        columns = column + 1 > columns ? column + 1 : columns;
    }
    return columns;
}

void graph_route_columns(struct graph_channel *channel, const struct layout_graph *graph)
{
    size_t left = channel->net_count;
    int steps = 0;

    set_rows(channel, graph);
    for (size_t n = 0; n < channel->net_count; n++) {
        struct graph_net *net = &channel->nets[n];

        net->column = -1;
        net->routed = is_straight(net);
        left -= net->routed;
    }
    while (left > 0) {
        struct graph_net *net = next_net(channel);

        if (net == NULL) {
            int columns = step_aside(channel);

            steps = columns > steps ? columns : steps;
            continue;
        }
        net->column = column_for(channel, net);
        net->routed = true;
        left--;
    }
    channel->columns = steps;
    for (size_t n = 0; n < channel->net_count; n++) {
        struct graph_net *net = &channel->nets[n];

        if (net->column >= 0)
            net->column += steps;
        if (net->column >= channel->columns)
            channel->columns = net->column + 1;
    }
}
