/* SPDX-License-Identifier: MIT
 *
 * print.c - writes a line a record to stdout. It is for people to look at: for another
 * program to read, use file.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "common/object.h"
#include "sdk/dagnode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line after a quiet time is shown at once; in a flood they go out together. */
enum { FLUSH_AFTER_MS = 20 };

struct print {
    struct object_reader *reader;
    int64_t flushed_ms;
};

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct print *print = mem_alloc(sizeof *print);

    (void)n;
    (void)err;
    print->reader = object_reader_new();
    *state = print;
    return 0;
}

/* {"operation": …, "result": …} in the words of the first version of this pipeline. */
static bool print_result(struct object_reader *reader, const struct dagnode_record *in)
{
    static const struct object_name names[] = {OBJECT_NAME("operation"),
                                               OBJECT_NAME("result")};
    struct object_value values[2];

    if (!object_try_read(reader, in->value, in->value_len))
        return false;
    object_find(reader, names, 2, values);
    if (values[0].type != OBJECT_STRING ||
        (values[1].type != OBJECT_NUMBER && values[1].type != OBJECT_STRING))
        return false;
    (void)fputs("Result of operation ", stdout);
    text_print_safe(stdout, values[0].text, values[0].len);
    (void)fputs(" is ::: ", stdout);
    text_print_safe(stdout, values[1].text, values[1].len);
    return true;
}

static int flush(struct print *print, struct dagnode_error *err)
{
    print->flushed_ms = clock_mono_ms();
    if (fflush(stdout) != 0 || ferror(stdout))
        return dagnode_fail(err, DAGNODE_FATAL, "can't write to stdout: %s",
                            strerror(errno));
    return 0;
}

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    struct print *print = state;

    (void)n;
    if (in->value == NULL)
        (void)fputs("(no value)", stdout);
    else if (!print_result(print->reader, in))
        text_print_safe(stdout, in->value, in->value_len);
    (void)putc('\n', stdout);
    if (ferror(stdout) || clock_mono_ms() - print->flushed_ms >= FLUSH_AFTER_MS)
        return flush(print, err);
    return 0;
}

static int on_commit(struct dagnode *n, void *state, struct dagnode_error *err)
{
    (void)n;
    return flush(state, err);
}

static void on_stop(struct dagnode *n, void *state)
{
    struct print *print = state;

    (void)n;
    (void)fflush(stdout);
    object_reader_free(print->reader);
    free(print);
}

int main(int argc, char **argv)
{
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "print",
        .doc = "Prints a line a record: the result of an operation in words, anything "
               "else as it is.",
        .sink = true,
        .on_start = on_start,
        .on_record = on_record,
        .on_commit = on_commit,
        .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
