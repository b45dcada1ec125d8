/* SPDX-License-Identifier: MIT
 *
 * run.h - one execution of a dag: joins what core decides with what host can do.
 * Layer: run. One thread, one loop; no call blocks once the run is open, except run_close.
 *
 *     struct run *run = run_open(loop, &options, err);
 *     while (!run_is_over(run)) {
 *         loop_wait(loop, run_deadline_ms(run));   the only place that sleeps
 *         run_step(run);                           the only place that decides
 *     }
 *     code = run_close(run, err);
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "core/dag.h"
#include "core/plan.h"
#include "core/reconcile.h"

#include <stdbool.h>
#include <stdint.h>

struct run;

/* A line that a sink wrote on stdout: "right.0", its text; skipped: lines before it that
 * were not shown because there were too many. */
typedef void run_line_fn(void *arg, const char *client, const char *text, size_t len,
                         int64_t skipped);
/* Something a person should read now; one line without newline. */
typedef void run_talk_fn(void *arg, const char *text);
/* The file of a program by its name or path; malloc'ed, or NULL and err. */
typedef char *run_program_fn(const char *program, struct error *err);

struct run_options {
    const char *home;    /* the state directory, exists */
    const struct dag *dag;
    const char *brokers; /* host:port,… */
    const char *broker_name; /* what the history calls it */
    struct plan_permits permits;
    bool keep;           /* finished sources idle; the run ends only by stop */
    bool prepare_only;   /* make topics and start offsets, start nothing (send) */
    const char *trigger; /* for the history: "start" … */
    bool audited;        /* whoever asked for the run records that it did */
    run_program_fn *program_path;
    run_line_fn *on_line; /* NULL: nobody listens */
    run_talk_fn *on_talk;
    void *arg; /* for both */
};

/*
 * Take the dag's lock, open history, control socket and broker, and begin to start.
 * options and what they point to must outlive the run. Call signals before any thread:
 * run_open does.
 * Errors: ERROR_CONFLICT it runs already; ERROR_INPUT a bad broker property;
 *         ERROR_INTERNAL the state directory.
 */
struct run *run_open(struct loop *loop, const struct run_options *options,
                     struct error *err);

bool run_is_over(const struct run *run);
int64_t run_deadline_ms(const struct run *run); /* clock_mono_ms */
void run_step(struct run *run);

/* What the control socket answers to "status"; the caller owns it. */
json_t *run_status(const struct run *run);
enum run_state run_current_state(const struct run *run);
int64_t run_number(const struct run *run); /* 0: not begun */

/* All clients have been up once, and nothing ends the run. */
bool run_has_started(const struct run *run);

/* Ask it to stop, as Ctrl-C does. */
void run_stop(struct run *run, enum reconcile_stop stop);

/*
 * Write the last rows and free everything. Returns the exit code; when the start was
 * refused or went wrong, err says why.
 */
int run_close(struct run *run, struct error *err);

#endif
