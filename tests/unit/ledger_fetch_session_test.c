/* SPDX-License-Identifier: MIT
 *
 * ledger_fetch_session_test.c - fetch sessions: who gets one, what is in it, when it
 * ends.
 */
#include "ledger/api/fetch_session.h"
#include "ledger/wire/messages_fetch.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { VERSION = 11, MINUTE_MS = 60 * 1000, PARTS = 12 };

/* A request for partitions of topic "t", or those of a uuid. */
struct ask {
    struct fetch_request request;
    struct fetch_request_fetch_topic topic;
    struct fetch_request_fetch_partition partitions[PARTS];
    struct fetch_request_forgotten_topic forgotten;
    int32_t forgotten_indexes[PARTS];
};

static struct fetch_sessions sessions;
static struct fetch_session *session;
static enum kafka_error error;

static void make_ask(struct ask *ask, int32_t id, int32_t epoch)
{
    wire_defaults(&fetch_request_message, &ask->request);
    wire_defaults(&fetch_request_fetch_topic_message, &ask->topic);
    wire_defaults(&fetch_request_forgotten_topic_message, &ask->forgotten);
    ask->request.session_id = id;
    ask->request.session_epoch = epoch;
    ask->request.topics = &ask->topic;
    ask->topic.topic = wire_string_of("t");
    ask->topic.partitions = ask->partitions;
    ask->request.forgotten_topics_data = &ask->forgotten;
    ask->forgotten.topic = wire_string_of("t");
    ask->forgotten.partitions = ask->forgotten_indexes;
}

static void add(struct ask *ask, int32_t index, int64_t offset)
{
    struct fetch_request_fetch_partition *part =
        &ask->partitions[ask->topic.partitions_count++];

    wire_defaults(&fetch_request_fetch_partition_message, part);
    part->partition = index;
    part->fetch_offset = offset;
    part->partition_max_bytes = 1000;
    ask->request.topics_count = 1;
}

static void forget(struct ask *ask, int32_t index)
{
    ask->forgotten_indexes[ask->forgotten.partitions_count++] = index;
    ask->request.forgotten_topics_data_count = 1;
}

static enum fetch_kind begin(const struct ask *ask, int64_t now_ms)
{
    return fetch_session_begin(&sessions, &ask->request, VERSION, now_ms, &session,
                               &error);
}

/* "0@5 1@7": index@offset of the parts in order. */
static const char *list(const struct fetch_part *parts)
{
    static char text[512];
    const struct fetch_part *part;
    size_t len = 0;

    text[0] = '\0';
    DL_FOREACH(parts, part)
    len += (size_t)snprintf(text + len, sizeof text - len, "%s%d@%lld", len ? " " : "",
                            part->index, (long long)part->offset);
    return text;
}

static int32_t open_session(int32_t parts, int64_t now_ms)
{
    struct ask ask;

    make_ask(&ask, 0, 0);
    for (int32_t i = 0; i < parts; i++)
        add(&ask, i, 5);
    ck_assert_int_eq(begin(&ask, now_ms), FETCH_FULL);
    return session ? session->id : 0;
}

static void set_up(void)
{
    fetch_sessions_init(&sessions, 7);
}

static void tear_down(void)
{
    fetch_sessions_clear(&sessions);
    ck_assert_uint_eq(sessions.parts, 0);
}

START_TEST(a_full_request_opens_a_session_and_later_ones_change_it)
{
    int32_t id = open_session(3, 0);
    struct ask ask;

    ck_assert_int_ne(id, 0);
    make_ask(&ask, id, 1);
    add(&ask, 1, 9);
    add(&ask, 7, 1);
    forget(&ask, 0);
    ck_assert_int_eq(begin(&ask, 0), FETCH_INCREMENTAL);
    ck_assert_str_eq(list(session->parts), "1@9 2@5 7@1");
    make_ask(&ask, id, 2);
    ck_assert_int_eq(begin(&ask, 0), FETCH_INCREMENTAL);
    ck_assert_str_eq(list(session->parts), "1@9 2@5 7@1");
}
END_TEST

START_TEST(a_served_part_goes_behind_the_others)
{
    (void)open_session(3, 0);
    fetch_session_served(session, session->parts);
    ck_assert_str_eq(list(session->parts), "1@5 2@5 0@5");
}
END_TEST

START_TEST(epochs_must_follow_each_other)
{
    int32_t id = open_session(1, 0);
    struct ask ask;

    make_ask(&ask, id, 2);
    ck_assert_int_eq(begin(&ask, 0), FETCH_REFUSED);
    ck_assert_int_eq(error, KAFKA_INVALID_FETCH_SESSION_EPOCH);
    make_ask(&ask, id, 1);
    ck_assert_int_eq(begin(&ask, 0), FETCH_INCREMENTAL);
    session->epoch = INT32_MAX;
    make_ask(&ask, id, INT32_MAX);
    ck_assert_int_eq(begin(&ask, 0), FETCH_INCREMENTAL);
    ck_assert_int_eq(session->epoch, 1);
}
END_TEST

START_TEST(an_unknown_session_is_refused)
{
    struct ask ask;

    make_ask(&ask, open_session(1, 0) + 1, 1);
    ck_assert_int_eq(begin(&ask, 0), FETCH_REFUSED);
    ck_assert_int_eq(error, KAFKA_FETCH_SESSION_ID_NOT_FOUND);
}
END_TEST

START_TEST(names_and_ids_do_not_mix)
{
    struct ask ask;

    make_ask(&ask, open_session(1, 0), 1);
    ck_assert_int_eq(
        fetch_session_begin(&sessions, &ask.request, 13, 0, &session, &error),
        FETCH_REFUSED);
    ck_assert_int_eq(error, KAFKA_FETCH_SESSION_TOPIC_ID_ERROR);
}
END_TEST

START_TEST(epoch_0_begins_anew_and_epoch_minus_1_ends)
{
    int32_t id = open_session(2, 0);
    struct ask ask;

    make_ask(&ask, id, 0);
    add(&ask, 4, 4);
    ck_assert_int_eq(begin(&ask, 0), FETCH_FULL);
    ck_assert_int_ne(session->id, id);
    ck_assert_str_eq(list(session->parts), "4@4");
    ck_assert_uint_eq(HASH_COUNT(sessions.by_id), 1);
    make_ask(&ask, session->id, -1);
    ck_assert_int_eq(begin(&ask, 0), FETCH_SESSIONLESS);
    ck_assert_ptr_null(session);
    ck_assert_uint_eq(HASH_COUNT(sessions.by_id), 0);
}
END_TEST

START_TEST(a_session_without_partitions_ends)
{
    struct ask ask;

    make_ask(&ask, open_session(1, 0), 1);
    forget(&ask, 0);
    ck_assert_int_eq(begin(&ask, 0), FETCH_SESSIONLESS);
    ck_assert_uint_eq(HASH_COUNT(sessions.by_id), 0);
}
END_TEST

START_TEST(only_sessions_that_rest_make_room)
{
    int32_t first, second;

    sessions.max_sessions = 2;
    first = open_session(1, 0);
    second = open_session(1, MINUTE_MS);
    ck_assert_int_eq(open_session(1, 2 * MINUTE_MS - 1), 0);
    ck_assert_int_ne(open_session(1, 2 * MINUTE_MS), 0);
    ck_assert_int_ne(first, second);
    {
        struct ask ask;

        make_ask(&ask, first, 1);
        ck_assert_int_eq(begin(&ask, 0), FETCH_REFUSED);
        make_ask(&ask, second, 1);
        ck_assert_int_eq(begin(&ask, 0), FETCH_INCREMENTAL);
    }
}
END_TEST

START_TEST(partitions_of_all_sessions_are_bounded)
{
    struct ask ask;
    int32_t id;

    sessions.max_parts = 10;
    id = open_session(8, 0);
    ck_assert_int_eq(open_session(3, 0), 0);
    make_ask(&ask, id, 1);
    for (int32_t i = 20; i < 23; i++)
        add(&ask, i, 0);
    ck_assert_int_eq(begin(&ask, 0), FETCH_REFUSED);
    ck_assert_int_eq(error, KAFKA_FETCH_SESSION_ID_NOT_FOUND);
    ck_assert_uint_eq(sessions.parts, 0);
}
END_TEST

/* A naive model: the parts as an array of offsets, -1 where there is none. */
START_TEST(sessions_agree_with_a_naive_model)
{
    int64_t model[PARTS];
    unsigned seed = (unsigned)_i + 1;
    int wrong = 0;
    int32_t id = open_session(PARTS, 0), epoch = 1;

    for (int i = 0; i < PARTS; i++)
        model[i] = 5;
    for (int round = 0; round < 200; round++) {
        const struct fetch_part *part;
        struct ask ask;
        int present = 0;

        make_ask(&ask, id, epoch);
        for (int32_t i = 0; i < PARTS; i++) {
            int dice = rand_r(&seed) % 6;

            if (dice == 0) {
                add(&ask, i, round);
                model[i] = round;
            } else if (dice == 1 && i > 0) {
                forget(&ask, i);
                model[i] = -1;
            }
        }
        if (begin(&ask, 0) != FETCH_INCREMENTAL)
            wrong++;
        epoch = session->epoch;
        DL_FOREACH(session->parts, part)
        {
            wrong += model[part->index] != part->offset;
            present++;
        }
        for (int i = 0; i < PARTS; i++)
            present -= model[i] >= 0;
        wrong += present != 0;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(parts_without_a_session_are_in_the_order_of_the_request)
{
    struct mem_arena arena = {0};
    struct ask ask;

    make_ask(&ask, 0, -1);
    add(&ask, 3, 1);
    add(&ask, 1, 2);
    add(&ask, 2, 3);
    ck_assert_str_eq(list(fetch_parts(&ask.request, &arena)), "3@1 1@2 2@3");
    mem_arena_clear(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch session");
    TCase *tcase = tcase_create("fetch session");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_full_request_opens_a_session_and_later_ones_change_it);
    tcase_add_test(tcase, a_served_part_goes_behind_the_others);
    tcase_add_test(tcase, epochs_must_follow_each_other);
    tcase_add_test(tcase, an_unknown_session_is_refused);
    tcase_add_test(tcase, names_and_ids_do_not_mix);
    tcase_add_test(tcase, epoch_0_begins_anew_and_epoch_minus_1_ends);
    tcase_add_test(tcase, a_session_without_partitions_ends);
    tcase_add_test(tcase, only_sessions_that_rest_make_room);
    tcase_add_test(tcase, partitions_of_all_sessions_are_bounded);
    tcase_add_loop_test(tcase, sessions_agree_with_a_naive_model, 0, 5);
    tcase_add_test(tcase, parts_without_a_session_are_in_the_order_of_the_request);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
