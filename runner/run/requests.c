/* SPDX-License-Identifier: MIT
 *
 * requests.c - what a run is asked through its control socket. docs/protocol.md has the
 * requests.
 */
#include "run/run_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the answer, never NULL. */
typedef json_t *request_fn(struct run *run, struct control_conn *conn,
                           const json_t *request);

static json_t *done(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static json_t *refusal(const char *kind, const char *text)
{
    return json_pack("{s:b,s:s,s:s}", "ok", 0, "kind", kind, "error", text);
}

static json_t *refuse_name(const char *what, const char *name, const char *where,
                           const char *near)
{
    char *text = mem_printf("%s has no %s '%s'%s%s%s", where, what, name,
                            near ? " (did you mean '" : "", near ? near : "",
                            near ? "'?)" : "");
    json_t *reply = refusal("not found", text);

    free(text);
    return reply;
}

static json_t *refuse_node(const struct run *run, const char *name)
{
    const struct dag *dag = run->dag;
    const char **names = mem_alloc(dag->node_count * sizeof *names);
    char *where = mem_printf("dag %s", dag->name);
    json_t *reply;

    for (size_t n = 0; n < dag->node_count; n++)
        names[n] = dag->nodes[n].name;
    reply = refuse_name("node", name, where, text_nearest(name, names, dag->node_count));
    free(where);
    free(names);
    return reply;
}

/* Those that have left are no clients any more. */
static json_t *refuse_client(const struct run *run, size_t n, const char *name)
{
    const struct run_node *node = &run->nodes[n];
    const char **names = mem_alloc((node->client_count + 1) * sizeof *names);
    char *where = mem_printf("node %s", run->dag->nodes[n].name);
    size_t count = 0;
    json_t *reply;

    for (size_t c = 0; c < node->client_count; c++) {
        if (!client_io_is_gone(node->clients[c]))
            names[count++] = node->clients[c]->name;
    }
    reply = refuse_name("client", name, where, text_nearest(name, names, count));
    free(where);
    free(names);
    return reply;
}

/* " by web from 127.0.0.1": who asks for an action, as the asker says; else empty. */
enum { ASKER = 128 };
static const char *asker(const json_t *request, char text[ASKER])
{
    const char *by = json_get_string(request, "by", NULL);

    text[0] = '\0';
    if (by)
        (void)snprintf(text, ASKER, " by %s", by);
    return text;
}

static json_t *status(struct run *run, struct control_conn *conn, const json_t *request)
{
    (void)conn;
    (void)request;
    return json_pack("{s:b,s:o}", "ok", 1, "status", run_status(run));
}

static json_t *subscribe(struct run *run, struct control_conn *conn, const json_t *request)
{
    (void)request;
    control_subscribe(conn);
    return run_status(run);
}

static json_t *stop(struct run *run, struct control_conn *conn, const json_t *request)
{
    bool now = json_get_bool(request, "now", false);
    char by[ASKER];

    (void)conn;
    run_event(run, "info", "stop", NULL, NULL, "asked to stop%s%s", now ? " at once" : "",
              asker(request, by));
    run_stop(run, now ? RECONCILE_NOW : RECONCILE_DRAIN);
    return done();
}

/* --------------------------------------------------------------------- pause and resume */

static void set_paused(struct run *run, size_t n, bool paused, const char *by)
{
    struct run_node *node = &run->nodes[n];

    if (node->paused == paused)
        return;
    node->paused = paused;
    reconcile_pause(run->rec, n, paused);
    for (size_t c = 0; c < node->client_count; c++)
        client_io_tell(node->clients[c], paused ? "pause" : "resume");
    run_event(run, "info", paused ? "pause" : "resume", run->dag->nodes[n].name, NULL,
              "%s%s%s", paused ? "paused" : "resumed", by,
              paused ? ": it takes no input until it is resumed" : "");
}

/* Of one node, or of all when none is named. */
static json_t *pause_nodes(struct run *run, const json_t *request, bool paused)
{
    const char *name = json_get_string(request, "node", NULL);
    int only = name ? dag_find_node(run->dag, name) : -1;
    char by[ASKER];

    if (name && only < 0)
        return refuse_node(run, name);
    if (run->rec->stop != RECONCILE_GO_ON)
        return refusal("conflict", "the run is being stopped");
    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (only < 0 || (size_t)only == n)
            set_paused(run, n, paused, asker(request, by));
    }
    requests_broadcast(run);
    return done();
}

static json_t *pause_request(struct run *run, struct control_conn *conn,
                             const json_t *request)
{
    (void)conn;
    return pause_nodes(run, request, true);
}

static json_t *resume_request(struct run *run, struct control_conn *conn,
                              const json_t *request)
{
    (void)conn;
    return pause_nodes(run, request, false);
}

/* ------------------------------------------------------------------------------ restart */

/* A node, or one client of it. */
static json_t *restart(struct run *run, struct control_conn *conn, const json_t *request)
{
    const char *name = json_get_string(request, "node", "");
    const char *client = json_get_string(request, "client", NULL);
    int n = dag_find_node(run->dag, name);
    bool found = false;
    char by[ASKER];

    (void)conn;
    if (n < 0)
        return refuse_node(run, name);
    if (run->rec->stop != RECONCILE_GO_ON)
        return refusal("conflict", "the run is being stopped");
    for (size_t c = 0; c < run->nodes[n].client_count; c++) {
        const char *own = run->nodes[n].clients[c]->name;

        if ((client && strcmp(client, own) != 0) ||
            client_io_is_gone(run->nodes[n].clients[c]))
            continue;
        found = true;
        reconcile_restart(run->rec, (size_t)n, c);
        run_event(run, "info", "restart", name, own, "asked to restart%s",
                  asker(request, by));
    }
    return found ? done() : refuse_client(run, (size_t)n, client);
}

/* -------------------------------------------------------------------------------- scale */

static json_t *refuse(const struct error *err)
{
    return refusal(err->kind == ERROR_INPUT ? "input" : "conflict", err->text);
}

static json_t *scale(struct run *run, struct control_conn *conn, const json_t *request)
{
    const char *name = json_get_string(request, "node", "");
    int n = dag_find_node(run->dag, name);
    struct error err = {0};
    char by[ASKER];

    (void)conn;
    if (n < 0)
        return refuse_node(run, name);
    if (scale_node(run, (size_t)n, json_get_int(request, "clients", 0),
                   asker(request, by), &err) < 0)
        return refuse(&err);
    requests_broadcast(run);
    return done();
}

/* ------------------------------------------------------------------------------------- */

static const struct {
    const char *verb;
    request_fn *fn;
} requests[] = {
    {"status", status},       {"subscribe", subscribe},   {"stop", stop},
    {"pause", pause_request}, {"resume", resume_request}, {"restart", restart},
    {"scale", scale},
};

static void on_request(void *arg, struct control_conn *conn, const json_t *request)
{
    const char *verb = json_get_string(request, "do", "");
    json_t *reply = NULL;

    for (size_t i = 0; i < sizeof requests / sizeof *requests && reply == NULL; i++) {
        if (strcmp(requests[i].verb, verb) == 0)
            reply = requests[i].fn(arg, conn, request);
    }
    if (reply == NULL)
        reply = refusal("input", "no such request; there are status, subscribe, stop, "
                                 "pause, resume, restart and scale");
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
    json_t *object;

    if (run->control == NULL || control_subscribers(run->control) == 0)
        return;
    object = run_status(run);
    control_broadcast(run->control, object);
    json_decref(object);
}
