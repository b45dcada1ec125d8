/* SPDX-License-Identifier: MIT
 *
 * set.c - adds members to JSON objects, or replaces them.
 */
#include "base/mem.h"
#include "base/text.h"
#include "common/object.h"
#include "sdk/dagnode.h"

#include <stdlib.h>
#include <string.h>

struct set {
    struct object_field *fields;
    char **quoted; /* the fields' names as JSON; the fields borrow them */
    size_t count;
    struct object_reader *reader;
    struct text_buf answer;
};

static char *quote(struct object_reader *reader, const char *text)
{
    struct text_buf quoted = {0};

    object_append_string(reader, text, strlen(text), &quoted);
    return text_take(&quoted);
}

static struct object_name text_of(const char *text)
{
    return (struct object_name){text, strlen(text)};
}

static void read_fields(struct dagnode *n, struct set *set)
{
    while (dagnode_option_name(n, set->count) != NULL)
        set->count++;
    set->fields = mem_alloc(set->count * sizeof *set->fields);
    set->quoted = mem_alloc(set->count * sizeof *set->quoted);
    for (size_t i = 0; i < set->count; i++) {
        const char *name = dagnode_option_name(n, i);

        set->quoted[i] = quote(set->reader, name);
        set->fields[i] =
            (struct object_field){.name = text_of(name),
                                  .name_json = text_of(set->quoted[i]),
                                  .json = text_of(dagnode_option_json(n, name))};
    }
}

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    struct set *set;

    if (dagnode_option_name(n, 0) == NULL)
        return dagnode_fail(err, DAGNODE_USAGE,
                            "nothing to set: name at least one field in with, "
                            "as in with: {via: tag}");
    set = mem_alloc(sizeof *set);
    set->reader = object_reader_new();
    read_fields(n, set);
    *state = set;
    return 0;
}

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    struct set *set = state;

    if (object_read(set->reader, in, err) != 0)
        return -1;
    set->answer.len = 0;
    object_append_with(set->reader, set->fields, set->count, &set->answer);
    return dagnode_emit(n,
                        &(struct dagnode_output){.value = set->answer.data,
                                                 .value_len = set->answer.len},
                        err);
}

static void on_stop(struct dagnode *n, void *state)
{
    struct set *set = state;

    (void)n;
    for (size_t i = 0; i < set->count; i++)
        free(set->quoted[i]);
    free(set->quoted);
    free(set->fields);
    object_reader_free(set->reader);
    text_buf_clear(&set->answer);
    free(set);
}

int main(int argc, char **argv)
{
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "set",
        .doc = "Adds fields to JSON objects or replaces them: every name in with is a "
               "field, its value any JSON value.",
        .any_option = true,
        .on_start = on_start,
        .on_record = on_record,
        .on_stop = on_stop};

    return dagnode_main(argc, argv, &ops);
}
