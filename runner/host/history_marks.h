/* SPDX-License-Identifier: MIT
 *
 * history_marks.h - what became of dead letters: sent again, dropped, or about to be.
 * Layer: host. Written at once by the command that does it, while runners write too:
 * each call waits for them up to 2 s. A letter is a record of a topic, known by the
 * topic's id: a topic made anew has no marks.
 */
#ifndef HOST_HISTORY_MARKS_H
#define HOST_HISTORY_MARKS_H

#include "host/history.h"

enum history_mark_state {
    HISTORY_MARK_NONE,
    HISTORY_MARK_SENDING, /* said before it is sent: after a crash nobody knows yet */
    HISTORY_MARK_REPLAYED,
    HISTORY_MARK_DROPPED,
};

struct history_mark {
    int32_t partition;
    int64_t offset;
    enum history_mark_state state;
    int64_t at_ms;
    const char *by;   /* who did it */
    const char *note; /* why, or NULL */
};

struct history_mark_list {
    struct history_mark *items; /* by partition, offset; in the arena */
    size_t count;
};

int history_marks(struct history *history, const char *topic_id,
                  struct mem_arena *arena, struct history_mark_list *out,
                  struct error *err);

/* Marks that are made together: all of them or none. */
struct history_marking {
    const char *dag;
    const char *node;
    const char *topic_id;
    const struct history_mark *marks; /* state HISTORY_MARK_NONE takes a mark away */
    size_t count;
};
int history_marks_put(struct history *history, const struct history_marking *marking,
                      struct error *err);

/* Add an event to the dag's newest run, whose runner may be gone. */
int history_marks_event(struct history *history, const char *dag,
                        const struct history_event *event, struct error *err);

#endif
