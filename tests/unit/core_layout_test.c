/* SPDX-License-Identifier: MIT */
#include "core/layout.h"
#include "core/layout_graph.h"
#include "support/suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NODES = 32, SEEDS = 25, EDGES = NODES * NODES };

struct sample {
    struct layout_node nodes[NODES];
    struct layout_edge edges[EDGES];
    struct layout_spec spec;
};

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

static void make_sample(struct sample *sample, unsigned seed, bool labels)
{
    unsigned state = seed;
    size_t count = 1 + next_random(&state) % NODES;
    unsigned density = 1 + next_random(&state) % 12;
    size_t edges = 0;

    memset(sample, 0, sizeof *sample);
    for (size_t n = 0; n < count; n++) {
        sample->nodes[n].width = 20 + (int)(next_random(&state) % 150);
        sample->nodes[n].height = 10 + (int)(next_random(&state) % 50);
        for (size_t from = 0; from < n; from++) {
            struct layout_edge *edge = &sample->edges[edges];

            if (next_random(&state) % 40 >= density)
                continue;
            *edge = (struct layout_edge){.from = from, .to = n};
            if (labels && next_random(&state) % 3 == 0) {
                edge->label_width = 10 + (int)(next_random(&state) % 90);
                edge->label_height = 14;
            }
            edges++;
        }
    }
    sample->spec = (struct layout_spec){.nodes = sample->nodes,
                                        .node_count = count,
                                        .edges = sample->edges,
                                        .edge_count = edges,
                                        .layer_gap = 40,
                                        .node_gap = 12,
                                        .line_gap = 8};
}

static bool overlap(const struct layout_box *a, const struct layout_box *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
           b->y < a->y + a->height;
}

static bool inside(const struct layout *layout, const struct layout_box *box)
{
    return box->x >= 0 && box->y >= 0 && box->x + box->width <= layout->width &&
           box->y + box->height <= layout->height;
}

/* Boxes and labels in one array. */
static size_t all_boxes(const struct sample *sample, const struct layout *layout,
                        struct layout_box *boxes)
{
    size_t count = 0;

    for (size_t n = 0; n < sample->spec.node_count; n++)
        boxes[count++] = layout->nodes[n];
    for (size_t e = 0; e < sample->spec.edge_count; e++) {
        if (layout->lines[e].label.width > 0)
            boxes[count++] = layout->lines[e].label;
    }
    return count;
}

START_TEST(boxes_and_labels_never_overlap_and_lie_inside)
{
    static struct sample sample;
    static struct layout_box boxes[NODES + EDGES];

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct layout *layout;
        size_t count;

        make_sample(&sample, seed, seed % 2 == 1);
        layout = layout_new(&sample.spec);
        count = all_boxes(&sample, layout, boxes);
        for (size_t i = 0; i < count; i++) {
            ck_assert(inside(layout, &boxes[i]));
            for (size_t j = 0; j < i; j++)
                ck_assert_msg(!overlap(&boxes[i], &boxes[j]), "seed %u", seed);
        }
        layout_free(layout);
    }
}
END_TEST

START_TEST(every_line_goes_from_its_box_to_the_right_into_its_box)
{
    static struct sample sample;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct layout *layout;

        make_sample(&sample, seed, seed % 2 == 1);
        layout = layout_new(&sample.spec);
        for (size_t e = 0; e < sample.spec.edge_count; e++) {
            const struct layout_line *line = &layout->lines[e];
            const struct layout_box *from = &layout->nodes[sample.edges[e].from];
            const struct layout_box *to = &layout->nodes[sample.edges[e].to];
            const struct layout_point *last = &line->points[line->point_count - 1];

            ck_assert_uint_lt(layout->layers[sample.edges[e].from],
                              layout->layers[sample.edges[e].to]);
            ck_assert_int_eq(line->points[0].x, from->x + from->width);
            ck_assert_int_eq(line->points[0].y, from->y + from->height / 2);
            ck_assert_int_eq(last->x, to->x);
            ck_assert_int_eq(last->y, to->y + to->height / 2);
            ck_assert_uint_eq(line->point_count % 2, 0);
            for (size_t i = 1; i < line->point_count; i++) {
                ck_assert_int_ge(line->points[i].x, line->points[i - 1].x);
                if (i % 2 == 1)
                    ck_assert_int_eq(line->points[i].y, line->points[i - 1].y);
            }
            ck_assert(sample.edges[e].label_width == line->label.width);
        }
        layout_free(layout);
    }
}
END_TEST

/* The level pieces are where a line passes other layers: no box may stand there. */
START_TEST(no_line_runs_through_a_box)
{
    static struct sample sample;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct layout *layout;

        make_sample(&sample, seed, false);
        layout = layout_new(&sample.spec);
        for (size_t e = 0; e < sample.spec.edge_count; e++) {
            const struct layout_line *line = &layout->lines[e];

            for (size_t i = 1; i < line->point_count; i += 2) {
                struct layout_box piece = {.x = line->points[i - 1].x,
                                           .y = line->points[i].y,
                                           .width = line->points[i].x -
                                                    line->points[i - 1].x,
                                           .height = 1};

                for (size_t n = 0; n < sample.spec.node_count; n++)
                    ck_assert(!overlap(&piece, &layout->nodes[n]));
            }
        }
        layout_free(layout);
    }
}
END_TEST

START_TEST(the_same_graph_gives_the_same_layout)
{
    static struct sample sample;

    for (unsigned seed = 0; seed < 50; seed++) {
        struct layout *a;
        struct layout *b;

        make_sample(&sample, seed, true);
        a = layout_new(&sample.spec);
        b = layout_new(&sample.spec);
        ck_assert_mem_eq(a->nodes, b->nodes, sample.spec.node_count * sizeof *a->nodes);
        for (size_t e = 0; e < sample.spec.edge_count; e++)
            ck_assert_mem_eq(a->lines[e].points, b->lines[e].points,
                             a->lines[e].point_count * sizeof *a->lines[e].points);
        layout_free(a);
        layout_free(b);
    }
}
END_TEST

START_TEST(a_chain_is_one_straight_line)
{
    struct layout_node nodes[] = {{50, 20}, {80, 40}, {20, 30}};
    struct layout_edge edges[] = {{.from = 0, .to = 1}, {.from = 1, .to = 2}};
    struct layout_spec spec = {.nodes = nodes,
                               .node_count = 3,
                               .edges = edges,
                               .edge_count = 2,
                               .layer_gap = 40,
                               .node_gap = 10};
    struct layout *layout = layout_new(&spec);

    ck_assert_int_eq(layout->width, 50 + 40 + 80 + 40 + 20);
    ck_assert_int_eq(layout->height, 40);
    for (size_t n = 0; n < 3; n++)
        ck_assert_int_eq(layout->nodes[n].y + layout->nodes[n].height / 2, 20);
    layout_free(layout);
}
END_TEST

/* The children of every box are numbered so that the order of the file crosses. */
START_TEST(what_can_be_drawn_without_crossings_is)
{
    enum { ROOTS = 9, TREE = 2 * ROOTS };
    struct layout_node nodes[TREE] = {{0}};
    struct layout_edge edges[ROOTS];
    struct layout_spec spec = {
        .nodes = nodes, .node_count = TREE, .edges = edges, .edge_count = ROOTS};
    struct layout_graph graph;

    for (size_t n = 0; n < ROOTS; n++)
        edges[n] = (struct layout_edge){.from = n, .to = ROOTS + n * 4 % ROOTS};
    layout_graph_init(&graph, &spec);
    ck_assert_uint_gt(layout_crossings(&graph), 0);
    layout_order(&graph);
    ck_assert_uint_eq(layout_crossings(&graph), 0);
    layout_graph_clear(&graph);
}
END_TEST

/* Lines 0-2, 0-3, 1-2, 1-3 cross once whatever the order; 0-3, 1-2 alone cross once. */
START_TEST(crossings_are_counted_exactly)
{
    struct layout_node nodes[4] = {{0}};
    struct layout_edge edges[] = {{.from = 0, .to = 3},
                                  {.from = 1, .to = 2},
                                  {.from = 0, .to = 2},
                                  {.from = 1, .to = 3}};
    struct layout_spec spec = {.nodes = nodes, .node_count = 4, .edges = edges};
    struct layout_graph graph;

    for (spec.edge_count = 1; spec.edge_count <= 4; spec.edge_count++) {
        layout_graph_init(&graph, &spec);
        ck_assert_uint_eq(layout_crossings(&graph), spec.edge_count > 1);
        layout_graph_clear(&graph);
    }
}
END_TEST

/* Every node feeds every later one: the dummies would be half a million. */
START_TEST(a_graph_of_long_lines_stays_within_bounds)
{
    enum { CHAIN = 120, ALL = CHAIN * (CHAIN - 1) / 2 };
    static struct layout_node nodes[CHAIN];
    static struct layout_edge edges[ALL];
    struct layout_spec spec = {
        .nodes = nodes, .node_count = CHAIN, .edges = edges, .layer_gap = 10};
    struct layout_graph graph;
    struct layout *layout;

    for (size_t n = 0; n < CHAIN; n++) {
        nodes[n] = (struct layout_node){30, 20};
        for (size_t from = 0; from < n; from++)
            edges[spec.edge_count++] = (struct layout_edge){.from = from, .to = n};
    }
    layout_graph_init(&graph, &spec);
    ck_assert_uint_le(graph.vertex_count, CHAIN + LAYOUT_DUMMIES_MAX);
    layout_graph_clear(&graph);
    layout = layout_new(&spec);
    ck_assert_uint_eq(layout->layers[CHAIN - 1], CHAIN - 1);
    for (size_t e = 0; e < spec.edge_count; e++)
        ck_assert_uint_ge(layout->lines[e].point_count, 4);
    layout_free(layout);
}
END_TEST

START_TEST(nothing_and_one_box_are_graphs_too)
{
    struct layout_node node = {30, 20};
    struct layout_spec spec = {.nodes = &node};
    struct layout *layout = layout_new(&spec);

    ck_assert_int_eq(layout->width, 0);
    layout_free(layout);
    spec.node_count = 1;
    layout = layout_new(&spec);
    ck_assert_int_eq(layout->width, 30);
    ck_assert_int_eq(layout->height, 20);
    layout_free(layout);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_layout");
    TCase *tcase = tcase_create("layout");

    tcase_set_timeout(tcase, 30); /* a loaded machine with sanitizers */
    tcase_add_test(tcase, boxes_and_labels_never_overlap_and_lie_inside);
    tcase_add_test(tcase, every_line_goes_from_its_box_to_the_right_into_its_box);
    tcase_add_test(tcase, no_line_runs_through_a_box);
    tcase_add_test(tcase, the_same_graph_gives_the_same_layout);
    tcase_add_test(tcase, a_chain_is_one_straight_line);
    tcase_add_test(tcase, what_can_be_drawn_without_crossings_is);
    tcase_add_test(tcase, crossings_are_counted_exactly);
    tcase_add_test(tcase, a_graph_of_long_lines_stays_within_bounds);
    tcase_add_test(tcase, nothing_and_one_box_are_graphs_too);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
