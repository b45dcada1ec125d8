/* SPDX-License-Identifier: MIT
 *
 * fuzz_socket.c - hostile clients against a running broker: requests of all kinds, well
 * formed or damaged, cut, too long, half sent, over many connections. After each
 * stretch a good client must still get right answers, the broker's memory must stay in
 * bounds; at the end it must stop well (sanitizers then report leaks) and come back
 * with all data. usage: fuzz_socket BROKER FOLDER REQUESTS [SEED]     (BROKER: the
 * program ledger_main)
 */
#include "socket_broker.h"
#include "socket_values.h"
#include "socket_witness.h"

#include "ledger/wire/bytes.h"
#include "ledger/wire/errors.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ATTACKERS = 48,
    STRETCH = 1000,   /* requests between two looks at the broker */
    MOST_WAITING = 3, /* unanswered requests of one connection */
    ANSWER_MAX = 64 * 1024 * 1024,
    READ_MAX = 768 * 1024, /* beyond that WIRE_ARENA_MAX may refuse a right answer */
    RECENT = 4096, /* requests whose answers are understood */
    LAST = 64,     /* frames that are shown when something is found */
    MOST_TOPICS = 100,
    SEND_MS = 100,
};

static const int64_t memory_max_bytes = INT64_C(256) << 20; /* with ASan's shadow */

struct attacker {
    int fd; /* -1: not connected */
    int waiting;
    bool confused; /* frames may begin anywhere: nobody knows what an answer is about */
    struct text_buf in;
    struct text_buf tail; /* of a frame of which only the first part was sent */
};

struct fuzz {
    struct socket_broker broker;
    struct socket_witness witness;
    struct socket_values values;
    struct attacker attackers[ATTACKERS];
    struct { /* by correlation */
        const struct wire_api *api;
        int16_t version;
        struct socket_party party; /* who asked */
    } recent[RECENT];
    int32_t correlation;
    struct text_buf last[LAST];
    int64_t sent, answers, refused, given_up, most_bytes;
    bool failed;
};

static size_t draw(struct fuzz *fuzz, size_t limit)
{
    return wire_values_below(&fuzz->values.state, limit);
}

static void found(struct fuzz *fuzz, const char *what)
{
    (void)fprintf(stderr, "fuzz_socket: %s (after %" PRId64 " requests)\n", what,
                  fuzz->sent);
    fuzz->failed = true;
}

static void hang_up(struct fuzz *fuzz, struct attacker *attacker)
{
    struct linger hard = {.l_onoff = 1}; /* a reset: no port is left in TIME_WAIT */

    if (attacker->fd < 0)
        return;
    if (draw(fuzz, 8) > 0)
        (void)setsockopt(attacker->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(attacker->fd);
    attacker->fd = -1;
    attacker->waiting = 0;
    attacker->confused = false;
    attacker->in.len = 0;
    attacker->tail.len = 0;
}

/* Who got an answer without an error is worth knowing. */
static void learn(struct fuzz *fuzz, const struct wire_message *m, int16_t version,
                  const void *answer, struct socket_party *party)
{
    for (size_t i = 0; i < m->fields_count; i++) {
        int16_t error;

        memcpy(&error, (const uint8_t *)answer + m->fields[i].offset, sizeof error);
        if (strcmp(m->fields[i].name, "error_code") == 0 && error != KAFKA_NONE &&
            error != KAFKA_MEMBER_ID_REQUIRED)
            return;
    }
    if (socket_values_meet(party, m, version, answer) > 0)
        socket_values_befriend(&fuzz->values, party);
}

/* An answer must be one, whatever was asked. */
static void read_answer(struct fuzz *fuzz, const uint8_t *frame, size_t len)
{
    struct mem_arena arena = {0};
    struct error err = {0};
    uint32_t correlation = len >= 4 ? bytes_get32(frame) : UINT32_MAX;
    const struct wire_api *api = fuzz->recent[correlation % RECENT].api;
    int16_t version = fuzz->recent[correlation % RECENT].version;
    size_t head = 4;
    void *value;

    if (correlation > (uint32_t)fuzz->correlation || len > READ_MAX)
        return;
    if (wire_api_flexible(api, version) && api->key != WIRE_API_VERSIONS)
        head = 5;
    value = mem_arena_alloc(&arena, api->response->size);
    if (len < head || wire_read(api->response, version, frame + head, len - head,
                                &arena, value, &err) < 0) {
        error_prefix(&err, "answer to %s", api->name);
        found(fuzz, err.text);
    } else {
        socket_values_remember(&fuzz->values, api->response, version, value);
        learn(fuzz, api->response, version, value,
              &fuzz->recent[correlation % RECENT].party);
    }
    mem_arena_clear(&arena);
}

static void read_answers(struct fuzz *fuzz, struct attacker *attacker)
{
    const uint8_t *at = (const uint8_t *)text_str(&attacker->in);
    size_t left = attacker->in.len;
    uint32_t len;

    while (left >= 4) {
        len = bytes_get32(at);
        if (len > ANSWER_MAX)
            found(fuzz, "an answer of an absurd length");
        if (len > ANSWER_MAX || len > left - 4)
            break;
        fuzz->answers++;
        attacker->waiting--;
        if (!attacker->confused)
            read_answer(fuzz, at + 4, len);
        at += 4 + len;
        left -= 4 + len;
    }
    text_drop_front(&attacker->in, attacker->in.len - left);
}

/* Take what the broker sent so far. */
static void receive(struct fuzz *fuzz, struct attacker *attacker)
{
    struct pollfd ready = {.fd = attacker->fd, .events = POLLIN};
    ssize_t got;

    while (attacker->fd >= 0 && poll(&ready, 1, 0) == 1) {
        text_reserve(&attacker->in, 64 * 1024);
        got = recv(attacker->fd, attacker->in.data + attacker->in.len, 64 * 1024,
                   MSG_DONTWAIT);
        if (got <= 0) {
            fuzz->refused++;
            hang_up(fuzz, attacker);
            return;
        }
        attacker->in.len += (size_t)got;
    }
    read_answers(fuzz, attacker);
}

static void send_some(struct fuzz *fuzz, struct attacker *attacker, const char *data,
                      size_t len)
{
    struct pollfd ready = {.fd = attacker->fd, .events = POLLOUT};
    ssize_t sent = 0;

    while (len > 0 && sent >= 0 && poll(&ready, 1, SEND_MS) == 1) {
        sent = send(attacker->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            data += sent;
            len -= (size_t)sent;
        }
    }
    if (len > 0) /* it reads no more, or it is gone */
        hang_up(fuzz, attacker);
}

static void put_length(struct text_buf *frame)
{
    bytes_put32((uint8_t *)frame->data, (uint32_t)(frame->len - 4));
}

static void damage_body(struct fuzz *fuzz, struct text_buf *frame)
{
    static const uint8_t bad[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff};
    size_t head = 14; /* length, key, version, correlation, client id */

    for (size_t i = 1 + draw(fuzz, 3); i > 0 && frame->len > head; i--) {
        size_t at = head + draw(fuzz, frame->len - head);

        if (draw(fuzz, 2) == 0)
            frame->data[at] = (char)bad[draw(fuzz, sizeof bad)];
        else
            frame->data[at] ^= (char)(1 << draw(fuzz, 8));
    }
}

/* Damage of the frame as such; the answer, if there is any, cannot be understood then.
 */
static void damage_frame(struct fuzz *fuzz, struct text_buf *frame)
{
    static const uint32_t lengths[] = {0,          1,          7,         UINT32_MAX,
                                       0x80000000, 0x7fffffff, 0x1000000, 100};
    size_t len;

    switch (draw(fuzz, 5)) {
    case 0:
        frame->len = 4 + draw(fuzz, frame->len - 4);
        put_length(frame);
        break;
    case 1:
        text_append_bytes(frame, "what nobody asked for", draw(fuzz, 21));
        put_length(frame);
        break;
    case 2:
        bytes_put32((uint8_t *)frame->data,
                    lengths[draw(fuzz, sizeof lengths / sizeof *lengths)]);
        break;
    case 3: /* key, version, client id */
        len = frame->len < 16 ? frame->len : 16;
        frame->data[4 + draw(fuzz, len - 4)] =
            (char)wire_values_next(&fuzz->values.state);
        break;
    default:
        for (size_t i = 4; i < frame->len; i++)
            frame->data[i] = (char)wire_values_next(&fuzz->values.state);
    }
}

static const struct wire_api *draw_api(struct fuzz *fuzz)
{
    const struct wire_api *api = NULL;

    while (api == NULL)
        api = wire_api_find((int16_t)draw(fuzz, WIRE_KEYS));
    return api;
}

static void make_frame(struct fuzz *fuzz, struct attacker *attacker,
                       struct wire_out *out)
{
    const struct wire_api *api = draw_api(fuzz);
    int16_t versions = (int16_t)(api->max_version - api->min_version + 1);
    int16_t version =
        (int16_t)(api->min_version + (int16_t)draw(fuzz, (size_t)versions));
    size_t slot = (size_t)++fuzz->correlation % RECENT;
    struct mem_arena arena = {0};
    void *value = mem_arena_alloc(&arena, api->request->size);

    socket_values_draw(&fuzz->values, api->request, version, &arena, value);
    wire_write_request(api, version, fuzz->correlation, wire_string_of("ab"), value,
                       out);
    fuzz->recent[slot].party.count = 0;
    (void)socket_values_meet(&fuzz->recent[slot].party, api->request, version, value);
    mem_arena_clear(&arena);
    fuzz->recent[slot].api = api;
    fuzz->recent[slot].version = version;
    switch (draw(fuzz, 10)) {
    case 0:
        damage_frame(fuzz, &out->bytes);
        attacker->confused = true;
        break;
    case 1:
    case 2:
    case 3:
        damage_body(fuzz, &out->bytes);
        break;
    default:
        break;
    }
}

static void keep_last(struct fuzz *fuzz, const struct text_buf *frame)
{
    struct text_buf *last = &fuzz->last[fuzz->sent % LAST];

    last->len = 0;
    text_append_bytes(last, frame->data, frame->len);
}

static void attack(struct fuzz *fuzz, struct attacker *attacker)
{
    struct wire_out out = {0};
    size_t part;

    receive(fuzz, attacker);
    if (attacker->waiting >= MOST_WAITING) { /* it has to, or it loses patience */
        if (draw(fuzz, 16) > 0)
            return;
        fuzz->given_up++;
        hang_up(fuzz, attacker);
    }
    if (attacker->fd < 0)
        attacker->fd = socket_connect(fuzz->broker.port);
    if (attacker->fd < 0) {
        found(fuzz, "the broker takes no connections");
        return;
    }
    if (attacker->tail.len > 0 && draw(fuzz, 4) > 0)
        send_some(fuzz, attacker, attacker->tail.data, attacker->tail.len);
    else if (attacker->tail.len > 0)
        attacker->confused = true;
    attacker->tail.len = 0;
    make_frame(fuzz, attacker, &out);
    part = draw(fuzz, 20) == 0 ? draw(fuzz, out.bytes.len) : out.bytes.len;
    if (attacker->fd >= 0) {
        attacker->waiting++;
        send_some(fuzz, attacker, out.bytes.data, part);
    }
    if (part < out.bytes.len && attacker->fd >= 0)
        text_append_bytes(&attacker->tail, out.bytes.data + part, out.bytes.len - part);
    keep_last(fuzz, &out.bytes);
    fuzz->sent++;
    wire_out_clear(&out);
}

static void look_at_broker(struct fuzz *fuzz)
{
    int64_t peak = socket_broker_peak_bytes(&fuzz->broker);

    if (peak > fuzz->most_bytes)
        fuzz->most_bytes = peak;
    if (!socket_broker_lives(&fuzz->broker))
        found(fuzz, "the broker is gone; see its log");
    else if (peak > memory_max_bytes)
        found(fuzz, "the broker's memory grew out of bounds");
    else if (socket_witness_check(&fuzz->witness) < 0 ||
             socket_witness_tidy(&fuzz->witness, MOST_TOPICS) < 0)
        found(fuzz, "the good client got a wrong answer or none");
}

static void run(struct fuzz *fuzz, int64_t requests)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    while (fuzz->sent < requests && !fuzz->failed) {
        attack(fuzz, &fuzz->attackers[draw(fuzz, ATTACKERS)]);
        if (fuzz->sent % STRETCH == 0 && !fuzz->failed)
            look_at_broker(fuzz);
        if (fuzz->sent % (100 * STRETCH) == 0)
            (void)printf("%" PRId64 " requests, at most %" PRId64 " MiB\n", fuzz->sent,
                         socket_broker_peak_bytes(&fuzz->broker) >> 20);
    }
}

/* Stop it, start it with the same data: everything that was acknowledged is there. */
static void restart(struct fuzz *fuzz)
{
    for (size_t i = 0; i < ATTACKERS; i++)
        hang_up(fuzz, &fuzz->attackers[i]);
    (void)close(fuzz->witness.fd);
    if (socket_broker_stop(&fuzz->broker) < 0 ||
        socket_broker_start(&fuzz->broker) < 0 ||
        socket_witness_begin(&fuzz->witness, fuzz->broker.port) < 0 ||
        socket_witness_check_all(&fuzz->witness) < 0 ||
        socket_witness_check(&fuzz->witness) < 0)
        found(fuzz, "it did not come back as it was");
    (void)close(fuzz->witness.fd);
    if (fuzz->broker.pid > 0 && socket_broker_stop(&fuzz->broker) < 0)
        found(fuzz, "it did not stop well the second time");
}

/* The frames before a finding, oldest first, one a line. */
static void show_last(const struct fuzz *fuzz)
{
    for (int64_t i = fuzz->sent > LAST ? fuzz->sent - LAST : 0; i < fuzz->sent; i++) {
        const struct text_buf *last = &fuzz->last[i % LAST];

        for (size_t k = 0; k < last->len && k < 2000; k++)
            (void)fprintf(stderr, "%02x", (uint8_t)last->data[k]);
        (void)fputc('\n', stderr);
    }
}

static void finish(struct fuzz *fuzz)
{
    /* Requests that were all refused would test nothing but the refusal. */
    if (!fuzz->failed && fuzz->answers < fuzz->sent / 4)
        found(fuzz, "too few requests were answered");
    if (fuzz->failed)
        show_last(fuzz);
    (void)printf("%" PRId64 " requests, %" PRId64 " answered, %" PRId64
                 " connections closed by the broker, %" PRId64
                 " given up while waiting, at most %" PRId64 " MiB\n"
                 "100%%: Checks: %" PRId64 ", Failures: %d, Errors: 0\n",
                 fuzz->sent, fuzz->answers, fuzz->refused, fuzz->given_up,
                 fuzz->most_bytes >> 20, fuzz->sent, fuzz->failed);
    socket_broker_kill(&fuzz->broker);
    for (size_t i = 0; i < ATTACKERS; i++) {
        text_buf_clear(&fuzz->attackers[i].in);
        text_buf_clear(&fuzz->attackers[i].tail);
    }
    for (size_t i = 0; i < LAST; i++)
        text_buf_clear(&fuzz->last[i]);
    free(fuzz->broker.data_dir);
    free(fuzz->broker.log_path);
}

int main(int argc, char **argv)
{
    struct fuzz *fuzz = mem_alloc(sizeof *fuzz);
    int64_t requests = 0;
    int failed;

    if (argc < 4 || !text_parse_int(argv[3], &requests) || requests <= 0) {
        (void)fputs("usage: fuzz_socket BROKER FOLDER REQUESTS [SEED]\n", stderr);
        return 2;
    }
    fuzz->values.state = argc > 4 ? strtoull(argv[4], NULL, 10) | 1 : 42;
    fuzz->broker.program = argv[1];
    fuzz->broker.data_dir = mem_printf("%s/data", argv[2]);
    fuzz->broker.log_path = mem_printf("%s/log", argv[2]);
    for (size_t i = 0; i < ATTACKERS; i++)
        fuzz->attackers[i].fd = -1;
    if (mkdir(argv[2], 0700) < 0 && errno != EEXIST)
        perror(argv[2]);
    if (socket_broker_start(&fuzz->broker) < 0 ||
        socket_witness_begin(&fuzz->witness, fuzz->broker.port) < 0)
        found(fuzz, "no broker to begin with");
    run(fuzz, requests);
    if (!fuzz->failed)
        restart(fuzz);
    finish(fuzz);
    failed = fuzz->failed;
    free(fuzz);
    return failed;
}
