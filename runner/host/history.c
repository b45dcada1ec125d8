/* SPDX-License-Identifier: MIT
 *
 * The public writers: each turns its struct into rows of the queue.
 */
#include "host/history_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_BYTES_MAX = 16 << 20, BUSY_IS_DEGRADED_MS = 10000 };

struct history *history_open(const char *path, bool read_only, struct error *err)
{
    sqlite3 *db = history_db_open(path, read_only, err);
    struct history *history;

    if (db == NULL)
        return NULL;
    history = mem_alloc(sizeof *history);
    history->db = db;
    history->path = mem_strdup(path);
    history->read_only = read_only;
    history->queue = history_queue_new(QUEUE_BYTES_MAX);
    history->samples = history_samples_new();
    return history;
}

void history_close(struct history *history)
{
    size_t left;

    if (history == NULL)
        return;
    if (history->db && !history->read_only)
        (void)history_write_all(history, HISTORY_WAIT_MS);
    left = history_queue_count(history->queue);
    if (left > 0)
        log_write(LOG_WARN, "history", NULL, "%zu rows could not be written: %s", left,
                  history->degraded[0] ? history->degraded : "other runners write");
    history_disconnect(history);
    history_queue_free(history->queue);
    history_samples_free(history->samples);
    free(history->path);
    free(history);
}

const char *history_degraded(const struct history *history)
{
    return history->degraded[0] ? history->degraded : NULL;
}

const char *history_library_version(void)
{
    return sqlite3_libversion();
}

/* ------------------------------------------------------------------------- ticking */

static void say_degraded(struct history *history, int code)
{
    bool was = history->degraded[0] != '\0';
    int64_t now_ms = clock_mono_ms();

    if (history->waiting_since_ms == 0)
        history->waiting_since_ms = now_ms;
    if ((code & 0xff) == SQLITE_BUSY &&
        now_ms - history->waiting_since_ms < BUSY_IS_DEGRADED_MS)
        return;
    (void)snprintf(history->degraded, sizeof history->degraded,
                   "the history can't be written (%s): %zu rows wait, %lld samples and "
                   "dead letters dropped; the run goes on",
                   history_db_reason(history->db, code), history_queue_count(history->queue),
                   (long long)history_queue_dropped(history->queue));
    if (!was)
        log_write(LOG_WARN, "history", NULL, "%s", history->degraded);
}

static void say_well(struct history *history)
{
    history->waiting_since_ms = 0;
    if (history->degraded[0])
        log_write(LOG_WARN, "history", NULL, "the history is written again");
    history->degraded[0] = '\0';
}

/* Once more after damage, with a new file. */
static int recover_and_write(struct history *history, int64_t wait_ms)
{
    struct error err = {0};

    if (history_recover(history, &err) != 0) {
        (void)snprintf(history->degraded, sizeof history->degraded, "%.200s", err.text);
        return SQLITE_CANTOPEN;
    }
    return history_write_all(history, wait_ms);
}

static int flush(struct history *history, int64_t wait_ms)
{
    bool left;
    int code;

    if (history->db == NULL)
        return recover_and_write(history, wait_ms);
    code = wait_ms > 0 ? history_write_all(history, wait_ms)
                       : history_write(history, &left);
    if (history_db_damaged(code))
        code = recover_and_write(history, wait_ms);
    if (code == SQLITE_OK)
        say_well(history);
    else
        say_degraded(history, code);
    return code;
}

void history_tick(struct history *history)
{
    if (!history->read_only)
        (void)flush(history, 0);
}

/* --------------------------------------------------------------------- rows, values */

static struct history_value integer(int64_t number)
{
    return (struct history_value){.type = HISTORY_INT, .as.number = number};
}

static struct history_value words(const char *text)
{
    if (text == NULL)
        return (struct history_value){.type = HISTORY_NULL};
    return (struct history_value){.type = HISTORY_TEXT, .as.text = text};
}

/* 0 stands for "not yet" in the structs and is NULL in the file. */
static struct history_value time_or_null(int64_t ms)
{
    return ms == 0 ? words(NULL) : integer(ms);
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void add(struct history *history, int statement, const char *key,
                const struct history_value *values, size_t count)
{
    struct history_row row = {
        .statement = statement, .count = count, .values = values, .key = key};

    history_queue_add(history->queue, &row);
}

/* Keys: the statement's number and the names, none of which holds a newline. */
static void add_keyed(struct history *history, int statement,
                      const struct history_value *values, size_t count, size_t names)
{
    char *key = mem_printf("%d", statement);

    for (size_t i = 0; i < names; i++) {
        char *longer = values[i].type == HISTORY_TEXT
                           ? mem_printf("%s\n%s", key, values[i].as.text)
                           : mem_printf("%s\n%lld", key, (long long)values[i].as.number);

        free(key);
        key = longer;
    }
    add(history, statement, key, values, count);
    free(key);
}

/* ------------------------------------------------------------------------ beginning */

static void add_dag(struct history *history, const struct history_dag *dag)
{
    const struct history_value values[] = {words(dag->dag), words(dag->path),
                                           words(dag->broker), integer(history->number)};

    add_keyed(history, HISTORY_PUT_DAG, values, COUNT(values), 1);
    history->has_dag = true;
}

int history_dag_begin(struct history *history, const struct history_dag *dag,
                      struct error *err)
{
    int code;

    add_dag(history, dag);
    code = flush(history, HISTORY_WAIT_MS);
    if (code != SQLITE_OK)
        history_db_error(history->db, code, "write", err);
    return code == SQLITE_OK ? 0 : -1;
}

static int next_number(struct history *history, const char *dag, int64_t *number)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(
        history->db,
        "SELECT max(last_run, coalesce((SELECT max(number) FROM runs WHERE dag_id = d.id),"
        " 0)) FROM dags d WHERE name = ?1",
        -1, &stmt, NULL);

    *number = 1;
    if (code == SQLITE_OK) {
        (void)sqlite3_bind_text(stmt, 1, dag, -1, SQLITE_STATIC);
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW)
        *number = sqlite3_column_int64(stmt, 0) + 1;
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int find_number(struct history *history, const char *dag, struct error *err)
{
    int code = next_number(history, dag, &history->number);

    if (history_db_damaged(code)) {
        if (history_recover(history, err) != 0)
            return -1;
        code = next_number(history, dag, &history->number);
    }
    if (code != SQLITE_OK)
        history_db_error(history->db, code, "read the number of the last run", err);
    return code == SQLITE_OK ? 0 : -1;
}

static void add_interrupted(struct history *history)
{
    const struct history_value number[] = {integer(history->number)};

    add(history, HISTORY_PUT_INTERRUPTED_NODES, NULL, number, COUNT(number));
    add(history, HISTORY_PUT_INTERRUPTED_ATTEMPTS, NULL, number, COUNT(number));
    add(history, HISTORY_PUT_INTERRUPTED, NULL, number, COUNT(number));
}

int history_run_begin(struct history *history, const struct history_run *run,
                      int64_t *number, struct error *err)
{
    const struct history_value text[] = {words(run->hash), words(run->text)};

    if (find_number(history, run->dag.dag, err) != 0)
        return -1;
    if (history->number <= run->last_number)
        history->number = run->last_number + 1;
    add_dag(history, &run->dag);
    add_interrupted(history);
    if (run->hash && run->text)
        add_keyed(history, HISTORY_PUT_TEXT, text, COUNT(text), 1);
    const struct history_value values[] = {
        integer(history->number), words(run->dag.path), words(run->dag.broker),
        words(run->hash),         words(run->host),     words(run->user),
        integer(run->pid),        words(run->boot_id),  words(run->trigger),
        integer(run->fresh),      integer(run->started_ms)};

    add_keyed(history, HISTORY_PUT_RUN, values, COUNT(values), 1);
    history->has_run = true;
    *number = history->number;
    (void)flush(history, HISTORY_WAIT_MS);
    return 0;
}

/* ------------------------------------------------------------------------- the run */

void history_run_state(struct history *history, const char *state)
{
    const struct history_value values[] = {words(state)};

    if (history->has_run)
        add_keyed(history, HISTORY_PUT_STATE, values, COUNT(values), 0);
}

void history_run_end(struct history *history, const char *state, int exit_code,
                     const char *text, int64_t ended_ms)
{
    const struct history_value values[] = {words(state), integer(exit_code), words(text),
                                           integer(ended_ms)};

    if (history->has_run)
        add_keyed(history, HISTORY_PUT_END, values, COUNT(values), 0);
}

void history_node(struct history *history, const struct history_node *node)
{
    const struct history_totals *t = &node->totals;
    const struct history_value values[] = {
        words(node->node),    words(node->program),  words(node->group),
        words(node->state),   integer(node->clients), integer(node->restarts),
        integer(t->in),       integer(t->answered),  integer(t->dropped),
        integer(t->dead),     integer(t->out),       integer(t->repeats),
        words(node->last_error)};

    if (history->has_run)
        add_keyed(history, HISTORY_PUT_NODE, values, COUNT(values), 1);
}

void history_attempt(struct history *history, const struct history_attempt *attempt)
{
    const struct history_totals *t = &attempt->totals;
    const struct history_value values[] = {
        words(attempt->node),        words(attempt->client),
        integer(attempt->attempt),   integer(attempt->pid),
        integer(attempt->started_ms), time_or_null(attempt->ended_ms),
        integer(attempt->exit_code), integer(attempt->signal),
        words(attempt->reason),      words(attempt->last_words),
        words(attempt->log_path),    integer(attempt->cpu_ms),
        integer(attempt->rss_bytes), integer(t->in),
        integer(t->answered),        integer(t->dropped),
        integer(t->dead),            integer(t->out),
        integer(t->repeats)};
    char *key = mem_printf("attempt\n%s\n%s\n%lld", attempt->node, attempt->client,
                           (long long)attempt->attempt);
    struct history_row row = {.statement = HISTORY_PUT_ATTEMPT,
                              .count = COUNT(values),
                              .values = values,
                              .key = key,
                              .final = attempt->ended_ms != 0};

    if (history->has_run)
        history_queue_add(history->queue, &row);
    free(key);
}

void history_edge(struct history *history, const struct history_edge *edge)
{
    const struct history_value values[] = {
        words(edge->edge),     words(edge->from),  words(edge->to),
        words(edge->topic),    words(edge->topic_id), words(edge->group),
        integer(edge->partitions), integer(history->number)};

    if (history->has_run)
        add_keyed(history, HISTORY_PUT_EDGE, values, COUNT(values) - 1, 1);
    if (history->has_dag)
        add_keyed(history, HISTORY_PUT_KNOWN_EDGE, values, COUNT(values), 1);
}

void history_offsets(struct history *history, const struct history_offsets *offsets)
{
    const struct history_value values[] = {
        words(offsets->edge),         integer(offsets->partition),
        integer(offsets->read_start), integer(offsets->read_end),
        integer(offsets->write_start), integer(offsets->write_end)};
    const struct history_value known[] = {
        words(offsets->edge), integer(offsets->partition), integer(offsets->read_end)};

    if (history->has_run)
        add_keyed(history, HISTORY_PUT_OFFSETS, values, COUNT(values), 2);
    if (history->has_dag && offsets->read_end >= 0)
        add_keyed(history, HISTORY_PUT_KNOWN_OFFSET, known, COUNT(known), 2);
}

void history_source(struct history *history, const struct history_source *source)
{
    const struct history_value values[] = {
        words(source->node),    words(source->client),     words(source->group),
        words(source->hash),    integer(source->position), integer(source->finished),
        integer(history->number)};

    if (history->has_dag)
        add_keyed(history, HISTORY_PUT_SOURCE, values, COUNT(values), 2);
}

void history_topic(struct history *history, const struct history_topic *topic)
{
    const struct history_value values[] = {words(topic->topic), words(topic->topic_id),
                                           integer(topic->kind), integer(topic->created)};

    if (history->has_dag)
        add_keyed(history, HISTORY_PUT_TOPIC, values, COUNT(values), 1);
}

void history_event(struct history *history, const struct history_event *event)
{
    const struct history_value values[] = {integer(event->ts_ms), words(event->node),
                                           words(event->client),  words(event->level),
                                           words(event->kind),    words(event->text)};

    if (history->has_run)
        add(history, HISTORY_PUT_EVENT, NULL, values, COUNT(values));
}

void history_dead_letter(struct history *history,
                         const struct history_dead_letter *letter)
{
    const struct history_value values[] = {
        words(letter->node),        words(letter->topic),   integer(letter->partition),
        integer(letter->offset),    words(letter->failed_at), words(letter->reason),
        integer(letter->ts_ms)};
    struct history_row row = {.statement = HISTORY_PUT_LETTER,
                              .count = COUNT(values),
                              .values = values,
                              .class = HISTORY_LETTERS};

    if (history->has_run)
        history_queue_add(history->queue, &row);
}
