/* SPDX-License-Identifier: MIT
 *
 * dlq_replay.c - sends dead letters again, or drops them, each at most once.
 *
 * In batches: first a mark says that a letter is about to be sent, then one transaction
 * writes the batch, then the marks say that it was. What was killed in between leaves
 * marks in doubt; the next call ends the killed one's transaction, by the same
 * transactional id, and then the retry topic shows which letters are in it.
 */
#include "ops/dlq.h"

#include "base/clock.h"
#include "base/contract.h"
#include "base/text.h"
#include "host/producer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OPEN_MS = 15000,
    WRITE_MS = 60000,
    BATCH_LETTERS = 500,
    BATCH_BYTES = 8 << 20,
    WAIT_MS = 500,
    AWAY_MS = 15000,
};

/* Letters that are sent or marked together. */
struct batch {
    struct dlq *dlq;
    const struct dlq_node *node;
    const struct dlq_action *action;
    struct dlq_result *result;
    struct producer *producer; /* NULL: they are dropped, or it is a dry run */
    struct mem_arena arena;
    struct tap_record *records;
    struct history_mark *marks;
    size_t count;
    size_t limit;
    size_t bytes;
    int64_t begun_ms;
    int64_t done; /* of this node, since then */
};

static int put_marks(const struct batch *batch, enum history_mark_state state,
                     struct error *err)
{
    struct history_marking marking = {.dag = batch->dlq->dag,
                                      .node = batch->node->name,
                                      .topic_id = batch->node->topic_id,
                                      .marks = batch->marks,
                                      .count = batch->count};

    for (size_t i = 0; i < batch->count; i++) {
        batch->marks[i].state = state;
        batch->marks[i].at_ms = clock_wall_ms();
    }
    return history_marks_put(batch->dlq->history, &marking, err);
}

/* Not faster than the rate, measured from the beginning. */
static void keep_rate(const struct batch *batch)
{
    int64_t due_ms, left_ms;
    struct timespec pause;

    if (batch->action->rate <= 0)
        return;
    due_ms = batch->begun_ms + batch->done * 1000 / batch->action->rate;
    left_ms = due_ms - clock_mono_ms();
    if (left_ms <= 0)
        return;
    pause = (struct timespec){.tv_sec = left_ms / 1000,
                              .tv_nsec = left_ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* When nobody knows whether it was written, the marks stay as they are: in doubt. */
static int send_batch(struct batch *batch, struct error *err)
{
    struct error ignored = {0};

    if (put_marks(batch, HISTORY_MARK_SENDING, err) < 0)
        return -1;
    if (producer_write(batch->producer, batch->node->retry, batch->records,
                       batch->count, WRITE_MS, err) == 0)
        return put_marks(batch, HISTORY_MARK_REPLAYED, err);
    if (err->kind != ERROR_TIMEOUT)
        (void)put_marks(batch, HISTORY_MARK_NONE, &ignored);
    return -1;
}

static int flush(struct batch *batch, struct error *err)
{
    int result = 0;

    if (batch->count == 0)
        return 0;
    result = batch->producer ? send_batch(batch, err)
                             : put_marks(batch, HISTORY_MARK_DROPPED, err);
    if (result == 0) {
        batch->done += (int64_t)batch->count;
        batch->result->done += (int64_t)batch->count;
        if (batch->action->on_progress)
            batch->action->on_progress(batch->action->arg, batch->result->done);
        keep_rate(batch);
    }
    mem_arena_clear(&batch->arena);
    batch->count = 0;
    batch->bytes = 0;
    return result;
}

/* ------------------------------------------------------------------ one more letter */

static const char *copy(struct mem_arena *arena, const char *data, size_t len)
{
    return data ? mem_arena_strndup(arena, data, len) : NULL;
}

/* The original's headers, and which letter it was. */
static void copy_headers(struct batch *batch, const struct dlq_letter *letter,
                         struct tap_record *out)
{
    const struct tap_record *from = letter->record;
    struct mem_arena *arena = &batch->arena;
    struct tap_header *headers =
        mem_arena_alloc(arena, (from->header_count + 2) * sizeof *headers);
    char *id = mem_arena_printf(arena, "%s/%" PRId32 "/%" PRId64, batch->node->topic,
                                from->partition, from->offset);
    char *replays = mem_arena_printf(arena, "%" PRId64, letter->replays + 1);
    size_t count = 0;

    for (size_t i = 0; i < from->header_count; i++) {
        const struct tap_header *header = &from->headers[i];

        if (strncmp(header->name, CONTRACT_HEADER_PREFIX,
                    strlen(CONTRACT_HEADER_PREFIX)) == 0)
            continue;
        headers[count++] =
            (struct tap_header){.name = mem_arena_strdup(arena, header->name),
                                .value = copy(arena, header->value, header->len),
                                .len = header->len};
    }
    headers[count++] = (struct tap_header){CONTRACT_HEADER_REPLAY, id, strlen(id)};
    headers[count++] =
        (struct tap_header){CONTRACT_HEADER_REPLAYS, replays, strlen(replays)};
    out->headers = headers;
    out->header_count = count;
}

static void add_record(struct batch *batch, const struct dlq_letter *letter)
{
    const struct tap_record *from = letter->record;
    struct tap_record *out = &batch->records[batch->count];

    *out =
        (struct tap_record){.partition = 0,
                            .timestamp_ms = from->timestamp_ms,
                            .key = copy(&batch->arena, from->key, from->key_len),
                            .key_len = from->key_len,
                            .value = copy(&batch->arena, from->value, from->value_len),
                            .value_len = from->value_len};
    copy_headers(batch, letter, out);
    batch->bytes += from->key_len + from->value_len;
}

static int take_letter(void *arg, const struct dlq_letter *letter, struct error *err)
{
    struct batch *batch = arg;
    const struct dlq_action *action = batch->action;

    if (dlq_letter_state(letter) != DLQ_OPEN)
        return 1;
    batch->result->selected++;
    if (action->replay && !action->force && action->max_replays > 0 &&
        letter->replays >= action->max_replays) {
        batch->result->worn_out++;
        return 1;
    }
    if (action->dry_run) {
        batch->result->done++;
        return 1;
    }
    if (batch->producer)
        add_record(batch, letter);
    batch->marks[batch->count++] =
        (struct history_mark){.partition = letter->record->partition,
                              .offset = letter->record->offset,
                              .by = action->by,
                              .note = action->note};
    if (batch->count < batch->limit && batch->bytes < BATCH_BYTES)
        return 1;
    return flush(batch, err) == 0 ? 1 : -1;
}

static int take_letters(struct dlq *dlq, const struct dlq_node *node,
                        const struct dlq_action *action, struct producer *producer,
                        struct dlq_result *result, struct error *err)
{
    struct batch batch = {.dlq = dlq,
                          .node = node,
                          .action = action,
                          .result = result,
                          .producer = producer,
                          .limit = BATCH_LETTERS,
                          .begun_ms = clock_mono_ms()};
    int code;

    if (action->rate > 0 && action->rate < BATCH_LETTERS)
        batch.limit = (size_t)action->rate;
    batch.records = mem_alloc(batch.limit * sizeof *batch.records);
    batch.marks = mem_alloc(batch.limit * sizeof *batch.marks);
    code = dlq_read(dlq, node, &action->selection, 0, take_letter, &batch, err);
    if (code == 0)
        code = flush(&batch, err);
    mem_arena_clear(&batch.arena);
    free(batch.records);
    free(batch.marks);
    return code;
}

/* ----------------------------------------------- what a killed replay left in doubt */

/* "TOPIC/PARTITION/OFFSET" of one of this node's letters? */
static bool parse_id(const struct dlq_node *node, const struct tap_header *header,
                     int64_t *partition, int64_t *offset)
{
    size_t len = strlen(node->topic);
    char text[64] = "";
    char *slash;

    if (header->value == NULL || header->len <= len + 1 ||
        header->len - len > sizeof text || header->value[len] != '/' ||
        memcmp(header->value, node->topic, len) != 0)
        return false;
    memcpy(text, header->value + len + 1, header->len - len - 1);
    slash = strchr(text, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return text_parse_int(text, partition) && text_parse_int(slash + 1, offset);
}

static int64_t see_sent(struct dlq_node *node, const struct tap_record *record)
{
    int64_t partition;
    int64_t offset;
    struct history_mark *mark = NULL;

    for (size_t i = record->header_count; i > 0 && mark == NULL; i--) {
        const struct tap_header *header = &record->headers[i - 1];

        if (strcmp(header->name, CONTRACT_HEADER_REPLAY) == 0 &&
            parse_id(node, header, &partition, &offset))
            mark = dlq_find_mark(&node->marks, partition, offset);
    }
    if (mark == NULL || mark->state != HISTORY_MARK_SENDING)
        return 0;
    mark->state = HISTORY_MARK_REPLAYED;
    return 1;
}

static int read_sent(const struct dlq *dlq, struct dlq_node *node, int64_t *found,
                     struct error *err)
{
    struct tap_spec spec = {.topic = node->retry, .partition = -1};
    struct tap *tap = tap_open(dlq->config, &spec, OPEN_MS, err);
    int64_t away_since_ms = clock_mono_ms();
    enum tap_result result = TAP_NOTHING_YET;
    struct tap_record record;

    while (tap && !error_is_set(err) && result != TAP_AT_END) {
        result = tap_next(tap, WAIT_MS, &record, err);
        if (result == TAP_RECORD) {
            *found += see_sent(node, &record);
            away_since_ms = clock_mono_ms();
        } else if (result == TAP_NOTHING_YET &&
                   clock_mono_ms() - away_since_ms > AWAY_MS) {
            error_set(err, ERROR_UNREACHABLE, "nothing came from the broker for %d s",
                      AWAY_MS / 1000);
        }
    }
    tap_close(tap);
    return error_is_set(err) ? -1 : 0;
}

/* The producer is open: nothing that was under way can arrive any more. */
static int settle(struct dlq *dlq, struct dlq_node *node, struct dlq_result *result,
                  struct error *err)
{
    struct history_marking marking = {
        .dag = dlq->dag, .node = node->name, .topic_id = node->topic_id};
    struct history_mark *marks =
        mem_arena_alloc(&dlq->arena, (node->marks.count + 1) * sizeof *marks);
    size_t *places =
        mem_arena_alloc(&dlq->arena, (node->marks.count + 1) * sizeof *places);

    for (size_t i = 0; i < node->marks.count; i++) {
        if (node->marks.items[i].state == HISTORY_MARK_SENDING)
            places[marking.count++] = i;
    }
    if (marking.count == 0)
        return 0;
    if (read_sent(dlq, node, &result->found, err) < 0)
        return -1;
    for (size_t i = 0; i < marking.count; i++) {
        struct history_mark *mark = &node->marks.items[places[i]];

        if (mark->state == HISTORY_MARK_SENDING) {
            mark->state = HISTORY_MARK_NONE;
            result->not_sent++;
        }
        marks[i] = *mark;
    }
    marking.marks = marks;
    return history_marks_put(dlq->history, &marking, err);
}

static bool has_doubt(const struct dlq_node *node)
{
    for (size_t i = 0; i < node->marks.count; i++) {
        if (node->marks.items[i].state == HISTORY_MARK_SENDING)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ replay and drop */

static int check_retry(const struct dlq *dlq, const struct dlq_node *node,
                       struct error *err)
{
    if (!node->reads)
        error_set(
            err, ERROR_CONFLICT,
            "%s/%s is a source: its dead letters are what a topic refused to take, and "
            "it reads nothing that they could be sent to: drop them, or make that "
            "edge's max_record larger and send them again with 'dagrun send'",
            dlq->dag, node->name);
    else if (!node->retry_there)
        error_set(err, ERROR_CONFLICT,
                  "topic %s is not there yet: the next 'dagrun start' of %s makes it",
                  node->retry, dlq->dag);
    return error_is_set(err) ? -1 : 0;
}

static bool is_meant(const struct dlq_action *action, const struct dlq_node *node)
{
    return node->topic_id && (action->selection.node == NULL ||
                              strcmp(action->selection.node, node->name) == 0);
}

static void tell(struct dlq *dlq, const struct dlq_action *action, const char *node,
                 const char *what, int64_t count)
{
    struct error ignored = {0};
    char *text;

    if (count == 0 || action->dry_run)
        return;
    text = mem_printf("%" PRId64 " dead letter%s %s by %s%s%s", count,
                      count == 1 ? "" : "s", what, action->by, action->note ? ": " : "",
                      action->note ? action->note : "");
    (void)history_marks_event(dlq->history, dlq->dag,
                              &(struct history_event){.ts_ms = clock_wall_ms(),
                                                      .node = node,
                                                      .level = "info",
                                                      .kind = "dlq",
                                                      .text = text},
                              &ignored);
    free(text);
}

/* Also to drop: a letter that may have been sent must not be called dropped. */
static int act_on_one(struct dlq *dlq, struct dlq_node *node,
                      const struct dlq_action *action, struct dlq_result *result,
                      struct error *err)
{
    struct producer *producer = NULL;
    int64_t before = result->done;
    int code = 0;

    if (!action->dry_run && (action->replay || has_doubt(node))) {
        producer = producer_open(dlq->config, node->retry, OPEN_MS, err);
        code = producer ? settle(dlq, node, result, err) : -1;
    }
    if (code == 0)
        code = take_letters(dlq, node, action, action->replay ? producer : NULL, result,
                            err);
    tell(dlq, action, node->name, action->replay ? "sent again" : "dropped",
         result->done - before);
    producer_close(producer);
    return code;
}

int dlq_act(struct dlq *dlq, const struct dlq_action *action, struct dlq_result *result,
            struct error *err)
{
    for (size_t n = 0; n < dlq->node_count; n++) {
        struct dlq_node *node = &dlq->nodes[n];

        /* Sources among all nodes are passed over; one that is named is an error. */
        if (!is_meant(action, node) ||
            (action->replay && !node->reads && action->selection.node == NULL))
            continue;
        if ((action->replay && check_retry(dlq, node, err) < 0) ||
            act_on_one(dlq, node, action, result, err) < 0)
            return -1;
    }
    return 0;
}
