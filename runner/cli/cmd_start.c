/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cmd.h"
#include "cli/detach.h"
#include "cli/embedded.h"
#include "cli/outlet.h"
#include "cli/table.h"
#include "cli/web_state.h"
#include "cli/start_options.h"
#include "run/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAINT_MS = 500, OUTLET_MS = 20 };

/* What the foreground shows, and where. */
struct screen {
    struct table *table; /* NULL: plain lines on stderr */
    json_t *before;      /* status of the last plain update */
    int64_t next_ms;
    bool quiet; /* detached: only talk, into the log */
    const char *home;
    const char *dag;
    bool linked; /* its page was looked for */
    char *link;  /* NULL: no web server runs */
    struct outlet *out; /* bare lines on stdout; NULL: it is a terminal */
};

static void on_talk(void *arg, const char *text)
{
    const struct screen *screen = arg;

    if (screen->table) {
        table_line(screen->table, NULL, text, strlen(text));
        return;
    }
    (void)fputs("dagrun: ", stderr);
    text_print_safe(stderr, text, strlen(text));
    (void)fputc('\n', stderr);
}

static void on_line(void *arg, const char *client, const char *text, size_t len,
                    int64_t skipped)
{
    const struct screen *screen = arg;

    if (skipped > 0) {
        char *note = mem_printf("%lld lines of %s are not shown, its log has them",
                                (long long)skipped, client);

        on_talk(arg, note);
        free(note);
    }
    if (screen->out) {
        outlet_line(screen->out, text, len);
    } else if (screen->table) {
        table_line(screen->table, client, text, len);
    } else {
        (void)printf("%s | ", client);
        text_print_safe(stdout, text, len);
        (void)putchar('\n');
    }
}

static void paint(struct screen *screen, const struct run *run, bool now)
{
    json_t *status;

    if (screen->quiet || run_number(run) == 0 ||
        (!now && clock_mono_ms() < screen->next_ms))
        return;
    screen->next_ms = clock_mono_ms() + PAINT_MS;
    status = run_status(run);
    if (screen->table) {
        table_update(screen->table, status);
    } else {
        plain_update(stderr, screen->before, status);
        json_decref(screen->before);
        screen->before = json_incref(status);
    }
    json_decref(status);
}

/* Why a client failed, its last words, and where there is more. */
static void tell_failure(const char *dag, const char *node, const json_t *client)
{
    const char *id = json_get_string(client, "client", "");
    const char *error = json_get_string(client, "last_error",
                                        json_get_string(client, "last_exit", "not started"));
    const char *words = json_get_string(client, "last_words", NULL);
    const char *log = json_get_string(client, "log", NULL);

    (void)fprintf(stderr, "\n%s.%s failed%s: ", node, id,
                  json_get_bool(client, "start_limit", false) ? " too often" : "");
    text_print_safe(stderr, error, strlen(error));
    (void)fputc('\n', stderr);
    while (words && *words) {
        size_t len = strcspn(words, "\n");

        (void)fputs("  | ", stderr);
        text_print_safe(stderr, words, len);
        (void)fputc('\n', stderr);
        words += len + (words[len] == '\n');
    }
    if (log)
        text_printf_safe(stderr, "  its log: %s\n  more: dagrun logs %s/%s.%s\n", log, dag, node,
                      id);
}

static void tell_failures(const json_t *status)
{
    const char *dag = json_get_string(status, "dag", "");
    size_t n;
    size_t c;
    json_t *node;
    json_t *client;

    json_array_foreach(json_object_get(status, "nodes"), n, node) {
        json_array_foreach(json_object_get(node, "clients"), c, client) {
            if (strcmp(json_get_string(client, "state", ""), "failed") == 0)
                tell_failure(dag, json_get_string(node, "node", ""), client);
        }
    }
}

/* Where the reasons are, and the records. */
static void tell_dead_letters(const json_t *status)
{
    const char *dag = json_get_string(status, "dag", "");
    size_t n;
    json_t *node;

    json_array_foreach(json_object_get(status, "nodes"), n, node) {
        const char *name = json_get_string(node, "node", "");
        int64_t dead = json_get_int(node, "dead", 0);

        if (dead > 0)
            (void)fprintf(stderr,
                          "%s: %" PRId64 " dead letter%s; 'dagrun dlq list %s' has the "
                          "reasons, 'dagrun dlq show %s/%s' the records\n",
                          name, dead, dead == 1 ? "" : "s", dag, dag, name);
    }
}

static void finish(struct screen *screen, const struct run *run)
{
    json_t *status;

    if (screen->quiet || run_number(run) == 0)
        return;
    paint(screen, run, true);
    status = run_status(run);
    if (screen->table)
        table_finish(screen->table, status);
    else
        plain_finish(stderr, status);
    tell_dead_letters(status);
    tell_failures(status);
    json_decref(status);
}

static void tell_dropped(struct screen *screen)
{
    int64_t dropped = outlet_take_dropped(screen->out);
    char *note;

    if (dropped == 0)
        return;
    note = mem_printf("%" PRId64 " lines are not shown: the reader of stdout is too slow; "
                      "the logs have them",
                      dropped);
    on_talk(screen, note);
    free(note);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Where the run's page is, once it has a number. */
static void tell_link(struct screen *screen, const struct run *run)
{
    screen->linked = true;
    screen->link = web_state_link(screen->home, screen->dag, run_number(run));
    if (screen->quiet) /* the parent says it */
        return;
    if (screen->link)
        on_talk(screen, screen->link);
    else if (isatty(STDERR_FILENO))
        on_talk(screen, WEB_STATE_HINT);
}

static void run_until_over(struct loop *loop, struct run *run, struct embedded *embedded,
                           struct screen *screen, struct detach *detach)
{
    while (!run_is_over(run)) {
        int64_t deadline = earlier(run_deadline_ms(run), embedded_step(embedded));

        if (!screen->quiet && run_number(run) > 0)
            deadline = earlier(deadline, screen->next_ms);
        if (screen->out && screen->out->kept.len > 0)
            deadline = earlier(deadline, clock_mono_ms() + OUTLET_MS);
        loop_wait(loop, deadline);
        run_step(run);
        if (screen->out && outlet_flush(screen->out))
            tell_dropped(screen);
        paint(screen, run, false);
        if (run_number(run) > 0 && !screen->linked)
            tell_link(screen, run);
        if (run_has_started(run))
            detach_ready(detach, run_number(run), screen->link);
    }
}

/* On the embedded broker: started now, and again when it dies. Else *embedded is NULL. */
static struct run *open_run(struct loop *loop, struct run_options *options,
                            struct embedded **embedded, struct error *err)
{
    if (strcmp(options->broker_name, EMBEDDED_NAME) == 0) {
        *embedded = embedded_open(loop, options->home, on_talk, options->arg, err);
        if (*embedded == NULL)
            return NULL;
        options->brokers = embedded_address(*embedded);
    }
    return run_open(loop, options, err);
}

/* The run from its opening to its end; the exit code. */
static int carry_out(const struct start_options *options, const struct dag *dag,
                     const char *broker, const char *home, struct detach *detach)
{
    bool terminal = isatty(STDERR_FILENO) && !options->plain && detach == NULL;
    struct outlet out = {.fd = STDOUT_FILENO};
    struct screen screen = {
        .out = isatty(STDOUT_FILENO) ? NULL : &out,
        .table = terminal ? table_new(stderr, 0, 0, table_color(stderr)) : NULL,
        .quiet = detach != NULL,
        .home = home,
        .dag = dag->name};
    struct run_options run_options = {.home = home,
                                      .dag = dag,
                                      .brokers = broker,
                                      .broker_name = broker,
                                      .permits = options->permits,
                                      .keep = options->keep,
                                      .trigger = options->trigger,
                                      .audited = options->audited,
                                      .program_path = cli_program_path,
                                      .on_line = detach ? NULL : on_line,
                                      .on_talk = on_talk,
                                      .arg = &screen};
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct embedded *embedded = NULL;
    struct run *run = loop ? open_run(loop, &run_options, &embedded, &err) : NULL;
    int64_t number = 0;
    char *text;
    int code;

    if (run) {
        run_until_over(loop, run, embedded, &screen, detach);
        finish(&screen, run);
        number = run_number(run);
        code = run_close(run, &err);
    } else {
        code = error_exit_code(err.kind);
    }
    outlet_close(&out);
    if (screen.out)
        tell_dropped(&screen);
    if (error_is_set(&err) && number == 0 && !options->audited)
        cli_audit(options->trigger, dag->name, dag->path, NULL, &err);
    if (error_is_set(&err)) {
        (void)cli_fail(&err); /* first: nobody may be left to be told */
        detach_failed(detach, code, err.text);
    } else if (code != 0) {
        text = mem_printf("the run failed while starting; 'dagrun show %s' says why", dag->name);
        detach_failed(detach, code, text);
        free(text);
    } else {
        detach_ready(detach, number, screen.link);
    }
    table_free(screen.table);
    json_decref(screen.before);
    free(screen.link);
    embedded_close(embedded);
    loop_free(loop);
    return code;
}

/* Start a checked dag in the foreground or, when asked, in a process of its own. */
static int start_dag(const struct start_options *options, const struct dag *dag)
{
    struct error err = {0};
    const char *why = NULL;
    const char *broker = cli_brokers(dag, options->brokers, &why, &err);
    char *home = broker ? cli_home(true, &err) : NULL;
    struct detach *detach = NULL;
    int code;

    if (home == NULL)
        return cli_fail(&err);
    if (options->detach) {
        code = detach_fork(home, dag->name, &detach, &err);
        if (detach == NULL) { /* the parent, told how it went */
            free(home);
            return error_is_set(&err) ? cli_fail(&err) : code;
        }
    }
    code = carry_out(options, dag, broker, home, detach);
    detach_free(detach);
    free(home);
    return code;
}

/* It can't be read, or has errors, which have been said already. */
static int refuse(const struct start_options *options, const struct error *err)
{
    struct error reason = *err;

    if (reason.text[0] == '\0')
        (void)snprintf(reason.text, sizeof reason.text, "the file has errors");
    cli_audit(options->trigger, NULL, options->file, NULL, &reason);
    return *err->text ? cli_fail(err) : error_exit_code(err->kind);
}

static int run(int argc, char **argv)
{
    struct start_options options = {.trigger = argv[0],
                                    .audited = cli_audit_is_parents()};
    struct error err = {0};
    struct dag *dag = NULL;
    char *path = NULL;
    int code = start_options_parse(argc, argv, &options);

    if (code != 0)
        goto done;
    path = start_find_file(options.file, &err);
    if (path)
        dag = cli_load_dag(path, &options.params, true, &err);
    if (dag)
        code = start_dag(&options, dag);
    else
        code = refuse(&options, &err);
done:
    dag_free(dag);
    free(path);
    start_options_clear(&options);
    return code;
}

extern const struct cmd cmd_start;
const struct cmd cmd_start = {
    .name = "start",
    .usage = "start [OPTIONS] FILE|DAG",
    .doc = "Run a dag until its sources are finished, or until it is stopped.",
    .help = "FILE is a YAML file; DAG the name of one that has run.\n\n"
            "  -d, --detach          return when all clients are up; 'dagrun stop' ends it\n"
            "  --keep                finished sources wait for 'send'; only 'stop' ends it\n"
            "  --fresh               drop what is unread, begin sources anew; counted\n"
            "  --abandon EDGE        give up what is unread on an edge (FROM:TO); repeatable\n"
            "  --adopt               take the dag's name over from another YAML path\n"
            "  --brokers HOST:PORT   the Kafka to use, before kafka.brokers and\n"
            "                        DAGRUN_BROKERS; without any the embedded broker is\n"
            "                        used, and started when it does not run\n"
            "  --param NAME=VALUE    for ${NAME} in the YAML; repeatable\n"
            "  --plain               lines instead of the live table\n\n"
            "Lines of sinks go to stdout, everything else to stderr. Ctrl-C drains, a second\n"
            "one ends at once. Exit codes: 0 succeeded or stopped, 1 failed or with dead\n"
            "letters, 2 bad input, 3 no broker, 5 conflict with what the last run left,\n"
            "130 ended by a second Ctrl-C.\n",
    .run = run,
};
