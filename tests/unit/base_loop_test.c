/* SPDX-License-Identifier: MIT
 *
 * base_loop_test.c - the loop calls whom it should, and nobody else.
 */
#include "base/loop.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MANY = 300 };

struct seen {
    struct loop *loop;
    int fd;
    int other; /* removed by the callback, -1: none */
    int calls;
    uint32_t events;
};

static void note(void *arg, uint32_t events)
{
    struct seen *seen = arg;

    seen->calls++;
    seen->events = events;
    if (seen->other >= 0)
        loop_remove(seen->loop, seen->other);
}

static void watch(struct loop *loop, struct seen *seen)
{
    struct error err = {0};

    *seen = (struct seen){.loop = loop, .fd = eventfd(1, EFD_NONBLOCK), .other = -1};
    ck_assert_int_eq(loop_add(loop, seen->fd, EPOLLIN, note, seen, &err), 0);
}

START_TEST(only_ready_descriptors_are_called)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct seen seen[MANY];
    int right = 0;

    for (int i = 0; i < MANY; i++)
        watch(loop, &seen[i]);
    for (int i = 0; i < MANY; i += 2)
        loop_remove(loop, seen[i].fd);
    for (int i = 1; i < MANY; i += 4)
        loop_change(loop, seen[i].fd, 0);
    for (int i = 0; i < MANY; i++)
        loop_wait(loop, 0);
    for (int i = 0; i < MANY; i++) {
        right += (seen[i].calls > 0) == (i % 4 == 3);
        (void)close(seen[i].fd);
    }
    ck_assert_int_eq(right, MANY);
    loop_free(loop);
}
END_TEST

START_TEST(a_descriptor_removed_by_another_callback_is_not_called)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct seen a, b;

    watch(loop, &a);
    watch(loop, &b);
    a.other = b.fd;
    b.other = a.fd;
    loop_wait(loop, 0);
    ck_assert_int_eq(a.calls + b.calls, 1);
    (void)close(a.fd);
    (void)close(b.fd);
    loop_free(loop);
}
END_TEST

START_TEST(a_number_used_again_has_its_new_owner)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct seen a, b;

    watch(loop, &a);
    loop_remove(loop, a.fd);
    (void)close(a.fd);
    watch(loop, &b);
    ck_assert_int_eq(a.fd, b.fd);
    loop_wait(loop, 0);
    ck_assert_int_eq(a.calls, 0);
    ck_assert_int_eq(b.calls, 1);
    ck_assert(b.events & EPOLLIN);
    loop_remove(loop, b.fd);
    loop_remove(loop, b.fd);
    (void)close(b.fd);
    loop_free(loop);
}
END_TEST

START_TEST(a_bad_descriptor_is_an_error)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);

    ck_assert_int_eq(loop_add(loop, -1, EPOLLIN, note, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "descriptor -1"));
    loop_change(loop, -1, 0);
    loop_remove(loop, 1 << 20);
    loop_free(loop);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("loop");

    tcase_add_test(tcase, only_ready_descriptors_are_called);
    tcase_add_test(tcase, a_descriptor_removed_by_another_callback_is_not_called);
    tcase_add_test(tcase, a_number_used_again_has_its_new_owner);
    tcase_add_test(tcase, a_bad_descriptor_is_an_error);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
