/* SPDX-License-Identifier: MIT
 *
 * fuzz_http.c - any bytes as a request, as far as it is ours: the target, who may ask,
 * the route, its parameters, the body, the place in the stream. What gets through is
 * what the contracts promise. A line "METHOD TARGET", headers, an empty line, the body;
 * framing is libmicrohttpd's and is for fuzz_web.
 */
#include "fuzz.h"

#include "base/mem.h"
#include "base/text.h"
#include "web/feed.h"
#include "web/guard.h"
#include "web/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const char *const fuzz_words[] = {"/",
                                  "//",
                                  "..",
                                  ".",
                                  "%2f",
                                  "%2e%2e",
                                  "%00",
                                  "%",
                                  "%c3%28",
                                  "\\",
                                  "?",
                                  "&",
                                  "=",
                                  "+",
                                  " ",
                                  "\r\n",
                                  "\r\n\r\n",
                                  "Host: ",
                                  "Origin: http://",
                                  "Sec-Fetch-Site: same-origin\r\n",
                                  "Authorization: Bearer ",
                                  "Cookie: dagrun_7117=",
                                  "Basic YTpi",
                                  "[::1]",
                                  "127.0.0.1",
                                  ".localhost",
                                  ":7117",
                                  "@",
                                  "{",
                                  "}",
                                  "\"",
                                  "\\u0000",
                                  "[[[[[[[[",
                                  "true",
                                  "last",
                                  "-1",
                                  "99999999999999999999",
                                  "limit=",
                                  "GET ",
                                  "POST ",
                                  "\xff",
                                  NULL};

enum { HEADERS = 16 };

struct header {
    const char *name;
    const char *value;
};

struct request {
    char *text; /* the lines point into it */
    const char *method;
    const char *target;
    struct header headers[HEADERS];
    size_t header_count;
    const char *body;
    size_t body_len;
};

/* Fails also when assertions are compiled out. */
static void must(bool condition)
{
    if (!condition)
        abort();
}

static struct guard *guard_once(void)
{
    static struct guard *guard;

    if (guard == NULL) {
        char folder[] = "/tmp/fuzz-http-XXXXXX";
        char *path = mkdtemp(folder) ? mem_printf("%s/token", folder) : NULL;
        char *users = mem_printf("%s/users", folder);
        struct error err = {0};
        const struct guard_config config = {.loop = loop_new(&err),
                                            .token_path = path,
                                            .users_path = users,
                                            .port = 7117};

        must(path != NULL && config.loop != NULL);
        guard = guard_open(&config, &err);
        must(guard != NULL);
        (void)unlink(path);
        (void)rmdir(folder);
        free(users);
        free(path);
    }
    return guard;
}

/* ------------------------------------------------------------------------ a request */

/* The line at *at, ended in place; NULL at the end. */
static char *next_line(char **at)
{
    char *line = *at;
    char *end = line ? strpbrk(line, "\r\n") : NULL;

    if (end == NULL) {
        *at = NULL;
        return line;
    }
    *at = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
    *end = '\0';
    return line;
}

static void read_request(struct request *request, const uint8_t *data, size_t size)
{
    char *at = request->text = mem_strndup((const char *)data, size);
    char *line = next_line(&at);
    char *space = strchr(line, ' ');

    request->method = line;
    request->target = space ? space + 1 : "";
    if (space)
        *space = '\0';
    space = space ? strchr(space + 1, ' ') : NULL;
    if (space)
        *space = '\0';
    while ((line = next_line(&at)) != NULL && *line &&
           request->header_count < HEADERS) {
        char *colon = strchr(line, ':');

        if (colon == NULL)
            continue;
        *colon = '\0';
        request->headers[request->header_count++] =
            (struct header){line, colon + 1 + strspn(colon + 1, " \t")};
    }
    request->body = at ? at : "";
    request->body_len = at ? size - (size_t)(at - request->text) : 0;
}

static const char *header(const struct request *request, const char *name, int *count)
{
    const char *value = NULL;

    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) != 0)
            continue;
        value = value ? value : request->headers[i].value;
        *count += 1;
    }
    return value;
}

/* --------------------------------------------------------------------- what must hold
 */

static void check_text(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t len = text_utf8_length(text, left);

        must(len > 0 && (unsigned char)*text >= 0x20 && *text != 0x7f);
        text += len;
        left -= len;
    }
}

static void check_url(const struct url *url)
{
    must(url->segment_count <= URL_SEGMENTS && url->member_count <= URL_MEMBERS);
    for (size_t i = 0; i < url->segment_count; i++) {
        const char *segment = url->segments[i];

        check_text(segment);
        must(strpbrk(segment, "/\\") == NULL && strcmp(segment, ".") != 0 &&
             strcmp(segment, "..") != 0);
    }
    for (size_t i = 0; i < url->member_count; i++) {
        check_text(url->members[i].name);
        check_text(url->members[i].value);
        must(url_member(url, url->members[i].name) == url->members[i].value);
    }
}

static bool is_refusal(int status)
{
    return status == 400 || status == 401 || status == 403 || status == 429 ||
           status == 503;
}

/* Only what has one right Host is admitted, and nobody here has the token. */
static void check_guard(const struct request *request, bool is_public)
{
    int ignored = 0;
    int hosts = 0;
    struct guard_refusal no = {0};
    struct guard_who who = {0};
    const struct guard_request facts = {
        .host = header(request, "Host", &hosts),
        .host_count = hosts,
        .origin = header(request, "Origin", &ignored),
        .fetch_site = header(request, "Sec-Fetch-Site", &ignored),
        .authorization = header(request, "Authorization", &ignored),
        .cookie = header(request, "Cookie", &ignored),
        .peer = "127.0.0.1",
        .safe = strcmp(request->method, "GET") == 0};

    if (!guard_admits(guard_once(), &facts, is_public, &no)) {
        must((no.status == 400 || no.status == 403) && no.text[0]);
        return;
    }
    must(hosts == 1 && facts.host[0]);
    must(facts.origin == NULL ||
         strcasecmp(strchr(facts.origin, ':') + 3, facts.host) == 0);
    no = (struct guard_refusal){0};
    if (guard_identify(guard_once(), &facts, &who, &no))
        must(!guard_permits(&who, GUARD_VIEWER, &no) && is_refusal(no.status));
    else
        must(no.status == 0 || is_refusal(no.status));
}

/* What stands at a place of the path is never more than a name or a number. */
static void check_route(const struct web_route *route, const struct url *url,
                        const struct request *request)
{
    struct error err = {0};
    json_t *body = json_parse(request->body, request->body_len, &err);

    must((body != NULL) == !error_is_set(&err));
    err = (struct error){0};
    if (web_route_check(route, url, json_is_object(body) ? body : NULL, &err) == 0) {
        const char *at = route->pattern;
        const char *segment;
        size_t len;

        must(!error_is_set(&err));
        for (size_t i = 0; web_route_segment(&at, &segment, &len); i++) {
            if (segment[0] == '{')
                must(url->segments[i][0] != '-' &&
                     strpbrk(url->segments[i], " %./\\'\";:@*?<>") == NULL);
        }
        for (size_t i = 0; i < url->member_count; i++)
            must(route->query != NULL);
    } else {
        must(error_is_set(&err));
    }
    json_decref(body);
}

static void check_feed(const char *last_id)
{
    struct feed *feed = feed_new("19a");
    json_t *live = json_pack("[{s:s,s:i}]", "dag", "x", "run", 1);
    struct feed_place place;
    struct feed_event *event;

    (void)feed_update(feed, live);
    place = feed_place(feed, last_id);
    must(place.reset || place.seen == 1);
    while ((event = feed_take(feed, &place, NULL)) != NULL)
        feed_event_drop(event);
    must(!feed_has_next(feed, &place, NULL));
    feed_free(feed);
    json_decref(live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request = {0};
    struct url url = {0};
    struct error err = {0};
    char allowed[64];
    int ignored = 0;
    const struct web_route *route = NULL;

    read_request(&request, data, size);
    if (url_parse(request.target, &url, &err) == 0) {
        check_url(&url);
        route = web_route_find(request.method, &url, allowed);
    } else {
        must(error_is_set(&err));
    }
    check_guard(&request, route && route->role == GUARD_PUBLIC);
    if (route)
        check_route(route, &url, &request);
    check_feed(header(&request, "Last-Event-ID", &ignored));
    url_clear(&url);
    free(request.text);
    return 0;
}
