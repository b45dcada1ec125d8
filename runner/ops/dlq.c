/* SPDX-License-Identifier: MIT */
#include "ops/dlq.h"

#include "base/clock.h"
#include "base/loop.h"
#include "base/text.h"
#include "core/name_table.h"
#include "host/lock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { ANSWER_MS = 10000, OPEN_MS = 10000, WAIT_MS = 500, AWAY_MS = 15000 };

/* ----------------------------------------------------------- which topics there are */

/* "p.arith.add.dlq" is add's: no name has a dot. */
static char *node_of(struct mem_arena *arena, const char *topic)
{
    const char *end = topic + strlen(topic) - strlen(".dlq");
    const char *begin = end;

    while (begin > topic && begin[-1] != '.')
        begin--;
    return mem_arena_strndup(arena, begin, (size_t)(end - begin));
}

static void list_nodes(struct dlq *dlq, const struct history_last *last)
{
    dlq->nodes =
        mem_arena_alloc(&dlq->arena, (last->topic_count + 1) * sizeof *dlq->nodes);
    for (size_t t = 0; t < last->topic_count; t++) {
        const char *topic = last->topics[t].topic;
        struct dlq_node *node = &dlq->nodes[dlq->node_count];

        if (last->topics[t].kind != HISTORY_TOPIC_DLQ || strlen(topic) < strlen(".dlq"))
            continue;
        dlq->node_count++;
        node->name = node_of(&dlq->arena, topic);
        node->topic = mem_arena_strdup(&dlq->arena, topic);
        node->retry = mem_arena_printf(&dlq->arena, "%.*s.retry",
                                       (int)(strlen(topic) - strlen(".dlq")), topic);
        for (size_t e = 0; e < last->edge_count; e++)
            node->reads = node->reads || strcmp(last->edges[e].to, node->name) == 0;
    }
}

struct question {
    struct dlq *dlq;
    struct broker *broker;
    struct error *err;
    bool answered;
};

static void see_topic(struct dlq *dlq, const struct broker_item *item)
{
    for (size_t n = 0; n < dlq->node_count; n++) {
        struct dlq_node *node = &dlq->nodes[n];

        if (strcmp(node->retry, item->name) == 0)
            node->retry_there = true;
        if (strcmp(node->topic, item->name) != 0)
            continue;
        node->partitions = item->partitions;
        node->topic_id = /* a broker without ids: by its name */
            mem_arena_strdup(&dlq->arena, item->topic_id ? item->topic_id : item->name);
    }
}

static void on_topics(void *arg, const struct broker_reply *reply)
{
    struct question *question = arg;

    question->answered = true;
    if (reply->error_code != BROKER_OK)
        error_set(question->err, ERROR_UNREACHABLE, "broker %s does not answer: %s",
                  question->dlq->config->brokers,
                  reply->error ? reply->error : broker_code_text(reply->error_code));
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].error_code == BROKER_OK)
            see_topic(question->dlq, &reply->items[i]);
        else if (reply->items[i].error_code != BROKER_UNKNOWN_TOPIC)
            error_set(question->err, ERROR_UNREACHABLE, "topic %s: %s",
                      reply->items[i].name, reply->items[i].error);
    }
}

static void on_ready(void *arg, uint32_t events)
{
    const struct question *question = arg;

    (void)events;
    broker_dispatch(question->broker);
}

static int ask_topics(struct dlq *dlq, struct error *err)
{
    struct question question = {.dlq = dlq, .err = err};
    struct loop *loop = loop_new(err);
    const char **names = mem_alloc((2 * dlq->node_count + 1) * sizeof *names);

    for (size_t n = 0; n < dlq->node_count; n++) {
        names[2 * n] = dlq->nodes[n].topic;
        names[2 * n + 1] = dlq->nodes[n].retry;
    }
    if (loop && dlq->node_count > 0)
        question.broker = broker_open(dlq->config, err);
    if (question.broker && loop_add(loop, broker_fd(question.broker), EPOLLIN, on_ready,
                                    &question, err) == 0) {
        broker_describe_topics(question.broker, names, 2 * dlq->node_count, ANSWER_MS,
                               on_topics, &question);
        while (!question.answered)
            loop_wait(loop, INT64_MAX);
        loop_remove(loop, broker_fd(question.broker));
    }
    broker_close(question.broker);
    loop_free(loop);
    free(names);
    return error_is_set(err) ? -1 : 0;
}

/* -------------------------------------------------------------------------- opening */

static int take_lock(struct dlq *dlq, struct error *err)
{
    char *path = mem_printf("%s/dags/%s.letters", dlq->home, dlq->dag);

    dlq->lock = lock_take(path, err);
    if (dlq->lock == NULL)
        error_prefix(
            err,
            "dead letters of %s are being replayed or dropped by another: ", dlq->dag);
    free(path);
    return dlq->lock ? 0 : -1;
}

static int read_marks(struct dlq *dlq, struct error *err)
{
    for (size_t n = 0; n < dlq->node_count; n++) {
        struct dlq_node *node = &dlq->nodes[n];

        if (node->topic_id && history_marks(dlq->history, node->topic_id, &dlq->arena,
                                            &node->marks, err) < 0)
            return -1;
    }
    return 0;
}

int dlq_open(struct dlq *dlq, const char *home, const char *dag,
             const struct history_last *last, const struct broker_config *config,
             bool change, struct error *err)
{
    char *path = mem_printf("%s/history.db", home);

    dlq->home = home;
    dlq->dag = dag;
    dlq->config = config;
    dlq->history = history_open(path, false, err);
    free(path);
    if (dlq->history == NULL || (change && take_lock(dlq, err) < 0))
        return -1;
    list_nodes(dlq, last);
    return ask_topics(dlq, err) == 0 && read_marks(dlq, err) == 0 ? 0 : -1;
}

void dlq_close(struct dlq *dlq)
{
    history_close(dlq->history);
    if (dlq->lock)
        lock_release(dlq->lock);
    mem_arena_clear(&dlq->arena);
    *dlq = (struct dlq){0};
}

struct dlq_node *dlq_find_node(const struct dlq *dlq, const char *name,
                               struct error *err)
{
    const char **names = mem_alloc((dlq->node_count + 1) * sizeof *names);
    struct dlq_node *found = NULL;

    for (size_t n = 0; n < dlq->node_count; n++) {
        names[n] = dlq->nodes[n].name;
        if (strcmp(names[n], name) == 0)
            found = &dlq->nodes[n];
    }
    if (found == NULL) {
        error_set(err, ERROR_NOT_FOUND, "'%s' has no node %s", dlq->dag, name);
        error_near(err, text_nearest(name, names, dlq->node_count));
    }
    free(names);
    return found;
}

/* -------------------------------------------------------------------------- reading */

static int hand_over(const struct dlq_node *node, const struct dlq_selection *selection,
                     const struct tap_record *record, dlq_letter_fn *fn, void *arg,
                     struct error *err)
{
    struct mem_arena arena = {0};
    struct dlq_letter letter;
    int result = 1;

    dlq_letter_read(&letter, node, record, &arena);
    if (dlq_selects(selection, &letter))
        result = fn(arg, &letter, err);
    mem_arena_clear(&arena);
    return result;
}

static void read_letters(struct tap *tap, const struct dlq_node *node,
                         const struct dlq_selection *selection, dlq_letter_fn *fn,
                         void *arg, struct error *err)
{
    int64_t away_since_ms = clock_mono_ms();

    for (;;) {
        struct tap_record record;
        enum tap_result result = tap_next(tap, WAIT_MS, &record, err);

        if (result == TAP_RECORD) {
            if (hand_over(node, selection, &record, fn, arg, err) <= 0)
                return;
            away_since_ms = clock_mono_ms();
        } else if (result != TAP_NOTHING_YET) {
            return;
        } else if (clock_mono_ms() - away_since_ms > AWAY_MS) {
            error_set(err, ERROR_UNREACHABLE, "nothing came from the broker for %d s",
                      AWAY_MS / 1000);
            return;
        }
    }
}

int dlq_read(const struct dlq *dlq, const struct dlq_node *node,
             const struct dlq_selection *selection, int64_t from, dlq_letter_fn *fn,
             void *arg, struct error *err)
{
    struct tap_spec spec = {.topic = node->topic,
                            .partition = selection->partition,
                            .from = {.where = TAP_OFFSET, .value = from}};
    struct tap *tap;

    if (node->topic_id == NULL ||
        (selection->node && strcmp(selection->node, node->name) != 0))
        return 0;
    if (selection->offset_count > 0) {
        if (selection->offsets[0] > from)
            spec.from.value = selection->offsets[0];
        spec.until = (struct tap_point){
            .where = TAP_OFFSET,
            .value = selection->offsets[selection->offset_count - 1] + 1};
    }
    tap = tap_open(dlq->config, &spec, OPEN_MS, err);
    if (tap)
        read_letters(tap, node, selection, fn, arg, err);
    tap_close(tap);
    return error_is_set(err) ? -1 : 0;
}

/* --------------------------------------------------------------------------- groups */

struct grouping {
    struct dlq_groups *groups;
    struct name_table table; /* node, failed_at and pattern → its place */
};

static size_t *new_group(struct grouping *grouping, const struct dlq_letter *letter,
                         const char *key, const char *pattern)
{
    struct dlq_groups *groups = grouping->groups;
    size_t *at = mem_arena_alloc(&groups->arena, sizeof *at);

    *at = groups->count;
    groups->items = mem_grow(groups->items, groups->count, &groups->capacity,
                             sizeof *groups->items);
    groups->items[groups->count++] = (struct dlq_group){
        .node = letter->node,
        .failed_at = mem_arena_strdup(&groups->arena, letter->failed_at),
        .reason = mem_arena_strdup(&groups->arena, pattern),
        .first_ms = letter->died_ms,
        .last_ms = letter->died_ms};
    name_table_put(&grouping->table, mem_arena_strdup(&groups->arena, key), at);
    return at;
}

static struct dlq_group *group_of(struct grouping *grouping,
                                  const struct dlq_letter *letter)
{
    struct mem_arena scratch = {0};
    const char *pattern = dlq_pattern(&scratch, letter->reason);
    char *key = mem_arena_join(&scratch, letter->node, "\n", letter->failed_at, "\n",
                               pattern, NULL);
    size_t *at = name_table_find(&grouping->table, key);

    if (at == NULL && grouping->groups->count >= DLQ_GROUPS_MAX) {
        pattern = "(other reasons)";
        key = mem_arena_join(&scratch, letter->node, "\n", letter->failed_at, NULL);
        at = name_table_find(&grouping->table, key);
    }
    if (at == NULL)
        at = new_group(grouping, letter, key, pattern);
    mem_arena_clear(&scratch);
    return &grouping->groups->items[*at];
}

static int count_letter(void *arg, const struct dlq_letter *letter, struct error *err)
{
    struct grouping *grouping = arg;
    struct dlq_group *group = group_of(grouping, letter);
    enum dlq_state state = dlq_letter_state(letter);

    (void)err;
    group->counts[state]++;
    grouping->groups->counts[state]++;
    if (letter->died_ms < group->first_ms)
        group->first_ms = letter->died_ms;
    if (letter->died_ms > group->last_ms)
        group->last_ms = letter->died_ms;
    return 1;
}

static int by_open(const void *left, const void *right)
{
    const struct dlq_group *a = left;
    const struct dlq_group *b = right;

    if (a->counts[DLQ_OPEN] != b->counts[DLQ_OPEN])
        return a->counts[DLQ_OPEN] < b->counts[DLQ_OPEN] ? 1 : -1;
    return a->last_ms < b->last_ms ? 1 : -(a->last_ms > b->last_ms);
}

int dlq_groups_read(const struct dlq *dlq, const struct dlq_selection *selection,
                    struct dlq_groups *out, struct error *err)
{
    struct grouping grouping = {.groups = out, .table = {.arena = &out->arena}};

    for (size_t n = 0; n < dlq->node_count; n++) {
        if (dlq_read(dlq, &dlq->nodes[n], selection, 0, count_letter, &grouping, err) <
            0)
            return -1;
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_open);
    return 0;
}

void dlq_groups_clear(struct dlq_groups *groups)
{
    free(groups->items);
    mem_arena_clear(&groups->arena);
    *groups = (struct dlq_groups){0};
}
