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

int ops_action_reply(const json_t *reply, struct error *err)
{
    if (!json_get_bool(reply, "ok", false))
        set_refusal(reply, err);
    return error_is_set(err) ? -1 : 0;
}

json_t *ops_action_request(const struct ops_action *action)
{
    json_t *request = json_pack("{s:s,s:s*,s:s*,s:s*}", "do", action->verb, "node",
                                action->node, "client", action->client, "by", action->by);

    if (action->now)
        (void)json_object_set_new(request, "now", json_true());
    if (action->clients)
        (void)json_object_set_new(request, "clients", json_integer(action->clients));
    return request;
}

int ops_act(const struct ops *ops, const char *dag, const struct ops_action *action,
            struct error *err)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    json_t *request = ops_action_request(action);
    struct control_client *client = NULL;
    json_t *reply = NULL;

    if (ops_is_live(ops, dag))
        client = control_connect(path, err);
    else
        error_set(err, ERROR_NOT_FOUND, "dag %s does not run", dag);
    if (client)
        reply = control_call(client, request, ANSWER_MS, err);
    if (reply)
        (void)ops_action_reply(reply, err);
    json_decref(reply);
    json_decref(request);
    control_client_free(client);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

int ops_pause(const struct ops *ops, const char *dag, const char *node, struct error *err)
{
    return ops_act(ops, dag, &(struct ops_action){.verb = "pause", .node = node}, err);
}

int ops_resume(const struct ops *ops, const char *dag, const char *node, struct error *err)
{
    return ops_act(ops, dag, &(struct ops_action){.verb = "resume", .node = node}, err);
}

int ops_restart(const struct ops *ops, const char *dag, const char *node,
                const char *client, struct error *err)
{
    const struct ops_action action = {.verb = "restart", .node = node, .client = client};

    return ops_act(ops, dag, &action, err);
}

int ops_scale(const struct ops *ops, const char *dag, const char *node, int64_t clients,
              struct error *err)
{
    const struct ops_action action = {.verb = "scale", .node = node, .clients = clients};

    return ops_act(ops, dag, &action, err);
}
