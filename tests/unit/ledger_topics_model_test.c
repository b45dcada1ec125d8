/* SPDX-License-Identifier: MIT */
#include "ledger_topics_fixture.h"
#include "support/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* The naive catalogue. */
enum { NAMES = 20 };

static bool same_as(const int32_t partitions[NAMES])
{
    int count = 0;

    for (int i = 0; i < NAMES; i++) {
        char name[16];
        const struct topic *topic;
        snprintf(name, sizeof(name), "topic%d", i);
        topic = desk_find(name);
        count += partitions[i] > 0;
        if (topic == NULL ? partitions[i] > 0 : topic->partitions != partitions[i])
            return false;
    }
    for (int32_t i = 1; i < topics_count(desk.topics); i++)
        if (strcmp(topics_at(desk.topics, i - 1)->name,
                   topics_at(desk.topics, i)->name) >= 0)
            return false;
    return count == topics_count(desk.topics);
}

static bool random_step(int32_t partitions[NAMES], uint32_t *seed)
{
    int i = (int)(bench_random(seed) % NAMES);
    int32_t count = 1 + (int32_t)(bench_random(seed) % 4);
    struct topics_growth growth = {.replicas_count = -1};
    struct text_buf message = {0};
    char name[16];
    bool right;

    snprintf(name, sizeof(name), "topic%d", i);
    if (partitions[i] == 0) {
        partitions[i] = count;
        return strcmp(desk_create(name, count, 1), "0 ") == 0;
    }
    switch (bench_random(seed) % 3) {
    case 0:
        partitions[i] = 0;
        return desk_delete(desk_find(name)) == KAFKA_NONE;
    case 1:
        desk_append(desk_find(name), 0, 1);
        return true;
    default:
        growth.count = partitions[i] += count;
        right =
            topics_grow(desk.topics, desk_find(name), &growth, &message) == KAFKA_NONE;
        text_buf_clear(&message);
        return right;
    }
}

START_TEST(random_changes_are_those_of_a_naive_catalogue)
{
    int32_t partitions[NAMES] = {0};
    uint32_t seed = 5;
    int wrong = 0;

    for (int i = 0; i < 1500; i++) {
        wrong += !random_step(partitions, &seed);
        if (i % 50 == 0)
            desk_tick_out();
        if (i % 100 == 99)
            desk_reopen();
        wrong += !same_as(partitions);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(desk_folders(".stray"), 0);
}
END_TEST

/* Make and delete topics for ever; tell every step that is done: +n made, -n deleted.
 */
static _Noreturn void change_until_killed(int out)
{
    desk_open();
    for (int32_t n = 1;; n++) {
        char name[16];
        int32_t told = n;
        snprintf(name, sizeof(name), "k%d", n);
        if (strcmp(desk_create(name, 2, 1), "0 ") != 0)
            _exit(1);
        desk_append(desk_find(name), 1, 1);
        if (write(out, &told, sizeof(told)) != sizeof(told))
            _exit(1);
        if (n % 3 == 0 && desk_delete(desk_find(name)) == KAFKA_NONE) {
            told = -n;
            if (write(out, &told, sizeof(told)) != sizeof(told))
                _exit(1);
        }
        topics_tick(desk.topics, desk.now_ms, desk.wall_ms);
    }
}

/* What was told is so, of what was not told either is right; nothing is half. */
static int check_after_kill(int in, int32_t *count)
{
    int wrong = 0;
    int32_t told = 0;

    desk_open();
    while (read(in, &told, sizeof(told)) == (ssize_t)sizeof(told)) {
        char name[16];
        const struct topic *topic;
        snprintf(name, sizeof(name), "k%d", abs(told));
        topic = desk_find(name);
        if (told < 0)
            wrong += topic != NULL;
        else if (told % 3 != 0)
            wrong +=
                topic == NULL ||
                partition_end(topics_partition(desk.topics, desk_find(name), 1)) != 1;
        ++*count;
    }
    desk_tick_out();
    wrong += desk_folders(".stray") + desk_folders(".delete");
    while (topics_count(desk.topics) > 0)
        wrong += desk_delete(topics_at(desk.topics, 0)) != KAFKA_NONE;
    desk_tick_out();
    wrong += desk_folders("");
    return wrong;
}

START_TEST(kill_9_at_any_moment_leaves_no_half_topic)
{
    uint32_t seed = 31;
    int32_t count = 0;
    int wrong = 0;

    for (int round = 0; round < 20; round++) {
        int pipes[2];
        pid_t child;
        desk_close();
        ck_assert_int_eq(pipe(pipes), 0);
        fcntl(pipes[1], F_SETPIPE_SZ, 1024 * 1024);
        child = fork();
        if (child == 0)
            change_until_killed(pipes[1]);
        close(pipes[1]);
        usleep(5000 + bench_random(&seed) % 40000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        wrong += check_after_kill(pipes[0], &count);
        close(pipes[0]);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_gt(count, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger_topics_model");
    TCase *tests = tcase_create("model");

    tcase_add_checked_fixture(tests, desk_begin, desk_end);
    tcase_add_test(tests, random_changes_are_those_of_a_naive_catalogue);
    tcase_add_test(tests, kill_9_at_any_moment_leaves_no_half_topic);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
