/* SPDX-License-Identifier: MIT */
#include "ops/clean.h"

#include "base/clock.h"
#include "base/loop.h"
#include "host/lock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

enum { ANSWER_MS = 10000, DELETE_MS = 30000, SESSION_MS = 60000, AGAIN_MS = 500 };

/* ------------------------------------------------------------------ asking, blocking */

struct asking {
    struct broker *broker;
    struct loop *loop;
    struct clean_plan *plan; /* NULL while deleting */
    struct error *err;
    const char *address;
    bool not_empty; /* a group could not be deleted because it has members */
    bool answered;
};

static void on_ready(void *arg, uint32_t events)
{
    const struct asking *asking = arg;

    (void)events;
    broker_dispatch(asking->broker);
}

static void close_asking(struct asking *asking)
{
    if (asking->broker && asking->loop)
        loop_remove(asking->loop, broker_fd(asking->broker));
    broker_close(asking->broker);
    loop_free(asking->loop);
}

static int open_asking(struct asking *asking, const struct broker_config *config)
{
    asking->address = config->brokers;
    asking->loop = loop_new(asking->err);
    asking->broker = asking->loop ? broker_open(config, asking->err) : NULL;
    if (asking->broker && loop_add(asking->loop, broker_fd(asking->broker), EPOLLIN,
                                   on_ready, asking, asking->err) == 0)
        return 0;
    return -1;
}

/* Every request is answered, by a timeout if need be. */
static int wait_for_answer(struct asking *asking)
{
    asking->answered = false;
    while (!asking->answered)
        loop_wait(asking->loop, INT64_MAX);
    return error_is_set(asking->err) ? -1 : 0;
}

/* A reply that failed as a whole. */
static bool failed(struct asking *asking, const struct broker_reply *reply,
                   const char *what)
{
    asking->answered = true;
    if (reply->error_code == BROKER_OK)
        return false;
    error_set(asking->err, ERROR_UNREACHABLE, "broker %s can't be asked to %s: %s",
              asking->address, what,
              reply->error ? reply->error : broker_code_text(reply->error_code));
    return true;
}

/* ------------------------------------------------------------------------- planning */

static struct clean_item *find(struct clean_plan *plan, enum clean_what what,
                               const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].what == what && strcmp(plan->items[i].name, name) == 0)
            return &plan->items[i];
    }
    return NULL;
}

static void add_group(struct clean_plan *plan, const char *group)
{
    if (group && find(plan, CLEAN_GROUP, group) == NULL)
        plan->items[plan->count++] =
            (struct clean_item){.what = CLEAN_GROUP,
                                .fate = CLEAN_GONE,
                                .name = mem_arena_strdup(&plan->arena, group)};
}

/* A topic that was there before the dag: no row says that dagrun made it. */
static void add_foreign(struct clean_plan *plan, const char *topic)
{
    if (topic && find(plan, CLEAN_TOPIC, topic) == NULL)
        plan->items[plan->count++] =
            (struct clean_item){.what = CLEAN_TOPIC,
                                .fate = CLEAN_FOREIGN,
                                .name = mem_arena_strdup(&plan->arena, topic)};
}

static const char *edge_topic_id(const struct history_last *last, const char *topic)
{
    for (size_t i = 0; i < last->edge_count; i++) {
        if (last->edges[i].topic && strcmp(last->edges[i].topic, topic) == 0)
            return last->edges[i].topic_id;
    }
    return NULL;
}

static void list_items(const struct history_last *last, struct clean_plan *plan)
{
    size_t most = last->topic_count + 2 * last->edge_count + last->source_count + 1;

    plan->items = mem_arena_alloc(&plan->arena, most * sizeof *plan->items);
    for (size_t i = 0; i < last->topic_count; i++) {
        const struct history_topic *topic = &last->topics[i];
        const char *id =
            topic->topic_id ? topic->topic_id : edge_topic_id(last, topic->topic);

        plan->items[plan->count++] =
            (struct clean_item){.what = CLEAN_TOPIC,
                                .fate = topic->created ? CLEAN_GONE : CLEAN_FOREIGN,
                                .name = mem_arena_strdup(&plan->arena, topic->topic),
                                .topic_id = id ? mem_arena_strdup(&plan->arena, id) : NULL};
    }
    for (size_t i = 0; i < last->edge_count; i++)
        add_foreign(plan, last->edges[i].topic);
    for (size_t i = 0; i < last->edge_count; i++)
        add_group(plan, last->edges[i].group);
    for (size_t i = 0; i < last->source_count; i++)
        add_group(plan, last->sources[i].group);
}

static void on_topics(void *arg, const struct broker_reply *reply)
{
    struct asking *asking = arg;

    if (failed(asking, reply, "describe topics"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *found = &reply->items[i];
        struct clean_item *item = find(asking->plan, CLEAN_TOPIC, found->name);

        if (item == NULL || item->fate == CLEAN_FOREIGN ||
            found->error_code == BROKER_UNKNOWN_TOPIC)
            continue;
        item->partitions = found->partitions;
        item->fate = item->topic_id && found->topic_id &&
                             strcmp(item->topic_id, found->topic_id) != 0
                         ? CLEAN_REMADE
                         : CLEAN_DELETE;
    }
}

static void on_groups(void *arg, const struct broker_reply *reply)
{
    struct asking *asking = arg;

    if (failed(asking, reply, "describe consumer groups"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *found = &reply->items[i];
        struct clean_item *item = find(asking->plan, CLEAN_GROUP, found->name);

        if (item == NULL || found->error_code != BROKER_OK ||
            (found->state && strcmp(found->state, "Dead") == 0))
            continue;
        item->fate = CLEAN_DELETE;
        if (found->member_count > 0)
            item->member = mem_arena_printf(&asking->plan->arena, "%s on %s",
                                            found->members[0].client_id,
                                            found->members[0].host);
    }
}

/* The names of one kind and fate (-1: any), as the requests take them. */
static const char **names_of(const struct clean_plan *plan, enum clean_what what, int fate,
                             size_t *count)
{
    const char **names = mem_alloc((plan->count + 1) * sizeof *names);

    *count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].what == what &&
            (fate < 0 || plan->items[i].fate == (enum clean_fate)fate))
            names[(*count)++] = plan->items[i].name;
    }
    return names;
}

static int look_at_broker(struct asking *asking)
{
    const char **names;
    size_t count;
    int result = 0;

    names = names_of(asking->plan, CLEAN_TOPIC, -1, &count);
    if (count > 0) {
        broker_describe_topics(asking->broker, names, count, ANSWER_MS, on_topics, asking);
        result = wait_for_answer(asking);
    }
    free(names);
    names = names_of(asking->plan, CLEAN_GROUP, -1, &count);
    if (result == 0 && count > 0) {
        broker_describe_groups(asking->broker, names, count, ANSWER_MS, on_groups, asking);
        result = wait_for_answer(asking);
    }
    free(names);
    return result;
}

static int refuse_live(const struct ops *ops, const char *dag, struct error *err)
{
    if (!ops_is_live(ops, dag))
        return 0;
    error_set(err, ERROR_CONFLICT, "'%s' runs: 'dagrun stop %s' first", dag, dag);
    return -1;
}

int clean_plan(const struct ops *ops, const char *dag, const struct history_last *last,
               const struct broker_config *config, struct clean_plan *out,
               struct error *err)
{
    struct asking asking = {.plan = out, .err = err};

    if (refuse_live(ops, dag, err) != 0)
        return -1;
    out->dag = mem_arena_strdup(&out->arena, dag);
    list_items(last, out);
    if (open_asking(&asking, config) == 0)
        (void)look_at_broker(&asking);
    close_asking(&asking);
    return error_is_set(err) ? -1 : 0;
}

void clean_plan_clear(struct clean_plan *plan)
{
    mem_arena_clear(&plan->arena);
    *plan = (struct clean_plan){0};
}

/* ------------------------------------------------------------------------- deleting */

static void on_deleted(void *arg, const struct broker_reply *reply)
{
    struct asking *asking = arg;

    if (failed(asking, reply, "delete"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code == BROKER_GROUP_NOT_EMPTY)
            asking->not_empty = true;
        else if (item->error_code != BROKER_OK &&
                 item->error_code != BROKER_UNKNOWN_TOPIC &&
                 item->error_code != BROKER_GROUP_NOT_FOUND)
            error_set(asking->err, ERROR_FAILED, "%s was not deleted: %s", item->name,
                      item->error ? item->error : broker_code_text(item->error_code));
    }
}

static void pause_ms(struct asking *asking, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;

    while (clock_mono_ms() < until_ms)
        loop_wait(asking->loop, until_ms);
}

static int still_in_use(const struct clean_plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->items[i].member)
            error_set(err, ERROR_CONFLICT,
                      "'%s' is in use: group %s has the member %s; end it and try again",
                      plan->dag, plan->items[i].name, plan->items[i].member);
    }
    error_set(err, ERROR_CONFLICT, "'%s' is in use: a group has members", plan->dag);
    return -1;
}

/* Groups that are gone already are no error, so all can be asked for again. */
static int delete_groups(struct asking *asking, const struct clean_plan *plan)
{
    int64_t until_ms = clock_mono_ms() + SESSION_MS;
    size_t count;
    const char **names = names_of(plan, CLEAN_GROUP, CLEAN_DELETE, &count);
    int result = 0;

    while (count > 0) {
        asking->not_empty = false;
        broker_delete_groups(asking->broker, names, count, DELETE_MS, on_deleted, asking);
        result = wait_for_answer(asking);
        if (result != 0 || !asking->not_empty || clock_mono_ms() >= until_ms)
            break;
        pause_ms(asking, AGAIN_MS);
    }
    free(names);
    return result == 0 && asking->not_empty ? still_in_use(plan, asking->err) : result;
}

/* Groups first: with their topics gone they would be harmless, the other way round not. */
static int delete_all(struct asking *asking, const struct clean_plan *plan)
{
    size_t count;
    const char **names = names_of(plan, CLEAN_TOPIC, CLEAN_DELETE, &count);
    int result = delete_groups(asking, plan);

    if (result == 0 && count > 0) {
        broker_delete_topics(asking->broker, names, count, DELETE_MS, on_deleted, asking);
        result = wait_for_answer(asking);
    }
    free(names);
    return result;
}

static int forget(const struct ops *ops, const char *dag, struct error *err)
{
    char *path = mem_printf("%s/history.db", ops_home(ops));
    struct history *history = history_open(path, false, err);
    int result = history ? history_forget(history, dag, NULL, err) : -1;

    history_close(history);
    free(path);
    return result;
}

int clean_carry_out(const struct ops *ops, const struct clean_plan *plan,
                    const struct broker_config *config, struct error *err)
{
    struct asking asking = {.err = err};
    char *path = ops_lock_path(ops_home(ops), plan->dag);
    struct lock *lock = NULL;

    lock = lock_take(path, err);
    free(path);
    if (lock && open_asking(&asking, config) == 0 && delete_all(&asking, plan) == 0)
        (void)forget(ops, plan->dag, err);
    close_asking(&asking);
    if (lock)
        lock_release(lock);
    return error_is_set(err) ? -1 : 0;
}
