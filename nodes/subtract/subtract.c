/* SPDX-License-Identifier: MIT
 *
 * subtract.c - the difference of a record's two numbers, whatever operation it names.
 */
#include "common/calc.h"

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    (void)err;
    return calc_start(n, CALC_SUB, state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"signed", DAGNODE_BOOL, "false",
         "x - y with its sign, instead of their distance", false},
        {0}};
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "subtract",
        .doc =
            "The distance between x and y, or operator_1 and operator_2: whole numbers "
            "of any size.",
        .options = options,
        .on_start = on_start,
        .on_record = calc_on_record,
        .on_stop = calc_on_stop};

    return dagnode_main(argc, argv, &ops);
}
