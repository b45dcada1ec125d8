/* SPDX-License-Identifier: MIT
 *
 * audit.h - who did what, for CLI and web: the list, and the writing of one entry.
 * Layer: ops.
 */
#ifndef OPS_AUDIT_H
#define OPS_AUDIT_H

#include "host/history_audit.h"
#include "ops/ops.h"

struct audit_filter {
    const char *dag; /* NULL: all */
    int64_t since_ms;
    const char *after; /* "next" of an earlier page, or NULL */
    int limit;
};

/* Newest first. Zero-initialise; audit_list_clear. */
struct audit_list {
    struct mem_arena arena;
    struct history_deed_list deeds;
    char next[64]; /* the cursor of the next page; "" when this is the last */
};
int audit_list(const struct ops *ops, const struct audit_filter *filter,
               struct audit_list *out, struct error *err);
void audit_list_clear(struct audit_list *list);

/* {"audit": [{"time", "who", "role", "from", "action", "dag", "target", "detail", "ok",
 * "text"}], "next"} */
json_t *audit_json(const struct audit_list *list);

/*
 * Write one deed of this process's user, at once: who, origin and time are filled in.
 * refused: why it was not done; NULL or not set: it was. Waits for other writers, 2 s at
 * most; what can't be written is told on the log.
 */
void audit_own(const char *home, const struct history_deed *deed,
               const struct error *refused);

#endif
