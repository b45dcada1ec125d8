/* SPDX-License-Identifier: MIT */
#include "ops/audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "host/local.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_cursor(const char *after, struct history_deed_filter *filter,
                       struct error *err)
{
    char end;

    if (after == NULL || sscanf(after, "%" SCNd64 ".%" SCNd64 "%c", &filter->before_ms,
                                &filter->before_id, &end) == 2)
        return 0;
    error_set(err, ERROR_INPUT, "'%s' is not the cursor of a page", after);
    return -1;
}

/* Ours is an object; what is no JSON is shown as it is. */
static json_t *detail_json(const char *detail)
{
    struct error err = {0};
    json_t *value = detail ? json_parse(detail, strlen(detail), &err) : NULL;

    return value ? value : json_text(detail);
}

static json_t *deed_json(const struct history_deed *deed)
{
    char time[CLOCK_TEXT];

    clock_format_utc(deed->ts_ms, time);
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "time", time, "who",
                     json_text(deed->who), "role", json_text(deed->role), "from",
                     json_text(deed->origin), "action", json_text(deed->action), "dag",
                     json_text(deed->dag), "target", json_text(deed->target), "detail",
                     detail_json(deed->detail), "ok", deed->ok, "text",
                     json_text(deed->text));
}

int audit_list(const struct ops *ops, const struct audit_filter *filter,
               struct audit_list *out, struct error *err)
{
    struct history_deed_filter inner = {
        .dag = filter->dag, .since_ms = filter->since_ms, .limit = filter->limit};
    const struct history_deed *last;

    if (read_cursor(filter->after, &inner, err) != 0)
        return -1;
    if (ops_history(ops) == NULL)
        return 0;
    if (history_deeds(ops_history(ops), &inner, &out->arena, &out->deeds, err) != 0)
        return -1;
    if (out->deeds.count == (size_t)filter->limit) {
        last = &out->deeds.items[out->deeds.count - 1];
        (void)snprintf(out->next, sizeof out->next, "%" PRId64 ".%" PRId64, last->ts_ms,
                       last->id);
    }
    return 0;
}

void audit_list_clear(struct audit_list *list)
{
    mem_arena_clear(&list->arena);
    *list = (struct audit_list){0};
}

json_t *audit_json(const struct audit_list *list)
{
    json_t *items = json_array();

    for (size_t i = 0; i < list->deeds.count; i++)
        (void)json_array_append_new(items, deed_json(&list->deeds.items[i]));
    return json_pack("{s:o,s:o}", "audit", items, "next",
                     list->next[0] ? json_string(list->next) : json_null());
}

void audit_own(const char *home, const struct history_deed *deed,
               const struct error *refused)
{
    char *path = mem_printf("%s/history.db", home);
    struct error err = {0};
    struct history *history = history_open(path, false, &err);
    struct history_deed full = *deed;
    char origin[32];
    char user[LOCAL_TEXT];

    (void)snprintf(origin, sizeof origin, "pid %d", (int)getpid());
    full.ts_ms = clock_wall_ms();
    local_user_name(user);
    full.who = user;
    full.origin = origin;
    full.ok = refused == NULL || !error_is_set(refused);
    if (!full.ok)
        full.text = refused->text;
    if (history)
        history_audit(history, &full);
    else
        log_write(LOG_WARN, "history", NULL, "%s is not in the audit: %s", deed->action,
                  err.text);
    history_close(history);
    free(path);
}
