/* SPDX-License-Identifier: MIT
 *
 * web_state.h - where the web server of a state directory listens, while one runs.
 * Layer: cli.
 */
#ifndef CLI_WEB_STATE_H
#define CLI_WEB_STATE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

int web_state_write(const char *home, const char *address, struct error *err);

/* "127.0.0.1:7117"; NULL: none runs, or it does not listen yet. The caller frees. */
char *web_state_address(const char *home);

/* The page of a run, without the token: whoever opens it is signed in, or is asked. NULL
 * as above. The caller frees. */
char *web_state_link(const char *home, const char *dag, int64_t run);

/* What is said on a terminal in place of the link. */
#define WEB_STATE_HINT                                                                     \
    "'dagrun web' shows the run in a browser; 'dagrun web --url' prints its address"

/* The first bytes of a small file, or NULL. The caller frees. */
char *web_state_read(const char *path, size_t *len);

#endif
