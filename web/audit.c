/* SPDX-License-Identifier: MIT */
#include "web/audit.h"

#include "base/clock.h"
#include "base/mem.h"
#include "web/throttle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODYS = 20, NOBODY_MS = 6000 };

struct web_audit {
    const struct web_source *source;
    struct throttle *nobodys; /* entries, by address */
    int64_t left_out;
};

/* An action on its way to its answer. */
struct note {
    struct web_audit *audit;
    const char *action; /* of the route's pattern */
    char *dag;          /* NULL: none is named */
    char *node;
    char *file;
    struct guard_who who;
};

struct web_audit *web_audit_new(const struct web_source *source)
{
    struct web_audit *audit = mem_alloc(sizeof *audit);

    audit->source = source;
    audit->nobodys = throttle_new(NOBODYS, NOBODY_MS);
    return audit;
}

void web_audit_free(struct web_audit *audit)
{
    if (audit == NULL)
        return;
    throttle_free(audit->nobodys);
    free(audit);
}

static void note_free(struct note *note)
{
    free(note->dag);
    free(note->node);
    free(note->file);
    free(note);
}

/* Whether one more entry of nobody is written. */
static bool has_room(struct web_audit *audit, const char *peer)
{
    int64_t now_ms = clock_mono_ms();

    if (throttle_wait_ms(audit->nobodys, peer, now_ms) > 0) {
        audit->left_out++;
        return false;
    }
    throttle_take(audit->nobodys, peer, now_ms);
    return true;
}

static void record(struct web_audit *audit, const struct guard_who *who,
                   struct web_deed *deed)
{
    bool is_known = who->role != GUARD_PUBLIC;
    char *text = NULL;

    if (!is_known && !has_room(audit, deed->peer))
        return;
    deed->who = who->name;
    deed->role = is_known ? guard_role_name(who->role) : NULL;
    if (!is_known && audit->left_out > 0) {
        text = mem_printf("%s (and %" PRId64 " more that are not listed)",
                          deed->text ? deed->text : "", audit->left_out);
        deed->text = text;
        audit->left_out = 0;
    }
    audit->source->audit(audit->source->arg, deed);
    free(text);
}

/* ---------------------------------------------------------------------------- actions
 */

/* What the body says beyond the target, as text; NULL: nothing. The caller frees. */
static char *detail_of(json_t *body)
{
    (void)json_object_del(body, "node");
    (void)json_object_del(body, "client");
    return json_object_size(body) > 0 ? json_line(body) : NULL;
}

/* "arithmetic/calc.0"; the caller frees. */
static char *target_of(const struct note *note, const json_t *body)
{
    const char *node = note->node ? note->node : json_get_string(body, "node", NULL);
    const char *client = json_get_string(body, "client", NULL);

    if (note->dag == NULL)
        return mem_strdup(note->file);
    return mem_printf("%s%s%s%s%s", note->dag, node ? "/" : "", node ? node : "",
                      client ? "." : "", client ? client : "");
}

/* A start names a file; which dag that is, its answer says: "arithmetic@3 runs …". */
static char *dag_of(const struct note *note, const char *text)
{
    const char *at = text ? strstr(text, "@") : NULL;

    if (note->dag || at == NULL || note->file == NULL)
        return mem_strdup(note->dag);
    return memchr(text, ' ', (size_t)(at - text))
               ? NULL
               : mem_strndup(text, (size_t)(at - text));
}

static json_t *object_of(const char *text, size_t len)
{
    struct error err = {0};
    json_t *value = len > 0 ? json_parse(text, len, &err) : NULL;

    if (json_is_object(value))
        return value;
    json_decref(value);
    return json_object();
}

static void on_answered(void *arg, struct http_request *request, int status,
                        const char *answer, size_t len)
{
    struct note *note = arg;
    bool ok = status < 400;
    size_t body_len;
    const char *body_text = http_body(request, &body_len);
    json_t *body = object_of(body_text, body_len);
    json_t *said = object_of(answer, len);
    const char *text = json_get_string(said, ok ? "text" : "error", NULL);
    char *target = target_of(note, body);
    char *dag = dag_of(note, ok ? text : NULL);
    char *detail = detail_of(body);
    struct web_deed deed = {.peer = http_peer(request),
                            .action = note->action,
                            .dag = dag,
                            .target = target,
                            .detail = detail,
                            .ok = ok,
                            .text = text};

    if (!ok || !json_get_bool(body, "dry_run", false)) /* that only looked */
        record(note->audit, &note->who, &deed);
    free(detail);
    free(dag);
    free(target);
    json_decref(said);
    json_decref(body);
    note_free(note);
}

void web_audit_watch(struct web_audit *audit, struct http_request *request,
                     const struct web_route *route, const struct url *url)
{
    struct note *note;

    if (!web_route_is_action(route))
        return;
    note = mem_alloc(sizeof *note);
    *note = (struct note){.audit = audit,
                          .action = strrchr(route->pattern, '/') + 1,
                          .dag = mem_strdup(web_route_value(route, url, "dag")),
                          .node = mem_strdup(web_route_value(route, url, "node")),
                          .file = mem_strdup(web_route_value(route, url, "file"))};
    http_on_answered(request, on_answered, note);
}

void web_audit_who(struct http_request *request, const struct guard_who *who)
{
    struct note *note = http_answered_arg(request);

    if (note)
        note->who = *who;
}

void web_audit_login(struct web_audit *audit, struct http_request *request,
                     const struct guard_who *who, const struct guard_refusal *no)
{
    struct guard_who tried = {0};
    struct web_deed deed = {.peer = http_peer(request),
                            .action = "login",
                            .ok = who != NULL,
                            .text = who ? NULL : no->text};

    if (who == NULL && !no->password)
        return; /* it was not even tried */
    if (who == NULL)
        (void)snprintf(tried.name, sizeof tried.name, "%s", no->name);
    if (who || http_answered_arg(request) == NULL)
        record(audit, who ? who : &tried, &deed);
    else /* an action: its own entry says so */
        web_audit_who(request, &tried);
}
