/* SPDX-License-Identifier: MIT */
#include "cli/web_live.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    LOOK_EVERY_MS = 500,
    SILENT_MS = 5000, /* runners speak twice a second */
};

struct watch {
    struct web_live *live;
    char *dag;
    struct control_client *client;
    json_t *status; /* NULL: none yet */
    int64_t heard_ms;
    bool silent; /* the status says since when */
    bool over;   /* its runner hung up */
    struct watch *next;
};

struct web_live {
    struct loop *loop;
    struct watch *watches;
    json_t *all; /* NULL: something has changed */
    int64_t look_ms;
};

struct web_live *web_live_new(struct loop *loop)
{
    struct web_live *live = mem_alloc(sizeof *live);

    live->loop = loop;
    return live;
}

static void changed(struct web_live *live)
{
    json_decref(live->all);
    live->all = NULL;
}

static void watch_free(struct watch *watch)
{
    if (watch->client)
        loop_remove(watch->live->loop, control_client_fd(watch->client));
    control_client_free(watch->client);
    json_decref(watch->status);
    free(watch->dag);
    free(watch);
}

void web_live_free(struct web_live *live)
{
    if (live == NULL)
        return;
    while (live->watches) {
        struct watch *next = live->watches->next;

        watch_free(live->watches);
        live->watches = next;
    }
    json_decref(live->all);
    free(live);
}

static void take(struct watch *watch, json_t *status)
{
    if (!json_is_array(json_object_get(status, "nodes"))) { /* a refusal */
        json_decref(status);
        return;
    }
    (void)json_object_set_new(status, "live", json_true());
    json_decref(watch->status);
    watch->status = status;
    watch->heard_ms = clock_mono_ms();
    watch->silent = false;
    changed(watch->live);
}

/* A new object: those who hold the old one see that it is another. */
static void mark_silent(struct watch *watch, int64_t now_ms)
{
    json_t *status = json_copy(watch->status);
    int64_t since_ms = clock_wall_ms() - (now_ms - watch->heard_ms);

    (void)json_object_set_new(status, "stale_since_ms", json_integer(since_ms));
    json_decref(watch->status);
    watch->status = status;
    watch->silent = true;
    changed(watch->live);
}

static void look_for_silence(struct web_live *live, int64_t now_ms)
{
    for (struct watch *watch = live->watches; watch; watch = watch->next) {
        if (watch->status && !watch->silent && !watch->over &&
            now_ms - watch->heard_ms > SILENT_MS)
            mark_silent(watch, now_ms);
    }
}

static void on_line(void *arg, uint32_t events)
{
    struct watch *watch = arg;
    struct error err = {0};
    json_t *status;

    (void)events;
    while ((status = control_next(watch->client, 0, &err)) != NULL)
        take(watch, status);
    if (err.kind == ERROR_TIMEOUT || err.kind == ERROR_INTERRUPTED)
        return;
    watch->over = true; /* the next look clears it away */
    loop_remove(watch->live->loop, control_client_fd(watch->client));
}

static struct watch *find(const struct web_live *live, const char *dag)
{
    struct watch *watch = live->watches;

    while (watch && strcmp(watch->dag, dag) != 0)
        watch = watch->next;
    return watch;
}

/* One that does not listen yet is tried again at the next look. */
static void begin(struct web_live *live, const struct ops *ops, const char *dag)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    struct error err = {0};
    struct control_client *client = control_connect(path, &err);
    json_t *request = json_pack("{s:s}", "do", "subscribe");
    struct watch *watch;
    json_t *status;

    free(path);
    if (client == NULL) {
        json_decref(request);
        return;
    }
    watch = mem_alloc(sizeof *watch);
    *watch = (struct watch){.live = live, .dag = mem_strdup(dag), .client = client};
    status = control_call(client, request, 0, &err);
    json_decref(request);
    if (status)
        take(watch, status);
    else if (err.kind != ERROR_TIMEOUT)
        watch->over = true;
    err = (struct error){0};
    if (loop_add(live->loop, control_client_fd(client), EPOLLIN, on_line, watch,
                 &err) != 0)
        log_write(LOG_WARN, "web", NULL, "the run of %s can't be followed: %s", dag,
                  err.text);
    watch->next = live->watches;
    live->watches = watch;
}

static bool is_listed(const struct ops_names *names, const char *dag)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], dag) == 0)
            return true;
    }
    return false;
}

static void clear_away(struct web_live *live, const struct ops_names *names)
{
    struct watch **link = &live->watches;

    while (*link) {
        struct watch *watch = *link;

        if (!watch->over && is_listed(names, watch->dag)) {
            link = &watch->next;
            continue;
        }
        *link = watch->next;
        watch_free(watch);
        changed(live);
    }
}

int64_t web_live_tick(struct web_live *live, const struct ops *ops)
{
    struct mem_arena arena = {0};
    struct ops_names names;
    int64_t now_ms = clock_mono_ms();

    if (now_ms < live->look_ms)
        return live->look_ms;
    ops_live_dags(ops, &arena, &names);
    clear_away(live, &names);
    for (size_t i = 0; i < names.count; i++) {
        if (find(live, names.items[i]) == NULL)
            begin(live, ops, names.items[i]);
    }
    look_for_silence(live, now_ms);
    mem_arena_clear(&arena);
    live->look_ms = now_ms + LOOK_EVERY_MS;
    return live->look_ms;
}

const json_t *web_live_all(struct web_live *live)
{
    if (live->all)
        return live->all;
    live->all = json_array();
    for (struct watch *watch = live->watches; watch; watch = watch->next) {
        if (watch->status && !watch->over)
            (void)json_array_append(live->all, watch->status);
    }
    return live->all;
}

json_t *web_live_status(const struct web_live *live, const char *dag)
{
    const struct watch *watch = find(live, dag);

    return watch && !watch->over ? watch->status : NULL;
}
