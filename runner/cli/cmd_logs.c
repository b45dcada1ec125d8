/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "cli/web_logs.h"
#include "ops/logs.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { LINES = 100, LINES_FOLLOW = 10, LOOK_EVERY_MS = 500, COLORS = 5 };

struct options {
    const char *address;
    bool follow;
    bool json;
    bool list;
    int64_t attempt;
    int64_t lines; /* -1: all; -2: not said */
    const char *grep; /* only lines with it; NULL: all */
    int64_t limit;    /* lines printed at most; 0: no limit */
};

/* One client whose log is shown. */
struct source {
    char *name; /* "calc.0" */
    int64_t attempt;
    struct log_reader *reader;
    const char *color;
};

struct follower {
    const struct options *options;
    int64_t printed; /* lines */
    struct log_query query;
    struct source *items;
    size_t count;
    size_t capacity;
    bool prefix; /* several clients */
    bool color;
    bool skipped; /* some have earlier lines that are not shown */
};

struct line_arg {
    struct follower *follower;
    const struct source *source;
};

/* Bytes that are no UTF-8 are as people see them: \\xHH. */
static json_t *text_json(const char *text, size_t len)
{
    json_t *string = json_stringn(text, len);
    char *copy;
    char *safe;

    if (string)
        return string;
    copy = mem_strndup(text, len);
    safe = grid_safe(copy);
    string = json_string(safe);
    free(copy);
    free(safe);
    return string;
}

static void print_json_line(const struct source *source, const char *text, size_t len)
{
    size_t node = strcspn(source->name, ".");

    cli_print_json(json_pack("{s:s%,s:s,s:I,s:I,s:o}", "node", source->name, node, "client",
                             source->name + node + 1, "attempt",
                             (json_int_t)source->attempt, "at",
                             (json_int_t)log_reader_at(source->reader), "text",
                             text_json(text, len)));
}

/* Is word in text, whatever the case of its letters? */
static bool has_word(const char *text, size_t len, const char *word)
{
    size_t size = strlen(word);

    for (size_t i = 0; i + size <= len; i++) {
        if (strncasecmp(text + i, word, size) == 0)
            return true;
    }
    return size == 0;
}

static bool is_wanted(struct follower *follower, const char *text, size_t len)
{
    const struct options *options = follower->options;

    if (options->grep && !has_word(text, len, options->grep))
        return false;
    return options->limit == 0 || follower->printed++ < options->limit;
}

static void print_line(void *arg, const char *text, size_t len)
{
    const struct line_arg *line = arg;

    if (!is_wanted(line->follower, text, len))
        return;
    if (line->follower->options->json) {
        print_json_line(line->source, text, len);
        return;
    }
    if (line->follower->prefix)
        (void)printf("%s%s%s | ", line->source->color, line->source->name,
                     *line->source->color ? GRID_OFF : "");
    text_print_safe(stdout, text, len);
    (void)putchar('\n');
}

static void print_new(struct follower *follower, const struct source *source, bool last)
{
    struct line_arg arg = {follower, source};

    (void)log_reader_read(source->reader, last, print_line, &arg);
}

static struct source *find(struct follower *follower, const char *name)
{
    for (size_t i = 0; i < follower->count; i++) {
        if (strcmp(follower->items[i].name, name) == 0)
            return &follower->items[i];
    }
    return NULL;
}

static struct source *add(struct follower *follower, const char *name)
{
    static const char *const colors[COLORS] = {GRID_CYAN, GRID_GREEN, GRID_YELLOW,
                                               "\x1b[35m", "\x1b[34m"};
    struct source *source;

    follower->items = mem_grow(follower->items, follower->count, &follower->capacity,
                               sizeof *follower->items);
    source = &follower->items[follower->count++];
    *source = (struct source){
        .name = mem_strdup(name),
        .color = follower->color ? colors[(follower->count - 1) % COLORS] : ""};
    return source;
}

/* A newer attempt of a client: the old one's rest, then the new one from its beginning. */
static void change_attempt(struct follower *follower, struct source *source,
                           const struct log_file *file, int64_t lines)
{
    struct error err = {0};
    bool skipped = false;
    struct log_reader *reader = log_reader_open(file->path, lines, &skipped, &err);

    if (reader == NULL)
        return; /* it is not there yet, or gone: the next look tells */
    if (source->reader) {
        print_new(follower, source, true);
        log_reader_close(source->reader);
        (void)fflush(stdout);
        (void)fprintf(stderr, "dagrun: %s: attempt %" PRId64 "\n", source->name,
                      file->attempt);
    }
    follower->skipped = follower->skipped || skipped;
    source->reader = reader;
    source->attempt = file->attempt;
}

/* Look which logs there are now. first: begin with their last lines. */
static void look(const struct ops *ops, struct follower *follower, bool first)
{
    struct mem_arena arena = {0};
    struct log_list list;

    logs_find(ops, &follower->query, &arena, &list);
    if (list.count > 1)
        follower->prefix = true;
    for (size_t i = 0; i < list.count; i++) {
        char *name = mem_printf("%s.%s", list.items[i].node, list.items[i].client);
        struct source *source = find(follower, name);

        if (source == NULL)
            source = add(follower, name);
        if (source->attempt != list.items[i].attempt)
            change_attempt(follower, source, &list.items[i],
                           first ? follower->options->lines : -1);
        free(name);
    }
    mem_arena_clear(&arena);
}

static void print_all(struct follower *follower, bool last)
{
    for (size_t i = 0; i < follower->count; i++) {
        if (follower->items[i].reader)
            print_new(follower, &follower->items[i], last);
    }
    (void)fflush(stdout);
}

/*
 * Sleep until something happens in the folder; half a second at most. False when nobody
 * reads standard output any more.
 */
static bool wait_for_change(int notify)
{
    struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = STDOUT_FILENO}};
    char events[4096];

    if (poll(fds, 2, LOOK_EVERY_MS) > 0 && (fds[0].revents & POLLIN))
        (void)!read(notify, events, sizeof events);
    return !(fds[1].revents & POLLERR);
}

static bool is_enough(const struct follower *follower)
{
    return follower->options->limit > 0 && follower->printed >= follower->options->limit;
}

static void follow(const struct ops *ops, struct follower *follower)
{
    char *folder =
        ops_run_folder(ops_home(ops), follower->query.dag, follower->query.run);
    int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    bool live = true;

    if (notify >= 0)
        (void)inotify_add_watch(notify, folder, IN_CREATE | IN_MODIFY | IN_MOVED_TO);
    while (live && !ferror(stdout) && !is_enough(follower)) {
        /* Asked first: what was written before the end is read after the answer. */
        live = ops_is_live(ops, follower->query.dag);
        look(ops, follower, false);
        print_all(follower, !live);
        if (live && !wait_for_change(notify))
            break;
    }
    if (notify >= 0)
        (void)close(notify);
    free(folder);
}

static void clear(struct follower *follower)
{
    for (size_t i = 0; i < follower->count; i++) {
        log_reader_close(follower->items[i].reader);
        free(follower->items[i].name);
    }
    free(follower->items);
}

/* The node of the run whose name is like that; in arena, NULL: none is. */
static const char *nearest_node(const struct ops *ops, const struct log_query *query,
                                struct mem_arena *arena)
{
    const struct log_query all = {.dag = query->dag, .run = query->run};
    const char **names;
    const char *near;
    struct log_list list;

    logs_find(ops, &all, arena, &list);
    names = mem_alloc((list.count + 1) * sizeof *names);
    for (size_t i = 0; i < list.count; i++)
        names[i] = list.items[i].node;
    near = text_nearest(query->node, names, list.count);
    free(names);
    return near && strcmp(near, query->node) != 0 ? near : NULL;
}

static int check_found(const struct ops *ops, const struct follower *follower,
                       const struct address *address, struct error *err)
{
    struct mem_arena arena = {0};
    const char *near = NULL;

    if (follower->count > 0)
        return 0;
    if (address->node)
        near = nearest_node(ops, &follower->query, &arena);
    error_set(err, ERROR_NOT_FOUND, "%s@%" PRId64 " has no log%s%s%s%s%s",
              address->dag, follower->query.run, address->node ? " of " : "",
              address->node ? address->node : "", address->client ? "." : "",
              address->client ? address->client : "",
              follower->query.attempt ? " with that attempt" : "");
    error_near(err, near);
    mem_arena_clear(&arena);
    return -1;
}

/* Follow only what still goes on: the last run of a dag whose runner lives. */
static bool can_follow(const struct ops *ops, const struct address *address, int64_t last)
{
    return ops_is_live(ops, address->dag) && (address->run == 0 || address->run == last);
}

static int find_run(const struct ops *ops, const struct address *address, int64_t *run,
                    int64_t *last, struct error *err)
{
    struct mem_arena arena = {0};
    struct history_run_row row = {0};

    if (ops_history(ops) == NULL)
        error_set(err, ERROR_NOT_FOUND, "no run of '%s' is known", address->dag);
    else if (history_find_run(ops_history(ops), address->dag, 0, &arena, &row, err) == 0)
        *last = row.run;
    *run = address->run ? address->run : *last;
    mem_arena_clear(&arena);
    return error_is_set(err) ? -1 : 0;
}

static int show(struct options *options, struct error *err)
{
    struct address address;
    struct ops *ops = cli_ops_at(options->address, &address, err);
    struct follower follower = {.options = options, .color = table_color(stdout)};
    int64_t last = 0;

    if (ops && address.edge)
        error_set(err, ERROR_INPUT, "a DAG, NODE or client expected, got the edge %s",
                  address.edge);
    if (ops && !error_is_set(err) &&
        find_run(ops, &address, &follower.query.run, &last, err) == 0) {
        follower.query.dag = address.dag;
        follower.query.node = address.node;
        follower.query.client = address.client;
        follower.query.attempt = options->attempt;
        if (options->follow && !can_follow(ops, &address, last)) {
            (void)fprintf(stderr, "dagrun: %s@%" PRId64 " has ended\n", address.dag,
                          follower.query.run);
            options->follow = false;
        }
        look(ops, &follower, true);
        print_all(&follower, !options->follow);
        if (follower.skipped && options->lines != 0 && !options->follow)
            (void)fputs("dagrun: earlier lines are not shown; --lines all shows them\n",
                        stderr);
        if (options->follow)
            follow(ops, &follower);
        (void)check_found(ops, &follower, &address, err);
    }
    clear(&follower);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static const struct grid_column list_columns[] = {
    {"CLIENT", 0, false, false}, {"ATTEMPT", 0, true, false}, {"SIZE", 0, true, false},
    {NULL, 0, false, false},
};

static void print_list(const json_t *logs)
{
    struct grid *grid = grid_new(list_columns);

    for (size_t i = 0; i < json_array_size(logs); i++) {
        const json_t *log = json_array_get(logs, i);
        char size[TEXT_NUMBER];

        text_format_bytes(json_get_int(log, "bytes", 0), size);
        grid_format(grid, "", "%s.%s", json_get_string(log, "node", "?"),
                    json_get_string(log, "client", "?"));
        grid_format(grid, "", "%" PRId64, json_get_int(log, "attempt", 0));
        grid_text(grid, "", size);
    }
    grid_print(grid, stdout, table_width(stdout), table_color(stdout));
    grid_free(grid);
}

static int list(const struct options *options, struct error *err)
{
    struct address address = {0};
    struct ops *ops = cli_ops_at(options->address, &address, err);
    json_t *logs = NULL;

    if (ops && (address.node || address.edge))
        error_set(err, ERROR_INPUT, "--list takes DAG or DAG@RUN");
    else if (ops)
        logs = web_logs_list(ops, address.dag, address.run, err);
    if (logs && !options->json)
        print_list(json_object_get(logs, "logs"));
    if (logs && options->json)
        cli_print_json(json_incref(logs));
    json_decref(logs);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int parse_lines(const char *text, int64_t *lines)
{
    if (strcmp(text, "all") == 0) {
        *lines = -1;
        return 0;
    }
    if (text_parse_int(text, lines) && *lines >= 0)
        return 0;
    return cli_usage("logs", "--lines %s: expected a number or 'all'", text);
}

static int parse_limit(const char *text, int64_t *limit)
{
    if (text_parse_int(text, limit) && *limit > 0)
        return 0;
    return cli_usage("logs", "--limit %s: expected a number from 1", text);
}

static int parse_attempt(const char *text, int64_t *attempt)
{
    if (text_parse_int(text, attempt) && *attempt > 0)
        return 0;
    return cli_usage("logs", "--attempt %s: expected a number from 1", text);
}

static int parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value;
        int code = 0;

        if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0)
            options->follow = true;
        else if (strcmp(argv[i], "--json") == 0)
            options->json = true;
        else if (strcmp(argv[i], "--list") == 0)
            options->list = true;
        else if ((value = cli_option(argc, argv, &i, "--lines")) != NULL ||
                 (value = cli_option(argc, argv, &i, "-n")) != NULL)
            code = parse_lines(value, &options->lines);
        else if ((value = cli_option(argc, argv, &i, "--attempt")) != NULL)
            code = parse_attempt(value, &options->attempt);
        else if ((value = cli_option(argc, argv, &i, "--grep")) != NULL)
            options->grep = value;
        else if ((value = cli_option(argc, argv, &i, "--limit")) != NULL)
            code = parse_limit(value, &options->limit);
        else if (argv[i][0] == '-')
            code = cmd_unknown_option("logs", argv[i]);
        else if (options->address)
            code = cli_usage("logs", "one address expected, got %s as well", argv[i]);
        else
            options->address = argv[i];
        if (code != 0)
            return code;
    }
    if (options->list && (options->follow || options->grep || options->limit > 0 ||
                          options->attempt > 0 || options->lines != -2))
        return cli_usage("logs", "--list takes DAG[@RUN] and --json only");
    if (options->lines == -2)
        options->lines = options->follow ? LINES_FOLLOW : options->grep ? -1 : LINES;
    return 0;
}

static int run(int argc, char **argv)
{
    struct options options = {.lines = -2};
    struct error err = {0};
    int code = parse(&options, argc, argv);

    if (code != 0)
        return code;
    code = options.list ? list(&options, &err) : show(&options, &err);
    return code == 0 ? 0 : cli_fail(&err);
}

extern const struct cmd cmd_logs;
const struct cmd cmd_logs = {
    .name = "logs",
    .usage = "logs [OPTIONS] [DAG[@RUN][/NODE[.N]]]",
    .doc = "Print what clients wrote on stdout and stderr.",
    .help = "  DAG[/NODE[.N]]  one dag, node or client; DAG@12/NODE an earlier run\n"
            "  -f, --follow    go on until the run ends; new attempts and clients included\n"
            "  -n, --lines N   begin with the last N lines of each client (100; with -f 10);\n"
            "                  all: everything\n"
            "  --grep TEXT     only lines with this text, whatever the case of its letters;\n"
            "                  without --lines out of everything\n"
            "  --limit N       end after N lines\n"
            "  --attempt N     that attempt instead of the newest\n"
            "  --list          which logs a run has, with their sizes\n"
            "  --json          an object a line; \"at\" is its place in bytes, older parts first\n\n"
            "Several clients have their names in front of their lines. The files themselves\n"
            "are $DAGRUN_HOME/runs/DAG@RUN/NODE.CLIENT.ATTEMPT.log (older parts: .log.1 …).\n",
    .run = run,
};
