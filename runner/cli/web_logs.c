/* SPDX-License-Identifier: MIT */
#include "cli/web_logs.h"

#include "base/mem.h"
#include "base/text.h"
#include "ops/log_span.h"
#include "ops/logs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEARCH_MS = 20000,
    SEARCH_OUTPUT = 50 << 20, /* 500 lines of 16 KiB, each byte of them as \u00xx */
    ARGS = 8,
};

/* The number of a run that is there; 0 and err when it is not. */
static int64_t find_run(const struct ops *ops, const char *dag, int64_t number,
                        struct error *err)
{
    struct mem_arena arena = {0};
    struct history_run_row row = {0};

    if (ops)
        (void)ops_find_run(ops, dag, number, &arena, &row, err);
    mem_arena_clear(&arena);
    return row.run;
}

static json_t *log_json(const struct log_file *file)
{
    struct error err = {0};
    struct log_span *span = log_span_open(file->path, &err);
    json_t *json =
        json_pack("{s:o,s:o,s:I,s:I}", "node", json_text(file->node), "client",
                  json_text(file->client), "attempt", (json_int_t)file->attempt,
                  "bytes", (json_int_t)(span ? log_span_size(span) : 0));

    log_span_close(span);
    return json;
}

json_t *web_logs_list(const struct ops *ops, const char *dag, int64_t run,
                      struct error *err)
{
    struct log_query query = {.dag = dag, .attempt = LOGS_EVERY_ATTEMPT};
    struct mem_arena arena = {0};
    struct log_list list = {0};
    json_t *items;

    query.run = find_run(ops, dag, run, err);
    if (query.run == 0)
        return NULL;
    logs_find(ops, &query, &arena, &list);
    items = json_array();
    for (size_t i = 0; i < list.count; i++)
        (void)json_array_append_new(items, log_json(&list.items[i]));
    mem_arena_clear(&arena);
    return json_pack("{s:s,s:I,s:o}", "dag", dag, "run", (json_int_t)query.run, "logs",
                     items);
}

static struct log_span *open_span(const struct ops *ops,
                                  const struct web_log_query *query, struct error *err)
{
    struct log_query inner = {.dag = query->dag,
                              .node = query->node,
                              .client = query->client,
                              .attempt = query->attempt};
    struct mem_arena arena = {0};
    struct log_list list = {0};
    struct log_span *span = NULL;

    inner.run = find_run(ops, query->dag, query->run, err);
    if (inner.run > 0)
        logs_find(ops, &inner, &arena, &list);
    if (list.count == 1) /* the name is the folder's, not the request's */
        span = log_span_open(list.items[0].path, err);
    else
        error_set(err, ERROR_NOT_FOUND, "%s.%s has no log of attempt %lld in %s@%lld",
                  query->node, query->client, (long long)query->attempt, query->dag,
                  (long long)inner.run);
    mem_arena_clear(&arena);
    return span;
}

int web_logs_piece(const struct ops *ops, const struct web_log_query *query,
                   struct web_log_piece *out, struct error *err)
{
    struct log_span *span = open_span(ops, query, err);

    if (span == NULL)
        return -1;
    out->id = log_span_id(span);
    out->size = log_span_size(span);
    out->from = query->from < 0 && query->from > -out->size ? out->size + query->from
                : query->from < 0                           ? 0
                                                            : query->from;
    if (out->from > out->size)
        out->from = out->size;
    out->data = mem_alloc(query->limit + 1);
    out->len = log_span_read(span, out->from, out->data, query->limit);
    log_span_close(span);
    return 0;
}

/* ------------------------------------------------------------------------ all of it */

struct open_log {
    struct web_log web; /* the first member */
    struct log_span *span;
    int64_t at;
};

static size_t read_log(struct web_log *log, char *bytes, size_t room)
{
    struct open_log *open = (struct open_log *)log;
    int64_t left = log->size - open->at;
    size_t len;

    if ((int64_t)room > left)
        room = (size_t)left;
    len = log_span_read(open->span, open->at, bytes, room);
    open->at += (int64_t)len;
    return len;
}

static void close_log(struct web_log *log)
{
    struct open_log *open = (struct open_log *)log;

    log_span_close(open->span);
    free(open);
}

struct web_log *web_logs_open(const struct ops *ops, const struct web_log_query *query,
                              struct error *err)
{
    struct log_span *span = open_span(ops, query, err);
    struct open_log *open;

    if (span == NULL)
        return NULL;
    open = mem_alloc(sizeof *open);
    *open = (struct open_log){
        .web = {.size = log_span_size(span), .read = read_log, .close = close_log},
        .span = span};
    return &open->web;
}

/* --------------------------------------------------------------------------- search */

struct asked {
    web_done_fn *done;
    void *done_arg;
    int64_t limit;
};

/* An object a line becomes a list of objects. */
static void on_end(void *arg, char *out, const struct error *err)
{
    const struct asked *asked = arg;
    struct text_buf json = {0};
    int64_t count = 0;

    text_append(&json, "{\"matches\":[");
    for (const char *line = out; !error_is_set(err) && *line;) {
        size_t len = strcspn(line, "\n");

        if (count++ > 0)
            text_append(&json, ",");
        text_append_bytes(&json, line, len);
        line += len + (line[len] == '\n');
    }
    text_appendf(&json, "],\"more\":%s}\n", count >= asked->limit ? "true" : "false");
    free(out);
    asked->done(asked->done_arg, text_take(&json), err);
}

struct web_child *web_logs_search(struct web_children *children,
                                  const struct web_log_query *query, const char *text,
                                  int64_t limit, web_done_fn *done, void *done_arg)
{
    char verb[][8] = {"dagrun", "logs", "--json"};
    char *argv[ARGS] = {verb[0], verb[1], verb[2]};
    struct asked *asked = mem_alloc(sizeof *asked);
    struct web_child *child;
    char last[] = "last";
    char *number = query->run ? mem_printf("%" PRId64, query->run) : NULL;

    *asked = (struct asked){done, done_arg, limit};
    /* As one word with its option: what somebody wrote is never an option itself. */
    argv[3] = mem_printf("--grep=%s", text);
    argv[4] = mem_printf("--limit=%" PRId64, limit);
    argv[5] = mem_printf("--attempt=%" PRId64, query->attempt);
    argv[6] = mem_printf("%s@%s/%s.%s", query->dag, number ? number : last, query->node,
                         query->client);
    child =
        web_child_run(children, &(struct web_child_spec){.argv = argv,
                                                         .limit_ms = SEARCH_MS,
                                                         .output_bytes = SEARCH_OUTPUT,
                                                         .done = on_end,
                                                         .done_arg = asked});
    for (size_t i = 3; i < ARGS - 1; i++)
        free(argv[i]);
    free(number);
    return child;
}
