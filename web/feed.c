/* SPDX-License-Identifier: MIT */
#include "web/feed.h"

#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct feed_event {
    int references;
    uint64_t number;
    const char *name; /* status, ended, reset */
    char *id;
    char *dag; /* NULL: of none */
    json_t *data;
    uint64_t round; /* of the last update that knew it */
    char *text;
    size_t len;
};

struct feed {
    char *life;
    uint64_t last;      /* the newest number */
    uint64_t forgotten; /* the number of the newest end that is not kept any more */
    uint64_t round;     /* how many updates there were */
    json_t *live;       /* what the last one was given */
    struct feed_event **events; /* by number; one status a dag */
    size_t ended_count;         /* of them */
    size_t count;
    size_t capacity;
};

static const char reset_name[] = "reset";
static const char status_name[] = "status";
static const char ended_name[] = "ended";

/* --------------------------------------------------------------------------- events */

/* data is taken. */
static struct feed_event *event_new(const struct feed *feed, uint64_t number,
                                    const char *name, json_t *data)
{
    struct feed_event *event = mem_alloc(sizeof *event);

    *event = (struct feed_event){.references = 1,
                                 .number = number,
                                 .name = name,
                                 .id = mem_printf("%s-%" PRIu64, feed->life, number),
                                 .dag = mem_strdup(json_get_string(data, "dag", NULL)),
                                 .data = data};
    return event;
}

void feed_event_drop(struct feed_event *event)
{
    if (event == NULL || --event->references > 0)
        return;
    json_decref(event->data);
    free(event->id);
    free(event->dag);
    free(event->text);
    free(event);
}

const char *feed_event_text(struct feed_event *event, size_t *len)
{
    if (event->text == NULL) {
        char *line = json_line(event->data);

        event->text =
            mem_printf("id: %s\nevent: %s\ndata: %s\n\n", event->id, event->name, line);
        event->len = strlen(event->text);
        free(line);
    }
    *len = event->len;
    return event->text;
}

/* ----------------------------------------------------------------------------- feed */

struct feed *feed_new(const char *life)
{
    struct feed *feed = mem_alloc(sizeof *feed);

    feed->life = mem_strdup(life);
    return feed;
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    for (size_t i = 0; i < feed->count; i++)
        feed_event_drop(feed->events[i]);
    json_decref(feed->live);
    free(feed->events);
    free(feed->life);
    free(feed);
}

static void add(struct feed *feed, const char *name, json_t *data)
{
    feed->events =
        mem_grow(feed->events, feed->count, &feed->capacity, sizeof *feed->events);
    feed->events[feed->count++] = event_new(feed, ++feed->last, name, data);
}

static void remove_at(struct feed *feed, size_t i)
{
    feed_event_drop(feed->events[i]);
    feed->count--;
    memmove(feed->events + i, feed->events + i + 1,
            (feed->count - i) * sizeof *feed->events);
}

static void forget_oldest_end(struct feed *feed)
{
    size_t i = 0;

    while (feed->events[i]->name != ended_name)
        i++;
    feed->forgotten = feed->events[i]->number;
    feed->ended_count--;
    remove_at(feed, i);
}

static void add_end(struct feed *feed, const json_t *status)
{
    add(feed, ended_name,
        json_pack("{s:O,s:O}", "dag", json_object_get(status, "dag"), "run",
                  json_object_get(status, "run")));
    if (++feed->ended_count > FEED_ENDED_MAX)
        forget_oldest_end(feed);
}

static size_t find_status(const struct feed *feed, const char *dag)
{
    size_t i = 0;

    while (i < feed->count && (feed->events[i]->name != status_name ||
                               strcmp(feed->events[i]->dag, dag) != 0))
        i++;
    return i;
}

static bool is_same_run(const json_t *a, const json_t *b)
{
    return json_get_int(a, "run", 0) == json_get_int(b, "run", 0);
}

/* The status of a dag as it is now; true: it is another. */
static bool update_one(struct feed *feed, json_t *status)
{
    size_t i = find_status(feed, json_get_string(status, "dag", ""));
    json_t *before = i < feed->count ? feed->events[i]->data : NULL;

    if (before != status) {
        json_incref(before);
        if (before)
            remove_at(feed, i);
        if (before && !is_same_run(before, status))
            add_end(feed, before);
        json_decref(before);
        add(feed, status_name, json_incref(status));
        i = feed->count - 1;
    }
    feed->events[i]->round = feed->round;
    return before != status;
}

static bool is_gone(const struct feed *feed, const struct feed_event *event)
{
    return event->name == status_name && event->round != feed->round;
}

/* Statuses that were not among those that live. */
static bool end_the_others(struct feed *feed)
{
    bool any = false;
    size_t i = 0;

    while (i < feed->count) {
        json_t *status;

        if (!is_gone(feed, feed->events[i])) {
            i++;
            continue;
        }
        status = json_incref(feed->events[i]->data);
        remove_at(feed, i);
        add_end(feed, status);
        json_decref(status);
        any = true;
        i = 0; /* the oldest end may have left a place before this one */
    }
    return any;
}

bool feed_knows(const struct feed *feed, const json_t *live)
{
    return live == feed->live;
}

bool feed_update(struct feed *feed, const json_t *live)
{
    bool changed = false;
    json_t *status;
    size_t i;

    if (feed_knows(feed, live))
        return false;
    feed->round++;
    json_array_foreach(live, i, status)
    {
        if (json_get_string(status, "dag", NULL))
            changed = update_one(feed, status) || changed;
    }
    changed = end_the_others(feed) || changed;
    json_decref(feed->live);
    feed->live = json_incref((json_t *)live);
    return changed;
}

/* -------------------------------------------------------------------------- readers */

/* The number in an id of this life that is not too old; 0: it is none. */
static uint64_t known_number(const struct feed *feed, const char *id)
{
    size_t len = strlen(feed->life);
    int64_t number;

    if (id == NULL || strncmp(id, feed->life, len) != 0 || id[len] != '-' ||
        !text_parse_int(id + len + 1, &number) || number <= 0)
        return 0;
    return (uint64_t)number >= feed->forgotten && (uint64_t)number <= feed->last
               ? (uint64_t)number
               : 0;
}

struct feed_place feed_place(const struct feed *feed, const char *last_id)
{
    uint64_t number = known_number(feed, last_id);

    return number > 0 ? (struct feed_place){.seen = number}
                      : (struct feed_place){.joined = feed->last, .reset = true};
}

/* The first event that a reader has not seen and wants, or the end. */
static size_t find_next(const struct feed *feed, const struct feed_place *place,
                        const char *dag)
{
    size_t low = 0;
    size_t high = feed->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (feed->events[middle]->number <= place->seen)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < feed->count; low++) {
        const struct feed_event *event = feed->events[low];

        if ((dag == NULL || strcmp(event->dag, dag) == 0) &&
            (event->name != ended_name || event->number > place->joined))
            break;
    }
    return low;
}

bool feed_has_next(const struct feed *feed, const struct feed_place *place,
                   const char *dag)
{
    return place->reset || find_next(feed, place, dag) < feed->count;
}

struct feed_event *feed_take(struct feed *feed, struct feed_place *place,
                             const char *dag)
{
    size_t i;

    if (place->reset) {
        place->reset = false;
        return event_new(feed, 0, reset_name, json_object());
    }
    i = find_next(feed, place, dag);
    if (i == feed->count)
        return NULL;
    place->seen = feed->events[i]->number;
    feed->events[i]->references++;
    return feed->events[i];
}
