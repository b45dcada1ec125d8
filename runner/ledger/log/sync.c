/* SPDX-License-Identifier: MIT */
#include "ledger/log/sync.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A round holds its descriptors open: a bound keeps them few. The rest goes next. */
enum { ROUND_ENTRIES = 64 };

struct job {
    int fd;
    int error;
    struct sync_entry *entry; /* NULL: forgotten */
    void (*release)(void *owner);
    void *owner;
};

struct sync {
    int64_t interval_ms;
    int64_t dirty_since; /* INT64_MIN: the next sync_tick sets it */
    int eventfd;
    int failed;
    struct sync_entry *first, *last; /* dirty, the longest first */
    uint64_t sequence;               /* of the entry that became dirty last */
    uint64_t wanted;                 /* tickets up to here are waited for */

    struct sync_entry *round[ROUND_ENTRIES]; /* NULL: forgotten */
    size_t round_count;
    struct sync_entry *collecting;
    struct job *jobs; /* the thread's while running */
    size_t job_count, job_capacity;

    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;     /* for the thread */
    pthread_cond_t finished; /* for who waits for the thread */
    bool running;            /* all below the mutex */
    bool stop;
};

static void flush_jobs(struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fdatasync(jobs[i].fd) != 0)
            jobs[i].error = errno;
}

static void *run(void *arg)
{
    struct sync *sync = arg;
    const uint64_t one = 1;

    (void)pthread_mutex_lock(&sync->mutex);
    for (;;) {
        while (!sync->running && !sync->stop)
            (void)pthread_cond_wait(&sync->wake, &sync->mutex);
        if (!sync->running)
            break;
        (void)pthread_mutex_unlock(&sync->mutex);
        flush_jobs(sync->jobs, sync->job_count);
        (void)pthread_mutex_lock(&sync->mutex);
        sync->running = false;
        (void)pthread_cond_signal(&sync->finished);
        /* The counter cannot overflow: there is one round at a time. */
        (void)!write(sync->eventfd, &one, sizeof(one));
    }
    (void)pthread_mutex_unlock(&sync->mutex);
    return NULL;
}

struct sync *sync_start(int64_t interval_ms, struct error *err)
{
    struct sync *sync = mem_alloc(sizeof(*sync));
    int status;

    sync->interval_ms = interval_ms;
    sync->dirty_since = INT64_MIN;
    sync->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&sync->mutex, NULL);
    (void)pthread_cond_init(&sync->wake, NULL);
    (void)pthread_cond_init(&sync->finished, NULL);
    status = sync->eventfd < 0 ? errno : pthread_create(&sync->thread, NULL, run, sync);
    if (status == 0)
        return sync;
    error_set(err, ERROR_INTERNAL, "cannot start the thread that flushes files: %s",
              strerror(status));
    if (sync->eventfd >= 0)
        (void)close(sync->eventfd);
    free(sync);
    return NULL;
}

int sync_fd(const struct sync *sync)
{
    return sync->eventfd;
}

bool sync_reached(const struct sync *sync, uint64_t ticket)
{
    if (sync->first != NULL && sync->first->sequence <= ticket)
        return false;
    for (size_t i = 0; i < sync->round_count; i++)
        if (sync->round[i] != NULL && sync->round[i]->round_sequence <= ticket)
            return false;
    return true;
}

int sync_failed(const struct sync *sync)
{
    return sync->failed;
}

void sync_dirty(struct sync *sync, struct sync_entry *entry)
{
    if (entry->dirty)
        return;
    entry->dirty = true;
    entry->sequence = ++sync->sequence;
    entry->next = NULL;
    entry->prev = sync->last;
    if (sync->last != NULL)
        sync->last->next = entry;
    else
        sync->first = entry;
    sync->last = entry;
}

static void unlink_dirty(struct sync *sync, struct sync_entry *entry)
{
    if (entry->prev != NULL)
        entry->prev->next = entry->next;
    else
        sync->first = entry->next;
    if (entry->next != NULL)
        entry->next->prev = entry->prev;
    else
        sync->last = entry->prev;
    entry->prev = entry->next = NULL;
    entry->dirty = false;
}

void sync_add(struct sync *sync, int fd, void (*release)(void *owner), void *owner)
{
    sync->jobs =
        mem_grow(sync->jobs, sync->job_count, &sync->job_capacity, sizeof(*sync->jobs));
    sync->jobs[sync->job_count++] = (struct job){
        .fd = fd, .entry = sync->collecting, .release = release, .owner = owner};
}

void sync_later(struct sync *sync)
{
    sync->collecting->later = true;
}

static void begin_round(struct sync *sync)
{
    sync->dirty_since = INT64_MIN;
    sync->job_count = 0;
    sync->round_count = 0;
    while (sync->first != NULL && sync->round_count < ROUND_ENTRIES) {
        struct sync_entry *entry = sync->first;

        unlink_dirty(sync, entry);
        entry->busy = true;
        entry->later = false;
        entry->round_sequence = entry->sequence;
        sync->round[sync->round_count++] = entry;
        sync->collecting = entry;
        entry->collect(sync, entry);
    }
    sync->collecting = NULL;
    if (sync->round_count == 0)
        return;
    (void)pthread_mutex_lock(&sync->mutex);
    sync->running = true;
    (void)pthread_cond_signal(&sync->wake);
    (void)pthread_mutex_unlock(&sync->mutex);
}

static bool is_running(struct sync *sync)
{
    bool running;

    (void)pthread_mutex_lock(&sync->mutex);
    running = sync->running;
    (void)pthread_mutex_unlock(&sync->mutex);
    return running;
}

static int error_of(const struct sync *sync, const struct sync_entry *entry)
{
    for (size_t i = 0; i < sync->job_count; i++)
        if (sync->jobs[i].entry == entry && sync->jobs[i].error != 0)
            return sync->jobs[i].error;
    return 0;
}

/* Back to the front of the dirty ones: whoever waits for it waits on. */
static void put_back(struct sync *sync, struct sync_entry *entry)
{
    if (entry->dirty)
        unlink_dirty(sync, entry);
    entry->dirty = true;
    entry->sequence = entry->round_sequence;
    entry->prev = NULL;
    entry->next = sync->first;
    if (sync->first != NULL)
        sync->first->prev = entry;
    else
        sync->last = entry;
    sync->first = entry;
    sync->wanted = 0; /* not at once: sync_tick tries again */
}

/* The thread is done: tell the entries, give the descriptors back. */
static void end_round(struct sync *sync)
{
    /* From the end, so that those put back are in their old order. */
    for (size_t i = sync->round_count; i-- > 0;) {
        struct sync_entry *entry = sync->round[i];
        int error;

        sync->round[i] = NULL;
        if (entry == NULL)
            continue;
        entry->busy = false;
        error = error_of(sync, entry);
        if (error == 0 && entry->later)
            put_back(sync, entry);
        else
            entry->done(entry, error);
    }
    for (size_t i = 0; i < sync->job_count; i++) {
        if (sync->jobs[i].error != 0)
            sync->failed = sync->jobs[i].error;
        if (sync->jobs[i].release != NULL)
            sync->jobs[i].release(sync->jobs[i].owner);
    }
    sync->round_count = 0;
    sync->job_count = 0;
}

/* Whether no round runs any more, having ended the one that is over. */
static bool settle(struct sync *sync)
{
    if (sync->round_count == 0)
        return true;
    if (is_running(sync))
        return false;
    end_round(sync);
    return true;
}

int64_t sync_tick(struct sync *sync, int64_t now_ms)
{
    if (sync->first == NULL)
        return INT64_MAX;
    if (sync->dirty_since == INT64_MIN)
        sync->dirty_since = now_ms;
    if (now_ms - sync->dirty_since < sync->interval_ms)
        return sync->dirty_since + sync->interval_ms;
    sync->wanted = sync->sequence;
    if (!settle(sync))
        return INT64_MAX; /* sync_poll goes on */
    begin_round(sync);
    return INT64_MAX;
}

uint64_t sync_ticket(struct sync *sync)
{
    sync->wanted = sync->sequence;
    if (sync->first != NULL && settle(sync))
        begin_round(sync);
    return sync->wanted;
}

void sync_poll(struct sync *sync)
{
    uint64_t count;

    (void)!read(sync->eventfd, &count, sizeof(count));
    if (settle(sync) && sync->first != NULL && sync->first->sequence <= sync->wanted)
        begin_round(sync);
}

void sync_forget(struct sync *sync, struct sync_entry *entry)
{
    if (entry->dirty)
        unlink_dirty(sync, entry);
    for (size_t i = 0; i < sync->round_count && entry->busy; i++)
        if (sync->round[i] == entry)
            sync->round[i] = NULL;
    entry->busy = false;
}

static void wait_for_round(struct sync *sync)
{
    (void)pthread_mutex_lock(&sync->mutex);
    while (sync->running)
        (void)pthread_cond_wait(&sync->finished, &sync->mutex);
    (void)pthread_mutex_unlock(&sync->mutex);
    (void)settle(sync);
}

void sync_flush(struct sync *sync)
{
    uint64_t until = sync->sequence;

    wait_for_round(sync);
    while (sync->first != NULL && sync->first->sequence <= until) {
        uint64_t before = sync->first->sequence;

        begin_round(sync);
        wait_for_round(sync);
        if (sync->first != NULL && sync->first->sequence == before)
            break; /* put back: there is no getting on */
    }
}

void sync_stop(struct sync *sync)
{
    wait_for_round(sync);
    (void)pthread_mutex_lock(&sync->mutex);
    sync->stop = true;
    (void)pthread_cond_signal(&sync->wake);
    (void)pthread_mutex_unlock(&sync->mutex);
    (void)pthread_join(sync->thread, NULL);
    (void)pthread_mutex_destroy(&sync->mutex);
    (void)pthread_cond_destroy(&sync->wake);
    (void)pthread_cond_destroy(&sync->finished);
    (void)close(sync->eventfd);
    free(sync->jobs);
    free(sync);
}
