/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

int main(int argc, char **argv)
{
    return cmd_main(argc, argv);
}
