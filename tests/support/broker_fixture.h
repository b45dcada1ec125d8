/* SPDX-License-Identifier: MIT
 *
 * broker_fixture.h - one broker handle of a test, and the reply that it got last.
 */
#ifndef TESTS_SUPPORT_BROKER_FIXTURE_H
#define TESTS_SUPPORT_BROKER_FIXTURE_H

#include "base/mem.h"
#include "host/broker.h"

enum { FIXTURE_TIMEOUT_MS = 15000 };

extern struct fixture {
    struct broker *broker; /* NULL: the test opens one */
    struct mem_arena arena;
    struct broker_reply reply; /* outlives its callback */
    int calls;
} fixture;

struct broker *fixture_open_at(const char *brokers);
void fixture_end(void);

/* For requests: keeps the reply; arg is &fixture.calls. */
void fixture_on_done(void *arg, const struct broker_reply *reply);
/* Wait for the one reply; all_fine: without an error in it. */
void fixture_answered(void);
void fixture_all_fine(void);

#endif
