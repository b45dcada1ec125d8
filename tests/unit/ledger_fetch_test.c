/* SPDX-License-Identifier: MIT
 *
 * ledger_fetch_test.c - Fetch of a whole broker: what is answered, and when.
 */
#include "ledger_api_rig.h"
#include "support/suite.h"

/* ---- Fetch ------------------------------------------------------------------------
 */

START_TEST(what_was_produced_is_fetched)
{
    struct client client = connect_client();
    struct fetch_response response;
    size_t size = send_put(&client, &plain);
    struct produce_response put;

    ck_assert(receive(&client, WIRE_PRODUCE, plain.version, LONG_MS, &put));
    response = get_answer(&client, &all);
    ck_assert_int_eq(part_of(&response)->records.len, (int64_t)size);
    ck_assert_int_eq(part_of(&response)->high_watermark, 10);
    ck_assert_int_eq(part_of(&response)->last_stable_offset, 10);
    disconnect(&client);
}
END_TEST

START_TEST(a_waiting_fetch_gets_new_data_at_once)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    start_ms = clock_mono_ms();
    ck_assert_int_eq(put_error(&producer, &plain), KAFKA_NONE);
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_lt(clock_mono_ms() - start_ms, LONG_MS / 4);
    ck_assert_int_gt(part_of(&response)->records.len, 0);
    disconnect(&consumer);
    disconnect(&producer);
}
END_TEST

START_TEST(a_fetch_waits_for_as_much_as_it_wants)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;
    struct fetch_response response;
    size_t size = send_put(&producer, &plain);
    struct produce_response put;

    ck_assert(receive(&producer, WIRE_PRODUCE, plain.version, LONG_MS, &put));
    get.wait_ms = LONG_MS;
    get.min_bytes = (int32_t)(size * 2);
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    {
        struct put other = plain; /* of another partition: together they are enough */

        other.partition = 1;
        ck_assert_int_eq(put_error(&producer, &other), KAFKA_NONE);
    }
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_gt(response.responses[0].partitions[1].records.len, 0);
    disconnect(&consumer);
    disconnect(&producer);
}
END_TEST

START_TEST(a_fetch_ends_when_its_time_is_over)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms = clock_mono_ms();

    get.wait_ms = 80;
    response = get_answer(&client, &get);
    ck_assert_int_ge(clock_mono_ms() - start_ms, 79);
    ck_assert_str_eq(sizes(&response), "0:0 1:0 2:0");
    disconnect(&client);
}
END_TEST

START_TEST(a_client_that_goes_while_it_waits_leaves_nothing)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    for (int i = 0; i < 5; i++)
        turn();
    disconnect(&consumer);
    for (int i = 0; i < 5; i++)
        turn();
    ck_assert_int_eq(put_error(&producer, &plain), KAFKA_NONE);
    disconnect(&producer);
}
END_TEST

START_TEST(a_deleted_topic_ends_the_wait)
{
    struct client consumer = connect_client(), admin = connect_client();
    struct get get = all;
    struct fetch_response response;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    delete_topic(&admin, "t");
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_eq(part_of(&response)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(part_of(&response)->high_watermark, -1);
    disconnect(&consumer);
    disconnect(&admin);
}
END_TEST

START_TEST(an_offset_out_of_range_is_told_at_once)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms = clock_mono_ms();

    get.wait_ms = LONG_MS;
    get.from[1] = 5;
    response = get_answer(&client, &get);
    ck_assert_int_lt(clock_mono_ms() - start_ms, LONG_MS / 4);
    ck_assert_int_eq(response.responses[0].partitions[0].error_code, KAFKA_NONE);
    ck_assert_int_eq(response.responses[0].partitions[1].error_code,
                     KAFKA_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(response.responses[0].partitions[1].aborted_transactions_count,
                     -1);
    disconnect(&client);
}
END_TEST

START_TEST(the_first_batch_comes_whole_and_the_limit_holds_for_the_rest)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    char expected[64];
    int64_t size = 0;

    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct put put = plain;
        struct produce_response answer;

        put.partition = i;
        size = (int64_t)send_put(&client, &put);
        ck_assert(receive(&client, WIRE_PRODUCE, put.version, LONG_MS, &answer));
    }
    get.max_bytes = 1;
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:0 2:0", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.max_bytes = (int32_t)size * 2;
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:%lld 2:0", (long long)size,
                   (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    disconnect(&client);
}
END_TEST

START_TEST(a_session_answers_what_changed_and_serves_everybody_in_turn)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    char expected[64];
    int64_t size = 0;

    get.epoch = 0;
    response = get_answer(&client, &get);
    ck_assert_str_eq(sizes(&response), "0:0 1:0 2:0");
    ck_assert_int_ne(response.session_id, 0);
    get = (struct get){.topic = "t",
                       .from = {-1, -1, -1},
                       .min_bytes = 1,
                       .max_bytes = 1,
                       .session = response.session_id,
                       .epoch = 1};
    response = get_answer(&client, &get);
    ck_assert_int_eq(response.responses_count, 0);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct put put = plain;
        struct produce_response answer;

        put.partition = i;
        size = (int64_t)send_put(&client, &put);
        ck_assert(receive(&client, WIRE_PRODUCE, put.version, LONG_MS, &answer));
    }
    get.epoch = 2; /* one batch is all the room: partition 0 is served, all have news */
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:0 2:0", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.epoch = 3; /* then the next one */
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "1:%lld", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.epoch = 3;
    response = get_answer(&client, &get);
    ck_assert_int_eq(response.error_code, KAFKA_INVALID_FETCH_SESSION_EPOCH);
    disconnect(&client);
}
END_TEST

START_TEST(a_session_that_is_taken_over_ends_the_older_wait)
{
    struct client old = connect_client(), young = connect_client();
    struct get get = all;
    struct fetch_response response;
    int32_t session;

    get.epoch = 0;
    response = get_answer(&old, &get);
    session = response.session_id;
    get = (struct get){.topic = "t",
                       .from = {-1, -1, -1},
                       .min_bytes = 1,
                       .max_bytes = 1000,
                       .wait_ms = LONG_MS,
                       .session = session,
                       .epoch = 1};
    send_get(&old, &get);
    ck_assert(!receive(&old, WIRE_FETCH, 11, 50, &response));
    get.epoch = 2;
    get.wait_ms = 10;
    response = get_answer(&young, &get);
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert(receive(&old, WIRE_FETCH, 11, LONG_MS / 2, &response));
    disconnect(&old);
    disconnect(&young);
}
END_TEST

/* ---- transactions -----------------------------------------------------------------
 */

static struct init_producer_id_response init_producer(struct client *client)
{
    struct init_producer_id_request request;
    struct init_producer_id_response response;

    wire_defaults(&init_producer_id_request_message, &request);
    request.transactional_id = wire_string_of("x");
    request.transaction_timeout_ms = 60000;
    ask(client, WIRE_INIT_PRODUCER_ID, 4, &request);
    ck_assert(receive(client, WIRE_INIT_PRODUCER_ID, 4, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    return response;
}

static void end_transaction(struct client *client,
                            const struct init_producer_id_response *who, bool commit)
{
    struct end_txn_request request;
    struct end_txn_response response;

    wire_defaults(&end_txn_request_message, &request);
    request.transactional_id = wire_string_of("x");
    request.producer_id = who->producer_id;
    request.producer_epoch = who->producer_epoch;
    request.committed = commit;
    ask(client, WIRE_END_TXN, 5, &request);
    ck_assert(receive(client, WIRE_END_TXN, 5, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
}

/* Produce 12 adds the partition to the transaction by itself. */
START_TEST(a_committed_reader_is_woken_by_the_end_of_the_transaction)
{
    struct client producer = connect_client(), consumer = connect_client();
    struct init_producer_id_response who = init_producer(&producer);
    bool commit = _i == 0;
    struct fetch_response response;
    struct get get = all;
    struct put put = plain;

    put.version = 12;
    put.transactional_id = "x";
    put.batch = (struct bench_batch){.producer_id = who.producer_id,
                                     .epoch = who.producer_epoch,
                                     .count = 5,
                                     .attributes = BATCH_TRANSACTIONAL};
    get.isolation = 1;
    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 30, &response));
    ck_assert_int_eq(put_error(&producer, &put), KAFKA_NONE);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    end_transaction(&producer, &who, commit);
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_eq(part_of(&response)->last_stable_offset, 6);
    ck_assert_int_eq(part_of(&response)->aborted_transactions_count, commit ? 0 : 1);
    disconnect(&producer);
    disconnect(&consumer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch");
    TCase *tcase = tcase_create("fetch");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, what_was_produced_is_fetched);
    tcase_add_test(tcase, a_waiting_fetch_gets_new_data_at_once);
    tcase_add_test(tcase, a_fetch_waits_for_as_much_as_it_wants);
    tcase_add_test(tcase, a_fetch_ends_when_its_time_is_over);
    tcase_add_test(tcase, a_client_that_goes_while_it_waits_leaves_nothing);
    tcase_add_test(tcase, a_deleted_topic_ends_the_wait);
    tcase_add_test(tcase, an_offset_out_of_range_is_told_at_once);
    tcase_add_test(tcase, the_first_batch_comes_whole_and_the_limit_holds_for_the_rest);
    tcase_add_test(tcase, a_session_answers_what_changed_and_serves_everybody_in_turn);
    tcase_add_test(tcase, a_session_that_is_taken_over_ends_the_older_wait);
    tcase_add_loop_test(
        tcase, a_committed_reader_is_woken_by_the_end_of_the_transaction, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
