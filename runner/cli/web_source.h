/* SPDX-License-Identifier: MIT
 *
 * web_source.h - what the web layer asks for, answered by ops.
 * Layer: cli.
 */
#ifndef CLI_WEB_SOURCE_H
#define CLI_WEB_SOURCE_H

#include "base/loop.h"
#include "web/source.h"

struct web_store;

/* home: the state directory; folders: of dags that may be started, NULL-terminated, or
 * NULL. Both borrowed. */
struct web_store *web_store_open(struct loop *loop, const char *home,
                                 const char *const *folders, struct error *err);
void web_store_close(struct web_store *store);

/* Valid as long as the store. */
const struct web_source *web_store_source(const struct web_store *store);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_store_tick(struct web_store *store);

#endif
