/* SPDX-License-Identifier: MIT
 *
 * ops_fixture.h - a state directory of one test, with runs in its history.
 */
#ifndef TESTS_SUPPORT_OPS_FIXTURE_H
#define TESTS_SUPPORT_OPS_FIXTURE_H

#include "host/history.h"
#include "ops/ops.h"

#include <sys/types.h>

extern struct fixture {
    char home[64];
} fixture;

void fixture_begin(void);
void fixture_end(void);

struct history *fixture_open_history(void);
struct ops *fixture_open_ops(void);

/* A run with one node of each kind, left in the given state; NULL leaves it live. */
void fixture_record_run(const char *dag, const char *end, int64_t started_ms);

/* A process that holds the lock of a dag until it is ended. */
pid_t fixture_begin_runner(const char *dag);
void fixture_end_runner(pid_t pid);

#endif
