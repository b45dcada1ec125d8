/* SPDX-License-Identifier: MIT
 *
 * fuzz_web.c - hostile clients against a running 'dagrun web': requests of every route
 * (http_seeds), most of them damaged, over many connections; some with the token.
 * Whatever it answers is HTTP and no failure of its own; between each thousand it must
 * still say that it is well. usage: fuzz_web PORT TOKEN REQUESTS FOLDER [SEED]
 * (fuzz_web.sh)
 */
#include "corpus.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ATTACKERS = 48,
    STRETCH = 1000,   /* requests between two looks at the server */
    PATIENCE_MS = 40, /* that one waits for its answer */
    WELL_MS = 10000,
    TOKEN_ONE_IN = 8, /* mutations that are sent with the right token */
    LAST = 64,        /* requests that are kept for when something is found */
};

static const char token_mark[] = "TOKEN";
static const char *const words[] = {"\r\n",
                                    "\r\n\r\n",
                                    "\n",
                                    "\r",
                                    ": ",
                                    " ",
                                    "\t",

                                    "\xff",
                                    "%2f",
                                    "%00",
                                    "..",
                                    "/",
                                    "?",
                                    "&",
                                    "=",
                                    "Host: localhost\r\n",
                                    "Host: x\r\n",
                                    "Content-Length: 5\r\n",
                                    "Content-Length: 99999\r\n",
                                    "Content-Length: -1\r\n",
                                    "Transfer-Encoding: chunked\r\n",
                                    "0\r\n\r\n",
                                    "fffffffffffffffff\r\n",
                                    "5;x=y\r\n",
                                    "Connection: close\r\n",
                                    "Connection: keep-alive\r\n",
                                    "Expect: 100-continue\r\n",
                                    "Upgrade: websocket\r\n",
                                    " HTTP/1.0\r\n",
                                    " HTTP/1.1\r\n",
                                    " HTTP/9.9\r\n",
                                    "GET ",
                                    "POST ",
                                    "HEAD ",
                                    "DELETE ",
                                    "OPTIONS * ",
                                    "http://localhost/",
                                    "{",
                                    "}",
                                    "[[[[",
                                    "\"",
                                    "Last-Event-ID: ",
                                    "If-None-Match: *\r\n",
                                    "Range: bytes=0-\r\n",
                                    NULL};

struct attacker {
    int fd;     /* -1: not connected */
    bool fresh; /* what comes first is the begin of an answer */
    int64_t deadline_ms;
};

struct fuzz {
    struct sockaddr_in address;
    const char *token;
    struct corpus corpus;
    uint64_t state;
    struct corpus_input in;
    struct attacker attackers[ATTACKERS];
    struct text_buf last[LAST];
    long sent, answers;
    long by_class[10]; /* answers 1xx … 5xx */
    bool failed;
};

static void found(struct fuzz *fuzz, const char *what, const char *text)
{
    (void)fprintf(stderr, "fuzz_web: %s (after %ld requests): %.200s\n", what,
                  fuzz->sent, text);
    fuzz->failed = true;
}

static void hang_up(struct attacker *attacker)
{
    struct linger hard = {.l_onoff = 1}; /* a reset: no port is left in TIME_WAIT */

    if (attacker->fd < 0)
        return;
    (void)setsockopt(attacker->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(attacker->fd);
    attacker->fd = -1;
}

static int dial(const struct fuzz *fuzz)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)&fuzz->address, sizeof fuzz->address) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* --------------------------------------------------------------------------- requests
 */

/* The token in the place of its mark, now and then. */
static void take_request(struct fuzz *fuzz, struct text_buf *out)
{
    const char *data = (const char *)fuzz->in.data;
    size_t left = fuzz->in.len;
    size_t mark_len = sizeof token_mark - 1;
    bool known = corpus_below(&fuzz->state, TOKEN_ONE_IN) == 0;
    const char *mark;

    out->len = 0;
    while (known && (mark = memmem(data, left, token_mark, mark_len)) != NULL) {
        text_append_bytes(out, data, (size_t)(mark - data));
        text_append(out, fuzz->token);
        left -= (size_t)(mark - data) + mark_len;
        data = mark + mark_len;
    }
    text_append_bytes(out, data, left);
}

static void attack(struct fuzz *fuzz, struct attacker *attacker)
{
    struct text_buf *text = &fuzz->last[fuzz->sent % LAST];

    corpus_mutate(&fuzz->corpus, words, &fuzz->state, &fuzz->in);
    take_request(fuzz, text);
    if (attacker->fd < 0) {
        attacker->fd = dial(fuzz);
        attacker->fresh = true;
    }
    if (attacker->fd < 0)
        return;
    (void)send(attacker->fd, text_str(text), text->len, MSG_DONTWAIT | MSG_NOSIGNAL);
    attacker->deadline_ms = clock_mono_ms() + PATIENCE_MS;
    fuzz->sent++;
}

/* The rest of an answer may come before the begin of the next one. */
static void check_answer(struct fuzz *fuzz, const struct attacker *attacker,
                         const char *text)
{
    int status = 0;
    bool is_begin = sscanf(text, "HTTP/1.%*1[01] %3d", &status) == 1;

    if (is_begin && status >= 100 && status <= 599)
        fuzz->by_class[status / 100]++;
    else if (attacker->fresh)
        found(fuzz, "an answer that is no HTTP", text);
    if (is_begin && status == 500)
        found(fuzz, "a failure of its own", text);
}

static void take_answer(struct fuzz *fuzz, struct attacker *attacker)
{
    char text[4096];
    ssize_t len = recv(attacker->fd, text, sizeof text - 1, MSG_DONTWAIT);

    if (len <= 0) { /* it may hang up without a word */
        hang_up(attacker);
        return;
    }
    text[len] = '\0';
    fuzz->answers++;
    check_answer(fuzz, attacker, text);
    attacker->fresh = false;
    if (corpus_below(&fuzz->state, 4) > 0)
        hang_up(attacker); /* else the next request comes on the same connection */
    attacker->deadline_ms = 0;
}

/* Send by all that are free, take what has come. */
static void round_of(struct fuzz *fuzz)
{
    struct pollfd polled[ATTACKERS];
    int64_t now_ms;

    for (size_t i = 0; i < ATTACKERS; i++) {
        if (fuzz->attackers[i].deadline_ms == 0)
            attack(fuzz, &fuzz->attackers[i]);
        polled[i] = (struct pollfd){.fd = fuzz->attackers[i].fd, .events = POLLIN};
    }
    (void)poll(polled, ATTACKERS, PATIENCE_MS);
    now_ms = clock_mono_ms();
    for (size_t i = 0; i < ATTACKERS; i++) {
        struct attacker *attacker = &fuzz->attackers[i];

        if (attacker->fd >= 0 && polled[i].revents)
            take_answer(fuzz, attacker);
        else if (attacker->fd >= 0 && attacker->deadline_ms < now_ms)
            hang_up(attacker);
        if (attacker->fd < 0)
            attacker->deadline_ms = 0;
    }
}

/* ------------------------------------------------------------------------- the server
 */

static bool is_well(const struct fuzz *fuzz)
{
    static const char request[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    int64_t deadline_ms = clock_mono_ms() + WELL_MS;

    while (clock_mono_ms() < deadline_ms) {
        struct pollfd polled = {.fd = dial(fuzz), .events = POLLIN};
        char text[64] = "";

        if (polled.fd < 0)
            continue;
        (void)send(polled.fd, request, sizeof request - 1, MSG_NOSIGNAL);
        if (poll(&polled, 1, WELL_MS) == 1)
            (void)recv(polled.fd, text, sizeof text - 1, 0);
        (void)close(polled.fd);
        if (strncmp(text, "HTTP/1.1 200 ", 13) == 0)
            return true;
    }
    return false;
}

static void write_last(const struct fuzz *fuzz)
{
    for (size_t i = 0; i < LAST; i++) {
        const struct text_buf *text =
            &fuzz->last[(size_t)(fuzz->sent + (long)i) % LAST];

        (void)fprintf(stderr, "---- %zu before\n", LAST - i);
        text_print_safe(stderr, text_str(text), text->len);
        (void)fputc('\n', stderr);
    }
}

static void run(struct fuzz *fuzz, long requests)
{
    int64_t begun_ms = clock_mono_ms();
    long next = STRETCH;

    while (fuzz->sent < requests && !fuzz->failed) {
        round_of(fuzz);
        if (fuzz->sent < next)
            continue;
        next += STRETCH;
        if (!is_well(fuzz))
            found(fuzz, "it does not say that it is well", "");
    }
    (void)printf(
        "%ld requests in %lld s: %ld answers (1xx %ld, 2xx %ld, 3xx %ld, 4xx %ld, "
        "5xx %ld), %ld without one\n",
        fuzz->sent, (long long)(clock_mono_ms() - begun_ms) / 1000, fuzz->answers,
        fuzz->by_class[1], fuzz->by_class[2], fuzz->by_class[3], fuzz->by_class[4],
        fuzz->by_class[5], fuzz->sent - fuzz->answers);
}

int main(int argc, char **argv)
{
    struct fuzz fuzz = {.in.data = mem_alloc(CORPUS_INPUT_MAX), .state = 42};
    long requests = argc > 4 ? strtol(argv[3], NULL, 10) : 0;

    if (argc > 5)
        fuzz.state = strtoull(argv[5], NULL, 10) | 1;
    if (requests > 0)
        corpus_add_folder(&fuzz.corpus, argv[4]);
    if (fuzz.corpus.count == 0) {
        (void)fputs("usage: fuzz_web PORT TOKEN REQUESTS FOLDER [SEED]\n", stderr);
        return 2;
    }
    fuzz.token = argv[2];
    fuzz.address = (struct sockaddr_in){.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)atoi(argv[1])),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < ATTACKERS; i++)
        fuzz.attackers[i].fd = -1;
    run(&fuzz, requests);
    if (fuzz.failed)
        write_last(&fuzz);
    for (size_t i = 0; i < ATTACKERS; i++)
        hang_up(&fuzz.attackers[i]);
    for (size_t i = 0; i < LAST; i++)
        text_buf_clear(&fuzz.last[i]);
    corpus_clear(&fuzz.corpus);
    free(fuzz.in.data);
    (void)printf("100%%: Checks: %ld, Failures: %d, Errors: 0\n", fuzz.sent,
                 fuzz.failed);
    return fuzz.failed ? 1 : 0;
}
