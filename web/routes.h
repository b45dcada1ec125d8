/* SPDX-License-Identifier: MIT
 *
 * routes.h - the one table of what is served: dispatch, rights, OpenAPI and the tests
 * of both come from it, so that a route can't be forgotten by one of them. Layer: web.
 */
#ifndef WEB_ROUTES_H
#define WEB_ROUTES_H

#include "base/json.h"
#include "web/guard.h"
#include "web/url.h"

struct web_call;

enum web_type {
    WEB_TEXT,
    WEB_NAME, /* of a dag or node: what YAML allows */
    WEB_RUN,  /* a number, or "last" */
    WEB_INT,
    WEB_TIME, /* milliseconds since 1970 */
    WEB_BOOL, /* of a body only */
};

struct web_param {
    const char *name;
    enum web_type type;
    bool required;
    int64_t min; /* of an int */
    int64_t max;
    const char *doc;
};

/* Answers the call, now or later. */
typedef void web_fn(struct web_call *call);

struct web_route {
    const char *method;
    const char
        *pattern; /* "/api/v1/runs/{dag}/{run}": {dag} {node} {client} are names */
    enum guard_role role;
    web_fn *fn;
    const char *doc;               /* one sentence */
    const char *type;              /* of the answer */
    const struct web_param *query; /* ends with a NULL name; NULL: none */
    const struct web_param *body;  /* members of a JSON object; likewise */
};

/* Does it change something beyond the session of who asks? */
bool web_route_is_action(const struct web_route *route);

/* Ends with a NULL method. */
extern const struct web_route web_routes[];

/*
 * The route of a request; HEAD is served by GET. NULL: there is none, *allowed has the
 * methods that this path has ("GET, POST") or is empty.
 */
const struct web_route *web_route_find(const char *method, const struct url *url,
                                       char allowed[64]);

/* The segment at the place of {name}, or NULL. */
const char *web_route_value(const struct web_route *route, const struct url *url,
                            const char *name);

/*
 * Check path, query and body against what the route takes: nothing unknown, nothing
 * missing, everything of its type. ERROR_INPUT says which.
 */
int web_route_check(const struct web_route *route, const struct url *url,
                    const json_t *body, struct error *err);

/* A pattern's next segment, not terminated; *at moves behind it. False at the end. */
bool web_route_segment(const char **at, const char **segment, size_t *len);
/* What {name} in a pattern takes. */
struct web_param web_route_param(const char *name);

/* The table as an OpenAPI 3.1 document. */
json_t *web_openapi(void);

#endif
