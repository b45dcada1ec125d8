/* SPDX-License-Identifier: MIT
 *
 * Children that say more than they may. They are this program itself: main has what
 * they do.
 */
#include "cli/web_child.h"

#include "base/clock.h"
#include "base/mem.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 30000, TURN_MS = 100, OUTPUT = 4096, CODE = 2 };

static struct loop *loop;
static struct web_children *children;
static struct error told;
static bool is_told;

static void set_up(void)
{
    struct error err = {0};

    loop = loop_new(&err);
    ck_assert_ptr_nonnull(loop);
    children = web_children_new(loop, 1);
}

static void tear_down(void)
{
    web_children_free(children);
    loop_free(loop);
}

static void on_done(void *arg, char *out, const struct error *err)
{
    (void)arg;
    free(out);
    told = *err;
    is_told = true;
}

static int64_t turn_ms(void)
{
    int64_t next_ms = web_children_tick(children);
    int64_t turn_ms = clock_mono_ms() + TURN_MS;

    return next_ms < turn_ms ? next_ms : turn_ms;
}

static void run(const char *what, bool acts)
{
    char *words = mem_strdup(what);
    char name[] = "dagrun";
    char *argv[] = {name, words, NULL};

    (void)web_child_run(children, &(struct web_child_spec){.argv = argv,
                                                           .limit_ms = LIMIT_MS,
                                                           .output_bytes = OUTPUT,
                                                           .acts = acts,
                                                           .done = on_done});
    while (!is_told)
        loop_wait(loop, turn_ms());
    free(words);
}

START_TEST(a_reader_that_says_too_much_is_ended_at_once)
{
    run("for ever", false);
    ck_assert_int_eq(told.kind, ERROR_INTERNAL);
    ck_assert_str_eq(told.text, "its answer is larger than 4096 bytes");
}
END_TEST

START_TEST(one_that_acts_goes_on_to_its_end)
{
    run("much", true);
    ck_assert_int_eq(told.kind, ERROR_INPUT);
    ck_assert_str_eq(told.text, "it came to its end");
}
END_TEST

static void say_much(void)
{
    char bytes[OUTPUT + 1];

    memset(bytes, '.', sizeof bytes);
    if (write(STDOUT_FILENO, bytes, sizeof bytes) < 0)
        _exit(1);
}

static int be_child(const char *what)
{
    static const char words[] = "it came to its end\n";

    /* More than a pipe holds: the limit has been seen before it ends. */
    for (int i = 0; i < 100 || strcmp(what, "for ever") == 0; i = i < 100 ? i + 1 : i)
        say_much();
    return write(STDERR_FILENO, words, sizeof words - 1) > 0 ? CODE : 1;
}

int main(int argc, char **argv)
{
    Suite *suite;
    TCase *cases;

    if (argc > 1)
        return be_child(argv[1]);
    suite = suite_create("web child");
    cases = tcase_create("web child");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_reader_that_says_too_much_is_ended_at_once);
    tcase_add_test(cases, one_that_acts_goes_on_to_its_end);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
