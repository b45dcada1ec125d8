/* SPDX-License-Identifier: MIT
 *
 * call.h - one request on its way through a route's function, and the ways to answer
 * it. Layer: web.
 */
#ifndef WEB_CALL_H
#define WEB_CALL_H

#include "base/text.h"
#include "web/audit.h"
#include "web/guard.h"
#include "web/http.h"
#include "web/routes.h"
#include "web/source.h"
#include "web/sse.h"

struct web_call {
    const struct web_source *source;
    struct sse *sse;
    struct guard *guard;
    struct web_audit *audit;
    struct guard_who who; /* asks; nobody on a public route */
    bool read_only;       /* every action is refused */
    struct http_request *request;
    const struct web_route *route;
    struct url url;
    json_t *body; /* an object, or NULL */
};

/* What the path, the query or the body has under a name; NULL, or the fallback. Checked
 * by web_route_check before. */
const char *call_path(const struct web_call *call, const char *name);
const char *call_text(const struct web_call *call, const char *name);
int64_t call_int(const struct web_call *call, const char *name, int64_t fallback);
bool call_bool(const struct web_call *call, const char *name);
/* {run}: 0 for "last". */
int64_t call_run(const struct web_call *call);

/* One answer ends the call. */
void call_answer_json(struct web_call *call, int status, json_t *value); /* taken */
void call_answer_text(struct web_call *call, const char *type, struct text_buf *text);
void call_fail(struct web_call *call, const struct error *err);

/* value (taken), or err when it is NULL. */
void call_finish(struct web_call *call, json_t *value, const struct error *err);

/* {"error": text, "kind": kind} with any status. */
void call_refuse(struct http_request *request, int status, const char *text);
/* The guard's no, with the headers that belong to it. */
void call_refuse_who(struct http_request *request, const struct guard_refusal *no);

/* The functions of the table. */
web_fn api_asset;
web_fn api_healthz;
web_fn api_readyz;
web_fn api_metrics;
web_fn api_openapi;
web_fn api_events;
web_fn api_audit;
web_fn api_login;
web_fn api_session;
web_fn api_logout;
web_fn api_dags;
web_fn api_status;
web_fn api_runs;
web_fn api_run;
web_fn api_run_part;
web_fn api_run_yaml;
web_fn api_graph;
web_fn api_samples;
web_fn api_logs;
web_fn api_log;
web_fn api_log_file;
web_fn api_log_search;
web_fn api_act;
web_fn api_act_node;
web_fn api_files;
web_fn api_file_check;
web_fn api_file_graph;
web_fn api_start;
web_fn api_messages;
web_fn api_message;
web_fn api_letter_groups;
web_fn api_letters;
web_fn api_letters_act;

#endif
