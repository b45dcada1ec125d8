/* SPDX-License-Identifier: MIT
 *
 * web_audit.h - the web server's entries of the audit into the history: queued, written
 * without waiting. Layer: cli.
 */
#ifndef CLI_WEB_AUDIT_H
#define CLI_WEB_AUDIT_H

#include "base/error.h"
#include "web/source.h"

struct web_audits;

/* The history is made when there is none. */
struct web_audits *web_audits_open(const char *home, struct error *err);
void web_audits_close(
    struct web_audits *audits); /* writes what waits, for 2 s at most */

void web_audits_add(struct web_audits *audits, const struct web_deed *deed);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_audits_tick(struct web_audits *audits);

#endif
