/* SPDX-License-Identifier: MIT
 *
 * What is done: to a run that lives, answered when its runner has taken it up, and
 * starts.
 */
#include "web/later.h"

#include "base/log.h"
#include "web/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_done(void *arg, char *text, const struct error *err)
{
    struct http_request *request = arg;
    json_t *value;
    char *line;

    if (error_is_set(err)) {
        free(text);
        call_refuse(request, error_http_status(err->kind), err->text);
        return;
    }
    value = json_pack("{s:b}", "ok", 1);
    if (text)
        (void)json_object_set_new(value, "text", json_text(text));
    free(text);
    line = json_line(value);
    json_decref(value);
    http_answer(request, 202, "application/json", line, strlen(line));
}

static void act(struct web_call *call, const char *verb, const char *node,
                const char *client)
{
    bool is_user = strcmp(call->who.name, USERS_TOKEN) != 0;
    char by[192];
    const struct web_action action = {.verb = verb,
                                      .dag = call_path(call, "dag"),
                                      .node = node,
                                      .client = client,
                                      .clients = call_int(call, "clients", 0),
                                      .now = call_bool(call, "now"),
                                      .by = by};

    (void)snprintf(by, sizeof by, "%s%sweb from %s", is_user ? call->who.name : "",
                   is_user ? " over " : "", http_peer(call->request));
    log_write(LOG_INFO, "web", NULL, "%s of %s%s%s asked by %s", verb, action.dag,
              node ? "/" : "", node ? node : "", by);
    call->source->act(call->source->arg, &action, on_done, call->request);
}

void api_act(struct web_call *call)
{
    act(call, strrchr(call->route->pattern, '/') + 1, call_text(call, "node"), NULL);
}

void api_act_node(struct web_call *call)
{
    act(call, strrchr(call->route->pattern, '/') + 1, call_path(call, "node"),
        call_text(call, "client"));
}

static void look(struct web_call *call, bool check)
{
    struct later *later = later_new(call);

    later_job(later, call->source->file_look(call->source->arg, call_path(call, "file"),
                                             check, later_done, later));
}

void api_file_check(struct web_call *call)
{
    look(call, true);
}

void api_file_graph(struct web_call *call)
{
    look(call, false);
}

void api_files(struct web_call *call)
{
    call_answer_json(call, 200, call->source->files(call->source->arg));
}

void api_start(struct web_call *call)
{
    const char *verb = strrchr(call->route->pattern, '/') + 1;
    const struct web_start start = {.file = call_path(call, "file"),
                                    .restart = strcmp(verb, "restart") == 0,
                                    .fresh = call_bool(call, "fresh"),
                                    .keep = call_bool(call, "keep")};

    log_write(LOG_INFO, "web", NULL, "%s of %s asked by %s over web from %s", verb,
              start.file, call->who.name, http_peer(call->request));
    call->source->start(call->source->arg, &start, on_done, call->request);
}
