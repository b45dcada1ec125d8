/* SPDX-License-Identifier: MIT */
#include "ops/actions.h"

#include "host/control.h"

#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000 };

static void set_refusal(const json_t *reply, struct error *err)
{
    static const struct {
        const char *name;
        enum error_kind kind;
    } kinds[] = {{"not found", ERROR_NOT_FOUND}, {"conflict", ERROR_CONFLICT}};
    const char *name = json_get_string(reply, "kind", "");
    enum error_kind kind = ERROR_INPUT;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            kind = kinds[i].kind;
    }
    error_set(err, kind, "%s", json_get_string(reply, "error", "refused"));
}

/* request is taken. */
static int ask(const struct ops *ops, const char *dag, json_t *request, struct error *err)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    struct control_client *client = NULL;
    json_t *reply = NULL;

    if (ops_is_live(ops, dag))
        client = control_connect(path, err);
    else
        error_set(err, ERROR_NOT_FOUND, "dag %s does not run", dag);
    if (client)
        reply = control_call(client, request, ANSWER_MS, err);
    if (reply && !json_get_bool(reply, "ok", false))
        set_refusal(reply, err);
    json_decref(reply);
    json_decref(request);
    control_client_free(client);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

int ops_pause(const struct ops *ops, const char *dag, const char *node, struct error *err)
{
    return ask(ops, dag, json_pack("{s:s,s:s*}", "do", "pause", "node", node), err);
}

int ops_resume(const struct ops *ops, const char *dag, const char *node, struct error *err)
{
    return ask(ops, dag, json_pack("{s:s,s:s*}", "do", "resume", "node", node), err);
}

int ops_restart(const struct ops *ops, const char *dag, const char *node,
                const char *client, struct error *err)
{
    return ask(ops, dag,
               json_pack("{s:s,s:s,s:s*}", "do", "restart", "node", node, "client", client),
               err);
}
