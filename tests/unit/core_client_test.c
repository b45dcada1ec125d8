/* SPDX-License-Identifier: MIT */
#include "core/client.h"
#include "support/suite.h"

#include <check.h>

static const struct dag_restart_policy policy = {
    .max = 3, .window_ms = 10000, .backoff_ms = 100, .backoff_max_ms = 1000};

START_TEST(a_client_that_fails_waits_and_starts_again)
{
    struct client_step step = client_step(CLIENT_UP, CLIENT_EXIT_FAILURE);

    ck_assert_int_eq(step.action, CLIENT_WAIT);
    ck_assert_int_eq(step.next, CLIENT_BACKOFF);
    step = client_step(step.next, CLIENT_TIMEOUT);
    ck_assert_int_eq(step.action, CLIENT_SPAWN);
    ck_assert_int_eq(step.next, CLIENT_STARTING);
}
END_TEST

START_TEST(a_client_that_ignores_drain_is_terminated_and_then_killed)
{
    struct client_step step = client_step(CLIENT_UP, CLIENT_WANT_DRAIN);

    ck_assert_int_eq(step.action, CLIENT_DRAIN);
    step = client_step(step.next, CLIENT_TIMEOUT);
    ck_assert_int_eq(step.action, CLIENT_TERM);
    step = client_step(step.next, CLIENT_TIMEOUT);
    ck_assert_int_eq(step.action, CLIENT_KILL);
    step = client_step(step.next, CLIENT_EXIT_FAILURE);
    ck_assert_int_eq(step.next, CLIENT_DONE);
}
END_TEST

START_TEST(what_is_over_stays_over)
{
    for (int event = 0; event < CLIENT_EVENTS; event++) {
        ck_assert_int_eq(client_step(CLIENT_DONE, event).next, CLIENT_DONE);
        ck_assert_int_eq(client_step(CLIENT_FAILED, event).next, CLIENT_FAILED);
    }
}
END_TEST

START_TEST(a_hung_client_starts_again_but_not_when_it_was_to_end)
{
    ck_assert_int_eq(client_step(CLIENT_UP, CLIENT_SILENT).next, CLIENT_HUNG);
    ck_assert_int_eq(client_step(CLIENT_HUNG, CLIENT_EXIT_FAILURE).next, CLIENT_BACKOFF);
    ck_assert_int_eq(client_step(CLIENT_HUNG, CLIENT_WANT_DRAIN).next, CLIENT_KILLED);
}
END_TEST

static void assert_near(int64_t delay_ms, int64_t expected_ms)
{
    ck_assert_int_ge(delay_ms, expected_ms * 8 / 10);
    ck_assert_int_le(delay_ms, expected_ms * 12 / 10);
}

START_TEST(delays_double_up_to_the_cap)
{
    struct dag_restart_policy patient = policy;
    struct client_damping damping;
    int64_t now = 0;

    patient.max = 100;
    client_damping_init(&damping, &patient, 7);
    for (int64_t expected = 100; expected <= 3200; expected *= 2) {
        client_damping_started(&damping, &patient, now);
        assert_near(client_damping_next(&damping, &patient, now + 1),
                    expected < 1000 ? expected : 1000);
        now += 500;
    }
    client_damping_clear(&damping);
}
END_TEST

START_TEST(a_long_life_begins_the_delays_anew)
{
    struct client_damping damping;

    client_damping_init(&damping, &policy, 7);
    client_damping_started(&damping, &policy, 0);
    assert_near(client_damping_next(&damping, &policy, 10), 100);
    client_damping_started(&damping, &policy, 100);
    assert_near(client_damping_next(&damping, &policy, 110), 200);
    client_damping_started(&damping, &policy, 300);
    assert_near(client_damping_next(&damping, &policy, 300 + 60000), 100);
    client_damping_clear(&damping);
}
END_TEST

START_TEST(too_many_starts_within_the_window_are_the_end)
{
    struct client_damping damping;

    client_damping_init(&damping, &policy, 7);
    client_damping_started(&damping, &policy, 0);
    ck_assert_int_gt(client_damping_next(&damping, &policy, 1), 0);
    client_damping_started(&damping, &policy, 1000);
    ck_assert_int_gt(client_damping_next(&damping, &policy, 1001), 0);
    client_damping_started(&damping, &policy, 2000);
    ck_assert_int_eq(client_damping_next(&damping, &policy, 9999), -1);
    ck_assert_int_gt(client_damping_next(&damping, &policy, 10000), 0);
    client_damping_clear(&damping);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_client");
    TCase *tcase = tcase_create("client");

    tcase_add_test(tcase, a_client_that_fails_waits_and_starts_again);
    tcase_add_test(tcase, a_client_that_ignores_drain_is_terminated_and_then_killed);
    tcase_add_test(tcase, what_is_over_stays_over);
    tcase_add_test(tcase, a_hung_client_starts_again_but_not_when_it_was_to_end);
    tcase_add_test(tcase, delays_double_up_to_the_cap);
    tcase_add_test(tcase, a_long_life_begins_the_delays_anew);
    tcase_add_test(tcase, too_many_starts_within_the_window_are_the_end);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
