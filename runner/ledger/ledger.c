/* SPDX-License-Identifier: MIT */
#include "ledger/ledger.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ledger/api/api.h"
#include "ledger/api/consumer_env.h"
#include "ledger/api/fetches.h"
#include "ledger/api/flushes.h"
#include "ledger/group/offsets.h"
#include "ledger/ledger_private.h"
#include "ledger/server/server.h"
#include "ledger/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINGER_MS = 1000, OTHER_FILES = 32 };

/* The loop may be so late, and then members get so much time at most. */
enum { LATE_MS = 100, GRACE_MS = 5000 };

void ledger_settings_default(struct ledger_settings *settings)
{
    *settings = (struct ledger_settings){
        .host = "127.0.0.1",
        .data_dir = "broker",
        .default_partitions = 1,
        .retention_ms = (int64_t)7 * 24 * 60 * 60 * 1000,
        .retention_bytes = -1,
        .segment_bytes = (int64_t)1024 * 1024 * 1024,
        .fsync = LEDGER_FSYNC_INTERVAL,
        .fsync_interval_ms = 1000,
        .max_connections = INT32_MAX,
    };
}

/* Connections and segment files are descriptors: take all that we may have. */
static void raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_write(LOG_WARN, "ledger", NULL, "cannot raise the limit of descriptors: %s",
                  strerror(errno));
}

static bool serve(void *arg, struct request *request)
{
    struct ledger *ledger = arg;
    api_fn *fn = api_find(request->key);

    if (fn == NULL)
        return false;
    ledger->now_ms = request->now_ms;
    ledger->wall_ms = request->wall_ms;
    fn(ledger, request);
    return true;
}

static void on_sync(void *arg, uint32_t events)
{
    struct ledger *ledger = arg;

    (void)events;
    sync_poll(ledger->sync);
    flushes_poll(ledger);
}

static void close_owner(void *owner)
{
    (void)close((int)(intptr_t)owner);
}

static struct ledger *owner_of(struct sync_entry *entry)
{
    struct ledger_private *own =
        (struct ledger_private *)(void *)((char *)entry -
                                          offsetof(struct ledger_private, store_entry));

    return own->ledger;
}

/* The store may replace its file any time, so the flush has a descriptor of its own. */
static void collect_store(struct sync *sync, struct sync_entry *entry)
{
    struct ledger *ledger = owner_of(entry);
    int fd = fcntl(store_fd(ledger->store), F_DUPFD_CLOEXEC, 0);

    if (fd >= 0)
        sync_add(sync, fd, close_owner, (void *)(intptr_t)fd);
    else
        sync_later(sync);
}

static void flushed_store(struct sync_entry *entry, int error)
{
    if (error == 0)
        return;
    store_sync_failed(owner_of(entry)->store);
    log_write(LOG_ERROR, "ledger", NULL,
              "cannot flush the store: %s; nothing but records is kept any more until "
              "the broker is started again",
              strerror(error));
}

/* Since it was *seen last. */
static bool store_changed(const struct ledger *ledger, int64_t *seen)
{
    int64_t bytes = store_bytes(ledger->store);
    bool changed = bytes != *seen;

    *seen = bytes;
    return changed;
}

/* Policy "always": what an answer says is on the disk, the store's part as well. */
static bool before_answer(void *arg)
{
    struct ledger *ledger = arg;
    struct error err = {0};

    if (!ledger->fsync_always ||
        !store_changed(ledger, &ledger->own->store_bytes_answered) ||
        store_sync(ledger->store, &err) == 0)
        return true;
    log_write(LOG_ERROR, "ledger", NULL, "%s", err.text);
    return false;
}

static int on_topic_going(void *arg, const struct topic *topic, struct error *err)
{
    const struct ledger *ledger = arg;
    struct wire_string name = {topic->name, topic->name_len};

    return offsets_drop_topic(ledger->offsets, name, err);
}

static void on_topic_gone(void *arg, const struct topic *topic)
{
    struct ledger *ledger = arg;
    struct wire_string name = {topic->name, topic->name_len};

    fetches_forget_topic(ledger->fetches, topic);
    offsets_forget_topic(ledger->offsets, name);
}

static void on_partition_open(void *arg, struct topic *topic, int32_t index,
                              struct partition *partition)
{
    struct ledger *ledger = arg;

    fetches_opened(ledger->fetches, partition);
    if (ledger->txns)
        txns_reconcile(ledger->txns, (struct wire_string){topic->name, topic->name_len},
                       index, partition, ledger->wall_ms);
}

/* Partitions that were opened before the coordinator was there. */
static void reconcile_open(struct ledger *ledger)
{
    int32_t count = topics_count(ledger->topics);

    for (int32_t i = 0; i < count; i++) {
        struct topic *topic = topics_at(ledger->topics, i);
        struct wire_string name = {topic->name, topic->name_len};

        for (int32_t p = 0; p < topic->partitions; p++) {
            struct partition *partition = topics_partition_open(topic, p);

            if (partition)
                txns_reconcile(ledger->txns, name, p, partition, ledger->wall_ms);
        }
    }
}

/* What clients are told when nobody says it: where we listen, if that is one address.
 */
static char *choose_host(const struct ledger_settings *settings)
{
    const char *host = settings->host;
    char name[HOST_NAME_MAX + 1] = "localhost";

    if (settings->advertised_host)
        return mem_strdup(settings->advertised_host);
    if (host[0] != '\0' && strcmp(host, "0.0.0.0") != 0 && strcmp(host, "::") != 0)
        return mem_strdup(host);
    (void)gethostname(name, sizeof name - 1);
    return mem_strdup(name);
}

static void copy_settings(struct ledger *ledger, const struct ledger_settings *settings)
{
    struct ledger_settings *own = &ledger->own->settings;

    *own = *settings;
    own->host = mem_strdup(settings->host);
    own->data_dir = mem_strdup(settings->data_dir);
    own->advertised_host = choose_host(settings);
    ledger->data_dir = own->data_dir;
    ledger->host = own->advertised_host;
    ledger->auto_create_topics = own->auto_create_topics;
    ledger->default_partitions = own->default_partitions;
    ledger->fsync_always = own->fsync == LEDGER_FSYNC_ALWAYS;
    ledger->fsync_interval_ms = own->fsync_interval_ms;
    ledger->now_ms = clock_mono_ms();
    ledger->wall_ms = clock_wall_ms();
    ledger->own->client_ms = ledger->now_ms;
    ledger->own->ledger = ledger;
}

static int open_data(struct ledger *ledger, struct error *err)
{
    struct ledger_private *own = ledger->own;
    struct store_report report = {0};
    char *path;

    own->lock_fd = ledger_lock(ledger->data_dir, err);
    if (own->lock_fd < 0)
        return -1;
    path = mem_printf("%s/store", ledger->data_dir);
    ledger->store = store_open(path, &report, err);
    free(path);
    if (ledger->store == NULL || ledger_identify(ledger, err) < 0 ||
        (ledger->fsync_always && ledger_sync_folder(ledger->data_dir, err) < 0))
        return -1;
    ledger->sync = sync_start(ledger->fsync_interval_ms, err);
    if (ledger->sync == NULL)
        return -1;
    own->store_entry.collect = collect_store;
    own->store_entry.done = flushed_store;
    own->pool = log_pool_new(0, ledger->sync);
    return loop_add(ledger->loop, sync_fd(ledger->sync), EPOLLIN, on_sync, ledger, err);
}

static void put_number(struct config_set *set, const char *name, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    config_put(set, name, text);
}

/* The settings that are configs of the broker, under Kafka's names. */
static void fill_configs(struct ledger_private *own)
{
    const struct ledger_settings *settings = &own->settings;

    put_number(&own->fixed, "log.retention.ms", settings->retention_ms);
    put_number(&own->fixed, "log.retention.bytes", settings->retention_bytes);
    put_number(&own->fixed, "log.segment.bytes", settings->segment_bytes);
    put_number(&own->fixed, "num.partitions", settings->default_partitions);
    config_put(&own->fixed, "auto.create.topics.enable",
               settings->auto_create_topics ? "true" : "false");
    put_number(&own->fixed, "group.initial.rebalance.delay.ms",
               settings->group_initial_rebalance_delay_ms);
    put_number(&own->fixed, "node.id", LEDGER_NODE_ID);
    put_number(&own->fixed, "broker.id", LEDGER_NODE_ID);
    put_number(&own->fixed, "offsets.topic.replication.factor", 1);
    put_number(&own->fixed, "transaction.state.log.replication.factor", 1);
    config_put(&own->fixed, "process.roles", "broker,controller");
    config_put(&own->fixed, "log.dirs", settings->data_dir);
}

static int open_topics(struct ledger *ledger, struct error *err)
{
    struct ledger_private *own = ledger->own;
    struct topics_settings settings = {
        .dir = ledger->data_dir,
        .pool = own->pool,
        .wall_ms = ledger->wall_ms,
        .fixed = &own->fixed,
    };

    fill_configs(own);
    ledger->topics = topics_open(&settings, ledger->store, err);
    if (ledger->topics == NULL)
        return -1;
    ledger->fetches = fetches_new(ledger);
    topics_on_open(ledger->topics, on_partition_open, ledger);
    return 0;
}

static int open_coordinators(struct ledger *ledger, struct error *err)
{
    struct ledger_private *own = ledger->own;
    struct txns_host host = ledger_txns_host(ledger);
    struct groups_settings settings;

    ledger->offsets = offsets_open(ledger->store, err);
    if (ledger->offsets == NULL ||
        offsets_keep_topics(ledger->offsets, ledger_topic_exists, ledger, err) < 0)
        return -1;
    groups_settings_default(&settings);
    consumer_env_fill(&own->consumers, ledger->topics, ledger->store);
    settings.initial_rebalance_delay_ms =
        own->settings.group_initial_rebalance_delay_ms;
    settings.consumer = &own->consumers;
    ledger->groups = groups_open(&settings, ledger->store, ledger->offsets,
                                 ledger_group_answer, ledger->now_ms, err);
    if (ledger->groups == NULL)
        return -1;
    ledger->txns =
        txns_open(ledger->store, &host, ledger->now_ms, ledger->wall_ms, err);
    if (ledger->txns == NULL)
        return -1;
    reconcile_open(ledger);
    topics_on_delete(ledger->topics, on_topic_going, on_topic_gone, ledger);
    return 0;
}

/* Where it listens is only known now. */
static void fix_listeners(struct ledger *ledger)
{
    const struct ledger_settings *own = &ledger->own->settings;
    char *listens =
        mem_printf("PLAINTEXT://%s:%d", own->host, server_port(ledger->server));
    char *told = mem_printf("PLAINTEXT://%s:%d", ledger->host, ledger->port);

    topics_fix(ledger->topics, "listeners", listens);
    topics_fix(ledger->topics, "advertised.listeners", told);
    free(told);
    free(listens);
}

/* Half of the descriptors are for files (log_pool_new), some for everything else. */
static int connections_limit(int wanted)
{
    struct rlimit limit;
    int room = 64;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 > OTHER_FILES + 64)
        room = limit.rlim_cur / 2 > INT32_MAX ? INT32_MAX
                                              : (int)(limit.rlim_cur / 2) - OTHER_FILES;
    return wanted < room ? wanted : room;
}

static int open_server(struct ledger *ledger, struct error *err)
{
    const struct ledger_settings *own = &ledger->own->settings;
    struct server_settings settings;

    server_settings_default(&settings);
    settings.host = own->host;
    settings.port = own->port;
    settings.max_connections = connections_limit(own->max_connections);
    settings.before_answer = before_answer;
    ledger->server = server_open(ledger->loop, &settings, serve, ledger, err);
    if (ledger->server == NULL)
        return -1;
    ledger->port =
        own->advertised_port ? own->advertised_port : server_port(ledger->server);
    fix_listeners(ledger);
    return 0;
}

struct ledger *ledger_open(struct loop *loop, const struct ledger_settings *settings,
                           struct error *err)
{
    struct ledger *ledger = mem_alloc(sizeof *ledger);

    ledger->own = mem_alloc(sizeof *ledger->own);
    ledger->own->lock_fd = -1;
    ledger->loop = loop;
    copy_settings(ledger, settings);
    raise_limits();
    if (open_data(ledger, err) < 0 || open_topics(ledger, err) < 0 ||
        open_coordinators(ledger, err) < 0 || open_server(ledger, err) < 0) {
        ledger_close(ledger);
        return NULL;
    }
    return ledger;
}

/* Answers that wait for the disk get theirs; those that wait for data or members do
 * not. */
static void end_requests(struct ledger *ledger)
{
    if (ledger->sync) {
        sync_flush(ledger->sync);
        flushes_poll(ledger);
    }
    groups_close(ledger->groups);
    fetches_free(ledger->fetches);
    server_close(ledger->server, LINGER_MS);
}

static void close_data(struct ledger *ledger)
{
    struct ledger_private *own = ledger->own;

    txns_close(ledger->txns);
    offsets_close(ledger->offsets);
    topics_close(ledger->topics);
    if (ledger->sync) {
        sync_flush(ledger->sync);
        sync_forget(ledger->sync, &own->store_entry);
        loop_remove(ledger->loop, sync_fd(ledger->sync));
    }
    if (own->pool)
        log_pool_free(own->pool);
    if (ledger->sync)
        sync_stop(ledger->sync);
    store_close(ledger->store);
    if (own->lock_fd >= 0)
        (void)close(own->lock_fd);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    end_requests(ledger);
    close_data(ledger);
    config_clear(&ledger->own->fixed);
    free((char *)ledger->own->settings.host);
    free((char *)ledger->own->settings.data_dir);
    free((char *)ledger->own->settings.advertised_host);
    free(ledger->own);
    free(ledger);
}

int ledger_port(const struct ledger *ledger)
{
    return server_port(ledger->server);
}

const char *ledger_cluster_id(const struct ledger *ledger)
{
    return ledger->cluster_id;
}

bool ledger_idle(const struct ledger *ledger)
{
    const struct ledger_private *own = ledger->own;

    return own->settings.idle_stop_ms > 0 && server_connections(ledger->server) == 0 &&
           ledger->now_ms - own->client_ms >= own->settings.idle_stop_ms;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When ledger_idle may become true. */
static int64_t idle_deadline(struct ledger *ledger)
{
    struct ledger_private *own = ledger->own;

    if (server_connections(ledger->server) > 0)
        own->client_ms = ledger->now_ms;
    if (own->settings.idle_stop_ms == 0 || server_connections(ledger->server) > 0)
        return INT64_MAX;
    return own->client_ms + own->settings.idle_stop_ms;
}

/*
 * Who stopped the process (SIGSTOP, a frozen container) has stopped the members' time
 * as well: their heartbeats wait in the sockets and are read before anybody is given
 * up.
 */
static void forgive(struct ledger *ledger, int64_t now_ms)
{
    int64_t late_ms = now_ms - ledger->own->next_ms;

    if (ledger->own->next_ms > 0 && late_ms >= LATE_MS)
        groups_postpone(ledger->groups, now_ms + earlier(late_ms, GRACE_MS));
}

int64_t ledger_tick(struct ledger *ledger)
{
    int64_t now_ms = clock_mono_ms(), wall_ms = clock_wall_ms();
    int64_t next_ms;

    ledger->now_ms = now_ms;
    ledger->wall_ms = wall_ms;
    forgive(ledger, now_ms);
    next_ms = txns_tick(ledger->txns, now_ms, wall_ms);
    next_ms = earlier(next_ms, groups_tick(ledger->groups, now_ms, wall_ms));
    next_ms = earlier(next_ms, topics_tick(ledger->topics, now_ms, wall_ms));
    next_ms = earlier(next_ms, fetches_tick(ledger->fetches, now_ms));
    if (store_changed(ledger, &ledger->own->store_bytes))
        sync_dirty(ledger->sync, &ledger->own->store_entry);
    next_ms = earlier(next_ms, sync_tick(ledger->sync, now_ms));
    next_ms = earlier(next_ms, idle_deadline(ledger));
    ledger->own->next_ms = earlier(next_ms, server_tick(ledger->server, now_ms));
    return ledger->own->next_ms;
}
