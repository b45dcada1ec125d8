/* SPDX-License-Identifier: MIT
 *
 * web_letters.h - dead letters for the web: dagrun dlq in a process of its own.
 * Layer: cli.
 */
#ifndef CLI_WEB_LETTERS_H
#define CLI_WEB_LETTERS_H

#include "cli/web_child.h"
#include "web/source.h"

/* done gets a JSON text. NULL: it was called already. */
struct web_child *web_letters(struct web_children *children,
                              const struct web_letters *query, web_done_fn *done,
                              void *done_arg);

#endif
