/* SPDX-License-Identifier: MIT
 *
 * What is done to a run that lives. The answer comes when its runner has taken it up.
 */
#include "web/call.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void on_done(void *arg, const struct error *err)
{
    struct http_request *request = arg;
    char *text;

    if (error_is_set(err)) {
        call_refuse(request, error_http_status(err->kind), err->text);
        return;
    }
    text = mem_strdup("{\"ok\":true}\n");
    http_answer(request, 202, "application/json", text, strlen(text));
}

static void act(struct web_call *call, const char *verb, const char *node,
                const char *client)
{
    char by[128];
    const struct web_action action = {.verb = verb,
                                      .dag = call_path(call, "dag"),
                                      .node = node,
                                      .client = client,
                                      .now = call_bool(call, "now"),
                                      .by = by};

    (void)snprintf(by, sizeof by, "web from %s", http_peer(call->request));
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
    act(call, "restart", call_path(call, "node"), call_text(call, "client"));
}
