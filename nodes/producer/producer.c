/* SPDX-License-Identifier: MIT
 *
 * producer.c - makes records: one arithmetic task from its arguments, or a load.
 * Every record follows from its number alone, so that a producer that was interrupted
 * goes on with the next one.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "common/dumps.h"
#include "sdk/dagnode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 500,    /* records a call of on_poll() */
    LETTERS = 4096, /* of padding, used again and again from changing places */
    SIZE_MAX_BYTES = 64 << 20,
    CATCH_UP_MS = 100, /* after a stall at most so much of the rate comes at once */
};

struct producer {
    int64_t next;  /* number of the next record, from 1 */
    int64_t count; /* 0: endless */
    int64_t size;
    int64_t keys;
    struct text_buf task; /* the record of the arguments; empty: a load */
    struct text_buf value;
    double rate; /* records a second, 0: no limit */
    int64_t pace_began_ms;
    double pace_made; /* records since then */
    char letters[LETTERS];
};

/* A number without pattern that follows from another (splitmix64). */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static int read_task(struct producer *producer, const char *const *args,
                     struct dagnode_error *err)
{
    static const char *const names[] = {"operator_1", "operator_2", "operation"};

    for (int i = 0; i < 3; i++) {
        text_appendf(&producer->task, "%s\"%s\": ", i == 0 ? "{" : ", ", names[i]);
        if (!dumps_append(&producer->task, args[i]))
            return dagnode_fail(err, DAGNODE_USAGE, "the argument %s is not UTF-8 text",
                                names[i]);
    }
    text_append(&producer->task, "}");
    return 0;
}

static int read_number(struct dagnode *n, const char *name, int64_t max, int64_t *out,
                       struct dagnode_error *err)
{
    *out = dagnode_option_int(n, name);
    if (*out < 0 || *out > max)
        return dagnode_fail(err, DAGNODE_USAGE,
                            "%s is %" PRId64 ", expected 0 to %" PRId64, name, *out,
                            max);
    return 0;
}

static int read_options(struct dagnode *n, struct producer *producer,
                        struct dagnode_error *err)
{
    if (read_number(n, "count", INT64_MAX - 1, &producer->count, err) != 0 ||
        read_number(n, "size", SIZE_MAX_BYTES, &producer->size, err) != 0 ||
        read_number(n, "keys", INT64_MAX, &producer->keys, err) != 0)
        return -1;
    producer->rate = dagnode_option_number(n, "rate");
    if (producer->rate < 0)
        return dagnode_fail(err, DAGNODE_USAGE, "rate is %g, expected 0 or more",
                            producer->rate);
    return 0;
}

static int configure(struct dagnode *n, struct producer *producer,
                     struct dagnode_error *err)
{
    int arg_count;
    const char *const *args = dagnode_args(n, &arg_count);

    if (read_options(n, producer, err) != 0)
        return -1;
    if (arg_count == 0)
        return 0;
    if (arg_count != 3)
        return dagnode_fail(err, DAGNODE_USAGE,
                            "expects the arguments OPERATOR_1 OPERATOR_2 OPERATION, or "
                            "none to make a load, got %d",
                            arg_count);
    if (dagnode_option_given(n, "size"))
        return dagnode_fail(err, DAGNODE_USAGE,
                            "size is for a load: with arguments the record is as they "
                            "say; leave one of them out");
    if (!dagnode_option_given(n, "count"))
        producer->count = 1;
    return read_task(producer, args, err);
}

static void free_producer(struct producer *producer)
{
    text_buf_clear(&producer->task);
    text_buf_clear(&producer->value);
    free(producer);
}

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct producer *producer = mem_alloc(sizeof *producer);

    if (configure(n, producer, err) != 0) {
        free_producer(producer);
        return -1;
    }
    producer->next = dagnode_position(n) + 1;
    producer->pace_began_ms = clock_mono_ms();
    for (size_t i = 0; i < LETTERS; i++)
        producer->letters[i] = (char)('a' + mix(i) % 26);
    *state = producer;
    return 0;
}

static void append_padding(struct producer *producer, uint64_t noise, size_t len)
{
    size_t from = noise % LETTERS;

    while (len > 0) {
        size_t piece = LETTERS - from < len ? LETTERS - from : len;

        text_append_bytes(&producer->value, producer->letters + from, piece);
        len -= piece;
        from = 0;
    }
}

/* Fill the object up to its size; a gap too small for a member becomes white space. */
static void finish_value(struct producer *producer, uint64_t noise)
{
    static const char open[] = ",\"padding\":\"";
    const size_t frame = sizeof open - 1 + 2; /* and its closing quote and brace */
    struct text_buf *value = &producer->value;
    size_t size = (size_t)producer->size;

    if (value->len + frame <= size) {
        text_append(value, open);
        append_padding(producer, noise, size - value->len - 2);
        text_append(value, "\"");
    }
    while (value->len + 1 < size)
        text_append(value, " ");
    text_append(value, "}");
}

static void append_number(struct text_buf *out, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_append_bytes(out, digits + at, sizeof digits - at);
}

static void make_load(struct producer *producer)
{
    struct text_buf *value = &producer->value;
    uint64_t noise = mix((uint64_t)producer->next);

    value->len = 0;
    text_append(value, "{\"id\":");
    append_number(value, (uint64_t)producer->next);
    text_append(value, ",\"operator_1\":");
    append_number(value, noise % 1000);
    text_append(value, ",\"operator_2\":");
    append_number(value, (noise >> 20) % 1000);
    text_append(value,
                noise >> 63 ? ",\"operation\":\"sub\"" : ",\"operation\":\"sum\"");
    finish_value(producer, noise);
}

static int emit_next(struct dagnode *n, struct producer *producer,
                     struct dagnode_error *err)
{
    struct dagnode_output out = {.position = producer->next};
    char key[32];

    if (producer->task.len == 0)
        make_load(producer);
    out.value = producer->task.len ? producer->task.data : producer->value.data;
    out.value_len = producer->task.len ? producer->task.len : producer->value.len;
    if (producer->keys > 0) {
        out.replace_key = true;
        out.key = key;
        out.key_len = (size_t)snprintf(key, sizeof key, "key-%" PRId64,
                                       (producer->next - 1) % producer->keys + 1);
    }
    producer->next++;
    producer->pace_made++;
    return dagnode_emit(n, &out, err);
}

/* How many records the rate allows now; with 0, when to ask again. */
static int64_t allowed(struct dagnode *n, struct producer *producer)
{
    int64_t now_ms = clock_mono_ms();
    double at_once = producer->rate * CATCH_UP_MS / 1000;
    double due;

    if (producer->rate == 0)
        return BATCH;
    due = producer->rate * (double)(now_ms - producer->pace_began_ms) / 1000 + 1 -
          producer->pace_made;
    if (due > at_once + 2) { /* it was held up: the rest of the debt is let go */
        due = at_once + 1;
        producer->pace_began_ms = now_ms;
        producer->pace_made = 1 - due;
    }
    if (due >= 1)
        return due < BATCH ? (int64_t)due : BATCH;
    due = (1 - due) * 1000 / producer->rate;
    dagnode_wait_for(n, -1, due < 60000 ? (int64_t)due + 1 : 60000);
    return 0;
}

static enum dagnode_poll on_poll(struct dagnode *n, void *state,
                                 struct dagnode_error *err)
{
    struct producer *producer = state;
    int64_t batch;

    if (producer->count > 0 && producer->next > producer->count)
        return DAGNODE_END;
    batch = allowed(n, producer);
    if (batch == 0)
        return DAGNODE_WAIT;
    if (producer->count > 0 && batch > producer->count - producer->next + 1)
        batch = producer->count - producer->next + 1;
    while (batch-- > 0) {
        if (emit_next(n, producer, err) != 0)
            return DAGNODE_FAILED;
    }
    return DAGNODE_MORE;
}

static void on_stop(struct dagnode *n, void *state)
{
    (void)n;
    free_producer(state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"count", DAGNODE_INT, NULL,
         "Records to make, 0 without end. Default: 1 with arguments, else 0", false},
        {"rate", DAGNODE_NUMBER, "0",
         "Records a second for each client, 0 for no limit", false},
        {"size", DAGNODE_SIZE, "0",
         "Of a load: bytes of each value, filled with padding; 0 for none", false},
        {"keys", DAGNODE_INT, "0",
         "Give the records keys, key-1 to key-N in turn; 0 for no keys", false},
        {0}};
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "producer",
        .doc =
            "Makes one arithmetic task from its arguments, or without arguments a load "
            "of them.",
        .args_usage = "[OPERATOR_1 OPERATOR_2 OPERATION]",
        .args_max = 3,
        .options = options,
        .on_start = on_start,
        .on_poll = on_poll,
        .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
