/* SPDX-License-Identifier: MIT
 *
 * Dags, runs and what belongs to a run. The objects are those of --json.
 */
#include "web/call.h"

#include <stdio.h>
#include <string.h>

enum { PAGE = 50 };

void api_dags(struct web_call *call)
{
    struct error err = {0};

    call_finish(call, call->source->dags(call->source->arg, &err), &err);
}

void api_status(struct web_call *call)
{
    struct error err = {0};
    json_t *status =
        call->source->status(call->source->arg, call_path(call, "dag"), &err);

    call_finish(call, status, &err);
}

void api_runs(struct web_call *call)
{
    struct error err = {0};
    const struct web_run_filter filter = {.dag = call_text(call, "dag"),
                                          .state = call_text(call, "state"),
                                          .since_ms = call_int(call, "since", 0),
                                          .after = call_text(call, "after"),
                                          .limit = (int)call_int(call, "limit", PAGE)};

    call_finish(call, call->source->runs(call->source->arg, &filter, &err), &err);
}

void api_audit(struct web_call *call)
{
    struct error err = {0};
    const struct web_audit_filter filter = {.dag = call_text(call, "dag"),
                                            .since_ms = call_int(call, "since", 0),
                                            .after = call_text(call, "after"),
                                            .limit =
                                                (int)call_int(call, "limit", PAGE)};

    call_finish(call, call->source->audits(call->source->arg, &filter, &err), &err);
}

static json_t *run_of(struct web_call *call, struct error *err)
{
    return call->source->run(call->source->arg, call_path(call, "dag"), call_run(call),
                             err);
}

void api_run(struct web_call *call)
{
    struct error err = {0};

    call_finish(call, run_of(call, &err), &err);
}

/* The member of the run that the route is named for, with its total where it has one.
 */
void api_run_part(struct web_call *call)
{
    const char *name = strrchr(call->route->pattern, '/') + 1;
    struct error err = {0};
    json_t *run = run_of(call, &err);
    json_t *part = NULL;
    char total[32];

    if (run) {
        (void)snprintf(total, sizeof total, "%s_total", name);
        part = json_pack("{s:O,s:O,s:O}", "dag", json_object_get(run, "dag"), "run",
                         json_object_get(run, "run"), name, json_object_get(run, name));
        if (json_object_get(run, total))
            (void)json_object_set(part, total, json_object_get(run, total));
    }
    json_decref(run);
    call_finish(call, part, &err);
}

void api_run_yaml(struct web_call *call)
{
    struct error err = {0};
    json_t *run = run_of(call, &err);
    const char *yaml = json_get_string(run, "text_yaml", NULL);
    struct text_buf text = {0};

    if (run && yaml == NULL)
        error_set(&err, ERROR_NOT_FOUND, "the YAML of this run was not recorded");
    if (yaml) {
        text_append(&text, yaml);
        call_answer_text(call, call->route->type, &text);
    } else {
        call_fail(call, &err);
    }
    json_decref(run);
}

void api_graph(struct web_call *call)
{
    struct error err = {0};
    json_t *graph = call->source->graph(call->source->arg, call_path(call, "dag"),
                                        call_run(call), &err);

    call_finish(call, graph, &err);
}

void api_samples(struct web_call *call)
{
    struct error err = {0};
    const struct web_samples_query query = {.dag = call_path(call, "dag"),
                                            .run = call_run(call),
                                            .node = call_text(call, "node"),
                                            .client = call_text(call, "client"),
                                            .edge = call_text(call, "edge"),
                                            .metric = call_text(call, "metric"),
                                            .since_ms = call_int(call, "since", 0),
                                            .until_ms = call_int(call, "until", 0),
                                            .points = (int)call_int(call, "points", 0)};

    call_finish(call, call->source->samples(call->source->arg, &query, &err), &err);
}
