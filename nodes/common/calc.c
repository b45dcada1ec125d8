/* SPDX-License-Identifier: MIT */
#include "common/calc.h"

#include "base/mem.h"
#include "common/integer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The members that calc reads; one pass over the object finds them all. */
enum member { ID, OPERATION, OPERATOR_1, OPERATOR_2, X, Y, MEMBERS };
static const struct object_name names[MEMBERS] = {
    [ID] = OBJECT_NAME("id"),
    [OPERATION] = OBJECT_NAME("operation"),
    [OPERATOR_1] = OBJECT_NAME("operator_1"),
    [OPERATOR_2] = OBJECT_NAME("operator_2"),
    [X] = OBJECT_NAME("x"),
    [Y] = OBJECT_NAME("y"),
};

enum { SHOWN_BYTES = 80 }; /* of a wrong value, in the text of an error */

/* The value as JSON, cut between two characters when it is long. Frees with free(). */
static char *shown(const struct calc *calc, const struct object_value *value)
{
    struct text_buf text = {0};

    object_append_value(calc->reader, value, &text);
    if (text.len > SHOWN_BYTES) {
        text.len = SHOWN_BYTES;
        while (((unsigned char)text.data[text.len] & 0xc0) == 0x80)
            text.len--;
        text_append(&text, "…");
    }
    return text_take(&text);
}

static int fail_with(const struct calc *calc, const struct object_value *value,
                     const char *what, struct dagnode_error *err)
{
    char *text = shown(calc, value);

    (void)dagnode_fail(err, DAGNODE_TRANSFORM, "%s %s", what, text);
    free(text);
    return -1;
}

static int read_operation(const struct calc *calc, const struct object_value *value,
                          enum calc_operation *operation, struct dagnode_error *err)
{
    *operation = calc->operation;
    if (*operation != CALC_AS_ASKED)
        return 0;
    if (value->type == OBJECT_MISSING)
        return dagnode_fail(err, DAGNODE_TRANSFORM, "operation: missing");
    if (value->type == OBJECT_STRING && value->len == 3) {
        if (memcmp(value->text, "sum", 3) == 0)
            *operation = CALC_SUM;
        else if (memcmp(value->text, "sub", 3) == 0)
            *operation = CALC_SUB;
    }
    if (*operation == CALC_AS_ASKED)
        return fail_with(calc, value, "unknown operation", err);
    return 0;
}

static int read_number(const struct calc *calc, enum member member,
                       const struct object_value *values, struct integer *out,
                       struct dagnode_error *err)
{
    const struct object_value *value = &values[member];
    bool number = value->type == OBJECT_STRING || value->type == OBJECT_NUMBER;

    if (value->type == OBJECT_MISSING)
        return dagnode_fail(err, DAGNODE_TRANSFORM, "%s: missing", names[member].text);
    if (!number || !integer_parse(value->text, value->len, out)) {
        char what[64];

        (void)snprintf(what, sizeof what, "%s: not an integer:", names[member].text);
        return fail_with(calc, value, what, err);
    }
    if (out->len > CALC_DIGITS_MAX)
        return dagnode_fail(err, DAGNODE_TRANSFORM,
                            "%s: an integer of %zu digits, at most %d are taken",
                            names[member].text, out->len, CALC_DIGITS_MAX);
    return 0;
}

/* operator_1 and operator_2 when one of them is there, else x and y. */
static int read_numbers(const struct calc *calc, const struct object_value *values,
                        struct integer *a, struct integer *b, struct dagnode_error *err)
{
    bool operators = values[OPERATOR_1].type != OBJECT_MISSING ||
                     values[OPERATOR_2].type != OBJECT_MISSING;

    if (!operators && values[X].type == OBJECT_MISSING &&
        values[Y].type == OBJECT_MISSING)
        return dagnode_fail(err, DAGNODE_TRANSFORM,
                            "operator_1 and operator_2: missing, and so are x and y");
    if (read_number(calc, operators ? OPERATOR_1 : X, values, a, err) != 0)
        return -1;
    return read_number(calc, operators ? OPERATOR_2 : Y, values, b, err);
}

static void append_id(struct calc *calc, const struct dagnode_record *in,
                      const struct object_value *id)
{
    if (id->type == OBJECT_MISSING || id->type == OBJECT_NULL)
        text_appendf(&calc->answer, "\"%s/%" PRId32 "/%" PRId64 "\"", in->topic,
                     in->partition, in->offset);
    else
        object_append_value(calc->reader, id, &calc->answer);
}

static size_t compute(const struct calc *calc, enum calc_operation operation,
                      const struct integer *a, const struct integer *b, char *out)
{
    if (operation == CALC_SUM)
        return integer_add(a, b, out);
    if (calc->signed_difference)
        return integer_subtract(a, b, out);
    return integer_distance(a, b, out);
}

static void append_result(struct calc *calc, enum calc_operation operation,
                          const struct integer *a, const struct integer *b)
{
    struct text_buf *answer = &calc->answer;

    text_reserve(answer, integer_room(a, b));
    answer->len += compute(calc, operation, a, b, answer->data + answer->len);
}

int calc_answer(struct calc *calc, const struct dagnode_record *in,
                struct dagnode_error *err)
{
    struct object_value values[MEMBERS];
    enum calc_operation operation;
    struct integer a;
    struct integer b;

    if (object_read(calc->reader, in, err) != 0)
        return -1;
    object_find(calc->reader, names, MEMBERS, values);
    if (read_operation(calc, &values[OPERATION], &operation, err) != 0 ||
        read_numbers(calc, values, &a, &b, err) != 0)
        return -1;
    calc->answer.len = 0;
    text_append(&calc->answer, "{\"id\":");
    append_id(calc, in, &values[ID]);
    text_append(&calc->answer, operation == CALC_SUM
                                   ? ",\"operation\":\"sum\",\"result\":"
                                   : ",\"operation\":\"sub\",\"result\":");
    append_result(calc, operation, &a, &b);
    text_append_bytes(&calc->answer, "}", 1);
    return 0;
}

int calc_start(struct dagnode *n, enum calc_operation operation, void **state)
{
    struct calc *calc = mem_alloc(sizeof *calc);

    calc->operation = operation;
    calc->signed_difference = dagnode_option_bool(n, "signed");
    calc->reader = object_reader_new();
    *state = calc;
    return 0;
}

int calc_on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                   struct dagnode_error *err)
{
    struct calc *calc = state;

    if (calc_answer(calc, in, err) != 0)
        return -1;
    return dagnode_emit(n,
                        &(struct dagnode_output){.value = calc->answer.data,
                                                 .value_len = calc->answer.len},
                        err);
}

void calc_on_stop(struct dagnode *n, void *state)
{
    struct calc *calc = state;

    (void)n;
    if (calc == NULL)
        return;
    object_reader_free(calc->reader);
    text_buf_clear(&calc->answer);
    free(calc);
}
