/* SPDX-License-Identifier: MIT */
#include "core/plan.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *find(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

static const struct dag_source source = {.find = find};

static struct dag *load(const char *text)
{
    struct diag_list diags = {0};
    struct dag *dag = dag_load(text, strlen(text), "/d/p.yaml", &source, &diags);
    char *messages = diag_text(&diags, "p.yaml");

    ck_assert_msg(dag != NULL, "%s", messages);
    free(messages);
    diag_clear(&diags);
    return dag;
}

#define FAN                                                                            \
    "nodes:\n"                                                                         \
    "  a: {program: producer, args: [5]}\n"                                            \
    "  b: {program: copy, from: {a: {max_record: 4MiB, replication: 3}}, clients: "    \
    "3}\n"                                                                             \
    "  c: {program: print, from: {b: {topic: shared}}}\n"                              \
    "  d: {program: print, from: {b: {topic: shared}}, clients: 2}\n"                  \
    "  e: {program: print, from: {b: {retention: 6h}}}\n"

START_TEST(edges_that_share_a_topic_are_one_topic)
{
    struct dag *dag = load(FAN);
    struct plan *plan = plan_build(dag);

    ck_assert_uint_eq(plan->edge_topic_count, 3);
    ck_assert_uint_eq(plan->topic_count, 3 + 5 + 4 + 1);
    ck_assert_str_eq(plan->topics[0].name, "p.a.b");
    ck_assert_int_eq(plan->topics[0].partitions, 12);
    ck_assert_str_eq(plan->topics[1].name, "shared");
    ck_assert_uint_eq(plan->topics[1].edge_count, 2);
    ck_assert_int_eq(plan->topics[1].partitions, 8);
    ck_assert_uint_eq(plan->topic_of_edge[2], 1);
    ck_assert_int_eq(plan->topics[2].partitions, 1);
    ck_assert_int_eq(plan->topics[2].retention_ms, INT64_C(6) * 3600 * 1000);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(dead_letters_have_room_for_the_largest_input)
{
    struct dag *dag = load(FAN);
    struct plan *plan = plan_build(dag);
    const struct plan_topic *a = &plan->topics[3];
    const struct plan_topic *b = &plan->topics[4];
    const struct plan_topic *c = &plan->topics[5];

    ck_assert_int_eq(a->kind, PLAN_DLQ);
    ck_assert_str_eq(a->name, "p.a.dlq");
    ck_assert_int_eq(a->max_message_bytes, 5 << 20);
    ck_assert_int_eq(b->max_message_bytes, 5 << 20);
    ck_assert_int_eq(b->replication, 3);
    ck_assert_int_eq(b->retention_ms, -1);
    ck_assert_int_eq(c->max_message_bytes, 3 << 20);
    ck_assert_int_eq(c->replication, -1);
    ck_assert_int_eq(plan->topics[12].kind, PLAN_PARKING);
    ck_assert_str_eq(plan->topics[12].name, "p.parking");
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(a_node_that_reads_has_a_topic_for_dead_letters_sent_again)
{
    struct dag *dag = load(FAN);
    struct plan *plan = plan_build(dag);

    for (size_t t = 8; t < 12; t++) {
        const struct plan_topic *retry = &plan->topics[t];
        const struct plan_topic *dlq = &plan->topics[t - 4];

        ck_assert_int_eq(retry->kind, PLAN_RETRY);
        ck_assert_uint_eq(retry->writer, t - 7); /* the source has none */
        ck_assert_int_eq(retry->max_message_bytes, dlq->max_message_bytes);
        ck_assert_int_eq(retry->replication, dlq->replication);
        ck_assert_int_eq(retry->partitions, 1);
    }
    ck_assert_str_eq(plan->topics[8].name, "p.b.retry");
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(a_lost_retry_topic_is_a_conflict_and_one_of_a_gone_node_too)
{
    struct dag *dag = load(FAN);
    struct plan *plan = plan_build(dag);
    struct plan_edge_state edges[] = {
        {.id = "retry:b", .topic = "p.b.retry", .topic_id = "T1", .group = "p.b"},
        {.id = "retry:c", .topic = "p.c.retry", .topic_id = "T2", .topic_id_now = "T2"},
        {.id = "retry:z",
         .topic = "p.z.retry",
         .topic_id = "T3",
         .topic_id_now = "T3",
         .group = "p.z",
         .unread = 2},
    };
    struct plan_last last = {.edges = edges, .edge_count = 3};
    struct plan_permits permits = {0};
    struct plan_conflict *conflicts;
    size_t count = plan_compare(plan, &last, &permits, &conflicts);

    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(conflicts[0].kind, PLAN_TOPIC_REMADE);
    ck_assert_ptr_nonnull(strstr(conflicts[0].text, "--abandon retry:b"));
    ck_assert_int_eq(conflicts[1].kind, PLAN_EDGE_GONE);
    ck_assert_ptr_nonnull(strstr(conflicts[1].text, "edge retry:z is gone"));
    plan_conflicts_free(conflicts, count);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(topics_never_expire_by_themselves)
{
    struct dag *dag = load(FAN);
    struct plan *plan = plan_build(dag);
    static const char *const expected[] = {"retention.ms",
                                           "-1",
                                           "retention.bytes",
                                           "-1",
                                           "message.timestamp.after.max.ms",
                                           "9223372036854775807",
                                           "cleanup.policy",
                                           "delete",
                                           "max.message.bytes",
                                           "4194304"};
    const char *const *config = plan_topic_config(plan, 0);

    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_str_eq(config[i], expected[i]);
    ck_assert_ptr_null(config[sizeof expected / sizeof *expected]);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(a_dag_of_one_source_needs_no_parking)
{
    struct dag *dag = load("nodes: {a: {program: producer}}");
    struct plan *plan = plan_build(dag);

    ck_assert_uint_eq(plan->topic_count, 1);
    ck_assert_int_eq(plan->topics[0].kind, PLAN_DLQ);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(the_plan_is_shown_as_text_and_json)
{
    struct dag *dag = load("nodes:\n"
                           "  a: {program: producer}\n"
                           "  b: {program: print, from: a, clients: 6}\n");
    struct plan *plan = plan_build(dag);
    char *text = plan_text(plan);
    char *json = plan_json(plan);

    ck_assert_str_eq(
        text,
        "p: 2 nodes, 1 edge, 7 clients, 5 topics\n"
        "\n"
        "TOPIC      PARTITIONS  REPLICATION  RETENTION  MAX RECORD  WRITER  READERS\n"
        "p.a.b      24          broker's     1h00m      2 MiB       a       b\n"
        "p.a.dlq    1           broker's     -          3 MiB       a       dead "
        "letters, "
        "kept until 'dagrun clean'\n"
        "p.b.dlq    1           broker's     -          3 MiB       b       dead "
        "letters, "
        "kept until 'dagrun clean'\n"
        "p.b.retry  1           broker's     -          3 MiB       -       b: dead "
        "letters sent again\n"
        "p.parking  1           broker's     -          2 MiB       -       clients "
        "that "
        "leave\n"
        "\n"
        "NODE  PROGRAM   GROUP  CLIENTS\n"
        "a     producer  -      p.a.0\n"
        "b     print     p.b    p.b.0 ... p.b.5 (6)\n");
    ck_assert_ptr_nonnull(strstr(json,
                                 "{\"name\":\"p.a.b\",\"kind\":\"edge\",\"writer\":"
                                 "\"a\",\"edges\":[\"a:b\"],\"partitions\":24,"));
    free(text);
    free(json);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

/* plan_compare: the messages of a single state. */
static char *compare_edge(const char *yaml, struct plan_edge_state state,
                          struct plan_permits permits)
{
    struct dag *dag = load(yaml);
    struct plan *plan = plan_build(dag);
    struct plan_last last = {.edges = &state, .edge_count = 1, .path = "/d/p.yaml"};
    struct plan_conflict *conflicts;
    size_t count = plan_compare(plan, &last, &permits, &conflicts);
    char *text = mem_printf("%zu", count);

    for (size_t i = 0; i < count; i++) {
        char *longer =
            mem_printf("%s %d: %s", text, (int)conflicts[i].kind, conflicts[i].text);

        ck_assert_ptr_null(strchr(conflicts[i].text, '\n'));
        free(text);
        text = longer;
    }
    plan_conflicts_free(conflicts, count);
    plan_free(plan);
    dag_free(dag);
    return text;
}

#define PIPE "nodes: {a: {program: producer}, b: {program: print, from: a}}"
#define PIPE_8                                                                         \
    "nodes: {a: {program: producer}, b: {program: print, from: {a: {partitions: 8}}}}"

static const struct plan_edge_state good = {
    .id = "a:b",
    .topic = "p.a.b",
    .topic_id = "T1",
    .topic_id_now = "T1",
    .group = "p.b",
    .unread = 1234,
    .partitions_now = 1,
};

static void expect(const char *yaml, struct plan_edge_state state,
                   struct plan_permits permits, const char *part)
{
    char *text = compare_edge(yaml, state, permits);

    ck_assert_msg(part ? strstr(text, part) != NULL : strcmp(text, "0") == 0,
                  "expected '%s' in '%s'", part ? part : "0", text);
    free(text);
}

START_TEST(unread_records_on_a_known_edge_are_no_conflict)
{
    struct plan_edge_state state = good;

    expect(PIPE, state, (struct plan_permits){0}, NULL);
    state.topic_id =
        NULL; /* an edge that this dag never had, on a topic that is there */
    expect(PIPE, state, (struct plan_permits){0}, NULL);
}
END_TEST

START_TEST(an_edge_that_is_gone_with_unread_records_stops_the_start)
{
    static const char *const ids[] = {"a:old"};
    struct plan_edge_state state = good;

    state.id = "a:old";
    expect(PIPE, state, (struct plan_permits){0},
           "1 1: edge a:old is gone from the YAML with 1,234 records unread on topic "
           "p.a.b");
    expect(PIPE, state, (struct plan_permits){.fresh = true}, NULL);
    expect(PIPE, state, (struct plan_permits){.abandon = ids, .abandon_count = 1},
           NULL);
    state.unread = 0;
    expect(PIPE, state, (struct plan_permits){0}, NULL);
    state = good;
    state.topic = "other";
    expect(PIPE, state, (struct plan_permits){0},
           "1 1: edge a:b now reads topic p.a.b");
    state = good;
    state.group = "q.b";
    expect(PIPE, state, (struct plan_permits){0}, "1 1: edge a:b now reads");
}
END_TEST

START_TEST(a_topic_made_anew_stops_the_start)
{
    struct plan_edge_state state = good;

    state.topic_id_now = "T2";
    expect(PIPE, state, (struct plan_permits){0},
           "1 2: edge a:b: topic p.a.b was deleted "
           "and made anew");
    state.topic_id_now = NULL;
    expect(PIPE, state, (struct plan_permits){0},
           "1 2: edge a:b: topic p.a.b was deleted "
           "since the last run");
    expect(PIPE, state, (struct plan_permits){.fresh = true}, NULL);
}
END_TEST

START_TEST(a_last_run_on_another_broker_is_named)
{
    struct dag *dag = load(PIPE);
    struct plan *plan = plan_build(dag);
    struct plan_edge_state state = good;
    struct plan_last last = {
        .edges = &state, .edge_count = 1, .path = "/d/p.yaml", .broker = "embedded"};
    struct plan_permits permits = {0};
    struct plan_conflict *conflicts;

    ck_assert_uint_eq(plan_compare(plan, &last, &permits, &conflicts), 0);
    plan_conflicts_free(conflicts, 0); /* the same topics under another address */
    state.topic_id_now = NULL;
    ck_assert_uint_eq(plan_compare(plan, &last, &permits, &conflicts), 1);
    ck_assert_ptr_nonnull(strstr(conflicts[0].text, "was on the broker embedded"));
    ck_assert_ptr_nonnull(strstr(conflicts[0].text, "--brokers embedded"));
    ck_assert_ptr_null(strstr(conflicts[0].text, "deleted"));
    plan_conflicts_free(conflicts, 1);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

START_TEST(lost_offsets_stop_the_start_unless_the_history_has_them)
{
    struct plan_edge_state state = good;

    state.offsets_missing = true;
    expect(PIPE, state, (struct plan_permits){0}, "1 4: edge a:b: Kafka has forgotten");
    state.restorable = true;
    expect(PIPE, state, (struct plan_permits){0}, NULL);
}
END_TEST

START_TEST(partitions_never_shrink_and_grow_only_without_unread_keys)
{
    struct plan_edge_state state = good;

    state.partitions_now = 16;
    expect(PIPE_8, state, (struct plan_permits){.fresh = true},
           "1 5: edge a:b: partitions: 8, but topic p.a.b has 16");
    expect(PIPE, state, (struct plan_permits){0}, NULL);
    state.partitions_now = 4;
    expect(PIPE_8, state, (struct plan_permits){0}, NULL);
    state.keyed = true;
    expect(PIPE_8, state, (struct plan_permits){0},
           "1 6: edge a:b: 8 partitions instead");
    state.unread = 0;
    expect(PIPE_8, state, (struct plan_permits){0}, NULL);
}
END_TEST

static size_t compare_source(const char *yaml, bool interrupted, const char *hash)
{
    struct dag *dag = load(yaml);
    struct plan *plan = plan_build(dag);
    struct plan_source_state state = {
        .node = "a", .interrupted = interrupted, .hash = hash, .position = 7};
    struct plan_last last = {.sources = &state, .source_count = 1};
    struct plan_permits permits = {0};
    struct plan_conflict *conflicts;
    size_t count = plan_compare(plan, &last, &permits, &conflicts);

    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(conflicts[i].kind, PLAN_SOURCE_CHANGED);
    plan_conflicts_free(conflicts, count);
    plan_free(plan);
    dag_free(dag);
    return count;
}

START_TEST(an_interrupted_source_must_be_as_it_was)
{
    struct dag *dag = load(PIPE);
    char hash[65];

    plan_source_hash(dag, 0, hash);
    ck_assert_uint_eq(strlen(hash), 64);
    ck_assert_uint_eq(compare_source(PIPE, true, hash), 0);
    ck_assert_uint_eq(
        compare_source("nodes: {a: {program: producer, args: [6]}}", true, hash), 1);
    ck_assert_uint_eq(
        compare_source("nodes: {a: {program: producer, with: {n: 6}}}", true, hash), 1);
    ck_assert_uint_eq(compare_source("nodes: {a: {program: lines}}", true, hash), 1);
    ck_assert_uint_eq(compare_source("nodes: {a: {program: lines}}", false, hash), 0);
    ck_assert_uint_eq(compare_source("nodes: {z: {program: producer}}", true, hash), 1);
    dag_free(dag);
}
END_TEST

START_TEST(a_name_belongs_to_one_path)
{
    struct dag *dag = load(PIPE);
    struct plan *plan = plan_build(dag);
    struct plan_edge_state gone = good;
    struct plan_last last = {.edges = &gone, .edge_count = 1, .path = "/other/p.yaml"};
    struct plan_permits permits = {0};
    struct plan_conflict *conflicts;

    gone.id = "x:y";
    ck_assert_uint_eq(plan_compare(plan, &last, &permits, &conflicts), 1);
    ck_assert_int_eq(conflicts[0].kind, PLAN_OTHER_PATH);
    ck_assert_str_eq(
        conflicts[0].text,
        "the name p belongs to /other/p.yaml; this is /d/p.yaml: write another "
        "'name', or take the name and its topics over with --adopt");
    plan_conflicts_free(conflicts, 1);
    permits.adopt = true;
    ck_assert_uint_eq(plan_compare(plan, &last, &permits, &conflicts), 1);
    ck_assert_int_eq(conflicts[0].kind, PLAN_EDGE_GONE);
    plan_conflicts_free(conflicts, 1);
    plan_free(plan);
    dag_free(dag);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_plan");
    TCase *tcase = tcase_create("plan");

    tcase_add_test(tcase, edges_that_share_a_topic_are_one_topic);
    tcase_add_test(tcase, dead_letters_have_room_for_the_largest_input);
    tcase_add_test(tcase, topics_never_expire_by_themselves);
    tcase_add_test(tcase, a_dag_of_one_source_needs_no_parking);
    tcase_add_test(tcase, a_node_that_reads_has_a_topic_for_dead_letters_sent_again);
    tcase_add_test(tcase,
                   a_lost_retry_topic_is_a_conflict_and_one_of_a_gone_node_too);
    tcase_add_test(tcase, the_plan_is_shown_as_text_and_json);
    tcase_add_test(tcase, unread_records_on_a_known_edge_are_no_conflict);
    tcase_add_test(tcase, an_edge_that_is_gone_with_unread_records_stops_the_start);
    tcase_add_test(tcase, a_topic_made_anew_stops_the_start);
    tcase_add_test(tcase, a_last_run_on_another_broker_is_named);
    tcase_add_test(tcase, lost_offsets_stop_the_start_unless_the_history_has_them);
    tcase_add_test(tcase, partitions_never_shrink_and_grow_only_without_unread_keys);
    tcase_add_test(tcase, an_interrupted_source_must_be_as_it_was);
    tcase_add_test(tcase, a_name_belongs_to_one_path);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
