/* SPDX-License-Identifier: MIT */
#include "cli/web_ask.h"

#include "base/clock.h"
#include "host/control.h"
#include "ops/actions.h"

#include <stdlib.h>
#include <sys/epoll.h>

enum { ANSWER_MS = 5000 };

struct ask {
    struct web_asks *asks;
    struct control_client *client;
    int64_t deadline_ms;
    web_done_fn *done;
    void *done_arg;
    struct ask *next;
};

struct web_asks {
    struct loop *loop;
    struct ask *first;
};

struct web_asks *web_asks_new(struct loop *loop)
{
    struct web_asks *asks = mem_alloc(sizeof *asks);

    asks->loop = loop;
    return asks;
}

static void ask_free(struct ask *ask)
{
    struct ask **link = &ask->asks->first;

    while (*link != ask)
        link = &(*link)->next;
    *link = ask->next;
    loop_remove(ask->asks->loop, control_client_fd(ask->client));
    control_client_free(ask->client);
    free(ask);
}

void web_asks_free(struct web_asks *asks)
{
    if (asks == NULL)
        return;
    while (asks->first)
        ask_free(asks->first);
    free(asks);
}

static void finish(struct ask *ask, const struct error *err)
{
    web_done_fn *done = ask->done;
    void *done_arg = ask->done_arg;

    ask_free(ask);
    done(done_arg, NULL, err);
}

/* Its answer, or that it went away. reply is taken. */
static void take(struct ask *ask, json_t *reply, struct error *err)
{
    if (reply == NULL && (err->kind == ERROR_TIMEOUT || err->kind == ERROR_INTERRUPTED))
        return; /* not a whole line yet: the deadline is ours */
    if (reply)
        (void)ops_action_reply(reply, err);
    json_decref(reply);
    finish(ask, err);
}

static void on_line(void *arg, uint32_t events)
{
    struct ask *ask = arg;
    struct error err = {0};
    json_t *reply = control_next(ask->client, 0, &err);

    (void)events;
    take(ask, reply, &err);
}

static struct control_client *connect_to(const struct ops *ops, const char *dag,
                                         struct error *err)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    struct control_client *client = NULL;

    if (ops_is_live(ops, dag))
        client = control_connect(path, err);
    else
        error_set(err, ERROR_NOT_FOUND, "dag %s does not run", dag);
    free(path);
    return client;
}

static json_t *send_action(struct control_client *client,
                           const struct web_action *action, struct error *err)
{
    const struct ops_action inner = {.verb = action->verb,
                                     .node = action->node,
                                     .client = action->client,
                                     .clients = action->clients,
                                     .now = action->now,
                                     .by = action->by};
    json_t *request = ops_action_request(&inner);
    json_t *reply = control_call(client, request, 0, err);

    json_decref(request);
    return reply;
}

void web_ask(struct web_asks *asks, const struct ops *ops,
             const struct web_action *action, web_done_fn *done, void *done_arg)
{
    struct error err = {0};
    struct control_client *client = connect_to(ops, action->dag, &err);
    struct ask *ask;

    if (client == NULL) {
        done(done_arg, NULL, &err);
        return;
    }
    ask = mem_alloc(sizeof *ask);
    *ask = (struct ask){.asks = asks,
                        .client = client,
                        .deadline_ms = clock_mono_ms() + ANSWER_MS,
                        .done = done,
                        .done_arg = done_arg,
                        .next = asks->first};
    asks->first = ask;
    if (loop_add(asks->loop, control_client_fd(client), EPOLLIN, on_line, ask, &err) !=
        0)
        finish(ask, &err);
    else
        take(ask, send_action(client, action, &err), &err);
}

int64_t web_asks_tick(struct web_asks *asks)
{
    int64_t now_ms = clock_mono_ms();
    int64_t deadline_ms = INT64_MAX;

    for (struct ask *ask = asks->first, *next; ask; ask = next) {
        struct error err = {0};

        next = ask->next;
        if (ask->deadline_ms <= now_ms) {
            error_set(&err, ERROR_TIMEOUT, "the runner did not answer in time");
            finish(ask, &err);
        } else if (ask->deadline_ms < deadline_ms) {
            deadline_ms = ask->deadline_ms;
        }
    }
    return deadline_ms;
}
