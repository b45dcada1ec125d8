/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* What was to be printed and is lost is a failure, unless nobody wanted to read on. */
static int check_output(int code)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (poll(&out, 1, 0) > 0 && (out.revents & POLLERR))
        return code;
    (void)fputs("dagrun: error: standard output can't be written: is the disk full?\n",
                stderr);
    return code ? code : 1;
}

int main(int argc, char **argv)
{
    return check_output(cmd_main(argc, argv));
}
