/* SPDX-License-Identifier: MIT
 *
 * The pages as answers: compressed as they are kept, asked for again by their ETag.
 */
#include "web/assets.h"

#include "base/mem.h"
#include "web/call.h"

#include <string.h>

static const struct web_asset *find(const char *path)
{
    for (const struct web_asset *asset = web_assets; asset->path; asset++) {
        if (strcmp(asset->path, path) == 0)
            return asset;
    }
    return NULL;
}

static void answer_without(struct web_call *call)
{
    struct text_buf text = {0};

    text_append(&text, "This dagrun was built without its pages (npm was missing then): "
                       "it serves the API only, see /api/v1/openapi.json.\n");
    call_answer_text(call, "text/plain; charset=utf-8", &text);
}

static bool is_known(const struct web_call *call, const struct web_asset *asset)
{
    const char *known = http_header(call->request, "If-None-Match");

    return known && strstr(known, asset->etag);
}

void api_asset(struct web_call *call)
{
    const struct web_asset *asset = find(call->route->pattern);
    bool known = asset && is_known(call, asset);
    char *body;

    if (asset == NULL) {
        answer_without(call);
        return;
    }
    http_add_header(call->request, "ETag", asset->etag);
    http_add_header(call->request, "Cache-Control", "no-cache");
    body = mem_alloc(asset->len);
    if (!known) {
        http_add_header(call->request, "Content-Encoding", "gzip");
        memcpy(body, asset->gzip, asset->len);
    }
    http_answer(call->request, known ? 304 : 200, known ? NULL : asset->type, body,
                known ? 0 : asset->len);
}
