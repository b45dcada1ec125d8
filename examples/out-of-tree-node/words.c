/* SPDX-License-Identifier: MIT
 *
 * words.c - a node of your own: splits text into words, a record each.
 * Shows an option, several outputs for one input (or none), and new keys.
 */
#include <dagnode.h>

#include <ctype.h>
#include <stdlib.h>

struct words {
    size_t min;
};

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct words *words;
    int64_t min = dagnode_option_int(n, "min");

    if (min < 1)
        return dagnode_fail(err, DAGNODE_USAGE, "min is %lld, expected 1 or more",
                            (long long)min);
    words = calloc(1, sizeof *words);
    if (words == NULL)
        return dagnode_fail(err, DAGNODE_FATAL, "out of memory");
    words->min = (size_t)min;
    *state = words;
    return 0;
}

/* The word is value and key: with several partitions, equal words meet in one of them.
 */
static int emit_word(struct dagnode *n, const char *word, size_t len,
                     struct dagnode_error *err)
{
    struct dagnode_output out = {.value = word,
                                 .value_len = len,
                                 .key = word,
                                 .key_len = len,
                                 .replace_key = true};

    return dagnode_emit(n, &out, err);
}

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    const struct words *words = state;
    size_t begin = 0;

    if (in->value == NULL)
        return dagnode_fail(err, DAGNODE_DECODE, "no value: text is expected");
    for (size_t i = 0; i <= in->value_len; i++) {
        if (i < in->value_len && !isspace((unsigned char)in->value[i]))
            continue;
        if (i - begin >= words->min &&
            emit_word(n, in->value + begin, i - begin, err) != 0)
            return -1;
        begin = i + 1;
    }
    return 0;
}

static void on_stop(struct dagnode *n, void *state)
{
    (void)n;
    free(state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"min", DAGNODE_INT, "1", "Leave out words that are shorter, in bytes", false},
        {0}};
    static const struct dagnode_ops ops = {.abi = DAGNODE_ABI,
                                           .name = "words",
                                           .doc = "Splits text into words.",
                                           .options = options,
                                           .on_start = on_start,
                                           .on_record = on_record,
                                           .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
