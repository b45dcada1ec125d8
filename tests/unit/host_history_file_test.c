/* SPDX-License-Identifier: MIT
 *
 * The file of the history when it is full, held, damaged, of another version.
 */
#include "host/history.h"
#include "host/history_internal.h"

#include "base/mem.h"
#include "host/lock.h"
#include "support/history_fixture.h"
#include "support/suite.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static int files_named(const char *part)
{
    DIR *dir = opendir(fixture.folder);
    int count = 0;

    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    (void)closedir(dir);
    return count;
}

START_TEST(the_file_is_for_its_owner_only)
{
    struct stat st;

    history_close(fixture_open_history());
    ck_assert_int_eq(stat(fixture.path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(a_full_disk_keeps_the_run_and_its_rows_until_there_is_room)
{
    struct history *history = fixture_open_history();
    char pragma[64];
    char *big = mem_alloc(60001);

    memset(big, 'x', 60000);
    (void)fixture_begin_run(history, "a");
    (void)snprintf(pragma, sizeof pragma, "PRAGMA max_page_count=%d",
                   (int)history_db_int(history->db, "PRAGMA page_count", 0, NULL) + 1);
    ck_assert_int_eq(history_db_exec(history->db, pragma), SQLITE_OK);
    fixture_add_event(history, big);
    fixture_add_node(history, "n", 5);
    history_tick(history);
    ck_assert_ptr_nonnull(history_degraded(history));
    ck_assert_ptr_nonnull(strstr(history_degraded(history), "no space"));
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM events"), 0);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA max_page_count=100000"),
                     SQLITE_OK);
    history_tick(history);
    ck_assert_ptr_null(history_degraded(history));
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM events"), 1);
    ck_assert_int_eq(fixture_ask("SELECT in_count FROM nodes"), 5);
    history_close(history);
    free(big);
}
END_TEST

START_TEST(a_run_has_its_number_even_when_the_disk_is_full)
{
    struct history *history = fixture_open_history();
    char *big = mem_alloc(60001);
    struct history_run run = {
        .dag = {.dag = "a", .path = "/p"}, .hash = "h", .text = big};
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
    fixture_add_event(history, "kept");
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA max_page_count=100000"),
                     SQLITE_OK);
    history_tick(history);
    ck_assert_ptr_null(history_degraded(history));
    history_close(history);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM events e JOIN runs r ON r.id = "
                                 "e.run_id AND number = 1"),
                     1);
    free(big);
}
END_TEST

START_TEST(another_writer_delays_the_rows_and_nothing_else)
{
    struct history *history = fixture_open_history();
    sqlite3 *other = NULL;

    (void)fixture_begin_run(history, "a");
    ck_assert_int_eq(sqlite3_open(fixture.path, &other), SQLITE_OK);
    ck_assert_int_eq(history_db_exec(other, "BEGIN IMMEDIATE"), SQLITE_OK);
    fixture_add_event(history, "waits");
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
    FILE *file = fopen(fixture.path, "r+b");

    ck_assert_ptr_nonnull(file);
    (void)fseek(file, from, SEEK_SET);
    for (size_t i = 0; i < count; i++)
        (void)fputc('Z', file);
    (void)fclose(file);
}

START_TEST(a_file_that_is_no_database_is_set_aside)
{
    struct history *history;

    history_close(fixture_open_history());
    overwrite(0, 4096);
    history = fixture_open_history();
    ck_assert_int_eq(fixture_begin_run(history, "a"), 1);
    history_close(history);
    ck_assert_int_eq(files_named(".corrupt-"), 1);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM runs"), 1);
}
END_TEST

START_TEST(damage_in_mid_run_begins_a_new_file_with_the_run_in_it)
{
    struct history *history = fixture_open_history();

    ck_assert_int_eq(fixture_begin_run(history, "a"), 1);
    fixture_fill_edges(history);
    fixture_add_node(history, "n", 3);
    history_run_state(history, "running");
    history_tick(history);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA wal_checkpoint(TRUNCATE)"),
                     SQLITE_OK);
    overwrite(4096, 120000);
    ck_assert_int_eq(history_db_exec(history->db, "PRAGMA shrink_memory"), SQLITE_OK);
    fixture_add_event(history, "after");
    history_tick(history);
    history_close(history);
    ck_assert_int_eq(files_named("history.db.corrupt-"), 1);
    ck_assert_int_eq(fixture_ask("SELECT number FROM runs WHERE state = 'running'"), 1);
    ck_assert_int_eq(fixture_ask("SELECT in_count FROM nodes"), 3);
    ck_assert_int_eq(
        fixture_ask("SELECT committed FROM known_offsets WHERE partition = 1"), 40);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM events"), 1);
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
    struct error err = {0};

    history_close(fixture_open_history());
    fixture_change("PRAGMA user_version=99");
    ck_assert_ptr_null(history_open(fixture.path, false, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    err = (struct error){0};
    ck_assert_ptr_null(history_open(fixture.path, true, &err));
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
    ck_assert_int_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    result = history_schema_apply(db, fixture.folder, scripts, version + 1, err);
    (void)sqlite3_close(db);
    return result;
}

/* Hold the lock of a dag in a process of its own until the pipe closes. */
static pid_t hold_lock(int *release)
{
    char *lock = mem_printf("%s/dags/a.lock", fixture.folder);
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

    (void)snprintf(dags, sizeof dags, "%s/dags", fixture.folder);
    ck_assert_int_eq(mkdir(dags, 0700), 0);
    history_close(fixture_open_history());
    pid = hold_lock(&release);
    ck_assert_int_eq(apply_second(&err), -1);
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_int_eq(fixture_ask("PRAGMA user_version"), history_schema_version());
    (void)close(release);
    (void)waitpid(pid, NULL, 0);
    err = (struct error){0};
    ck_assert_msg(apply_second(&err) == 0, "%s", err.text);
    ck_assert_int_eq(fixture_ask("PRAGMA user_version"), history_schema_version() + 1);
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM more"), 0);
}
END_TEST

START_TEST(a_killed_writer_leaves_a_readable_file)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct history *history = fixture_open_history();

        (void)fixture_begin_run(history, "a");
        for (int i = 0; i < 50; i++) {
            fixture_add_event(history, "event");
            history_tick(history);
        }
        (void)raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(fixture_ask("SELECT count(*) FROM events"), 50);
}
END_TEST

START_TEST(reading_does_not_make_a_file)
{
    struct error err = {0};

    ck_assert_ptr_null(history_open(fixture.path, true, &err));
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    ck_assert_int_eq(files_named("history"), 0);
}
END_TEST

START_TEST(a_file_that_is_another_users_names_the_way_out)
{
    struct error err = {0};

    history_close(fixture_open_history());
    ck_assert_int_eq(chmod(fixture.path, 0), 0);
    if (geteuid() == 0) /* it may read everything */
        ck_assert_int_eq(seteuid(NOBODY), 0);
    ck_assert_ptr_null(history_open(fixture.path, true, &err));
    if (geteuid() == NOBODY)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(err.kind, ERROR_INTERNAL);
    ck_assert_ptr_nonnull(strstr(err.text, fixture.path));
    ck_assert_ptr_nonnull(strstr(err.text, "permission denied"));
    ck_assert_ptr_nonnull(strstr(err.text, "DAGRUN_HOME"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host_history_file");
    TCase *tcase = tcase_create("file");

    tcase_add_checked_fixture(tcase, fixture_begin, fixture_end);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_file_is_for_its_owner_only);
    tcase_add_test(tcase, a_full_disk_keeps_the_run_and_its_rows_until_there_is_room);
    tcase_add_test(tcase, a_run_has_its_number_even_when_the_disk_is_full);
    tcase_add_test(tcase, another_writer_delays_the_rows_and_nothing_else);
    tcase_add_test(tcase, a_file_that_is_no_database_is_set_aside);
    tcase_add_test(tcase, damage_in_mid_run_begins_a_new_file_with_the_run_in_it);
    tcase_add_test(tcase, a_newer_schema_is_refused);
    tcase_add_test(tcase,
                   an_older_schema_is_brought_up_to_date_only_when_no_runner_lives);
    tcase_add_test(tcase, a_killed_writer_leaves_a_readable_file);
    tcase_add_test(tcase, reading_does_not_make_a_file);
    tcase_add_test(tcase, a_file_that_is_another_users_names_the_way_out);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
