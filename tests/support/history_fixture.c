/* SPDX-License-Identifier: MIT */
#include "history_fixture.h"

#include "host/history_internal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture fixture;

void fixture_begin(void)
{
    (void)snprintf(fixture.folder, sizeof fixture.folder, "/tmp/dagrun-history-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fixture.folder));
    (void)snprintf(fixture.path, sizeof fixture.path, "%s/history.db", fixture.folder);
}

void fixture_end(void)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture.folder);
    ck_assert_int_eq(system(command), 0);
}

struct history *fixture_open_history(void)
{
    struct error err = {0};
    struct history *history = history_open(fixture.path, false, &err);

    ck_assert_msg(history != NULL, "%s", err.text);
    return history;
}

int64_t fixture_begin_run(struct history *history, const char *dag)
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

int64_t fixture_ask(const char *sql)
{
    sqlite3 *db = NULL;
    int64_t value;

    ck_assert_int_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    value = history_db_int(db, sql, -999, NULL);
    (void)sqlite3_close(db);
    return value;
}

void fixture_change(const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(fixture.path, &db), SQLITE_OK);
    ck_assert_int_eq(history_db_exec(db, sql), SQLITE_OK);
    (void)sqlite3_close(db);
}

void fixture_add_event(struct history *history, const char *text)
{
    struct history_event event = {
        .ts_ms = 1, .level = "info", .kind = "state", .text = text};

    history_event(history, &event);
}

void fixture_add_node(struct history *history, const char *node, int64_t in)
{
    struct history_node row = {
        .node = node, .program = "copy", .state = "running", .totals = {.in = in}};

    history_node(history, &row);
}

void fixture_fill_edges(struct history *history)
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
    struct history_topic topic = {.topic = "a.x.y",
                                  .topic_id = "T1",
                                  .kind = HISTORY_TOPIC_EDGE,
                                  .created = true};

    history_edge(history, &edge);
    history_offsets(history, &offsets);
    offsets.partition = 0;
    offsets.read_end = -1;
    history_offsets(history, &offsets);
    history_source(history, &source);
    history_topic(history, &topic);
}
