/* SPDX-License-Identifier: MIT */
#include "web/feed.h"

#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct feed *feed;
static struct feed_place reader;

static void set_up(void)
{
    feed = feed_new("a");
    reader = (struct feed_place){0};
}

static void tear_down(void)
{
    feed_free(feed);
}

static json_t *status(const char *dag, int run, const char *state)
{
    return json_pack("{s:s,s:i,s:s}", "dag", dag, "run", run, "state", state);
}

/* What lives now; the statuses are taken, the last one is NULL. */
static bool update(json_t *first, json_t *second)
{
    json_t *live = json_array();
    bool changed;

    if (first)
        (void)json_array_append_new(live, first);
    if (second)
        (void)json_array_append_new(live, second);
    changed = feed_update(feed, live);
    json_decref(live);
    return changed;
}

/* The names of what a reader gets, with dags and runs: "reset status:x@1 ended:x@1". */
static void read_all(struct feed_place *place, const char *dag, char out[512])
{
    struct feed_event *event;
    size_t used = 0;

    out[0] = '\0';
    while ((event = feed_take(feed, place, dag)) != NULL) {
        size_t len;
        const char *text = feed_event_text(event, &len);
        char name[16] = "";
        struct error err = {0};
        const char *data = strstr(text, "\ndata: ") + 7;
        json_t *object = json_parse(data, strcspn(data, "\n"), &err);

        ck_assert_uint_eq(len, strlen(text));
        ck_assert_str_eq(text + len - 2, "\n\n");
        ck_assert_int_eq(sscanf(text, "id: %*s\nevent: %15s", name), 1);
        used += (size_t)snprintf(out + used, 512 - used, "%s%s", used ? " " : "", name);
        if (json_get_int(object, "run", 0) > 0)
            used += (size_t)snprintf(out + used, 512 - used, ":%s@%d",
                                     json_get_string(object, "dag", "?"),
                                     (int)json_get_int(object, "run", 0));
        json_decref(object);
        feed_event_drop(event);
    }
}

static void assert_reads(const char *dag, const char *expected)
{
    char got[512];

    read_all(&reader, dag, got);
    ck_assert_str_eq(got, expected);
}

/* The id of the last thing that a place has seen. */
static struct feed_place come_back(const struct feed_place *place)
{
    char id[32];

    (void)snprintf(id, sizeof id, "a-%d", (int)place->seen);
    return feed_place(feed, id);
}

START_TEST(a_new_reader_gets_a_reset_and_everything_that_lives)
{
    ck_assert(update(status("x", 1, "running"), status("y", 4, "running")));
    reader = feed_place(feed, NULL);
    ck_assert(feed_has_next(feed, &reader, NULL));
    assert_reads(NULL, "reset status:x@1 status:y@4");
    ck_assert(!feed_has_next(feed, &reader, NULL));
    assert_reads(NULL, "");
}
END_TEST

START_TEST(what_changes_comes_once_and_nothing_else_does)
{
    json_t *same = status("x", 1, "running");

    (void)update(json_incref(same), status("y", 1, "starting"));
    reader = feed_place(feed, NULL);
    assert_reads(NULL, "reset status:x@1 status:y@1");
    ck_assert(update(json_incref(same), status("y", 1, "running")));
    assert_reads(NULL, "status:y@1");
    ck_assert(update(same, NULL));
    assert_reads(NULL, "ended:y@1");
    ck_assert(update(NULL, NULL));
    assert_reads(NULL, "ended:x@1");
}
END_TEST

START_TEST(the_same_array_is_nothing_new)
{
    json_t *live = json_pack("[o]", status("x", 1, "running"));

    ck_assert(feed_update(feed, live));
    ck_assert(feed_knows(feed, live));
    ck_assert(!feed_update(feed, live));
    json_decref(live);
}
END_TEST

START_TEST(a_slow_reader_gets_only_the_newest)
{
    struct feed_event *event;
    size_t len;

    (void)update(status("x", 1, "starting"), NULL);
    reader = feed_place(feed, NULL);
    for (int i = 0; i < 50; i++)
        (void)update(status("x", 1, i < 49 ? "running" : "draining"), NULL);
    feed_event_drop(feed_take(feed, &reader, NULL));
    event = feed_take(feed, &reader, NULL);
    ck_assert_ptr_nonnull(strstr(feed_event_text(event, &len), "draining"));
    feed_event_drop(event);
    assert_reads(NULL, "");
}
END_TEST

START_TEST(all_readers_share_one_text_which_outlives_its_event)
{
    struct feed_place other;
    struct feed_event *a, *b;
    const char *text;
    size_t len;

    (void)update(status("x", 1, "running"), NULL);
    reader = other = (struct feed_place){0};
    a = feed_take(feed, &reader, NULL);
    b = feed_take(feed, &other, NULL);
    text = feed_event_text(a, &len);
    ck_assert_ptr_eq(feed_event_text(b, &len), text);
    (void)update(status("x", 1, "stopped"), NULL);
    feed_event_drop(a);
    ck_assert_ptr_nonnull(strstr(text, "running"));
    feed_event_drop(b);
}
END_TEST

START_TEST(a_run_that_follows_another_ends_that_one)
{
    (void)update(status("x", 1, "running"), NULL);
    reader = feed_place(feed, NULL);
    assert_reads(NULL, "reset status:x@1");
    (void)update(status("x", 2, "starting"), NULL);
    assert_reads(NULL, "ended:x@1 status:x@2");
}
END_TEST

START_TEST(one_that_comes_back_gets_nothing_twice_and_misses_nothing)
{
    (void)update(status("x", 1, "running"), status("y", 1, "running"));
    reader = feed_place(feed, NULL);
    assert_reads(NULL, "reset status:x@1 status:y@1");
    reader = come_back(&reader);
    assert_reads(NULL, "");
    (void)update(status("y", 1, "running"), status("z", 1, "running"));
    reader = come_back(&reader);
    assert_reads(NULL, "status:y@1 status:z@1 ended:x@1");
}
END_TEST

START_TEST(a_filter_lets_one_dag_through)
{
    (void)update(status("x", 1, "running"), status("y", 1, "running"));
    reader = feed_place(feed, NULL);
    assert_reads("y", "reset status:y@1");
    (void)update(status("x", 1, "draining"), status("y", 1, "running"));
    ck_assert(feed_has_next(feed, &reader, "y"));
    assert_reads("y", "status:y@1");
    (void)update(NULL, NULL);
    assert_reads("y", "ended:y@1");
    ck_assert(!feed_has_next(feed, &reader, "y"));
}
END_TEST

static const char *const foreign_ids[] = {
    "b-1",  "a-0",  "a-99", "a-", "a",    "",
    "a--1", "a-1x", "a1",   "-1", "a-1 ", "a-99999999999999999999"};

START_TEST(an_id_that_is_not_ours_begins_with_a_reset)
{
    (void)update(status("x", 1, "running"), NULL);
    reader = feed_place(feed, foreign_ids[_i]);
    assert_reads(NULL, "reset status:x@1");
}
END_TEST

START_TEST(one_that_was_away_for_too_many_ends_begins_with_a_reset)
{
    struct feed_place early, late;
    char got[512];

    (void)update(status("x", 1, "running"), NULL);
    reader = feed_place(feed, NULL);
    assert_reads(NULL, "reset status:x@1");
    early = reader;
    for (int run = 2; run <= FEED_ENDED_MAX + 1; run++)
        (void)update(status("x", run, "running"), NULL);
    late = come_back(&early);
    ck_assert(!late.reset);
    (void)update(status("x", FEED_ENDED_MAX + 2, "running"), NULL);
    late = come_back(&early);
    read_all(&late, NULL, got);
    ck_assert_str_eq(got, "reset status:x@258");
}
END_TEST

START_TEST(many_ends_at_once_are_all_told)
{
    json_t *live = json_array();
    int ended = 0;
    struct feed_event *event;

    for (int i = 0; i < FEED_ENDED_MAX; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "d%d", i);
        (void)json_array_append_new(live, status(name, 1, "running"));
    }
    (void)feed_update(feed, live);
    reader = feed_place(feed, "a-256");
    json_decref(live);
    (void)update(NULL, NULL);
    while ((event = feed_take(feed, &reader, NULL)) != NULL) {
        size_t len;

        ended += strstr(feed_event_text(event, &len), "event: ended") != NULL;
        feed_event_drop(event);
    }
    ck_assert_int_eq(ended, FEED_ENDED_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("feed");
    TCase *tcase = tcase_create("feed");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_new_reader_gets_a_reset_and_everything_that_lives);
    tcase_add_test(tcase, what_changes_comes_once_and_nothing_else_does);
    tcase_add_test(tcase, the_same_array_is_nothing_new);
    tcase_add_test(tcase, a_slow_reader_gets_only_the_newest);
    tcase_add_test(tcase, all_readers_share_one_text_which_outlives_its_event);
    tcase_add_test(tcase, a_run_that_follows_another_ends_that_one);
    tcase_add_test(tcase, one_that_comes_back_gets_nothing_twice_and_misses_nothing);
    tcase_add_test(tcase, a_filter_lets_one_dag_through);
    tcase_add_loop_test(tcase, an_id_that_is_not_ours_begins_with_a_reset, 0,
                        sizeof foreign_ids / sizeof *foreign_ids);
    tcase_add_test(tcase, one_that_was_away_for_too_many_ends_begins_with_a_reset);
    tcase_add_test(tcase, many_ends_at_once_are_all_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
