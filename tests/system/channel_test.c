/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "host/channel.h"
#include "support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct seen {
    struct channel *channel;
    int lines;
    int malformed;
    int drained;
    int closed;
    int64_t last_number;
    char last_text[256];
    bool close_on_line;
    bool echo;
};

static struct loop *loop;
static struct seen seen;
static int peer;

static void on_event(void *arg, enum channel_event event, const json_t *line,
                     const char *text)
{
    struct seen *s = arg;

    ck_assert_int_eq(s->closed, 0); /* nothing follows the end */
    s->lines += event == CHANNEL_LINE;
    s->malformed += event == CHANNEL_MALFORMED;
    s->drained += event == CHANNEL_DRAINED;
    s->closed += event == CHANNEL_CLOSED;
    if (text)
        (void)snprintf(s->last_text, sizeof s->last_text, "%s", text);
    if (event == CHANNEL_LINE) {
        s->last_number = json_get_int(line, "n", -1);
        if (s->echo)
            channel_send(s->channel, line);
        if (s->close_on_line) {
            channel_close(s->channel);
            s->channel = NULL;
        }
    }
}

static void set_up(void)
{
    struct error err = {0};
    int ours;

    loop = loop_new(&err);
    ck_assert_int_eq(channel_pair(&ours, &peer, &err), 0);
    seen = (struct seen){0};
    seen.channel = channel_open(loop, ours, on_event, &seen, &err);
    ck_assert_ptr_nonnull(seen.channel);
}

static void tear_down(void)
{
    channel_close(seen.channel);
    if (peer >= 0)
        (void)close(peer);
    loop_free(loop);
}

static void turn(void)
{
    loop_wait(loop, clock_mono_ms() + 50);
}

static void say(const char *text)
{
    ck_assert_int_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void hang_up(void)
{
    (void)close(peer);
    peer = -1;
}

START_TEST(lines_arrive_however_they_are_cut)
{
    const char *text = "{\"n\":1}\n{\"n\":2}\n\n{\"n\":3}\n";

    for (const char *c = text; *c; c++) {
        ck_assert_int_eq(write(peer, c, 1), 1);
        turn();
    }
    ck_assert_int_eq(seen.lines, 3);
    ck_assert_int_eq(seen.last_number, 3);
    say("{\"n\":4}\n{\"n\":5}\n{\"n\":");
    turn();
    ck_assert_int_eq(seen.lines, 5);
    say("6}\n");
    turn();
    ck_assert_int_eq(seen.last_number, 6);
}
END_TEST

START_TEST(a_malformed_line_is_reported_and_the_next_one_read)
{
    say("not json\n[1]\n{\"n\":1,\"n\":2}\n{\"n\":7}\n");
    turn();
    ck_assert_int_eq(seen.malformed, 3);
    ck_assert_int_eq(seen.lines, 1);
    ck_assert_int_eq(seen.last_number, 7);
    ck_assert(channel_is_open(seen.channel));
}
END_TEST

START_TEST(a_line_without_end_is_reported_once_and_not_kept)
{
    char *block = mem_alloc(1 << 20);

    (void)fcntl(peer, F_SETFL, O_NONBLOCK);
    memset(block, 'x', 1 << 20);
    for (size_t sent = 0; sent < 2 * (size_t)CHANNEL_LINE_MAX;) {
        ssize_t len = write(peer, block, 1 << 20);

        if (len > 0)
            sent += (size_t)len;
        turn();
    }
    ck_assert_int_eq(seen.malformed, 1);
    say("\n{\"n\":8}\n");
    turn();
    ck_assert_int_eq(seen.malformed, 1);
    ck_assert_int_eq(seen.lines, 1);
    ck_assert_int_eq(seen.last_number, 8);
    free(block);
}
END_TEST

START_TEST(what_the_peer_said_before_it_went_is_read_first)
{
    say("{\"n\":1}\n{\"n\":2}\n");
    hang_up();
    turn();
    turn();
    ck_assert_int_eq(seen.lines, 2);
    ck_assert_int_eq(seen.closed, 1);
    ck_assert(!channel_is_open(seen.channel));
    channel_send_text(seen.channel, "{}", 2); /* does nothing */
}
END_TEST

START_TEST(sending_to_a_peer_that_went_ends_out_of_the_loop)
{
    say("{\"n\":9}\n");
    hang_up();
    for (int i = 0; i < 10; i++)
        channel_send_text(seen.channel, "{}", 2);
    ck_assert_int_eq(seen.closed, 0);
    turn();
    turn();
    ck_assert_int_eq(seen.last_number, 9);
    ck_assert_int_eq(seen.closed, 1);
}
END_TEST

START_TEST(a_peer_that_reads_slowly_gets_everything_in_order)
{
    enum { COUNT = 20000 };
    char data[65536];
    int64_t expected = 0;
    size_t kept = 0;
    ssize_t len;

    for (int i = 0; i < COUNT; i++) {
        json_t *object = json_pack("{s:i,s:s}", "n", i, "text", "some more of it");

        channel_send(seen.channel, object);
        json_decref(object);
    }
    ck_assert_uint_gt(channel_unsent(seen.channel), 0);
    (void)fcntl(peer, F_SETFL, O_NONBLOCK);
    while (expected < COUNT) {
        char *newline;

        turn();
        len = read(peer, data + kept, sizeof data - kept - 1);
        if (len <= 0)
            continue;
        kept += (size_t)len;
        data[kept] = '\0';
        while ((newline = strchr(data, '\n')) != NULL) {
            long long number = -1;

            ck_assert_int_eq(sscanf(data, "{\"n\":%lld", &number), 1);
            ck_assert_int_eq(number, expected++);
            kept -= (size_t)(newline + 1 - data);
            memmove(data, newline + 1, kept + 1);
        }
    }
    ck_assert_uint_eq(channel_unsent(seen.channel), 0);
    ck_assert_int_eq(seen.drained, 1);
}
END_TEST

START_TEST(a_peer_that_never_reads_is_given_up)
{
    char *line = mem_alloc(1 << 20);

    memset(line, 'x', 1 << 20);
    for (int i = 0; i < 12; i++)
        channel_send_text(seen.channel, line, 1 << 20);
    ck_assert_int_eq(seen.closed, 0);
    turn();
    turn();
    ck_assert_int_eq(seen.closed, 1);
    ck_assert_str_eq(seen.last_text, "the peer reads too slowly");
    free(line);
}
END_TEST

START_TEST(a_channel_may_be_closed_by_what_it_says)
{
    seen.close_on_line = true;
    say("{\"n\":1}\n{\"n\":2}\n");
    turn();
    ck_assert_int_eq(seen.lines, 1);
    ck_assert_int_eq(seen.closed, 0);
    ck_assert_int_eq(fcntl(peer, F_GETFD) < 0, 0);
}
END_TEST

START_TEST(an_answer_may_be_sent_from_the_callback)
{
    char data[64] = "";

    seen.echo = true;
    say("{\"n\":5}\n");
    turn();
    ck_assert_int_gt(read(peer, data, sizeof data - 1), 0);
    ck_assert_str_eq(data, "{\"n\":5}\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("channel");
    TCase *cases = tcase_create("channel");

    tcase_set_timeout(cases, 30);
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_test(cases, lines_arrive_however_they_are_cut);
    tcase_add_test(cases, a_malformed_line_is_reported_and_the_next_one_read);
    tcase_add_test(cases, a_line_without_end_is_reported_once_and_not_kept);
    tcase_add_test(cases, what_the_peer_said_before_it_went_is_read_first);
    tcase_add_test(cases, sending_to_a_peer_that_went_ends_out_of_the_loop);
    tcase_add_test(cases, a_peer_that_reads_slowly_gets_everything_in_order);
    tcase_add_test(cases, a_peer_that_never_reads_is_given_up);
    tcase_add_test(cases, a_channel_may_be_closed_by_what_it_says);
    tcase_add_test(cases, an_answer_may_be_sent_from_the_callback);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
