/* SPDX-License-Identifier: MIT
 *
 * The control socket: a server process (forked, on the loop) and blocking clients.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "host/control.h"
#include "host/lock.h"
#include "support/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char *path;
static pid_t server;

struct state {
    struct control *control;
    struct control_conn *held;
    int broadcasts;
    bool stop;
};

/* say TEXT · later · release · subscribe · broadcast COUNT BYTES · stop · silence */
static void on_request(void *arg, struct control_conn *conn, const json_t *request)
{
    struct state *state = arg;
    const char *verb = json_get_string(request, "verb", "");
    json_t *answer = json_object();

    (void)json_object_set_new(answer, "ok", json_true());
    if (strcmp(verb, "silence") == 0) {
        json_decref(answer);
        return;
    }
    if (strcmp(verb, "say") == 0)
        (void)json_object_set_new(answer, "text",
                                  json_string(json_get_string(request, "text", "")));
    if (strcmp(verb, "later") == 0) {
        state->held = control_hold(conn);
        json_decref(answer);
        return;
    }
    if (strcmp(verb, "release") == 0) {
        control_send(state->held, answer); /* its peer may have gone */
        control_release(state->held);
        state->held = NULL;
    }
    if (strcmp(verb, "subscribe") == 0)
        control_subscribe(conn);
    if (strcmp(verb, "subscribers") == 0)
        (void)json_object_set_new(answer, "count",
                                  json_integer(control_subscribers(state->control)));
    if (strcmp(verb, "broadcast") == 0)
        state->broadcasts = (int)json_get_int(request, "count", 1);
    if (strcmp(verb, "stop") == 0)
        state->stop = true;
    control_send(conn, answer);
    json_decref(answer);
}

static void broadcast_all(struct state *state)
{
    char *filler = mem_alloc(10001);

    memset(filler, '.', 10000);
    for (int i = 0; i < state->broadcasts; i++) {
        json_t *news = json_pack("{s:i,s:s}", "n", i, "filler", filler);

        control_broadcast(state->control, news);
        json_decref(news);
    }
    state->broadcasts = 0;
    free(filler);
}

static void serve(int ready_fd)
{
    struct state state = {0};
    struct error err = {0};
    struct loop *loop = loop_new(&err);

    state.control = control_open(loop, path, on_request, &state, &err);
    if (state.control == NULL) {
        (void)fprintf(stderr, "server: %s\n", err.text);
        _exit(1);
    }
    (void)!write(ready_fd, "x", 1);
    while (!state.stop) {
        loop_wait(loop, INT64_MAX);
        broadcast_all(&state);
    }
    control_release(state.held);
    control_close(state.control);
    loop_free(loop);
    free(path);
    exit(0);
}

static void start_server(void)
{
    char byte;
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    server = fork();
    if (server == 0) {
        (void)close(fds[0]);
        serve(fds[1]);
    }
    (void)close(fds[1]);
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    (void)close(fds[0]);
}

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/control_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    path = mem_printf("%s/control", folder);
}

static void tear_down(void)
{
    char *command = mem_printf("rm -rf '%s'", folder);

    if (server > 0)
        (void)kill(server, SIGKILL);
    ck_assert_int_eq(system(command), 0);
    free(command);
    free(path);
}

static struct control_client *client(void)
{
    struct error err = {0};
    struct control_client *connected = control_connect(path, &err);

    ck_assert_msg(connected != NULL, "%s", err.text);
    return connected;
}

static json_t *ask(struct control_client *to, json_t *request)
{
    struct error err = {0};
    json_t *answer = control_call(to, request, 5000, &err);

    json_decref(request);
    ck_assert_msg(answer != NULL, "%s", err.text);
    return answer;
}

static void tell(struct control_client *to, const char *verb)
{
    json_decref(ask(to, json_pack("{s:s}", "verb", verb)));
}

static void stop_server(void)
{
    struct control_client *c = client();
    int status;

    tell(c, "stop");
    control_client_free(c);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(status, 0); /* the sanitizers found nothing in it either */
    server = 0;
    ck_assert_int_eq(access(path, F_OK), -1);
}

START_TEST(a_question_is_answered)
{
    struct control_client *c;
    struct stat file;
    json_t *answer;

    start_server();
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_uint_eq(file.st_mode & 07777, 0600);
    c = client();
    for (int i = 0; i < 100; i++) {
        answer =
            ask(c, json_pack("{s:s,s:s}", "verb", "say", "text", "gr\xc3\xbc\xc3\x9f"));
        ck_assert_str_eq(json_get_string(answer, "text", ""), "gr\xc3\xbc\xc3\x9f");
        json_decref(answer);
    }
    control_client_free(c);
    stop_server();
}
END_TEST

START_TEST(a_line_that_is_no_question_is_refused_and_the_next_answered)
{
    struct control_client *c;
    struct error err = {0};
    json_t *answer;

    start_server();
    c = client();
    ck_assert_int_eq(write(control_client_fd(c), "rubbish\n", 8), 8);
    answer = control_next(c, 5000, &err);
    ck_assert_ptr_nonnull(answer);
    ck_assert_ptr_nonnull(strstr(json_get_string(answer, "error", ""), "not JSON"));
    json_decref(answer);
    tell(c, "say");
    control_client_free(c);
    stop_server();
}
END_TEST

START_TEST(an_answer_can_come_later_or_to_nobody)
{
    struct control_client *asker;
    struct control_client *other;
    struct error err = {0};
    json_t *answer;

    start_server();
    for (int gone = 0; gone < 2; gone++) {
        json_t *request = json_pack("{s:s}", "verb", "later");

        asker = client();
        other = client();
        ck_assert_ptr_null(control_call(asker, request, 100, &err));
        ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
        json_decref(request);
        err = (struct error){0};
        if (gone) {
            control_client_free(asker);
            tell(other, "say"); /* the server has seen that the asker is gone */
        }
        tell(other, "release");
        if (!gone) {
            answer = control_next(asker, 5000, &err);
            ck_assert_msg(answer != NULL, "%s", err.text);
            json_decref(answer);
            control_client_free(asker);
        }
        control_client_free(other);
    }
    stop_server();
}
END_TEST

START_TEST(a_subscriber_gets_every_broadcast)
{
    struct control_client *c;
    struct control_client *other;
    struct error err = {0};

    start_server();
    c = client();
    other = client();
    tell(c, "subscribe");
    for (int i = 0; i < 10; i++) {
        json_t *news;

        tell(other, "broadcast");
        news = control_next(c, 5000, &err);
        ck_assert_msg(news != NULL, "%s", err.text);
        ck_assert_int_eq(json_get_int(news, "n", -1), 0);
        json_decref(news);
    }
    ck_assert_ptr_null(control_next(c, 50, &err));
    ck_assert_int_eq(err.kind, ERROR_TIMEOUT);
    control_client_free(c);
    control_client_free(other);
    stop_server();
}
END_TEST

START_TEST(a_slow_subscriber_misses_some_but_gets_the_latest)
{
    enum { MANY = 2000 };
    struct control_client *slow;
    struct control_client *other;
    struct error err = {0};
    int64_t number = -1;
    int count = 0;

    start_server();
    slow = client();
    other = client();
    tell(slow, "subscribe");
    json_decref(ask(other, json_pack("{s:s,s:i}", "verb", "broadcast", "count", MANY)));
    tell(other, "say"); /* 20 MB were broadcast; the server still answers */
    while (number < MANY - 1) {
        json_t *news = control_next(slow, 5000, &err);

        ck_assert_msg(news != NULL, "%s after %lld", err.text, (long long)number);
        ck_assert_int_gt(json_get_int(news, "n", -1), number);
        number = json_get_int(news, "n", -1);
        json_decref(news);
        count++;
    }
    ck_assert_int_lt(count, MANY / 2);
    control_client_free(slow);
    control_client_free(other);
    stop_server();
}
END_TEST

START_TEST(a_subscriber_that_goes_is_forgotten)
{
    struct control_client *c;
    struct control_client *other;
    json_t *answer;

    start_server();
    other = client();
    c = client();
    tell(c, "subscribe");
    control_client_free(c);
    answer = ask(other, json_pack("{s:s,s:i}", "verb", "broadcast", "count", 100));
    json_decref(answer);
    answer = ask(other, json_pack("{s:s}", "verb", "subscribers"));
    ck_assert_int_eq(json_get_int(answer, "count", -1), 0);
    json_decref(answer);
    control_client_free(other);
    stop_server();
}
END_TEST

START_TEST(a_dead_servers_socket_is_replaced_and_a_living_ones_is_not)
{
    struct control_client *c;
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct state state = {0};
    FILE *file;
    int status;

    ck_assert_ptr_null(control_connect(path, &err));
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    start_server();
    err = (struct error){0};
    ck_assert_ptr_null(control_open(loop, path, on_request, &state, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert_int_eq(access(path, F_OK), 0);
    err = (struct error){0};
    ck_assert_ptr_null(control_connect(path, &err));
    ck_assert_int_eq(err.kind, ERROR_NOT_FOUND);
    start_server();
    c = client();
    tell(c, "say");
    control_client_free(c);
    stop_server();
    file = fopen(path, "w"); /* somebody's file is not ours to remove */
    (void)fputs("precious", file);
    (void)fclose(file);
    err = (struct error){0};
    ck_assert_ptr_null(control_open(loop, path, on_request, &state, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_int_eq(access(path, F_OK), 0);
    loop_free(loop);
}
END_TEST

START_TEST(a_path_longer_than_an_address_works)
{
    struct control_client *c;
    char *deep = mem_strdup(folder);

    for (int i = 0; i < 4; i++) {
        char *deeper = mem_printf("%s/%060d", deep, i);

        ck_assert_int_eq(mkdir(deeper, 0700), 0);
        free(deep);
        deep = deeper;
    }
    free(path);
    path = mem_printf("%s/control", deep);
    free(deep);
    ck_assert_uint_gt(strlen(path), 200);
    start_server();
    c = client();
    tell(c, "say");
    control_client_free(c);
    stop_server();
}
END_TEST

START_TEST(a_server_that_goes_is_told_to_a_waiting_client)
{
    struct control_client *c;
    struct error err = {0};

    start_server();
    c = client();
    ck_assert_int_eq(kill(server, SIGKILL), 0);
    ck_assert_ptr_null(control_next(c, 5000, &err));
    ck_assert_int_eq(err.kind, ERROR_UNREACHABLE);
    control_client_free(c);
    (void)waitpid(server, NULL, 0);
    server = 0;
}
END_TEST

static void start_server_with_few_descriptors(void)
{
    struct rlimit before;

    (void)getrlimit(RLIMIT_NOFILE, &before);
    (void)setrlimit(RLIMIT_NOFILE, &(struct rlimit){40, before.rlim_max});
    start_server();
    (void)setrlimit(RLIMIT_NOFILE, &before);
}

START_TEST(without_descriptors_the_server_refuses_and_lives_on)
{
    enum { MANY = 80 };
    struct control_client *all[MANY];
    struct error err = {0};
    json_t *request = json_pack("{s:s}", "verb", "say");
    int answered = 0;

    start_server_with_few_descriptors();
    for (int i = 0; i < MANY; i++)
        all[i] = client();
    for (int i = 0; i < MANY; i++) {
        json_t *answer = control_call(all[i], request, 2000, &err);

        answered += answer != NULL;
        json_decref(answer);
    }
    for (int i = 0; i < MANY; i++)
        control_client_free(all[i]);
    ck_assert_int_gt(answered, 10);
    ck_assert_int_lt(answered, 40);
    json_decref(request);
    stop_server();
}
END_TEST

/* The listening socket is the first that is ready, the descriptors come back behind it. */
START_TEST(who_comes_while_others_go_is_not_refused)
{
    enum { MANY = 60 };
    struct control_client *all[MANY];
    struct control_client *late;
    struct error err = {0};
    json_t *request = json_pack("{s:s}", "verb", "say");
    json_t *answer;

    start_server_with_few_descriptors();
    for (int i = 0; i < MANY; i++) {
        all[i] = client();
        json_decref(control_call(all[i], request, -1, &err));
    }
    ck_assert_int_eq(kill(server, SIGSTOP), 0);
    late = client();
    for (int i = 0; i < MANY; i++)
        control_client_free(all[i]);
    ck_assert_int_eq(kill(server, SIGCONT), 0);
    err = (struct error){0};
    answer = control_call(late, request, -1, &err);
    ck_assert_msg(answer != NULL, "%s", err.text);
    json_decref(answer);
    control_client_free(late);
    json_decref(request);
    stop_server();
}
END_TEST

START_TEST(a_lock_is_held_as_long_as_its_process_lives)
{
    char *file = mem_printf("%s/lock", folder);
    struct error err = {0};
    struct lock *lock;
    pid_t pid = -1;
    pid_t holder;
    char byte;
    int fds[2];

    ck_assert(!lock_probe(file, &pid));
    ck_assert_int_eq(pid, 0);
    ck_assert_int_eq(pipe(fds), 0);
    holder = fork();
    if (holder == 0) {
        lock = lock_take(file, &err);
        (void)!write(fds[1], lock ? "y" : "n", 1);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(fds[0], &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    for (int i = 0; i < 3; i++) { /* asking does not take it */
        ck_assert(lock_probe(file, &pid));
        ck_assert_int_eq(pid, holder);
    }
    ck_assert_ptr_null(lock_take(file, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.text, "held by process"));
    ck_assert_int_eq(kill(holder, SIGKILL), 0);
    ck_assert_int_eq(waitpid(holder, NULL, 0), holder);
    ck_assert(!lock_probe(file, &pid));
    err = (struct error){0};
    lock = lock_take(file, &err);
    ck_assert_msg(lock != NULL, "%s", err.text);
    ck_assert(lock_probe(file, &pid)); /* also from within */
    ck_assert_int_eq(pid, getpid());
    lock_release(lock);
    ck_assert(!lock_probe(file, &pid));
    err = (struct error){0};
    ck_assert_ptr_null(lock_take("/no/such/folder/lock", &err));
    ck_assert_int_eq(err.kind, ERROR_INTERNAL);
    free(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control");
    TCase *cases = tcase_create("control");

    tcase_set_timeout(cases, 30);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, a_question_is_answered);
    tcase_add_test(cases, a_line_that_is_no_question_is_refused_and_the_next_answered);
    tcase_add_test(cases, an_answer_can_come_later_or_to_nobody);
    tcase_add_test(cases, a_subscriber_gets_every_broadcast);
    tcase_add_test(cases, a_slow_subscriber_misses_some_but_gets_the_latest);
    tcase_add_test(cases, a_subscriber_that_goes_is_forgotten);
    tcase_add_test(cases, a_dead_servers_socket_is_replaced_and_a_living_ones_is_not);
    tcase_add_test(cases, a_path_longer_than_an_address_works);
    tcase_add_test(cases, a_server_that_goes_is_told_to_a_waiting_client);
    tcase_add_test(cases, without_descriptors_the_server_refuses_and_lives_on);
    tcase_add_test(cases, who_comes_while_others_go_is_not_refused);
    tcase_add_test(cases, a_lock_is_held_as_long_as_its_process_lives);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
