/* SPDX-License-Identifier: MIT
 *
 * copy - passes records on unchanged.
 */
#include "dagnode.h"

static int on_record(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err)
{
    (void)state;
    return dagnode_forward(n, in, err);
}

int main(int argc, char **argv)
{
    static const struct dagnode_ops ops = {.abi = DAGNODE_ABI,
                                           .name = "copy",
                                           .doc = "Passes records on unchanged.",
                                           .on_record = on_record};

    return dagnode_main(argc, argv, &ops);
}
