/* SPDX-License-Identifier: MIT
 *
 * Logs: which there are, bytes of one, all of one, and a search in one.
 */
#include "web/later.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_PIECE = 65536, MATCHES = 200 };

void api_logs(struct web_call *call)
{
    struct error err = {0};
    json_t *logs = call->source->logs(call->source->arg, call_path(call, "dag"),
                                      call_run(call), &err);

    call_finish(call, logs, &err);
}

static void add_number(struct web_call *call, const char *name, int64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    http_add_header(call->request, name, text);
}

static struct web_log_query query_of(const struct web_call *call)
{
    return (struct web_log_query){.dag = call_path(call, "dag"),
                                  .run = call_run(call),
                                  .node = call_path(call, "node"),
                                  .client = call_path(call, "client"),
                                  .attempt = call_int(call, "attempt", 1)};
}

void api_log(struct web_call *call)
{
    struct error err = {0};
    struct web_log_piece piece = {0};
    struct web_log_query query = query_of(call);

    query.from = call_int(call, "from", 0);
    query.limit = (size_t)call_int(call, "limit", LOG_PIECE);
    if (call->source->log(call->source->arg, &query, &piece, &err) != 0) {
        call_fail(call, &err);
        return;
    }
    add_number(call, "Dagrun-Log-From", piece.from);
    add_number(call, "Dagrun-Log-Size", piece.size);
    add_number(call, "Dagrun-Log-Id", piece.id);
    http_answer(call->request, 200, call->route->type, piece.data, piece.len);
}

/* ------------------------------------------------------------------------ all of it */

static size_t pull(void *arg, char *bytes, size_t room)
{
    struct web_log *log = arg;

    return log->read(log, bytes, room);
}

static void end(void *arg)
{
    struct web_log *log = arg;

    log->close(log);
}

void api_log_file(struct web_call *call)
{
    struct error err = {0};
    const struct web_log_query query = query_of(call);
    struct web_log *log = call->source->log_open(call->source->arg, &query, &err);
    char *name;

    if (log == NULL) {
        call_fail(call, &err);
        return;
    }
    name = mem_printf("attachment; filename=\"%s-%s.%s.%" PRId64 ".log\"", query.dag,
                      query.node, query.client, query.attempt);
    http_add_header(call->request, "Content-Disposition", name);
    free(name);
    http_answer_pulled(call->request, call->route->type, log->size, pull, end, log);
}

/* --------------------------------------------------------------------------- search */

void api_log_search(struct web_call *call)
{
    const struct web_log_query query = query_of(call);
    struct later *later = later_new(call);

    later_job(later, call->source->log_search(
                         call->source->arg, &query, call_text(call, "text"),
                         call_int(call, "limit", MATCHES), later_done, later));
}
