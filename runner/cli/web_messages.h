/* SPDX-License-Identifier: MIT
 *
 * web_messages.h - messages of an edge for the web: dagrun tap in a process of its own.
 * Layer: cli.
 */
#ifndef CLI_WEB_MESSAGES_H
#define CLI_WEB_MESSAGES_H

#include "cli/web_child.h"
#include "web/source.h"

enum { WEB_MESSAGES_MAX = 4 /* children at once */ };

/* done gets a JSON text. NULL: it was called already. */
struct web_child *web_messages(struct web_children *children,
                               const struct web_messages *query, web_done_fn *done,
                               void *done_arg);

#endif
