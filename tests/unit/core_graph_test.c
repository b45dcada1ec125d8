/* SPDX-License-Identifier: MIT */
#include "core/graph.h"

#include "base/text.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct dag *dag, const char *name, size_t len)
{
    for (size_t n = 0; n < dag->node_count; n++) {
        if (strlen(dag->nodes[n].name) == len && memcmp(dag->nodes[n].name, name, len) == 0)
            return n;
    }
    ck_abort_msg("no node %.*s", (int)len, name);
    return 0;
}

static void add_node(struct dag *dag, const char *text, size_t len)
{
    struct dag_node *node = &dag->nodes[dag->node_count++];
    char *word = mem_arena_strndup(&dag->arena, text, len);
    char *program = strchr(word, '=');
    char *clients = strchr(word, '*');

    node->client_count = clients ? (size_t)atoi(clients + 1) : 1;
    if (clients)
        *clients = '\0';
    if (program)
        *program++ = '\0';
    node->name = word;
    node->program = program ? program : word;
    node->program_is_path = strchr(node->program, '/') != NULL;
}

static void add_edge(struct dag *dag, const char *text, size_t len)
{
    struct dag_edge *edge = &dag->edges[dag->edge_count++];
    const char *colon = memchr(text, ':', len);
    const char *topic = memchr(text, '@', len);
    size_t end = topic ? (size_t)(topic - text) : len;

    edge->from = find(dag, text, (size_t)(colon - text));
    edge->to = find(dag, colon + 1, end - (size_t)(colon + 1 - text));
    edge->id = mem_arena_strndup(&dag->arena, text, end);
    if (topic) {
        edge->topic = mem_arena_strndup(&dag->arena, topic + 1, len - end - 1);
        edge->topic_given = true;
    }
}

static void link_node(struct dag *dag, size_t n)
{
    struct dag_node *node = &dag->nodes[n];

    node->inputs = mem_arena_alloc(&dag->arena, dag->edge_count * sizeof(size_t));
    node->outputs = mem_arena_alloc(&dag->arena, dag->edge_count * sizeof(size_t));
    for (size_t e = 0; e < dag->edge_count; e++) {
        if (dag->edges[e].to == n)
            node->inputs[node->input_count++] = e;
        if (dag->edges[e].from == n)
            node->outputs[node->output_count++] = e;
    }
    dag->order[n] = n;
}

/*
 * "a b=program c*3", "a:b b:c@topic": names are in topological order. Every word ends at
 * a space, so the texts can hold anything else.
 */
static struct dag *make_dag(const char *nodes, const char *edges)
{
    struct dag *dag = mem_alloc(sizeof *dag);

    dag->name = "test";
    dag->dir = "/dags";
    dag->nodes = mem_arena_alloc(&dag->arena, strlen(nodes) * sizeof *dag->nodes);
    dag->edges = mem_arena_alloc(&dag->arena, strlen(edges) * sizeof *dag->edges);
    for (const char *at = nodes; *at; at += strspn(at, " ")) {
        add_node(dag, at, strcspn(at, " "));
        at += strcspn(at, " ");
    }
    for (const char *at = edges; *at; at += strspn(at, " ")) {
        add_edge(dag, at, strcspn(at, " "));
        at += strcspn(at, " ");
    }
    dag->order = mem_arena_alloc(&dag->arena, dag->node_count * sizeof *dag->order);
    for (size_t n = 0; n < dag->node_count; n++)
        link_node(dag, n);
    return dag;
}

static void drop_dag(struct dag *dag)
{
    mem_arena_clear(&dag->arena);
    free(dag);
}


static const struct graph_ascii_style wide = {.width = 1000, .unicode = true};

START_TEST(the_arithmetic_dag_reads_from_left_to_right)
{
    struct dag *dag = make_dag("ask=producer calc=arithmetic*2 tag=set left=file right",
                               "ask:calc calc:tag tag:left tag:right");
    char *text = graph_ascii(dag, &wide);

    ck_assert_str_eq(
        text,
        "                                                                   ┌─────────────┐\n"
        "                                                                ┌─▶│ left (file) │\n"
        "┌────────────────┐    ┌──────────────────────┐    ┌───────────┐ │  └─────────────┘\n"
        "│ ask (producer) ├───▶│ calc (arithmetic) ×2 ├───▶│ tag (set) ├─┤\n"
        "└────────────────┘    └──────────────────────┘    └───────────┘ │  ┌─────────────┐\n"
        "                                                                └─▶│    right    │\n"
        "                                                                   └─────────────┘\n");
    free(text);
    drop_dag(dag);
}
END_TEST

START_TEST(lines_cross_without_joining_and_only_equal_ones_share)
{
    struct dag *dag = make_dag("a b c d e", "a:c a:d b:d b:e a:e");
    char *text = graph_ascii(dag, &wide);

    ck_assert_str_eq(text, "           ┌───┐\n"
                           "        ┌─▶│ c │\n"
                           "        │  └───┘\n"
                           "        │  ┌───┐\n"
                           "┌───┐   ├─▶│   │\n"
                           "│ a ├───┤  │ d │\n"
                           "└───┘ ┌─│─▶│   │\n"
                           "      │ │  └───┘\n"
                           "┌───┐ │ │\n"
                           "│ b ├─┤ │  ┌───┐\n"
                           "└───┘ │ └─▶│   │\n"
                           "      │    │ e │\n"
                           "      └───▶│   │\n"
                           "           └───┘\n");
    free(text);
    drop_dag(dag);
}
END_TEST

START_TEST(a_terminal_without_unicode_gets_plain_characters)
{
    struct dag *dag = make_dag("a b*2 c d", "a:b a:c b:d c:d");
    struct graph_ascii_style plain = {.width = 80};
    char *text = graph_ascii(dag, &plain);

    ck_assert_str_eq(text, "         +------+\n"
                           "      +->| b x2 |-+\n"
                           "+---+ |  +------+ |  +---+\n"
                           "| a |-+           +->| d |\n"
                           "+---+ |  +------+ |  +---+\n"
                           "      +->|  c   |-+\n"
                           "         +------+\n");
    free(text);
    drop_dag(dag);
}
END_TEST

START_TEST(a_graph_that_is_too_wide_loses_its_programs_then_becomes_a_list)
{
    struct dag *dag = make_dag("ask=producer add sub tag=/dags/bin/tag",
                               "ask:add ask:sub add:tag sub:tag");
    struct graph_ascii_style style = {.width = 40, .unicode = true};
    char *text = graph_ascii(dag, &style);

    ck_assert_ptr_null(strstr(text, "producer"));
    ck_assert_ptr_nonnull(strstr(text, "│ ask ├"));
    free(text);
    style.width = 20;
    text = graph_ascii(dag, &style);
    ck_assert_str_eq(text, "ask (producer)\n"
                           "  ├─▶ add\n"
                           "  └─▶ sub\n"
                           "add\n"
                           "  └─▶ tag\n"
                           "sub\n"
                           "  └─▶ tag\n"
                           "tag (bin/tag)\n");
    free(text);
    drop_dag(dag);
}
END_TEST

/* Two rows of 50, each of one feeding a part of the other of its own. */
START_TEST(a_graph_with_too_many_lines_to_follow_becomes_a_list)
{
    enum { ROW = 50 };
    struct graph_ascii_style endless = {.width = 1 << 20, .unicode = true};
    struct text_buf nodes = {0};
    struct text_buf edges = {0};
    struct dag *dag;
    char *text;

    for (int n = 0; n < 2 * ROW; n++)
        text_appendf(&nodes, "n%d ", n);
    for (int n = 0; n < ROW; n++)
        text_appendf(&edges, "n%d:n%d n%d:n%d ", n, ROW + n, n, ROW + (n + 7) % ROW);
    dag = make_dag(text_str(&nodes), text_str(&edges));
    text = graph_ascii(dag, &endless);
    ck_assert(strncmp(text, "n0\n  ├─▶ n50\n", strlen("n0\n  ├─▶ n50\n")) == 0);
    free(text);
    drop_dag(dag);
    text_buf_clear(&nodes);
    text_buf_clear(&edges);
}
END_TEST

START_TEST(dot_quotes_what_it_must)
{
    struct dag *dag = make_dag("end=/opt/a\"b\\c x*3", "end:x@my.topic");
    char *text = graph_dot(dag);

    ck_assert_str_eq(text,
                     "digraph \"test\" {\n"
                     "  rankdir=LR\n"
                     "  node [shape=box style=rounded fontname=\"monospace\"]\n"
                     "  edge [fontname=\"monospace\" fontsize=10]\n"
                     "  \"end\" [label=\"end\\n/opt/a\\\"b\\\\c\"]\n"
                     "  \"x\" [label=\"x ×3\"]\n"
                     "  \"end\" -> \"x\" [label=\"my.topic\"]\n"
                     "}\n");
    free(text);
    drop_dag(dag);
}
END_TEST

START_TEST(mermaid_gets_entities_and_numbers_as_ids)
{
    struct dag *dag = make_dag("end=/opt/a\"b<i>#c_d x*3", "end:x@my_topic");
    char *text = graph_mermaid(dag);

    ck_assert_str_eq(text, "flowchart LR\n"
                           "  n0[\"end<br/>/opt/a#34;b#60;i#62;#35;c#95;d\"]\n"
                           "  n1[\"x ×3\"]\n"
                           "  n0 -->|\"my#95;topic\"| n1\n");
    free(text);
    drop_dag(dag);
}
END_TEST

START_TEST(control_characters_never_reach_a_picture)
{
    struct dag *dag = make_dag("a=/opt/\x1b[31m\n\"<&>'x b", "a:b");
    char *texts[] = {graph_ascii(dag, &wide), graph_dot(dag), graph_mermaid(dag),
                     graph_svg(dag), graph_list(dag, true)};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_ptr_null(strchr(texts[i], '\x1b'));
        ck_assert_ptr_nonnull(strstr(texts[i], "x1b[31m"));
        free(texts[i]);
    }
    drop_dag(dag);
}
END_TEST

START_TEST(svg_escapes_and_describes)
{
    struct dag *dag = make_dag("a=/opt/<script>'\"&amp; b c", "a:b@t a:c");
    char *text = graph_svg(dag);

    ck_assert_ptr_nonnull(strstr(text, "/opt/&#60;script&#62;&#39;&#34;&#38;amp;</text>"));
    ck_assert_ptr_null(strstr(text, "<script"));
    ck_assert_ptr_nonnull(strstr(text, "<title id=\"title\">The graph of test</title>"));
    ck_assert_ptr_nonnull(
        strstr(text, "<desc id=\"desc\">3 nodes, 2 edges. a feeds b, c.</desc>"));
    ck_assert_ptr_nonnull(strstr(text, "prefers-color-scheme:dark"));
    ck_assert_ptr_nonnull(strstr(text, ">t</text>"));
    free(text);
    drop_dag(dag);
}
END_TEST

/* A picture as cells, to be followed with the eye: what the tests below do. */
enum { GRID = 160 };
struct grid {
    char cells[GRID][GRID][5];
    int height;
};

static void read_grid(struct grid *grid, const char *text)
{
    int x = 0;

    memset(grid, 0, sizeof *grid);
    while (*text) {
        size_t len = 1;

        while (((unsigned char)text[len] & 0xc0) == 0x80)
            len++;
        if (*text == '\n') {
            grid->height++;
            x = 0;
        } else {
            ck_assert_int_lt(x, GRID);
            ck_assert_int_lt(grid->height, GRID);
            memcpy(grid->cells[grid->height][x++], text, len);
        }
        text += len;
    }
}

static bool is(const struct grid *grid, int x, int y, const char *glyphs)
{
    const char *cell = grid->cells[y][x];

    return cell[0] != '\0' && strstr(glyphs, cell) != NULL;
}

/* The node whose box has its left side at x, y; names are single letters. */
static char node_at(const struct grid *grid, int x, int y)
{
    int top = y;
    char name = '\0';

    while (!is(grid, x, top, "┌"))
        top--;
    for (int row = top + 1; !is(grid, x, row, "└"); row++) {
        if (name == '\0')
            name = grid->cells[row][x + 2][0];
        if (name == ' ')
            name = '\0';
    }
    return name;
}

/* Follow a line from a cell in a direction to every arrow; mark what is fed. */
static void follow(const struct grid *grid, int x, int y, int dx, int dy, bool *fed)
{
    static const struct {
        const char *glyph;
        bool left, right, up, down;
    } lines[] = {
        {"─", true, true, false, false}, {"│", false, false, true, true},
        {"┌", false, true, false, true}, {"┐", true, false, false, true},
        {"└", false, true, true, false}, {"┘", true, false, true, false},
        {"├", false, true, true, true},  {"┤", true, false, true, true},
        {"┬", true, true, false, true},  {"┴", true, true, true, false},
        {"┼", true, true, true, true},
    };
    size_t i = 0;

    if (is(grid, x, y, "▶")) {
        ck_assert_int_eq(dx, 1);
        fed[node_at(grid, x + 1, y) - 'a'] = true;
        return;
    }
    while (i < sizeof lines / sizeof *lines && !is(grid, x, y, lines[i].glyph))
        i++;
    ck_assert_msg(i < sizeof lines / sizeof *lines, "a line ends in nothing");
    if (dx != 0 && is(grid, x, y, "│")) { /* it passes under another one */
        follow(grid, x + dx, y, dx, dy, fed);
        return;
    }
    ck_assert(dx > 0 ? lines[i].left : dx < 0 ? lines[i].right : true);
    ck_assert(dy > 0 ? lines[i].up : dy < 0 ? lines[i].down : true);
    if (lines[i].right && dx >= 0)
        follow(grid, x + 1, y, 1, 0, fed);
    if (lines[i].up && dy <= 0)
        follow(grid, x, y - 1, 0, -1, fed);
    if (lines[i].down && dy >= 0)
        follow(grid, x, y + 1, 0, 1, fed);
}

static void check_picture(const struct dag *dag)
{
    static struct grid grid;
    char *text = graph_ascii(dag, &wide);
    size_t seen = 0;

    read_grid(&grid, text);
    for (int y = 0; y < grid.height; y++) {
        for (int x = 0; x < GRID; x++) {
            char name = grid.cells[y][x][0];
            bool fed[26] = {false};
            bool wanted[26] = {false};
            size_t n;

            if (name < 'a' || name > 'z')
                continue;
            n = find(dag, &name, 1);
            for (size_t o = 0; o < dag->nodes[n].output_count; o++)
                wanted[dag->nodes[dag->edges[dag->nodes[n].outputs[o]].to].name[0] - 'a'] =
                    true;
            if (dag->nodes[n].output_count > 0)
                follow(&grid, x + 3, y, 1, 0, fed);
            ck_assert_msg(memcmp(fed, wanted, sizeof fed) == 0,
                          "the lines of %c lead elsewhere:\n%s", name, text);
            seen++;
        }
    }
    ck_assert_uint_eq(seen, dag->node_count);
    free(text);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 16;
}

START_TEST(following_the_lines_of_any_picture_gives_the_dag_back)
{
    unsigned state = 7;

    for (int round = 0; round < 50; round++) {
        unsigned count = 2 + next_random(&state) % 11;
        unsigned density = 1 + next_random(&state) % 6;
        struct text_buf nodes = {0};
        struct text_buf edges = {0};
        struct dag *dag;

        for (unsigned n = 0; n < count; n++) {
            text_appendf(&nodes, "%c ", 'a' + (int)n);
            for (unsigned from = 0; from < n; from++) {
                if (next_random(&state) % 10 < density)
                    text_appendf(&edges, "%c:%c ", 'a' + (int)from, 'a' + (int)n);
            }
        }
        dag = make_dag(text_str(&nodes), text_str(&edges));
        check_picture(dag);
        drop_dag(dag);
        text_buf_clear(&nodes);
        text_buf_clear(&edges);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_graph");
    TCase *tcase = tcase_create("graph");

    tcase_set_timeout(tcase, 30); /* a loaded machine with sanitizers */
    tcase_add_test(tcase, the_arithmetic_dag_reads_from_left_to_right);
    tcase_add_test(tcase, lines_cross_without_joining_and_only_equal_ones_share);
    tcase_add_test(tcase, a_terminal_without_unicode_gets_plain_characters);
    tcase_add_test(tcase, a_graph_that_is_too_wide_loses_its_programs_then_becomes_a_list);
    tcase_add_test(tcase, a_graph_with_too_many_lines_to_follow_becomes_a_list);
    tcase_add_test(tcase, dot_quotes_what_it_must);
    tcase_add_test(tcase, mermaid_gets_entities_and_numbers_as_ids);
    tcase_add_test(tcase, control_characters_never_reach_a_picture);
    tcase_add_test(tcase, svg_escapes_and_describes);
    tcase_add_test(tcase, following_the_lines_of_any_picture_gives_the_dag_back);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
