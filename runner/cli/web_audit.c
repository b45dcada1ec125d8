/* SPDX-License-Identifier: MIT */
#include "cli/web_audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "host/history_audit.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { AGAIN_MS = 1000 };

struct web_audits {
    char *path;
    struct history *history;
    ino_t inode; /* of the file that is open */
    int64_t next_ms;
};

static ino_t inode_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_ino : 0;
}

struct web_audits *web_audits_open(const char *home, struct error *err)
{
    struct web_audits *audits = mem_alloc(sizeof *audits);

    audits->path = mem_printf("%s/history.db", home);
    audits->history = history_open(audits->path, false, err);
    audits->inode = inode_of(audits->path);
    if (audits->history)
        return audits;
    web_audits_close(audits);
    return NULL;
}

void web_audits_close(struct web_audits *audits)
{
    if (audits == NULL)
        return;
    history_close(audits->history);
    free(audits->path);
    free(audits);
}

/* A damaged history is set aside by whoever finds it so: go on in the new one. */
static void follow_file(struct web_audits *audits)
{
    ino_t inode = inode_of(audits->path);
    struct error err = {0};
    struct history *next;

    if (inode == audits->inode)
        return;
    next = history_open(audits->path, false, &err);
    if (next == NULL) {
        log_write(LOG_WARN, "web", NULL, "the audit can't be written: %s", err.text);
        return;
    }
    history_close(audits->history);
    audits->history = next;
    audits->inode = inode_of(audits->path);
}

void web_audits_add(struct web_audits *audits, const struct web_deed *deed)
{
    const struct history_deed row = {.ts_ms = clock_wall_ms(),
                                     .who = deed->who,
                                     .role = deed->role,
                                     .origin = deed->peer,
                                     .action = deed->action,
                                     .dag = deed->dag,
                                     .target = deed->target,
                                     .detail = deed->detail,
                                     .ok = deed->ok,
                                     .text = deed->text};

    follow_file(audits);
    history_audit(audits->history, &row);
    history_tick(audits->history);
    audits->next_ms = clock_mono_ms() + AGAIN_MS;
}

int64_t web_audits_tick(struct web_audits *audits)
{
    int64_t now_ms = clock_mono_ms();

    if (!history_is_waiting(audits->history))
        return INT64_MAX;
    if (now_ms >= audits->next_ms) {
        history_tick(audits->history);
        audits->next_ms = now_ms + AGAIN_MS;
    }
    return audits->next_ms;
}
