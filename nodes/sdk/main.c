/* SPDX-License-Identifier: MIT */
#include "base/contract.h"
#include "base/text.h"
#include "sdk/client.h"
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

/* The descriptor that the runner left in the environment; -1: nobody did. */
static int runner_fd(void)
{
    const char *text = getenv(CONTRACT_ENV_FD);
    int64_t fd;

    if (text == NULL || !text_parse_int(text, &fd) || fd < 0 || fd > INT32_MAX)
        return -1;
    (void)unsetenv(CONTRACT_ENV_FD); /* it is not the program's children's */
    return (int)fd;
}

int dagnode_main(int argc, char **argv, const struct dagnode_ops *ops)
{
    struct error err = {0};
    int fd;

    if (describe_check(ops, &err) < 0) {
        (void)fprintf(stderr, "%s: error: %s\n", argv[0], err.text);
        return CONTRACT_EXIT_USAGE;
    }
    if (argc == 2 && strcmp(argv[1], "--describe") == 0)
        return describe(ops);
    if (argc >= 2 && strcmp(argv[1], "--pipe") == 0)
        return pipe_main(argc - 2, argv + 2, ops);
    fd = runner_fd();
    return fd >= 0 ? client_main(argc, argv, ops, fd) : usage(ops);
}
