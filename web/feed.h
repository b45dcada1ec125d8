/* SPDX-License-Identifier: MIT
 *
 * feed.h - what has changed, in the order of its changes, each thing only as it is now:
 * the newest status of every run that lives, and which runs have ended lately.
 * Layer: web. It knows no connection and no clock. One thread.
 *
 * A reader is nothing but a place in that order. What it did not take in time it never
 * gets: it gets the newest instead, so a slow one costs no memory. An event's text is
 * made once, for the first reader that asks, and is shared by all.
 *
 * As text (an event of Server-Sent Events):
 *   reset   forget all you know: what follows is everything that lives
 *   status  the status object of a run that lives; a new run has begun
 *   ended   {"dag": …, "run": …}
 * Ids are LIFE-NUMBER: after one of an earlier life, or one that is too old, comes a
 * reset.
 */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEED_ENDED_MAX = 256 }; /* ends that are kept for those who come back */

struct feed;
struct feed_event; /* counted references */

/* A reader's place. Copied freely. */
struct feed_place {
    uint64_t seen;   /* it has all up to here */
    uint64_t joined; /* it does not care about what had ended by then */
    bool reset;      /* it gets a reset first */
};

/* life: other than that of every feed before; [0-9a-z]. */
struct feed *feed_new(const char *life);
/* Events that readers still hold stay valid. */
void feed_free(struct feed *feed);

/* Where a reader goes on that had last_id last; NULL or unknown: at a reset. */
struct feed_place feed_place(const struct feed *feed, const char *last_id);
/* Is there something for it? dag: only of this one; NULL: of all. */
bool feed_has_next(const struct feed *feed, const struct feed_place *place,
                   const char *dag);

/*
 * live: the status objects of all runs that live now, an array, borrowed; it and its
 * objects are kept, and what has changed must be another object in another array. True:
 * there is something new for readers.
 */
bool feed_knows(const struct feed *feed,
                const json_t *live); /* is it that of the last */
bool feed_update(struct feed *feed, const json_t *live);

/* The next event, which the caller gives back by feed_event_drop; NULL: none now. */
struct feed_event *feed_take(struct feed *feed, struct feed_place *place,
                             const char *dag);
/* Borrowed while the event is held. */
const char *feed_event_text(struct feed_event *event, size_t *len);
void feed_event_drop(struct feed_event *event); /* NULL is fine */

#endif
