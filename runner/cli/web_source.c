/* SPDX-License-Identifier: MIT */
#include "cli/web_source.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/web_ask.h"
#include "cli/web_audit.h"
#include "cli/web_child.h"
#include "cli/web_files.h"
#include "cli/web_letters.h"
#include "cli/web_live.h"
#include "cli/web_logs.h"
#include "cli/web_messages.h"
#include "ops/audit.h"
#include "ops/ops.h"
#include "ops/samples.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    STARTS_MAX = 8,   /* at once */
    START_MS = 90000, /* a start waits for its broker and topics */
    RESTART_MS = 600000, /* and a restart for the old run's end before that */
    START_OUTPUT = 256 * 1024,
};

struct web_store {
    const char *home;
    char *history_path;
    struct ops *ops;
    struct web_live *live;
    struct web_asks *asks;
    struct web_audits *audits;
    struct web_children *children;
    struct web_children *readers; /* of messages and logs */
    const char *const *folders;
    ino_t inode; /* of the history that is open; 0: there was none */
    struct web_source source;
};

static ino_t history_inode(const struct web_store *store)
{
    struct stat st;

    return stat(store->history_path, &st) == 0 ? st.st_ino : 0;
}

/* The history may come after us, and a damaged one is set aside for a new one. */
static const struct ops *ops_now(struct web_store *store, struct error *err)
{
    ino_t inode = history_inode(store);
    struct ops *ops;

    if (store->ops && inode == store->inode)
        return store->ops;
    ops = ops_open(store->home, err);
    if (ops == NULL)
        return NULL;
    ops_close(store->ops);
    store->ops = ops;
    store->inode = ops_history(ops) ? inode : 0;
    return ops;
}

static bool ready(void *arg, struct error *err)
{
    const struct ops *ops = ops_now(arg, err);
    struct ops_runs runs = {0};
    const struct ops_filter filter = {.limit = 1};
    bool is_ready = ops && ops_runs(ops, &filter, &runs, err) == 0;

    ops_runs_clear(&runs);
    if (!is_ready)
        log_write(LOG_WARN, "web", NULL, "the history can't be read: %s", err->text);
    return is_ready;
}

static const json_t *live(void *arg)
{
    const struct web_store *store = arg;

    return web_live_all(store->live);
}

static json_t *dags(void *arg, struct error *err)
{
    const struct ops *ops = ops_now(arg, err);

    return ops ? ops_dags_json(ops, err) : NULL;
}

static json_t *runs(void *arg, const struct web_run_filter *filter, struct error *err)
{
    const struct ops *ops = ops_now(arg, err);
    const struct ops_filter inner = {.dag = filter->dag,
                                     .state = filter->state,
                                     .since_ms = filter->since_ms,
                                     .after = filter->after,
                                     .limit = filter->limit};
    struct ops_runs list = {0};
    json_t *answer = NULL;

    if (ops && ops_runs(ops, &inner, &list, err) == 0)
        answer = ops_runs_json(&list);
    ops_runs_clear(&list);
    return answer;
}

/* Read a run and let fn make an object of it. */
static json_t *of_run(void *arg, const char *dag, int64_t run,
                      json_t *(*fn)(const struct ops_run *run), struct error *err)
{
    const struct ops *ops = ops_now(arg, err);
    struct ops_run details = {0};
    json_t *answer = NULL;

    if (ops && ops_run(ops, dag, run, &details, err) == 0)
        answer = fn(&details);
    ops_run_clear(&details);
    return answer;
}

static json_t *run(void *arg, const char *dag, int64_t number, struct error *err)
{
    return of_run(arg, dag, number, ops_run_json, err);
}

static json_t *graph(void *arg, const char *dag, int64_t number, struct error *err)
{
    return of_run(arg, dag, number, ops_graph_json, err);
}

static json_t *samples(void *arg, const struct web_samples_query *query, struct error *err)
{
    const struct ops *ops = ops_now(arg, err);
    const struct ops_samples_query inner = {.dag = query->dag,
                                            .run = query->run,
                                            .node = query->node,
                                            .client = query->client,
                                            .edge = query->edge,
                                            .metric = query->metric,
                                            .since_ms = query->since_ms,
                                            .until_ms = query->until_ms,
                                            .points = query->points};

    return ops ? ops_samples_json(ops, &inner, err) : NULL;
}

/* The runner's last word; what is only recorded while it has said none. */
static json_t *status(void *arg, const char *dag, struct error *err)
{
    struct web_store *store = arg;
    const struct ops *ops = ops_now(store, err);
    json_t *word = web_live_status(store->live, dag);

    if (word && ops && ops_is_live(ops, dag))
        return json_incref(word);
    return ops ? ops_recorded_status(ops, dag, err) : NULL;
}

/* ----------------------------------------------------------------------------- logs */

static json_t *logs(void *arg, const char *dag, int64_t number, struct error *err)
{
    return web_logs_list(ops_now(arg, err), dag, number, err);
}

static int log_piece(void *arg, const struct web_log_query *query,
                     struct web_log_piece *out, struct error *err)
{
    return web_logs_piece(ops_now(arg, err), query, out, err);
}

static struct web_log *log_open(void *arg, const struct web_log_query *query,
                                struct error *err)
{
    return web_logs_open(ops_now(arg, err), query, err);
}

/* A job of the web is a child here. */
static struct web_job *log_search(void *arg, const struct web_log_query *query,
                                  const char *text, int64_t limit, web_done_fn *done,
                                  void *done_arg)
{
    struct web_store *store = arg;

    return (struct web_job *)web_logs_search(store->readers, query, text, limit, done,
                                             done_arg);
}

static void act(void *arg, const struct web_action *action, web_done_fn *done,
                void *done_arg)
{
    struct web_store *store = arg;

    web_ask(store->asks, store->ops, action, done, done_arg);
}

static void audit(void *arg, const struct web_deed *deed)
{
    const struct web_store *store = arg;

    web_audits_add(store->audits, deed);
}

static json_t *audits(void *arg, const struct web_audit_filter *filter,
                      struct error *err)
{
    const struct ops *ops = ops_now(arg, err);
    const struct audit_filter inner = {.dag = filter->dag,
                                       .since_ms = filter->since_ms,
                                       .after = filter->after,
                                       .limit = filter->limit};
    struct audit_list list = {0};
    json_t *answer = NULL;

    if (ops && audit_list(ops, &inner, &list, err) == 0)
        answer = audit_json(&list);
    audit_list_clear(&list);
    return answer;
}

static json_t *files(void *arg)
{
    const struct web_store *store = arg;

    return web_files_list(store->folders);
}

static struct web_job *file_look(void *arg, const char *name, bool check, web_done_fn *done,
                                 void *done_arg)
{
    struct web_store *store = arg;
    struct error err = {0};
    char *path = web_files_find(store->folders, name, &err);
    struct web_child *child = NULL;

    if (path)
        child = web_files_look(store->readers, path, check, done, done_arg);
    else
        done(done_arg, NULL, &err);
    free(path);
    return (struct web_job *)child;
}

struct started {
    web_done_fn *done;
    void *done_arg;
};

/* The last line says what runs now; before it a restart says what came of the old run. */
static char *last_line(const char *text)
{
    size_t len = strlen(text);
    size_t begin;

    while (len > 0 && text[len - 1] == '\n')
        len--;
    for (begin = len; begin > 0 && text[begin - 1] != '\n';)
        begin--;
    return mem_strndup(text + begin, len - begin);
}

static void on_started(void *arg, char *out, const struct error *err)
{
    const struct started *started = arg;
    char *line = last_line(out);

    free(out);
    started->done(started->done_arg, line, err);
}

static void start(void *arg, const struct web_start *what, web_done_fn *done,
                  void *done_arg)
{
    struct web_store *store = arg;
    struct error err = {0};
    char *path = web_files_find(store->folders, what->file, &err);
    char verb[][16] = {"dagrun", "start", "-d", "--fresh", "--keep", "restart"};
    char *argv[8] = {verb[0], verb[what->restart ? 5 : 1], verb[2]};
    struct started *started;
    size_t count = 3;

    if (path == NULL) {
        done(done_arg, NULL, &err);
        return;
    }
    if (what->fresh)
        argv[count++] = verb[3];
    if (what->keep)
        argv[count++] = verb[4];
    argv[count++] = path;
    started = mem_alloc(sizeof *started);
    *started = (struct started){done, done_arg};
    (void)web_child_run(store->children,
                        &(struct web_child_spec){.argv = argv,
                                                 .limit_ms = what->restart
                                                                 ? RESTART_MS
                                                                 : START_MS,
                                                 .output_bytes = START_OUTPUT,
                                                 .acts = true,
                                                 .done = on_started,
                                                 .done_arg = started});
    free(path);
}

static struct web_job *messages(void *arg, const struct web_messages *query,
                                web_done_fn *done, void *done_arg)
{
    struct web_store *store = arg;

    return (struct web_job *)web_messages(store->readers, query, done, done_arg);
}

/* Those that change something have places of their own: readers don't keep them out. */
static struct web_job *letters(void *arg, const struct web_letters *query,
                               web_done_fn *done, void *done_arg)
{
    struct web_store *store = arg;
    bool acts = query->what >= WEB_LETTERS_REPLAY && !query->dry_run;

    return (struct web_job *)web_letters(acts ? store->children : store->readers, query,
                                         done, done_arg);
}

static void cancel(void *arg, struct web_job *job)
{
    (void)arg;
    web_child_stop((struct web_child *)job);
}

/* ---------------------------------------------------------------------------- store */

struct web_store *web_store_open(struct loop *loop, const char *home,
                                 const char *const *folders, struct error *err)
{
    struct web_store *store = mem_alloc(sizeof *store);

    *store = (struct web_store){.home = home,
                                .history_path = mem_printf("%s/history.db", home),
                                .live = web_live_new(loop),
                                .asks = web_asks_new(loop),
                                .children = web_children_new(loop, STARTS_MAX),
                                .readers = web_children_new(loop, WEB_MESSAGES_MAX),
                                .folders = folders};
    store->source = (struct web_source){.arg = store,
                                        .ready = ready,
                                        .live = live,
                                        .dags = dags,
                                        .runs = runs,
                                        .run = run,
                                        .status = status,
                                        .graph = graph,
                                        .samples = samples,
                                        .logs = logs,
                                        .log = log_piece,
                                        .log_open = log_open,
                                        .log_search = log_search,
                                        .act = act,
                                        .audit = audit,
                                        .audits = audits,
                                        .files = files,
                                        .file_look = file_look,
                                        .start = start,
                                        .messages = messages,
                                        .letters = letters,
                                        .cancel = cancel};
    store->audits = web_audits_open(home, err);
    if (store->audits && ops_now(store, err))
        return store;
    web_store_close(store);
    return NULL;
}

void web_store_close(struct web_store *store)
{
    if (store == NULL)
        return;
    web_children_free(store->children);
    web_children_free(store->readers);
    web_asks_free(store->asks);
    web_live_free(store->live);
    web_audits_close(store->audits);
    ops_close(store->ops);
    free(store->history_path);
    free(store);
}

const struct web_source *web_store_source(const struct web_store *store)
{
    return &store->source;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t web_store_tick(struct web_store *store)
{
    int64_t next_ms = web_live_tick(store->live, store->ops);

    next_ms = earlier(next_ms, web_asks_tick(store->asks));
    next_ms = earlier(next_ms, web_children_tick(store->children));
    next_ms = earlier(next_ms, web_children_tick(store->readers));
    return earlier(next_ms, web_audits_tick(store->audits));
}
