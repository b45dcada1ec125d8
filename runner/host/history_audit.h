/* SPDX-License-Identifier: MIT
 *
 * history_audit.h - who did what, or tried to: a list of its own in the history, beside
 * the runs and independent of them.
 * Layer: host.
 */
#ifndef HOST_HISTORY_AUDIT_H
#define HOST_HISTORY_AUDIT_H

#include "host/history.h"

struct history_deed {
    int64_t id; /* of the row; set by readers */
    int64_t ts_ms;
    const char *who;    /* a user of the web server or of the system; "" nobody known */
    const char *role;   /* of the web server's; NULL: of the system */
    const char *origin; /* "127.0.0.1", "pid 4711" */
    const char *action; /* start stop pause … login, user add … */
    const char *dag;    /* NULL: of none */
    const char *target; /* "arithmetic/calc.0", a file, a user; NULL */
    const char *detail; /* a JSON object as text; NULL */
    bool ok;
    const char *text; /* the answer, or why it was refused; NULL */
};

/* Queue it; history_tick and history_close write it. Never dropped. Strings that are too
 * long are cut. */
void history_audit(struct history *history, const struct history_deed *deed);

/* Are rows waiting to be written? */
bool history_is_waiting(const struct history *history);

struct history_deed_filter {
    const char *dag;   /* NULL: all */
    int64_t since_ms;  /* done at or after; 0: whenever */
    int64_t before_ms; /* keyset: what is older than the deed done then with this id; */
    int64_t before_id; /* both 0: from the newest */
    int limit;
};

struct history_deed_list {
    struct history_deed *items;
    size_t count;
};

/* Newest first. */
int history_deeds(struct history *history, const struct history_deed_filter *filter,
                  struct mem_arena *arena, struct history_deed_list *out,
                  struct error *err);

/* How many deeds are older than before_ms; delete them (waits for other writers). */
int history_deeds_before(struct history *history, int64_t before_ms, int64_t *count,
                         struct error *err);
int history_delete_deeds(struct history *history, int64_t before_ms, struct error *err);

#endif
