/* SPDX-License-Identifier: MIT
 *
 * web.h - the web server: every request goes through the guard and the table of routes.
 * Layer: web. Not the pages; not where the answers come from (source.h). One thread.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "base/loop.h"
#include "web/source.h"

#include <stdbool.h>
#include <stddef.h>

struct web;

struct web_config {
    const char *host;
    int port;
    int port_count;         /* ports that are tried, from port on */
    const char *token_path; /* made when it is not there */
    const char *users_path; /* need not be there */
    bool read_only;         /* every action is refused */
    const char *const
        *hosts; /* names allowed in Host, NULL-terminated, borrowed; or NULL */
    const struct web_source *source; /* borrowed */
};

/* Listens at once. */
struct web *web_open(struct loop *loop, const struct web_config *config,
                     struct error *err);
void web_close(struct web *web);

int web_port(const struct web *web);
const char *web_token(const struct web *web);
size_t web_user_count(const struct web *web);

/* Call it after every loop_wait; returns the deadline of the next one. */
int64_t web_tick(struct web *web);

#endif
