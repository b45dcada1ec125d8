/* SPDX-License-Identifier: MIT
 *
 * web_logs.h - the logs of runs for the web: which, pieces of one, all of one, a search
 * in one by a child. Layer: cli.
 */
#ifndef CLI_WEB_LOGS_H
#define CLI_WEB_LOGS_H

#include "cli/web_child.h"
#include "ops/ops.h"
#include "web/source.h"

/* ops NULL: err says why, and so do these. */
json_t *web_logs_list(const struct ops *ops, const char *dag, int64_t run,
                      struct error *err);
int web_logs_piece(const struct ops *ops, const struct web_log_query *query,
                   struct web_log_piece *out, struct error *err);
struct web_log *web_logs_open(const struct ops *ops, const struct web_log_query *query,
                              struct error *err);
/* done gets {"matches": [{"at", "text", …}…], "more"}; NULL: it was called already. */
struct web_child *web_logs_search(struct web_children *children,
                                  const struct web_log_query *query, const char *text,
                                  int64_t limit, web_done_fn *done, void *done_arg);

#endif
