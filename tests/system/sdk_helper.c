/* SPDX-License-Identifier: MIT
 *
 * sdk_helper.c - a program with the behaviours that the tests of the SDK need:
 *   count N [stay|slow]  a source that makes 0..N-1 and ends; stay: waits at its end,
 *                    slow: makes 100 a millisecond at most
 *   twist            a transform that does what its record's value asks:
 *                    "fail…" emits and then fails, "many…" emits three outputs,
 *                    "none…" nothing, "big…" 3 MiB, "slow…" takes 50 ms, "die…" is
 * fatal; everything else is passed on SDK_HELPER=source in the environment makes it the
 * source.
 */
#include "dagnode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int emit_text(struct dagnode *n, const char *text, size_t len,
                     struct dagnode_error *err)
{
    struct dagnode_output out = {.value = text, .value_len = len};

    return dagnode_emit(n, &out, err);
}

static int emit_many(struct dagnode *n, struct dagnode_error *err)
{
    char text[32];

    for (int i = 0; i < 3; i++) {
        int len = snprintf(text, sizeof text, "part%d", i);

        if (emit_text(n, text, (size_t)len, err) < 0)
            return -1;
    }
    return 0;
}

static int emit_big(struct dagnode *n, struct dagnode_error *err)
{
    size_t len = 3 << 20;
    char *text = malloc(len);
    int result;

    if (text == NULL)
        return dagnode_fail(err, DAGNODE_FATAL, "no memory");
    memset(text, 'x', len);
    result = emit_text(n, text, len, err);
    free(text);
    return result;
}

static bool asks(const struct dagnode_record *in, const char *word)
{
    return in->value_len >= strlen(word) && memcmp(in->value, word, strlen(word)) == 0;
}

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    struct timespec pause = {.tv_nsec = 50000000};

    (void)state;
    if (asks(in, "fail")) {
        if (emit_text(n, "must not come out", 17, err) < 0)
            return -1;
        return dagnode_fail(err, DAGNODE_DECODE, "asked to fail, \"quoted\"");
    }
    if (asks(in, "die"))
        return dagnode_fail(err, DAGNODE_FATAL, "asked to die");
    if (asks(in, "none"))
        return 0;
    if (asks(in, "many"))
        return emit_many(n, err);
    if (asks(in, "big"))
        return emit_big(n, err);
    if (asks(in, "slow"))
        (void)nanosleep(&pause, NULL);
    return dagnode_forward(n, in, err);
}

struct source {
    int64_t next;
    int64_t count;
    bool stay;
    bool slow;
};

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct source *source = calloc(1, sizeof *source);
    int count;
    const char *const *args = dagnode_args(n, &count);

    if (source == NULL)
        return dagnode_fail(err, DAGNODE_FATAL, "no memory");
    source->next = dagnode_position(n);
    source->count = atoll(args[0]);
    source->stay = count > 1 && strcmp(args[1], "stay") == 0;
    source->slow = count > 1 && strcmp(args[1], "slow") == 0;
    *state = source;
    return 0;
}

static enum dagnode_poll on_poll(struct dagnode *n, void *state,
                                 struct dagnode_error *err)
{
    struct source *source = state;
    char text[128];

    memset(text, ' ', sizeof text);
    for (int i = 0; i < 100 && source->next < source->count; i++) {
        int len = snprintf(text, sizeof text, "%lld", (long long)source->next);
        struct dagnode_output out = {
            .value = text, .value_len = (size_t)len, .position = source->next + 1};

        if (dagnode_emit(n, &out, err) < 0)
            return DAGNODE_FAILED;
        source->next++;
    }
    if (source->slow)
        dagnode_wait_for(n, -1, 1);
    if (source->next < source->count)
        return source->slow ? DAGNODE_WAIT : DAGNODE_MORE;
    return source->stay ? DAGNODE_WAIT : DAGNODE_END;
}

static void on_stop(struct dagnode *n, void *state)
{
    (void)n;
    free(state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_ops source = {.abi = DAGNODE_ABI,
                                              .name = "count",
                                              .args_usage = "N [stay|slow]",
                                              .args_min = 1,
                                              .args_max = 2,
                                              .on_start = on_start,
                                              .on_poll = on_poll,
                                              .on_stop = on_stop};
    static const struct dagnode_ops twist = {
        .abi = DAGNODE_ABI, .name = "twist", .on_record = on_record};
    const char *kind = getenv("SDK_HELPER");

    return dagnode_main(argc, argv,
                        kind && strcmp(kind, "source") == 0 ? &source : &twist);
}
