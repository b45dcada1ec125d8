/* SPDX-License-Identifier: MIT */
#include "ledger/api/fetches.h"

#include "ledger/api/api_partition.h"
#include "ledger/api/ledger.h"
#include "ledger/log/partition.h"
#include "ledger/topic/topics.h"

#include <stdlib.h>
#include <utlist.h>

/* One opened partition. */
struct fetch_watch {
    struct fetches *fetches;
    struct partition *partition;
    struct fetch_part *waiting;
    UT_hash_handle hh; /* by partition */
};

struct fetches {
    struct ledger *ledger;
    struct fetch_sessions sessions;
    struct fetch_watch *watches;
    struct fetch *waiting; /* the earliest deadline first */
    struct fetch *ready;
    uint64_t generation; /* of the watches: counts deleted topics */
};

static void wake(struct fetch *fetch)
{
    if (fetch->ready)
        return;
    fetch->ready = true;
    DL_APPEND2(fetch->fetches->ready, fetch, prev_ready, next_ready);
}

static bool has_news(const struct fetch_part *part, const struct partition *partition)
{
    int64_t end = part->fetch->committed ? partition_last_stable(partition)
                                         : partition_end(partition);

    /* Behind the end: the log was cut, which is an error to tell. */
    return end != part->offset;
}

static void on_moved(void *arg, struct partition *partition)
{
    struct fetch_watch *watch = arg;
    struct fetch_part *part;

    DL_FOREACH2(watch->waiting, part, next_waiting)
    if (has_news(part, partition))
        wake(part->fetch);
}

static struct fetch_watch *find_watch(const struct fetches *fetches,
                                      const struct partition *partition)
{
    struct fetch_watch *watch = NULL;

    HASH_FIND_PTR(fetches->watches, &partition, watch);
    return watch;
}

void fetches_opened(struct fetches *fetches, struct partition *partition)
{
    struct fetch_watch *watch = mem_alloc(sizeof *watch);

    watch->fetches = fetches;
    watch->partition = partition;
    HASH_ADD_PTR(fetches->watches, partition, watch);
    partition_listen(partition, on_moved, watch);
}

/* The session is taken by another request: the one that waits in it goes empty-handed.
 */
static void on_session_going(void *arg, struct fetch_session *session)
{
    struct fetch *fetch = session->fetch;

    (void)arg;
    if (fetch == NULL)
        return;
    fetches_stop(fetch);
    fetch->session = NULL;
    session->fetch = NULL;
    fetch->kind = FETCH_SESSIONLESS;
    fetch_serve(fetch, true);
}

struct fetches *fetches_new(struct ledger *ledger)
{
    struct fetches *fetches = mem_alloc(sizeof *fetches);

    fetches->ledger = ledger;
    fetches->generation = 1;
    fetch_sessions_init(&fetches->sessions, (uint32_t)ledger->wall_ms);
    fetches->sessions.going = on_session_going;
    fetches->sessions.arg = fetches;
    return fetches;
}

void fetches_free(struct fetches *fetches)
{
    struct fetch_watch *watch, *next;

    if (fetches == NULL)
        return;
    while (fetches->waiting) {
        struct fetch *fetch = fetches->waiting;

        fetches_stop(fetch);
        request_drop(fetch->request);
    }
    fetches->sessions.going = NULL;
    fetch_sessions_clear(&fetches->sessions);
    HASH_ITER(hh, fetches->watches, watch, next)
    {
        HASH_DEL(fetches->watches, watch);
        partition_listen(watch->partition, NULL, NULL);
        free(watch);
    }
    free(fetches);
}

struct fetch_sessions *fetches_sessions(struct fetches *fetches)
{
    return &fetches->sessions;
}

static enum kafka_error resolve(struct fetches *fetches, struct fetch_part *part)
{
    bool by_id = !wire_uuid_is_zero(&part->id);
    struct topic *topic = by_id ? topics_find_id(fetches->ledger->topics, &part->id)
                                : topics_find(fetches->ledger->topics, part->topic);
    struct partition *partition;
    enum kafka_error error;

    if (topic == NULL && part->topic.len <= 0)
        return KAFKA_UNKNOWN_TOPIC_ID;
    error = api_partition(fetches->ledger, topic, part->index, &partition);
    if (error != KAFKA_NONE)
        return error;
    part->watch = find_watch(fetches, partition);
    part->generation = fetches->generation;
    return KAFKA_NONE;
}

enum kafka_error fetches_find(struct fetches *fetches, struct fetch_part *part,
                              struct partition **out)
{
    enum kafka_error error = KAFKA_NONE;

    *out = NULL;
    if (part->generation != fetches->generation)
        error = resolve(fetches, part);
    if (error == KAFKA_NONE)
        *out = part->watch->partition;
    return error;
}

struct fetch_part *fetch_first(const struct fetch *fetch)
{
    return fetch->session ? fetch->session->parts : fetch->own;
}

/* Most waits are equally long, so the place is nearly always at the end. */
static void insert_by_deadline(struct fetches *fetches, struct fetch *fetch)
{
    struct fetch *after = fetches->waiting ? fetches->waiting->prev : NULL;

    while (after && after->deadline_ms > fetch->deadline_ms)
        after = after == fetches->waiting ? NULL : after->prev;
    if (after)
        DL_APPEND_ELEM(fetches->waiting, after, fetch);
    else
        DL_PREPEND(fetches->waiting, fetch);
}

void fetches_wait(struct fetch *fetch)
{
    struct fetches *fetches = fetch->fetches;
    struct fetch_part *part;

    if (fetch->waiting)
        return;
    fetch->waiting = true;
    if (fetch->session)
        fetch->session->fetch = fetch;
    DL_FOREACH(fetch_first(fetch), part)
    {
        if (part->generation != fetches->generation)
            continue; /* not there; only its coming could help, and that tells no one */
        part->fetch = fetch;
        DL_APPEND2(part->watch->waiting, part, prev_waiting, next_waiting);
    }
    insert_by_deadline(fetches, fetch);
}

static void unlink_part(struct fetch_part *part)
{
    if (part->fetch == NULL)
        return;
    part->fetch = NULL;
    DL_DELETE2(part->watch->waiting, part, prev_waiting, next_waiting);
}

static void leave_ready(struct fetch *fetch)
{
    if (!fetch->ready)
        return;
    fetch->ready = false;
    DL_DELETE2(fetch->fetches->ready, fetch, prev_ready, next_ready);
}

void fetches_stop(struct fetch *fetch)
{
    struct fetch_part *part;

    leave_ready(fetch);
    if (!fetch->waiting)
        return;
    fetch->waiting = false;
    DL_FOREACH(fetch_first(fetch), part)
    unlink_part(part);
    if (fetch->session)
        fetch->session->fetch = NULL;
    DL_DELETE(fetch->fetches->waiting, fetch);
}

/* Its deadline is now: what it asks for is going, which it should learn at once. */
static void end_wait(struct fetches *fetches, struct fetch *fetch)
{
    DL_DELETE(fetches->waiting, fetch);
    fetch->deadline_ms = INT64_MIN;
    DL_PREPEND(fetches->waiting, fetch);
}

static void forget_watch(struct fetches *fetches, struct fetch_watch *watch)
{
    while (watch->waiting) {
        struct fetch *fetch = watch->waiting->fetch;

        unlink_part(watch->waiting);
        end_wait(fetches, fetch);
    }
    HASH_DEL(fetches->watches, watch);
    free(watch);
}

void fetches_forget_topic(struct fetches *fetches, const struct topic *topic)
{
    for (int32_t i = 0; i < topic->partitions; i++) {
        struct partition *partition = topics_partition_open(topic, i);
        struct fetch_watch *watch = partition ? find_watch(fetches, partition) : NULL;

        if (watch)
            forget_watch(fetches, watch);
    }
    fetches->generation++;
}

int64_t fetches_tick(struct fetches *fetches, int64_t now_ms)
{
    while (fetches->ready) {
        struct fetch *fetch = fetches->ready;

        leave_ready(fetch);
        fetch_serve(fetch, false);
    }
    while (fetches->waiting && fetches->waiting->deadline_ms <= now_ms) {
        struct fetch *fetch = fetches->waiting;

        fetches_stop(fetch);
        fetch_serve(fetch, true);
    }
    return fetches->waiting ? fetches->waiting->deadline_ms : INT64_MAX;
}
