/* SPDX-License-Identifier: MIT
 *
 * fuzz_dag.c - any bytes as a dag file: load, check, plan, compare, show; no crash, no
 * leak, and what is loaded keeps its promises.
 */
#include "fuzz.h"

#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_words[] = {
    "nodes:", "program: ", "from: ", "clients: ", "with: ", "{", "}", "[", "]", ": ",
    "- ", "\n", "\n  ", "&a ", "*a", "<<: ", "!!str ", "${A}", "${B:-x}", "${file:",
    "$$", "|", ">", "\"", "'", "#", "---\n", "...\n", "? ", "\xef\xbb\xbf", "\t", "0",
    "9999999", "-1", "1.5h", "2MiB", "topic: t", "defaults: ", "kafka: ", "null",
    "%TAG ! !\n", NULL};

/* Fails also when assertions are compiled out. */
static void must(int condition)
{
    if (!condition)
        abort();
}

static const char *find(void *arg, const char *name)
{
    (void)arg;
    return name[0] == 'A' ? "5" : name[0] == 'B' ? "\xc3\x28" : NULL;
}

static char *read_file(void *arg, const char *path, struct error *err)
{
    (void)arg;
    if (strstr(path, "none") == NULL)
        return mem_strdup("content\n");
    error_set(err, ERROR_INPUT, "%s: no such file", path);
    return NULL;
}

static void check_dag(const struct dag *dag)
{
    must(dag->node_count > 0 && strlen(dag->hash) == 64);
    for (size_t i = 0; i < dag->node_count; i++) {
        const struct dag_node *node = &dag->nodes[i];

        must(dag_find_node(dag, node->name) == (int)i);
        must(node->client_count > 0 && *node->program != '\0' && node->cwd != NULL);
        must(node->args[node->arg_count] == NULL);
        must(dag->order[i] < dag->node_count);
        for (size_t k = 0; k < node->input_count; k++) {
            const struct dag_edge *edge = &dag->edges[node->inputs[k]];

            must(edge->to == i && dag->nodes[edge->from].layer < node->layer);
        }
    }
    for (size_t i = 0; i < dag->edge_count; i++)
        must(dag_find_edge(dag, dag->edges[i].id) == (int)i);
}

static void check_plan(const struct dag *dag)
{
    struct plan *plan = plan_build(dag);
    struct plan_edge_state state = {.id = "a:b",
                                    .topic = "t",
                                    .topic_id = "1",
                                    .topic_id_now = "2",
                                    .group = "g",
                                    .unread = 7,
                                    .partitions_now = 3,
                                    .keyed = true};
    struct plan_source_state source = {.node = "a", .interrupted = true, .hash = "x"};
    struct plan_last last = {
        .edges = &state, .edge_count = 1, .sources = &source, .source_count = 1};
    struct plan_permits permits = {0};
    struct plan_conflict *conflicts;
    size_t count = plan_compare(plan, &last, &permits, &conflicts);

    plan_conflicts_free(conflicts, count);
    for (size_t i = 0; i < plan->topic_count; i++) {
        must(plan->topics[i].partitions > 0 && *plan->topics[i].name != '\0');
        must(strlen(plan->topics[i].name) <= 249);
        (void)plan_topic_config(plan, i);
    }
    free(plan_text(plan));
    free(plan_json(plan));
    plan_free(plan);
}

static void check_programs(const struct dag *dag)
{
    static const char *const descriptions[] = {
        "{\"abi\":1,\"name\":\"p\",\"kind\":\"transform\",\"args\":{\"usage\":\"X\","
        "\"min\":1,\"max\":2},\"options\":[{\"name\":\"path\",\"type\":\"path\","
        "\"required\":true},{\"name\":\"n\",\"type\":\"int\"},{\"name\":\"d\",\"type\":"
        "\"duration\"},{\"name\":\"s\",\"type\":\"size\"}],\"any_option\":false}",
        "{\"abi\":1,\"kind\":\"source\",\"any_option\":true}",
        "[]",
        "{",
    };
    struct diag_list diags = {0};

    for (size_t i = 0; i < dag->node_count; i++)
        dag_check_program(dag, i, descriptions[i % 4], &diags);
    diag_clear(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dag_source source = {.find = find, .read_file = read_file};
    struct diag_list diags = {0};
    struct dag *dag =
        dag_load((const char *)data, size, "/d/fuzz.yaml", &source, &diags);

    must((dag != NULL) == (diags.count == 0));
    for (size_t i = 1; i < diags.count; i++)
        must(diags.items[i - 1].line <= diags.items[i].line);
    free(diag_text(&diags, "fuzz.yaml"));
    diag_clear(&diags);
    if (dag) {
        check_dag(dag);
        check_plan(dag);
        check_programs(dag);
    }
    dag_free(dag);
    return 0;
}
