/* SPDX-License-Identifier: MIT
 *
 * calc.h - what arithmetic, add and subtract have in common: two whole numbers in, one
 * answer out. docs/programs.md says how a record looks.
 */
#ifndef COMMON_CALC_H
#define COMMON_CALC_H

#include "base/text.h"
#include "common/object.h"
#include "sdk/dagnode.h"

#include <stdbool.h>

enum calc_operation {
    CALC_AS_ASKED = 0, /* what the record's member "operation" says */
    CALC_SUM,
    CALC_SUB,
};

/* More digits than this are refused: such a number is a mistake, not a sum. */
enum { CALC_DIGITS_MAX = 100000 };

struct calc {
    enum calc_operation operation;
    bool signed_difference;
    struct object_reader *reader;
    struct text_buf answer;
};

/*
 * Put the answer to a record into calc->answer:
 * {"id":…,"operation":"sum","result":7}. id is the record's member, or when it has none
 * "<topic>/<partition>/<offset>", which is the same each time the record is taken.
 * Returns 0; -1 with err (DAGNODE_DECODE, DAGNODE_TRANSFORM).
 */
int calc_answer(struct calc *calc, const struct dagnode_record *in,
                struct dagnode_error *err);

/* The callbacks of a program; on_start reads the option "signed" when it is declared.
 */
int calc_start(struct dagnode *n, enum calc_operation operation, void **state);
int calc_on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                   struct dagnode_error *err);
void calc_on_stop(struct dagnode *n, void *state);

#endif
