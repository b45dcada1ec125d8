/* SPDX-License-Identifier: MIT
 *
 * The dags that there are: those of the history, each with its last run.
 */
#include "ops/ops.h"

static json_t *last_run(const struct ops *ops, const struct history_dag_row *row,
                        struct error *err)
{
    struct ops_runs runs = {0};
    const struct ops_filter filter = {.dag = row->dag, .limit = 1};
    json_t *last = NULL;

    if (ops_runs(ops, &filter, &runs, err) == 0)
        last =
            runs.list.count > 0 ? ops_run_row_json(&runs.list.items[0]) : json_null();
    ops_runs_clear(&runs);
    return last;
}

json_t *ops_dags_json(const struct ops *ops, struct error *err)
{
    struct mem_arena arena = {0};
    struct history_dag_list list = {0};
    json_t *dags = json_array();

    if (ops_history(ops))
        (void)history_dags(ops_history(ops), &arena, &list, err);
    for (size_t i = 0; i < list.count && !error_is_set(err); i++) {
        json_t *last = last_run(ops, &list.items[i], err);

        if (last)
            (void)json_array_append_new(
                dags,
                json_pack("{s:o,s:o,s:b,s:o}", "dag", json_text(list.items[i].dag),
                          "yaml", json_text(list.items[i].path), "live",
                          ops_is_live(ops, list.items[i].dag), "last", last));
    }
    mem_arena_clear(&arena);
    if (!error_is_set(err))
        return json_pack("{s:o}", "dags", dags);
    json_decref(dags);
    return NULL;
}
