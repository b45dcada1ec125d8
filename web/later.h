/* SPDX-License-Identifier: MIT
 *
 * later.h - a call that a job of the source answers with its text; when who asks goes
 * away, the job is ended. Layer: web.
 */
#ifndef WEB_LATER_H
#define WEB_LATER_H

#include "web/call.h"

struct later;

/* Begin: give later_done and what this returns to the source, and its job to later_job.
 */
struct later *later_new(struct web_call *call);
web_done_fn later_done;
/* NULL: it is over already, and so is later. */
void later_job(struct later *later, struct web_job *job);

#endif
