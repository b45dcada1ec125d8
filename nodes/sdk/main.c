/* SPDX-License-Identifier: MIT */
#include "base/contract.h"
#include "base/text.h"
#include "sdk/describe.h"
#include "sdk/pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int describe(const struct dagnode_ops *ops)
{
    struct text_buf buf = {0};
    int result;

    describe_json(&buf, ops);
    text_append(&buf, "\n");
    result = fputs(text_str(&buf), stdout) == EOF || fflush(stdout) != 0;
    text_buf_clear(&buf);
    return result;
}

static int usage(const struct dagnode_ops *ops)
{
    (void)fprintf(stderr,
                  "%s: error: this is a program for dagrun: name it in a graph, or call "
                  "it with --describe or --pipe [--with NAME=VALUE] [ARG]\n",
                  ops->name);
    return CONTRACT_EXIT_USAGE;
}

int dagnode_main(int argc, char **argv, const struct dagnode_ops *ops)
{
    struct error err = {0};

    if (describe_check(ops, &err) < 0) {
        (void)fprintf(stderr, "%s: error: %s\n", argv[0], err.text);
        return CONTRACT_EXIT_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "--describe") == 0)
        return describe(ops);
    if (argc >= 2 && strcmp(argv[1], "--pipe") == 0)
        return pipe_main(argc - 2, argv + 2, ops);
    return usage(ops);
}
