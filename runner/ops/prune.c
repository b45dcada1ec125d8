/* SPDX-License-Identifier: MIT */
#include "ops/prune.h"

#include "host/history_audit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last run of a living runner is never taken, whatever its number. */
static void leave_out_live(const struct ops *ops, struct history_run_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct history_run_row *run = &list->items[i];

        if (!ops_state_is_live(run->state) || !ops_is_live(ops, run->dag))
            list->items[kept++] = *run;
    }
    list->count = kept;
}

int prune_plan(const struct ops *ops, const struct prune_spec *spec,
               struct prune_plan *out, struct error *err)
{
    if (ops_history(ops) == NULL)
        return 0;
    if (history_prunable(ops_history(ops), spec->dag, spec->before_ms, spec->keep,
                         &out->arena, &out->runs, err) != 0)
        return -1;
    leave_out_live(ops, &out->runs);
    if (spec->dag || spec->before_ms == 0)
        return 0;
    out->deeds_before_ms = spec->before_ms;
    return history_deeds_before(ops_history(ops), spec->before_ms, &out->deeds, err);
}

void prune_plan_clear(struct prune_plan *plan)
{
    mem_arena_clear(&plan->arena);
    *plan = (struct prune_plan){0};
}

/* A run's folder holds files only. One that is gone is fine. */
static int remove_folder(const char *path, struct error *err)
{
    DIR *dir = opendir(path);

    if (dir == NULL && errno == ENOENT)
        return 0;
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        (void)closedir(dir);
    if (rmdir(path) == 0)
        return 0;
    error_set(err, ERROR_INTERNAL, "the logs in %s can't be removed: %s", path,
              strerror(errno));
    return -1;
}

static int remove_run(const struct ops *ops, struct history *history,
                      const struct history_run_row *run, struct error *err)
{
    char *folder = ops_run_folder(ops_home(ops), run->dag, run->run);
    int result = remove_folder(folder, err);

    free(folder);
    /* The row last: what failed half-way is found again. */
    return result == 0 ? history_delete_run(history, run->id, err) : -1;
}

int prune_carry_out(const struct ops *ops, const struct prune_plan *plan, size_t *done,
                    struct error *err)
{
    char *path = mem_printf("%s/history.db", ops_home(ops));
    struct history *history = history_open(path, false, err);

    *done = 0;
    while (history && *done < plan->runs.count &&
           remove_run(ops, history, &plan->runs.items[*done], err) == 0)
        (*done)++;
    if (history && plan->deeds > 0 && !error_is_set(err))
        (void)history_delete_deeds(history, plan->deeds_before_ms, err);
    history_close(history);
    free(path);
    return error_is_set(err) ? -1 : 0;
}
