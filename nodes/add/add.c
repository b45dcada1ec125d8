/* SPDX-License-Identifier: MIT
 *
 * add.c - adds the two numbers of a record, whatever operation it names.
 */
#include "common/calc.h"

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    (void)err;
    return calc_start(n, CALC_SUM, state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "add",
        .doc = "Adds x and y, or operator_1 and operator_2: whole numbers of any size.",
        .on_start = on_start,
        .on_record = calc_on_record,
        .on_stop = calc_on_stop};

    return dagnode_main(argc, argv, &ops);
}
