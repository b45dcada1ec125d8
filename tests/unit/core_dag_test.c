/* SPDX-License-Identifier: MIT */
#include "core/dag.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *find(void *arg, const char *name)
{
    (void)arg;
    if (strcmp(name, "COUNT") == 0)
        return "5";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    return NULL;
}

static char *read_file(void *arg, const char *path, struct error *err)
{
    (void)arg;
    if (strcmp(path, "/d/secret") == 0)
        return mem_strdup("hush\n");
    error_set(err, ERROR_INPUT, "%s: no such file", path);
    return NULL;
}

static const struct dag_source source = {.find = find, .read_file = read_file};

static struct dag *load(const char *text)
{
    struct diag_list diags = {0};
    struct dag *dag = dag_load(text, strlen(text), "/d/arith.yaml", &source, &diags);
    char *messages = diag_text(&diags, "arith.yaml");

    ck_assert_msg(dag != NULL, "%s", messages);
    ck_assert_uint_eq(diags.count, 0);
    free(messages);
    diag_clear(&diags);
    return dag;
}

static char *errors(const char *text)
{
    struct diag_list diags = {0};
    struct dag *dag = dag_load(text, strlen(text), "/d/arith.yaml", &source, &diags);
    char *messages = diag_text(&diags, "f");

    ck_assert_ptr_null(dag);
    diag_clear(&diags);
    return messages;
}

#define ARITHMETIC                                                                     \
    "nodes:\n"                                                                         \
    "  right: {program: ./bin/../file, from: {tag: {partitions: 8, topic: "            \
    "results}}}\n"                                                                     \
    "  ask: {program: producer, args: [5, 007, yes, 'a b']}\n"                         \
    "  calc: {program: arithmetic, from: ask, clients: 2}\n"                           \
    "  tag: {program: set, from: [calc], with: {via: tag}}\n"                          \
    "  left: {program: print, from: tag}\n"

START_TEST(nodes_and_edges_are_in_the_order_of_the_file)
{
    struct dag *dag = load(ARITHMETIC);

    ck_assert_str_eq(dag->name, "arith");
    ck_assert_str_eq(dag->dir, "/d");
    ck_assert_uint_eq(dag->node_count, 5);
    ck_assert_str_eq(dag->nodes[0].name, "right");
    ck_assert_str_eq(dag->nodes[0].program, "/d/bin/../file");
    ck_assert(dag->nodes[0].program_is_path);
    ck_assert_uint_eq(dag->edge_count, 4);
    ck_assert_str_eq(dag->edges[0].id, "tag:right");
    ck_assert_str_eq(dag->edges[0].topic, "results");
    ck_assert_int_eq(dag->edges[0].partitions, 8);
    ck_assert_str_eq(dag->edges[1].topic, "arith.ask.calc");
    ck_assert_int_eq(dag_find_node(dag, "left"), 4);
    ck_assert_int_eq(dag_find_node(dag, "none"), -1);
    ck_assert_int_eq(dag_find_edge(dag, "tag:left"), 3);
    dag_free(dag);
}
END_TEST

START_TEST(arguments_stay_as_written)
{
    struct dag *dag = load(ARITHMETIC);
    const struct dag_node *ask = &dag->nodes[1];

    ck_assert_uint_eq(ask->arg_count, 4);
    ck_assert_str_eq(ask->args[1], "007");
    ck_assert_str_eq(ask->args[2], "yes");
    ck_assert_str_eq(ask->args[3], "a b");
    ck_assert_ptr_null(ask->args[4]);
    dag_free(dag);
}
END_TEST

START_TEST(order_and_layers_follow_the_edges)
{
    struct dag *dag = load(ARITHMETIC);

    ck_assert_str_eq(dag->nodes[dag->order[0]].name, "ask");
    ck_assert_str_eq(dag->nodes[dag->order[1]].name, "calc");
    ck_assert_uint_eq(dag->nodes[0].layer, 3);
    ck_assert_uint_eq(dag->nodes[1].layer, 0);
    ck_assert_uint_eq(dag->nodes[3].output_count, 2);
    ck_assert_str_eq(dag->edges[dag->nodes[3].outputs[0]].id, "tag:right");
    dag_free(dag);
}
END_TEST

START_TEST(names_on_the_broker_begin_with_prefix_and_dag)
{
    struct dag *dag = load("name: d\nkafka: {prefix: p.}\nnodes:\n"
                           "  a: {program: producer}\n"
                           "  b: {program: print, from: a, clients: [x, y]}\n");
    char *names[] = {dag_group(dag, 1), dag_dlq_topic(dag, 1), dag_parking_topic(dag),
                     dag_client_id(dag, 1, dag->nodes[1].clients[1]),
                     dag_checkpoint_group(dag, 0, dag->nodes[0].clients[0])};

    ck_assert_str_eq(dag->edges[0].topic, "p.d.a.b");
    ck_assert_str_eq(names[0], "p.d.b");
    ck_assert_str_eq(names[1], "p.d.b.dlq");
    ck_assert_str_eq(names[2], "p.d.parking");
    ck_assert_str_eq(names[3], "d.b.y");
    ck_assert_str_eq(names[4], "p.d.a.0.checkpoint");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        free(names[i]);
    dag_free(dag);
}
END_TEST

START_TEST(defaults_hold_where_a_node_says_nothing)
{
    struct dag *dag = load(
        "defaults:\n"
        "  node: {clients: 3, env: {A: 1, B: 2}, stop: {grace: 1s}, restart: never}\n"
        "  edge: {retention: 6h}\n"
        "nodes:\n"
        "  a: {program: producer, clients: 1}\n"
        "  b: {program: print, from: {a: {max_record: 1MiB}}, env: {B: 007, C: },\n"
        "      stop: {drain: 2s}, restart: {max: 9}, cwd: work/./x}\n");
    const struct dag_node *b = &dag->nodes[1];

    ck_assert_uint_eq(dag->nodes[0].client_count, 1);
    ck_assert_uint_eq(b->client_count, 3);
    ck_assert_str_eq(b->clients[2], "2");
    ck_assert_uint_eq(b->env.count, 3);
    ck_assert_str_eq(b->env.items[0].value, "1");
    ck_assert_str_eq(b->env.items[1].value, "007");
    ck_assert_str_eq(b->env.items[2].value, "");
    ck_assert_int_eq(b->stop.grace_ms, 1000);
    ck_assert_int_eq(b->stop.drain_ms, 2000);
    ck_assert_int_eq(b->restart.when, DAG_RESTART_NEVER);
    ck_assert_int_eq(b->restart.max, 9);
    ck_assert_str_eq(b->cwd, "/d/work/x");
    ck_assert_int_eq(dag->edges[0].retention_ms, INT64_C(6) * 3600 * 1000);
    ck_assert_int_eq(dag->edges[0].max_record_bytes, 1 << 20);
    ck_assert_uint_eq(dag->nodes[0].env.count, 2);
    dag_free(dag);
}
END_TEST

START_TEST(options_are_json_of_the_core_schema)
{
    static const struct {
        const char *yaml;
        const char *json;
    } cases[] = {
        {"5", "5"},
        {"'5'", "\"5\""},
        {"+007", "7"},
        {"-0", "-0"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"0x1F", "31"},
        {"0o17", "15"},
        {".5", "0.5"},
        {"1.", "1.0"},
        {"1.50e+3", "1.50e+3"},
        {"true", "true"},
        {"False", "false"},
        {"yes", "\"yes\""},
        {"~", "null"},
        {"", "null"},
        {"1.2.3", "\"1.2.3\""},
        {"\"a\\\"\\n\\u0001\"", "\"a\\\"\\n\\u0001\""},
        {"[1, {a: b, c: [x]}]", "[1,{\"a\":\"b\",\"c\":[\"x\"]}]"},
        {"${COUNT}", "5"},
        {"'${COUNT}'", "\"5\""},
        {"${file:secret}", "\"hush\""},
        {"${NONE:-1}$$${EMPTY:-x}", "\"1$x\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = mem_printf(
            "nodes:\n  a:\n    program: set\n    with:\n      x: %s\n", cases[i].yaml);
        struct dag *dag = load(text);

        ck_assert_str_eq(dag->nodes[0].with.items[0].value, cases[i].json);
        ck_assert_str_eq(dag->text, text);
        dag_free(dag);
        free(text);
    }
}
END_TEST

START_TEST(all_errors_come_in_one_pass_in_the_order_of_lines)
{
    char *messages = errors("nodes:\n"
                            "  a: {progam: x}\n"
                            "  b: {program: print, from: aa, clients: 0}\n"
                            "  c: {program: print, from: [c, b]}\n"
                            "nods: {}\n");

    ck_assert_str_eq(
        messages,
        "f:2:3: error: node 'a': program is missing: expected the name of a built-in "
        "program or a path\n"
        "f:2:7: error: node 'a': unknown key 'progam' (did you mean 'program'?)\n"
        "f:3:29: error: node 'b': from: no node 'aa' (did you mean 'a'?)\n"
        "f:3:42: error: node 'b': clients: expected a whole number, 1 to 1000, or a "
        "list "
        "of ids, found '0'\n"
        "f:4:30: error: cycle: c -> c; a dag has none\n"
        "f:5:1: error: unknown key 'nods' (did you mean 'nodes'?)\n");
    free(messages);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_dag");
    TCase *tcase = tcase_create("dag");

    tcase_add_test(tcase, nodes_and_edges_are_in_the_order_of_the_file);
    tcase_add_test(tcase, arguments_stay_as_written);
    tcase_add_test(tcase, order_and_layers_follow_the_edges);
    tcase_add_test(tcase, names_on_the_broker_begin_with_prefix_and_dag);
    tcase_add_test(tcase, defaults_hold_where_a_node_says_nothing);
    tcase_add_test(tcase, options_are_json_of_the_core_schema);
    tcase_add_test(tcase, all_errors_come_in_one_pass_in_the_order_of_lines);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
