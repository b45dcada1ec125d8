/* SPDX-License-Identifier: MIT
 *
 * audit.h - every action that is asked for is recorded when it is answered, refused or
 * not: with who asked, from where, what, and the answer. Layer: web. It hangs on the
 * table of routes and on the answer, so that no action can be forgotten.
 *
 * Requests of nobody are recorded too, but only some per address: who floods us must
 * not fill the disk. How many were left out stands in the next entry of that kind.
 */
#ifndef WEB_AUDIT_H
#define WEB_AUDIT_H

#include "web/guard.h"
#include "web/http.h"
#include "web/routes.h"
#include "web/source.h"

struct web_audit;

/* source: borrowed. */
struct web_audit *web_audit_new(const struct web_source *source);
void web_audit_free(struct web_audit *audit);

/* Watch a request; does nothing for one that is no action. Who asks is told later, once
 * it is known. */
void web_audit_watch(struct web_audit *audit, struct http_request *request,
                     const struct web_route *route, const struct url *url);
void web_audit_who(struct http_request *request, const struct guard_who *who);

/* A name and password, or the token, were given: who it is, or no. */
void web_audit_login(struct web_audit *audit, struct http_request *request,
                     const struct guard_who *who, const struct guard_refusal *no);

#endif
