/* SPDX-License-Identifier: MIT
 *
 * http_seeds.c - requests for the HTTP fuzzers, out of the table of routes: each route
 * with and without the token, with its parameters and its body; and what HTTP has
 * beside. TOKEN stands for the server's token. usage: http_seeds FOLDER
 */
#include "base/mem.h"
#include "base/text.h"
#include "web/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char host[] = "Host: localhost\r\n";
static const char bearer[] = "Authorization: Bearer TOKEN\r\n";

static const struct {
    const char *name;
    const char *value;
} values[] = {{"run", "last"},    {"attempt", "1"}, {"client", "0"}, {"offset", "0"},
              {"partition", "0"}, {"dag", "small"}, {"node", "src"}, {NULL, "x"}};

static const char *const others[] = {
    "HEAD /api/v1/events HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer "
    "TOKEN\r\n\r\n",
    "GET /api/v1/events HTTP/1.1\r\nHost: [::1]:80\r\nAuthorization: bearer TOKEN\r\n"
    "Last-Event-ID: 19a-7\r\n\r\n",
    "POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    "Sec-Fetch-Site: same-origin\r\nContent-Type: application/json; charset=utf-8\r\n"
    "Transfer-Encoding: "
    "chunked\r\n\r\n10\r\n{\"token\":\"TOKEN\"\r\n1\r\n}\r\n0\r\n\r\n",
    "GET /healthz HTTP/1.1\r\nHost: a.localhost\r\n\r\nGET /readyz HTTP/1.1\r\n"
    "Host: a.localhost\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"0123456789abcdef\"\r\n"
    "Cookie: a=1; dagrun_7117=1795285718161.0011; b=\r\nAccept-Encoding: gzip\r\n\r\n",
    "POST /api/v1/dags/a/stop HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"now\":true}",
    "GET /api/v1/runs?dag=a%20b&state=&since=9223372036854775808&%00=1 HTTP/1.1\r\n"
    "Host: localhost\r\nAuthorization: Basic YTpi\r\n\r\n",
    NULL};

static const char *value_of(const char *name, size_t len)
{
    size_t i = 0;

    while (values[i].name &&
           (strlen(values[i].name) != len || strncmp(values[i].name, name, len) != 0))
        i++;
    return values[i].value;
}

static void add_path(struct text_buf *out, const char *pattern)
{
    const char *segment;
    size_t len;

    if (strcmp(pattern, "/") == 0)
        text_append(out, pattern);
    while (web_route_segment(&pattern, &segment, &len)) {
        text_append(out, "/");
        if (segment[0] == '{')
            text_append(out, value_of(segment + 1, len - 2));
        else
            text_append_bytes(out, segment, len);
    }
}

static void add_query(struct text_buf *out, const struct web_param *params)
{
    const char *mark = "?";

    for (; params && params->name; params++) {
        text_appendf(out, "%s%s=%s", mark, params->name,
                     params->type == WEB_TEXT ? "failed" : "1");
        mark = "&";
    }
}

static void add_body(struct text_buf *out, const struct web_param *params)
{
    struct text_buf body = {0};

    text_append(&body, "{");
    for (; params->name; params++)
        text_appendf(&body, "%s\"%s\":%s", body.len > 1 ? "," : "", params->name,
                     params->type == WEB_BOOL ? "true" : "\"1\"");
    text_append(&body, "}");
    text_appendf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 body.len, text_str(&body));
    text_buf_clear(&body);
}

static void add_route(struct text_buf *out, const struct web_route *route, bool token)
{
    text_appendf(out, "%s ", route->method);
    add_path(out, route->pattern);
    if (token)
        add_query(out, route->query);
    text_appendf(out, " HTTP/1.1\r\n%s%s", host, token ? bearer : "");
    if (route->body)
        add_body(out, route->body);
    else
        text_append(out, "\r\n");
}

static int write_seed(const char *folder, int number, struct text_buf *text)
{
    char *path = mem_printf("%s/%03d", folder, number);
    FILE *file = fopen(path, "wb");
    int failed = file == NULL || fwrite(text->data, 1, text->len, file) != text->len;

    if (file)
        failed |= fclose(file) != 0;
    if (failed)
        perror(path);
    text_buf_clear(text);
    free(path);
    return failed;
}

int main(int argc, char **argv)
{
    int number = 0;
    int failed = 0;
    struct text_buf text = {0};

    if (argc != 2) {
        (void)fputs("usage: http_seeds FOLDER\n", stderr);
        return 2;
    }
    for (const struct web_route *route = web_routes; route->method; route++) {
        for (int token = 0; token < 2; token++) {
            add_route(&text, route, token);
            failed |= write_seed(argv[1], number++, &text);
        }
    }
    for (size_t i = 0; others[i]; i++) {
        text_append(&text, others[i]);
        failed |= write_seed(argv[1], number++, &text);
    }
    return failed;
}
