/* SPDX-License-Identifier: MIT */
#include "host/history.h"
#include "host/history_internal.h"
#include "host/history_marks.h"

#include "base/mem.h"
#include "host/lock.h"
#include "support/suite.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[96];

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/dagrun-history-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/history.db", folder);
}

static void tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct history *open_history(void)
{
    struct error err = {0};
    struct history *history = history_open(path, false, &err);

    ck_assert_msg(history != NULL, "%s", err.text);
    return history;
}

static int64_t begin_run(struct history *history, const char *dag)
{
    struct history_run run = {
        .dag = {.dag = dag, .path = "/dags/a.yaml", .broker = "localhost:9092"},
        .text = "name: a\n",
        .hash = "abc",
        .host = "box",
        .user = "me",
        .pid = 4711,
        .boot_id = "boot",
        .trigger = "start",
        .started_ms = 1000,
    };
    struct error err = {0};
    int64_t number = 0;

    ck_assert_msg(history_run_begin(history, &run, &number, &err) == 0, "%s", err.text);
    return number;
}

/* A number from the file, over a connection of its own. */
static int64_t ask(const char *sql)
{
    sqlite3 *db = NULL;
    int64_t value;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    value = history_db_int(db, sql, -999, NULL);
    (void)sqlite3_close(db);
    return value;
}

static void change(const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(history_db_exec(db, sql), SQLITE_OK);
    (void)sqlite3_close(db);
}

static int files_named(const char *part)
{
    DIR *dir = opendir(folder);
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    (void)closedir(dir);
    return count;
}

static void add_event(struct history *history, const char *text)
{
    struct history_event event = {
        .ts_ms = 1, .level = "info", .kind = "state", .text = text};

    history_event(history, &event);
}

static void add_node(struct history *history, const char *node, int64_t in)
{
    struct history_node row = {
        .node = node, .program = "copy", .state = "running", .totals = {.in = in}};

    history_node(history, &row);
}

START_TEST(runs_count_per_dag_from_one_and_survive_reopening)
{
    struct history *history = open_history();

    ck_assert_int_eq(begin_run(history, "a"), 1);
    history_close(history);
    history = open_history();
    ck_assert_int_eq(begin_run(history, "a"), 2);
    history_close(history);
    history = open_history();
    ck_assert_int_eq(begin_run(history, "b"), 1);
    history_close(history);
    ck_assert_int_eq(ask("SELECT count(*) FROM runs"), 3);
    ck_assert_int_eq(ask("SELECT count(*) FROM texts"), 1);
}
END_TEST

START_TEST(a_number_is_not_used_again_when_its_run_was_pruned)
{
    struct history *history = open_history();

    (void)begin_run(history, "a");
    history_close(history);
    change("DELETE FROM runs");
    history = open_history();
    ck_assert_int_eq(begin_run(history, "a"), 2);
    history_close(history);
}
END_TEST

START_TEST(the_file_is_for_its_owner_only)
{
    struct stat st;

    history_close(open_history());
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_live_run_is_recorded_as_interrupted_by_the_next)
{
    struct history *history = open_history();
    struct history_attempt attempt = {
        .node = "n", .client = "0", .attempt = 1, .pid = 1, .started_ms = 5, .exit_code = -1};

    (void)begin_run(history, "a");
    history_run_state(history, "running");
    add_node(history, "n", 1);
    history_attempt(history, &attempt);
    history_close(history);
    history = open_history();
    (void)begin_run(history, "other");
    history_close(history);
    ck_assert_int_eq(ask("SELECT count(*) FROM runs WHERE state = 'interrupted'"), 0);
    history = open_history();
    (void)begin_run(history, "a");
    history_close(history);
    ck_assert_int_eq(ask("SELECT number FROM runs WHERE state = 'interrupted'"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM nodes WHERE state = 'interrupted'"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM attempts WHERE ended_ms IS NULL"), 0);
}
END_TEST

START_TEST(a_state_row_waits_once_and_is_not_written_unchanged)
{
    struct history *history = open_history();

    (void)begin_run(history, "a");
    ck_assert_uint_eq(history_queue_count(history->queue), 0);
    for (int64_t i = 0; i < 100; i++)
        add_node(history, "n", i);
    ck_assert_uint_eq(history_queue_count(history->queue), 1);
    history_tick(history);
    ck_assert_int_eq(ask("SELECT in_count FROM nodes"), 99);
    add_node(history, "n", 99);
    ck_assert_uint_eq(history_queue_count(history->queue), 0);
    add_node(history, "n", 100);
    ck_assert_uint_eq(history_queue_count(history->queue), 1);
    history_close(history);
    ck_assert_int_eq(ask("SELECT in_count FROM nodes"), 100);
}
END_TEST

START_TEST(an_attempt_keeps_its_begin_and_gets_its_end)
{
    struct history *history = open_history();
    struct history_attempt attempt = {
        .node = "n", .client = "0", .attempt = 1, .pid = 7, .started_ms = 5, .exit_code = -1};

    (void)begin_run(history, "a");
    history_attempt(history, &attempt);
    history_tick(history);
    ck_assert_int_eq(ask("SELECT ended_ms IS NULL FROM attempts"), 1);
    attempt.ended_ms = 9;
    attempt.signal = 9;
    attempt.reason = "killed";
    history_attempt(history, &attempt);
    history_tick(history);
    attempt.attempt = 2;
    attempt.ended_ms = 0;
    history_attempt(history, &attempt);
    history_close(history);
    ck_assert_int_eq(ask("SELECT count(*) FROM attempts"), 2);
    ck_assert_int_eq(ask("SELECT signal FROM attempts WHERE attempt = 1 AND ended_ms = 9"), 9);
}
END_TEST

static void fill_edges(struct history *history)
{
    struct history_edge edge = {.edge = "x:y",
                                .from = "x",
                                .to = "y",
                                .topic = "a.x.y",
                                .topic_id = "T1",
                                .group = "a.y",
                                .partitions = 2};
    struct history_offsets offsets = {.edge = "x:y",
                                      .partition = 1,
                                      .read_start = 0,
                                      .read_end = 40,
                                      .write_start = 0,
                                      .write_end = 50};
    struct history_source source = {.node = "x",
                                    .client = "0",
                                    .group = "a.x.0.checkpoint",
                                    .hash = "h",
                                    .position = 77};
    struct history_topic topic = {
        .topic = "a.x.y", .topic_id = "T1", .kind = HISTORY_TOPIC_EDGE, .created = true};

    history_edge(history, &edge);
    history_offsets(history, &offsets);
    offsets.partition = 0;
    offsets.read_end = -1;
    history_offsets(history, &offsets);
    history_source(history, &source);
    history_topic(history, &topic);
}

START_TEST(the_next_start_finds_what_the_last_run_left)
{
    struct history *history = open_history();
    struct history_last last = {0};
    struct error err = {0};

    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_ptr_null(last.path);
    ck_assert_int_eq(last.run, 0);
    history_last_clear(&last);
    (void)begin_run(history, "a");
    fill_edges(history);
    history_run_end(history, "stopped", 0, NULL, 5000);
    history_close(history);
    change("DELETE FROM runs"); /* pruning takes nothing from it */
    history = open_history();
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_str_eq(last.path, "/dags/a.yaml");
    ck_assert_uint_eq(last.edge_count, 1);
    ck_assert_str_eq(last.edges[0].topic_id, "T1");
    ck_assert_int_eq(last.edges[0].run, 1);
    ck_assert_int_eq(last.edges[0].partitions, 2);
    ck_assert_int_eq(last.edges[0].committed[0], -1);
    ck_assert_int_eq(last.edges[0].committed[1], 40);
    ck_assert_uint_eq(last.source_count, 1);
    ck_assert_int_eq(last.sources[0].position, 77);
    ck_assert(!last.sources[0].finished);
    ck_assert_uint_eq(last.topic_count, 1);
    ck_assert(last.topics[0].created);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(a_known_offset_is_never_replaced_by_an_unknown_one)
{
    struct history *history = open_history();
    struct history_last last = {0};
    struct error err = {0};
    struct history_offsets unknown = {.edge = "x:y",
                                      .partition = 1,
                                      .read_start = -1,
                                      .read_end = -1,
                                      .write_start = -1,
                                      .write_end = -1};

    (void)begin_run(history, "a");
    fill_edges(history);
    history_close(history);
    history = open_history();
    (void)begin_run(history, "a");
    history_offsets(history, &unknown);
    history_close(history);
    history = open_history();
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_int_eq(last.edges[0].committed[1], 40);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(forgetting_a_dag_leaves_its_runs_and_frees_its_name)
{
    struct history *history = open_history();
    struct history_last last = {0};
    struct error err = {0};

    (void)begin_run(history, "a");
    fill_edges(history);
    history_close(history);
    history = open_history();
    ck_assert_int_eq(history_forget(history, "a", "x:y", &err), 0);
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_uint_eq(last.edge_count, 0);
    ck_assert_uint_eq(last.source_count, 1);
    history_last_clear(&last);
    ck_assert_int_eq(history_forget(history, "a", NULL, &err), 0);
    ck_assert_int_eq(history_last_run(history, "a", &last, &err), 0);
    ck_assert_ptr_null(last.path);
    ck_assert_uint_eq(last.source_count, 0);
    ck_assert_uint_eq(last.topic_count, 0);
    ck_assert_int_eq(last.run, 1);
    history_last_clear(&last);
    history_close(history);
}
END_TEST

START_TEST(a_full_disk_keeps_the_run_and_its_rows_until_there_is_room)
{
    struct history *history = open_history();
    char pragma[64];
    char *big = mem_alloc(60001);

    memset(big, 'x', 60000);
    (void)begin_run(history, "a");
    (void)snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%d",
                   (int)history_db_int(history->db, "PRAGMA page_count", 0, NULL) + 1);
    ck_assert_int_eq(history_db_exec(history->db, pragma), SQLITE_OK);
    add_event(history, big);
    add_node(history, "n", 5);
    history_tick(history);
    ck_assert_ptr_nonnull(history_degraded(history));
    ck_assert_ptr_nonnull(strstr(history_degraded(history), "no space"));
    ck_assert_int_eq(ask("SELECT count(*) FROM events"), 0);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA max_page_count=100000"), SQLITE_OK);
    history_tick(history);
    ck_assert_ptr_null(history_degraded(history));
    ck_assert_int_eq(ask("SELECT count(*) FROM events"), 1);
    ck_assert_int_eq(ask("SELECT in_count FROM nodes"), 5);
    history_close(history);
    free(big);
}
END_TEST

START_TEST(a_run_has_its_number_even_when_the_disk_is_full)
{
    struct history *history = open_history();
    char *big = mem_alloc(60001);
    struct history_run run = {.dag = {.dag = "a", .path = "/p"}, .hash = "h", .text = big};
    struct error err = {0};
    int64_t number = 0;
    char pragma[64];

    memset(big, 'x', 60000);
    (void)snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%d",
                   (int)history_db_int(history->db, "PRAGMA page_count", 0, NULL));
    ck_assert_int_eq(history_db_exec(history->db, pragma), SQLITE_OK);
    ck_assert_int_eq(history_run_begin(history, &run, &number, &err), 0);
    ck_assert_int_eq(number, 1);
    ck_assert_ptr_nonnull(history_degraded(history));
    add_event(history, "kept");
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA max_page_count=100000"), SQLITE_OK);
    history_tick(history);
    ck_assert_ptr_null(history_degraded(history));
    history_close(history);
    ck_assert_int_eq(
        ask("SELECT count(*) FROM events e JOIN runs r ON r.id = e.run_id AND number = 1"), 1);
    free(big);
}
END_TEST

START_TEST(samples_go_first_and_events_stay_when_there_is_no_room)
{
    struct history_queue *queue = history_queue_new(4000);
    struct history_value value = {.type = HISTORY_TEXT, .as.text = "some text"};
    struct history_row row = {.statement = 1, .count = 1, .values = &value};
    const struct history_entry *cursor = NULL;
    const struct history_row *next;
    int count[HISTORY_CLASSES] = {0};

    for (int i = 0; i < 200; i++) {
        row.class = (enum history_class)(i % HISTORY_CLASSES);
        history_queue_add(queue, &row);
    }
    while ((next = history_queue_next(queue, &cursor)) != NULL)
        count[next->class]++;
    ck_assert_int_eq(count[HISTORY_KEEP], 67);
    ck_assert_int_eq(count[HISTORY_SAMPLES], 0);
    ck_assert_int_eq(count[HISTORY_KEEP] + count[HISTORY_LETTERS] +
                         (int)history_queue_dropped(queue),
                     200);
    history_queue_free(queue);
}
END_TEST

START_TEST(another_writer_delays_the_rows_and_nothing_else)
{
    struct history *history = open_history();
    sqlite3 *other = NULL;

    (void)begin_run(history, "a");
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(history_db_exec(other, "BEGIN IMMEDIATE"), SQLITE_OK);
    add_event(history, "waits");
    history_tick(history);
    ck_assert_uint_eq(history_queue_count(history->queue), 1);
    ck_assert_ptr_null(history_degraded(history));
    ck_assert_int_eq(history_db_exec(other, "COMMIT"), SQLITE_OK);
    history_tick(history);
    ck_assert_uint_eq(history_queue_count(history->queue), 0);
    (void)sqlite3_close(other);
    history_close(history);
}
END_TEST

static void overwrite(long from, size_t count)
{
    FILE *file = fopen(path, "r+b");

    ck_assert_ptr_nonnull(file);
    (void)fseek(file, from, SEEK_SET);
    for (size_t i = 0; i < count; i++)
        (void)fputc('Z', file);
    (void)fclose(file);
}

START_TEST(a_file_that_is_no_database_is_set_aside)
{
    struct history *history;

    history_close(open_history());
    overwrite(0, 4096);
    history = open_history();
    ck_assert_int_eq(begin_run(history, "a"), 1);
    history_close(history);
    ck_assert_int_eq(files_named(".corrupt-"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM runs"), 1);
}
END_TEST

START_TEST(damage_in_mid_run_begins_a_new_file_with_the_run_in_it)
{
    struct history *history = open_history();

    ck_assert_int_eq(begin_run(history, "a"), 1);
    fill_edges(history);
    add_node(history, "n", 3);
    history_run_state(history, "running");
    history_tick(history);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA wal_checkpoint(TRUNCATE)"),
                     SQLITE_OK);
    overwrite(4096, 120000);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA shrink_memory"), SQLITE_OK);
    add_event(history, "after");
    history_tick(history);
    history_close(history);
    ck_assert_int_eq(files_named("history.db.corrupt-"), 1);
    ck_assert_int_eq(ask("SELECT number FROM runs WHERE state = 'running'"), 1);
    ck_assert_int_eq(ask("SELECT in_count FROM nodes"), 3);
    ck_assert_int_eq(ask("SELECT committed FROM known_offsets WHERE partition = 1"), 40);
    ck_assert_int_eq(ask("SELECT count(*) FROM events"), 1);
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
    struct error err = {0};

    history_close(open_history());
    change("PRAGMA user_version=99");
    ck_assert_ptr_null(history_open(path, false, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    err = (struct error){0};
    ck_assert_ptr_null(history_open(path, true, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
}
END_TEST

static int apply_second(struct error *err)
{
    int version = history_schema_version();
    struct history_script scripts[8] = {0};
    sqlite3 *db = NULL;
    int result;

    ck_assert_int_lt(version, 8);
    scripts[version].parts[0] = "CREATE TABLE more(x)";
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    result = history_schema_apply(db, folder, scripts, version + 1, err);
    (void)sqlite3_close(db);
    return result;
}

/* Hold the lock of a dag in a process of its own until the pipe closes. */
static pid_t hold_lock(int *release)
{
    char *lock = mem_printf("%s/dags/a.lock", folder);
    int ready[2];
    int stop[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(stop), 0);
    pid = fork();
    if (pid == 0) {
        struct error err = {0};
        struct lock *held = lock_take(lock, &err);

        (void)close(stop[1]);
        (void)!write(ready[1], held ? "y" : "n", 1);
        (void)!read(stop[0], &byte, 1);
        _exit(0);
    }
    (void)close(stop[0]);
    (void)close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    (void)close(ready[0]);
    *release = stop[1];
    free(lock);
    return pid;
}

START_TEST(an_older_schema_is_brought_up_to_date_only_when_no_runner_lives)
{
    struct error err = {0};
    char dags[96];
    int release;
    pid_t pid;

    (void)snprintf(dags, sizeof dags, "%s/dags", folder);
    ck_assert_int_eq(mkdir(dags, 0700), 0);
    history_close(open_history());
    pid = hold_lock(&release);
    ck_assert_int_eq(apply_second(&err), -1);
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_int_eq(ask("PRAGMA user_version"), history_schema_version());
    (void)close(release);
    (void)waitpid(pid, NULL, 0);
    err = (struct error){0};
    ck_assert_msg(apply_second(&err) == 0, "%s", err.text);
    ck_assert_int_eq(ask("PRAGMA user_version"), history_schema_version() + 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM more"), 0);
}
END_TEST

static void mark(struct history *history, const struct history_mark *marks, size_t count)
{
    struct history_marking marking = {
        .dag = "a", .node = "y", .topic_id = "T9", .marks = marks, .count = count};
    struct error err = {0};

    ck_assert_msg(history_marks_put(history, &marking, &err) == 0, "%s", err.text);
}

START_TEST(marks_of_dead_letters_are_kept_changed_and_taken_away)
{
    struct history *history = open_history();
    struct history_mark marks[] = {
        {.partition = 1, .offset = 5, .state = HISTORY_MARK_SENDING, .by = "me"},
        {.partition = 0, .offset = 7, .state = HISTORY_MARK_SENDING, .by = "me"},
        {.partition = 0, .offset = 2, .state = HISTORY_MARK_DROPPED, .note = "no use"},
    };
    struct history_mark_list list = {0};
    struct mem_arena arena = {0};
    struct error err = {0};

    (void)begin_run(history, "a");
    mark(history, marks, 3);
    marks[0].state = HISTORY_MARK_REPLAYED;
    marks[1].state = HISTORY_MARK_NONE;
    mark(history, marks, 2);
    ck_assert_int_eq(history_marks(history, "T9", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_int_eq(list.items[0].offset, 2);
    ck_assert_int_eq(list.items[0].state, HISTORY_MARK_DROPPED);
    ck_assert_str_eq(list.items[0].note, "no use");
    ck_assert_int_eq(list.items[1].partition, 1);
    ck_assert_int_eq(list.items[1].state, HISTORY_MARK_REPLAYED);
    list = (struct history_mark_list){0};
    ck_assert_int_eq(history_marks(history, "T10", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 0);
    ck_assert_int_eq(history_forget(history, "a", NULL, &err), 0);
    ck_assert_int_eq(history_marks(history, "T9", &arena, &list, &err), 0);
    ck_assert_uint_eq(list.count, 0);
    mem_arena_clear(&arena);
    history_close(history);
}
END_TEST

START_TEST(samples_fill_rings_that_never_grow_past_their_slots)
{
    struct history *history = open_history();
    struct history_sample sample = {.series = HISTORY_EDGE, .id = "x:y", .backlog = 5};

    (void)begin_run(history, "a");
    for (int second = 0; second < 1300; second++) {
        sample.ts_ms = INT64_C(1000) * second;
        sample.in_per_s = second % 10;
        history_sample(history, &sample);
        if (second % 100 == 0)
            history_tick(history);
    }
    history_close(history);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples WHERE tier = 0"), 600);
    ck_assert_int_eq(ask("SELECT min(ts_ms) FROM samples WHERE tier = 0"), 700000);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples WHERE tier = 1"), 129);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples WHERE tier = 2"), 21);
    ck_assert_int_eq(ask("SELECT round(min(in_per_s) * 10) FROM samples WHERE tier = 1"), 45);
}
END_TEST

START_TEST(a_killed_writer_leaves_a_readable_file)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct history *history = open_history();

        (void)begin_run(history, "a");
        for (int i = 0; i < 50; i++) {
            add_event(history, "event");
            history_tick(history);
        }
        (void)raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(ask("SELECT count(*) FROM events"), 50);
}
END_TEST

START_TEST(reading_does_not_make_a_file)
{
    struct error err = {0};

    ck_assert_ptr_null(history_open(path, true, &err));
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_int_eq(files_named("history"), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_history");
    TCase *tcase = tcase_create("history");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, runs_count_per_dag_from_one_and_survive_reopening);
    tcase_add_test(tcase, a_number_is_not_used_again_when_its_run_was_pruned);
    tcase_add_test(tcase, the_file_is_for_its_owner_only);
    tcase_add_test(tcase, a_live_run_is_recorded_as_interrupted_by_the_next);
    tcase_add_test(tcase, a_state_row_waits_once_and_is_not_written_unchanged);
    tcase_add_test(tcase, an_attempt_keeps_its_begin_and_gets_its_end);
    tcase_add_test(tcase, the_next_start_finds_what_the_last_run_left);
    tcase_add_test(tcase, a_known_offset_is_never_replaced_by_an_unknown_one);
    tcase_add_test(tcase, forgetting_a_dag_leaves_its_runs_and_frees_its_name);
    tcase_add_test(tcase, a_full_disk_keeps_the_run_and_its_rows_until_there_is_room);
    tcase_add_test(tcase, a_run_has_its_number_even_when_the_disk_is_full);
    tcase_add_test(tcase, samples_go_first_and_events_stay_when_there_is_no_room);
    tcase_add_test(tcase, another_writer_delays_the_rows_and_nothing_else);
    tcase_add_test(tcase, a_file_that_is_no_database_is_set_aside);
    tcase_add_test(tcase, damage_in_mid_run_begins_a_new_file_with_the_run_in_it);
    tcase_add_test(tcase, a_newer_schema_is_refused);
    tcase_add_test(tcase, an_older_schema_is_brought_up_to_date_only_when_no_runner_lives);
    tcase_add_test(tcase, marks_of_dead_letters_are_kept_changed_and_taken_away);
    tcase_add_test(tcase, samples_fill_rings_that_never_grow_past_their_slots);
    tcase_add_test(tcase, a_killed_writer_leaves_a_readable_file);
    tcase_add_test(tcase, reading_does_not_make_a_file);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
