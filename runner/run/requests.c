/* SPDX-License-Identifier: MIT
 *
 * requests.c - the run's control socket: status, subscribe, stop. docs/protocol.md has the
 * requests.
 */
#include "run/run_state.h"

#include <stdlib.h>
#include <string.h>

static json_t *refusal(const char *kind, const char *text)
{
    return json_pack("{s:b,s:s,s:s}", "ok", 0, "kind", kind, "error", text);
}

static void on_request(void *arg, struct control_conn *conn, const json_t *request)
{
    struct run *run = arg;
    const char *verb = json_get_string(request, "do", "");
    json_t *reply;

    if (strcmp(verb, "status") == 0) {
        reply = json_pack("{s:b,s:o}", "ok", 1, "status", run_status(run));
    } else if (strcmp(verb, "subscribe") == 0) {
        control_subscribe(conn);
        reply = run_status(run);
    } else if (strcmp(verb, "stop") == 0) {
        bool now = json_get_bool(request, "now", false);

        run_event(run, "info", "stop", NULL, NULL, "asked to stop%s", now ? " at once" : "");
        run_stop(run, now ? RECONCILE_NOW : RECONCILE_DRAIN);
        reply = json_pack("{s:b}", "ok", 1);
    } else {
        reply = refusal("input", "no such request; there are status, subscribe and stop");
    }
    control_send(conn, reply);
    json_decref(reply);
}

int requests_open(struct run *run, struct error *err)
{
    char *path = mem_printf("%s/dags/%s.sock", run->options->home, run->dag->name);

    run->control = control_open(run->loop, path, on_request, run, err);
    free(path);
    return run->control ? 0 : -1;
}

void requests_broadcast(struct run *run)
{
    json_t *status;

    if (run->control == NULL || control_subscribers(run->control) == 0)
        return;
    status = run_status(run);
    control_broadcast(run->control, status);
    json_decref(status);
}
