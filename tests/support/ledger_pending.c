/* SPDX-License-Identifier: MIT
 *
 * ledger_pending.c - stands in for compaction until log/compact.c has it; goes then.
 */
#include "ledger/log/log.h"
bool log_compactable(struct log *log, int64_t first_unstable, int64_t wall_ms)
{ (void)log; (void)first_unstable; (void)wall_ms; return false; }
bool log_compact_step(struct log *log, const struct log_view *view, int64_t wall_ms, int64_t budget_bytes)
{ (void)log; (void)view; (void)wall_ms; (void)budget_bytes; return false; }
