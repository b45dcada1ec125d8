/* SPDX-License-Identifier: MIT
 *
 * ledger_child.h - the embedded broker (ledger_main) as a child of a test, with its
 * data in a folder of its own that is removed in the end.
 */
#ifndef TESTS_SUPPORT_LEDGER_CHILD_H
#define TESTS_SUPPORT_LEDGER_CHILD_H

#include <stdint.h>
#include <sys/types.h>

struct ledger_child {
    pid_t pid;
    char dir[64];
    char address[64]; /* 127.0.0.1:PORT; a restart has the same port */
    int port;
};

/* Make the folder. Fails the test when it cannot, as all functions here. */
void ledger_child_init(struct ledger_child *child);
/* Start it and wait until it is ready; option may be NULL. Returns the ms that took. */
int64_t ledger_child_start(struct ledger_child *child, const char *option);
/* kill -9 and wait for it. */
void ledger_child_kill(struct ledger_child *child);
/* SIGTERM, and kill -9 some ms later, which may be before or after its end. */
void ledger_child_kill_in_stop(struct ledger_child *child, int after_ms);
/* SIGTERM; it must end with exit code 0. Returns the ms that took. */
int64_t ledger_child_stop(struct ledger_child *child);
int64_t ledger_child_rss_kb(const struct ledger_child *child);
void ledger_child_clear(struct ledger_child *child); /* removes the folder */

#endif
