/* SPDX-License-Identifier: MIT
 *
 * cli_ops.h - what the reading commands share.
 * Layer: cli.
 */
#ifndef CLI_CLI_OPS_H
#define CLI_CLI_OPS_H

#include "base/clock.h"
#include "ops/address.h"
#include "ops/ops.h"

/* The state directory's history and locks. NULL and err. */
struct ops *cli_ops(struct error *err);

/* cli_ops and address_resolve in one; both NULL and cleared when it fails. text may be
 * NULL. */
struct ops *cli_ops_at(const char *text, struct address *address, struct error *err);

/* One line on stdout; value is taken. */
void cli_print_json(json_t *value);

/* Local time with its offset, to the second; "-" for 0. */
void cli_time_text(int64_t wall_ms, char text[CLOCK_TEXT]);
/* How long from start to end, both wall clock; "-" when one is missing. */
void cli_span_text(int64_t start_ms, int64_t end_ms, char text[CLOCK_TEXT]);

/*
 * A moment in the past: "2h" ago, "2026-11-21", "2026-11-21T13:40:00" (local), with "Z" or
 * "+01:00". ERROR_INPUT says what is understood.
 */
int cli_parse_time(const char *text, int64_t *wall_ms, struct error *err);

#endif
