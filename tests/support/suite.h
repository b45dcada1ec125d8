/* SPDX-License-Identifier: MIT
 *
 * suite.h - how every program of libcheck tests ends.
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

/*
 * Run the suite and free it; the exit code of the program. CK_VERBOSITY says how much is
 * printed, CK_FORK whether every test is a process of its own: one line per failure and yes
 * without them.
 */
int suite_run(Suite *suite);

#endif
