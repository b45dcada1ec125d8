/* SPDX-License-Identifier: MIT
 *
 * assets.h - the pages: a few small files that are part of the program.
 * Layer: web. The table is made from web/ui/ at build time (web/ui/build.mjs), or is empty
 * when they were left out (web/ui/none.c).
 */
#ifndef WEB_ASSETS_H
#define WEB_ASSETS_H

#include <stddef.h>

struct web_asset {
    const char *path; /* "/app.js" */
    const char *type;
    const char *etag; /* with its quotation marks */
    const unsigned char *gzip;
    size_t len;
};

/* Ends with a NULL path. */
extern const struct web_asset web_assets[];

#endif
