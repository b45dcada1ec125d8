/* SPDX-License-Identifier: MIT
 *
 * arithmetic.c - answers what a record asks: the sum or the difference of two numbers.
 */
#include "common/calc.h"

static int on_start(struct dagnode *n, void **state, struct dagnode_error *err)
{
    (void)err;
    return calc_start(n, CALC_AS_ASKED, state);
}

int main(int argc, char **argv)
{
    static const struct dagnode_option options[] = {
        {"signed", DAGNODE_BOOL, "false",
         "sub: x - y with its sign, instead of their distance", false},
        {0}};
    static const struct dagnode_ops ops = {
        .abi = DAGNODE_ABI,
        .name = "arithmetic",
        .doc = "Adds or subtracts two whole numbers of any size, as the record's "
               "operation (sum, sub) says.",
        .options = options,
        .on_start = on_start,
        .on_record = calc_on_record,
        .on_stop = calc_on_stop};

    return dagnode_main(argc, argv, &ops);
}
