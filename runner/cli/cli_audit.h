/* SPDX-License-Identifier: MIT
 *
 * cli_audit.h - what a command did, or was refused, goes to the audit.
 * Layer: cli.
 */
#ifndef CLI_CLI_AUDIT_H
#define CLI_CLI_AUDIT_H

#include "base/error.h"
#include "base/json.h"
#include "ops/address.h"

#include <stdbool.h>

/*
 * In the environment of a command that the web server runs for somebody: the server's
 * pid. The server records the deed with who asked; the command, which is its child, must
 * not do so as well.
 */
#define CLI_AUDIT_PARENT "DAGRUN_AUDITED_BY"
bool cli_audit_is_parents(void);

/*
 * Record it, with the user and pid of this process. target may be NULL, detail (taken)
 * an object or NULL. refused: why it was not done; not set: it was. A refusal is not
 * recorded where there is no history yet.
 */
void cli_audit(const char *action, const char *dag, const char *target, json_t *detail,
               const struct error *refused);

/* The same for a dag, a node or a client of it. */
void cli_audit_at(const char *action, const struct address *address, json_t *detail,
                  const struct error *refused);

#endif
