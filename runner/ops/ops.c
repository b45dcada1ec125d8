/* SPDX-License-Identifier: MIT */
#include "ops/ops.h"

#include "base/text.h"
#include "host/lock.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

struct ops {
    char *home;
    struct history *history;
};

struct ops *ops_open(const char *home, struct error *err)
{
    char *path = mem_printf("%s/history.db", home);
    struct ops *ops = mem_alloc(sizeof *ops);
    struct error missing = {0};

    ops->home = mem_strdup(home);
    ops->history = history_open(path, true, &missing);
    free(path);
    if (ops->history || missing.kind == ERROR_NOT_FOUND)
        return ops;
    error_set(err, missing.kind, "%s", missing.text);
    ops_close(ops);
    return NULL;
}

void ops_close(struct ops *ops)
{
    if (ops == NULL)
        return;
    history_close(ops->history);
    free(ops->home);
    free(ops);
}

const char *ops_home(const struct ops *ops)
{
    return ops->home;
}

struct history *ops_history(const struct ops *ops)
{
    return ops->history;
}

char *ops_lock_path(const char *home, const char *dag)
{
    return mem_printf("%s/dags/%s.lock", home, dag);
}

char *ops_socket_path(const char *home, const char *dag)
{
    return mem_printf("%s/dags/%s.sock", home, dag);
}

char *ops_run_folder(const char *home, const char *dag, int64_t run)
{
    return mem_printf("%s/runs/%s@%lld", home, dag, (long long)run);
}

char *ops_log_path(const char *home, const char *dag, int64_t run, const char *node,
                   const char *client, int64_t attempt)
{
    return mem_printf("%s/runs/%s@%lld/%s.%s.%lld.log", home, dag, (long long)run, node,
                      client, (long long)attempt);
}

bool ops_is_live(const struct ops *ops, const char *dag)
{
    char *path = ops_lock_path(ops->home, dag);
    pid_t pid = 0;
    bool live = lock_probe(path, &pid);

    free(path);
    return live;
}

static char *dag_of_lock(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    return mem_strndup(name, strlen(name) - strlen(".lock"));
}

void ops_live_dags(const struct ops *ops, struct mem_arena *arena, struct ops_names *out)
{
    char *pattern = mem_printf("%s/dags/*.lock", ops->home);
    glob_t list;

    *out = (struct ops_names){0};
    if (glob(pattern, 0, NULL, &list) == 0) {
        out->items = mem_arena_alloc(arena, list.gl_pathc * sizeof *out->items);
        for (size_t i = 0; i < list.gl_pathc; i++) {
            char *dag = dag_of_lock(list.gl_pathv[i]);

            if (ops_is_live(ops, dag))
                out->items[out->count++] = mem_arena_strdup(arena, dag);
            free(dag);
        }
        globfree(&list);
    }
    free(pattern);
}

bool ops_state_is_live(const char *state)
{
    return strcmp(state, "starting") == 0 || strcmp(state, "running") == 0 ||
           strcmp(state, "draining") == 0;
}
