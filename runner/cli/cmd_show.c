/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/show_samples.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of each list is shown without --all. */
enum { ATTEMPTS_SHOWN = 40, EVENTS_SHOWN = 20, PARTITIONS_SHOWN = 16, LETTERS_SHOWN = 10 };

struct options {
    const char *address;
    bool json;
    bool yaml;
    bool all;
    bool samples;
};

/* Where and how wide. */
struct page {
    const struct history_details *details;
    bool live;
    bool all;
    int width;
    bool color;
};

static void section(const struct page *page, const char *title)
{
    (void)printf("\n%s%s%s\n", page->color ? GRID_BOLD : "", title,
                 page->color ? GRID_OFF : "");
}

static void print_grid(const struct page *page, struct grid *grid)
{
    grid_print(grid, stdout, page->width, page->color);
    grid_free(grid);
}

static void print_more(size_t shown, int64_t total, const char *what)
{
    if ((int64_t)shown < total)
        (void)printf("%" PRId64 " earlier %s are not shown%s\n", total - (int64_t)shown,
                     what, "; --all shows more");
}

/* ----------------------------------------------------------------------------- head */

static void print_field(const char *name, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    (void)printf("  %-8s ", name);
    text_print_safe(stdout, value, strlen(value));
    (void)putchar('\n');
}

static void print_head(const struct page *page)
{
    const struct history_run_row *run = &page->details->run;
    const char *color = page->color ? grid_state_color(run->state) : "";
    char started[CLOCK_TEXT];
    char ended[CLOCK_TEXT];
    char span[CLOCK_TEXT];
    char *line;

    cli_time_text(run->started_ms, started);
    cli_time_text(run->ended_ms, ended);
    cli_span_text(run->started_ms, page->live ? clock_wall_ms() : run->ended_ms, span);
    (void)printf("%s@%" PRId64 "  %s%s%s\n", run->dag, run->run, color, run->state,
                 *color ? GRID_OFF : "");
    print_field("yaml", run->path);
    print_field("broker", run->broker);
    line = mem_printf("%s by %s@%s (%s%s, pid %" PRId64 ")", started,
                      run->user ? run->user : "?", run->host ? run->host : "?",
                      run->trigger ? run->trigger : "start", run->fresh ? " --fresh" : "",
                      run->pid);
    print_field("started", line);
    free(line);
    if (page->live)
        line = mem_printf("not yet, after %s", span);
    else if (run->exit_code >= 0)
        line = mem_printf("%s after %s, exit code %d", ended, span, run->exit_code);
    else
        line = mem_printf("%s after %s (last sign of life)", ended, span);
    print_field("ended", line);
    free(line);
    print_field("why", run->text);
}

/* ---------------------------------------------------------------------------- nodes */

static const struct grid_column node_columns[] = {
    {"NODE", 0, false, false},   {"STATE", 0, false, false},   {"PROGRAM", 1, false, false},
    {"IN", 8, true, false},      {"ANSWERED", 6, true, false}, {"DROPPED", 5, true, false},
    {"DEAD", 7, true, false},    {"OUT", 4, true, false},      {"REPEATS", 3, true, false},
    {"RESTARTS", 2, true, true}, {"IN = SUM", 9, false, false}, {NULL, 0, false, false},
};

static void add_node(struct grid *grid, const struct history_node *node)
{
    const struct history_totals *t = &node->totals;
    bool sound = ops_node_is_sound(node);

    grid_text(grid, "", node->node);
    grid_text(grid, grid_state_color(node->state), node->state);
    grid_text(grid, "", node->program);
    grid_count(grid, "", t->in);
    grid_count(grid, "", t->answered);
    grid_count(grid, "", t->dropped);
    grid_count(grid, t->dead ? GRID_YELLOW : "", t->dead);
    grid_count(grid, "", t->out);
    grid_count(grid, "", t->repeats);
    if (node->restarts)
        grid_count(grid, GRID_YELLOW, node->restarts);
    else
        grid_text(grid, "", NULL);
    if (node->group == NULL)
        grid_text(grid, "", "source");
    else
        grid_text(grid, sound ? GRID_GREEN : GRID_RED, sound ? "yes" : "NO");
}

static void print_nodes(const struct page *page)
{
    struct grid *grid = grid_new(node_columns);

    section(page, "nodes");
    for (size_t i = 0; i < page->details->node_count; i++)
        add_node(grid, &page->details->nodes[i]);
    print_grid(page, grid);
    for (size_t i = 0; i < page->details->node_count; i++) {
        const struct history_node *node = &page->details->nodes[i];

        if (node->last_error) {
            (void)printf("%s: ", node->node);
            text_print_safe(stdout, node->last_error, strlen(node->last_error));
            (void)putchar('\n');
        }
    }
}

/* ------------------------------------------------------------------------- attempts */

static const struct grid_column attempt_columns[] = {
    {"CLIENT", 0, false, false}, {"ATTEMPT", 0, true, false}, {"PID", 5, true, false},
    {"STARTED", 2, false, false}, {"LIVED", 4, true, false},  {"END", 6, false, false},
    {"CPU", 1, true, false},      {"REASON", 3, false, true}, {NULL, 0, false, false},
};

static void add_attempt(struct grid *grid, const struct history_attempt *attempt)
{
    bool lives = attempt->ended_ms <= 0;
    bool failed = attempt->signal != 0 || attempt->exit_code > 0;
    char started[CLOCK_TEXT];
    char span[CLOCK_TEXT];
    char cpu[TEXT_NUMBER];

    cli_time_text(attempt->started_ms, started);
    cli_span_text(attempt->started_ms, lives ? clock_wall_ms() : attempt->ended_ms, span);
    text_format_duration(attempt->cpu_ms, cpu); /* known at its end */
    grid_format(grid, "", "%s.%s", attempt->node, attempt->client);
    grid_format(grid, "", "%" PRId64, attempt->attempt);
    grid_format(grid, "", "%" PRId64, attempt->pid);
    grid_text(grid, "", started);
    grid_text(grid, "", span);
    if (lives)
        grid_text(grid, GRID_GREEN, "lives");
    else if (attempt->signal)
        grid_format(grid, GRID_RED, "signal %d (%s)", attempt->signal,
                    sigabbrev_np(attempt->signal) ? sigabbrev_np(attempt->signal) : "?");
    else if (attempt->exit_code >= 0)
        grid_format(grid, failed ? GRID_RED : "", "exit %d", attempt->exit_code);
    else
        grid_text(grid, "", "unknown");
    grid_text(grid, "", lives ? "-" : cpu);
    grid_text(grid, "", attempt->reason);
}

static void print_last_words(const struct history_attempt *attempt)
{
    const char *at = attempt->last_words;

    if (at == NULL || *at == '\0')
        return;
    (void)printf("\nlast words of %s.%s, attempt %" PRId64 " (%s)\n", attempt->node,
                 attempt->client, attempt->attempt,
                 attempt->log_path ? attempt->log_path : "no log");
    while (*at) {
        size_t len = strcspn(at, "\n");

        (void)fputs("  | ", stdout);
        text_print_safe(stdout, at, len);
        (void)putchar('\n');
        at += len + (at[len] == '\n');
    }
}

static void print_attempts(const struct page *page)
{
    enum { WORDS_SHOWN = 3 };
    const struct history_details *details = page->details;
    struct grid *grid = grid_new(attempt_columns);
    size_t from = !page->all && details->attempt_count > ATTEMPTS_SHOWN
                      ? details->attempt_count - ATTEMPTS_SHOWN
                      : 0;
    int words = 0;

    section(page, "attempts");
    print_more(details->attempt_count - from, details->attempts_total, "attempts");
    for (size_t i = from; i < details->attempt_count; i++)
        add_attempt(grid, &details->attempts[i]);
    print_grid(page, grid);
    for (size_t i = details->attempt_count; i > from; i--) {
        const struct history_attempt *attempt = &details->attempts[i - 1];

        if ((attempt->signal || attempt->exit_code > 0) &&
            (page->all || words++ < WORDS_SHOWN))
            print_last_words(attempt);
    }
}

/* ---------------------------------------------------------------------------- edges */

static const struct grid_column edge_columns[] = {
    {"EDGE", 0, false, false},      {"TOPIC", 1, false, false},
    {"PARTITION", 4, true, false},  {"WRITTEN", 3, false, false},
    {"READ", 2, false, false},      {"BEHIND", 5, true, false},
    {NULL, 0, false, false},
};

static void add_range(struct grid *grid, int64_t from, int64_t to)
{
    if (from < 0 && to < 0)
        grid_text(grid, "", "-");
    else if (from < 0)
        grid_format(grid, "", "[?, %" PRId64 ")", to);
    else if (to < 0)
        grid_format(grid, "", "[%" PRId64 ", ?)", from);
    else
        grid_format(grid, "", "[%" PRId64 ", %" PRId64 ")", from, to);
}

static void add_edge(const struct page *page, struct grid *grid,
                     const struct history_edge *edge)
{
    int shown = 0;
    int skipped = 0;

    for (size_t i = 0; i < page->details->offsets_count; i++) {
        const struct history_offsets *o = &page->details->offsets[i];
        int64_t behind = o->write_end - (o->read_end >= 0 ? o->read_end : o->read_start);

        if (strcmp(o->edge, edge->edge) != 0)
            continue;
        if (!page->all && shown >= PARTITIONS_SHOWN) {
            skipped++;
            continue;
        }
        grid_text(grid, "", shown == 0 ? edge->edge : "");
        grid_text(grid, "", shown++ == 0 ? edge->topic : "");
        grid_format(grid, "", "%d", o->partition);
        add_range(grid, o->write_start, o->write_end);
        add_range(grid, o->read_start, o->read_end >= 0 ? o->read_end : o->read_start);
        if (o->write_end < 0)
            grid_text(grid, "", "-");
        else
            grid_count(grid, behind > 0 ? GRID_YELLOW : "", behind > 0 ? behind : 0);
    }
    if (shown > 0 && skipped == 0)
        return;
    grid_text(grid, "", shown == 0 ? edge->edge : "");
    grid_text(grid, "", shown == 0 ? edge->topic : "");
    grid_format(grid, "", shown == 0 ? "%d in all" : "and %d more",
                shown == 0 ? edge->partitions : skipped);
    for (int i = 0; i < 3; i++)
        grid_text(grid, "", "-");
}

static void print_edges(const struct page *page)
{
    struct grid *grid = grid_new(edge_columns);

    section(page, "edges (offset ranges: first, next; not counts)");
    for (size_t i = 0; i < page->details->edge_count; i++)
        add_edge(page, grid, &page->details->edges[i]);
    print_grid(page, grid);
}

/* ----------------------------------------------------------- events and dead letters */

static const struct grid_column event_columns[] = {
    {"TIME", 1, false, false}, {"LEVEL", 2, false, false}, {"KIND", 3, false, false},
    {"WHO", 4, false, true},   {"EVENT", 0, false, false}, {NULL, 0, false, false},
};

static void add_event(struct grid *grid, const struct history_event *event)
{
    const char *color = strcmp(event->level, "error") == 0  ? GRID_RED
                        : strcmp(event->level, "warn") == 0 ? GRID_YELLOW
                                                            : "";
    char time[CLOCK_TEXT];

    cli_time_text(event->ts_ms, time);
    grid_text(grid, "", time);
    grid_text(grid, color, event->level);
    grid_text(grid, "", event->kind);
    if (event->client)
        grid_format(grid, "", "%s.%s", event->node ? event->node : "", event->client);
    else
        grid_text(grid, "", event->node);
    grid_text(grid, "", event->text);
}

static void print_events(const struct page *page)
{
    const struct history_details *details = page->details;
    size_t from = !page->all && details->event_count > EVENTS_SHOWN
                      ? details->event_count - EVENTS_SHOWN
                      : 0;
    struct grid *grid = grid_new(event_columns);

    section(page, "events");
    print_more(details->event_count - from, details->events_total, "events");
    for (size_t i = from; i < details->event_count; i++)
        add_event(grid, &details->events[i]);
    grid_print(grid, stdout, 0, page->color);
    grid_free(grid);
}

static const struct grid_column letter_columns[] = {
    {"NODE", 0, false, false}, {"COUNT", 0, true, false}, {"FAILED AT", 1, false, false},
    {"LAST", 2, false, false}, {"REASON", 0, false, false}, {NULL, 0, false, false},
};

/* A client tells the runner ten a second at most: the topics have all of them. */
static void letters_section(const struct page *page)
{
    const struct history_details *details = page->details;
    int64_t dead = 0;
    int64_t seen = 0;

    for (size_t n = 0; n < details->node_count; n++)
        dead += details->nodes[n].totals.dead;
    for (size_t i = 0; i < details->letter_count; i++)
        seen += details->letters[i].count;
    section(page, "dead letters");
    if (seen < dead)
        (void)printf("a sample, ten a second of each client; 'dagrun dlq list %s' counts "
                     "all\n",
                     details->run.dag);
}

static void print_letters(const struct page *page)
{
    const struct history_details *details = page->details;
    struct grid *grid = grid_new(letter_columns);
    size_t count = !page->all && details->letter_count > LETTERS_SHOWN
                       ? LETTERS_SHOWN
                       : details->letter_count;

    letters_section(page);
    for (size_t i = 0; i < count; i++) {
        const struct history_letter_group *group = &details->letters[i];
        char time[CLOCK_TEXT];

        cli_time_text(group->last_ms, time);
        grid_text(grid, "", group->node);
        grid_count(grid, GRID_YELLOW, group->count);
        grid_text(grid, "", group->failed_at);
        grid_text(grid, "", time);
        grid_text(grid, "", group->reason);
    }
    grid_print(grid, stdout, 0, page->color);
    grid_free(grid);
    if (count < details->letter_count)
        (void)printf("and %zu more reasons; --all shows them\n",
                     details->letter_count - count);
}

/* -------------------------------------------------------------------------- command */

static void print_text(const struct ops_run *run, bool all)
{
    struct page page = {.details = &run->details,
                        .live = run->live,
                        .all = all,
                        .width = table_width(stdout),
                        .color = table_color(stdout)};

    print_head(&page);
    if (page.details->node_count > 0)
        print_nodes(&page);
    if (page.details->attempt_count > 0)
        print_attempts(&page);
    if (page.details->edge_count > 0)
        print_edges(&page);
    if (page.details->letter_count > 0)
        print_letters(&page);
    if (page.details->event_count > 0)
        print_events(&page);
}

/* As it is, for a file or another program; a terminal only shows it. */
static void print_yaml(const char *text)
{
    if (isatty(STDOUT_FILENO))
        text_printf_safe(stdout, "%s", text);
    else
        (void)fputs(text, stdout);
}

static void print(const struct ops_run *run, const struct options *options)
{
    if (options->json)
        cli_print_json(ops_run_json(run));
    else if (options->yaml)
        print_yaml(run->details.yaml ? run->details.yaml : "");
    else
        print_text(run, options->all);
}

static int show(const struct options *options)
{
    struct error err = {0};
    struct address address;
    struct ops_run details = {0};
    struct ops *ops = cli_ops_at(options->address, &address, &err);

    if (ops && options->samples)
        show_samples(ops, &address, options->json, &err);
    else if (ops && (address.node || address.edge))
        error_set(&err, ERROR_INPUT, "a run expected (DAG@12, DAG@last or DAG), got %s",
                  options->address);
    else if (ops && ops_run(ops, address.dag, address.run, &details, &err) == 0)
        print(&details, options);
    ops_run_clear(&details);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int run(int argc, char **argv)
{
    struct options options = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--yaml") == 0)
            options.yaml = true;
        else if (strcmp(argv[i], "--all") == 0)
            options.all = true;
        else if (strcmp(argv[i], "--samples") == 0)
            options.samples = true;
        else if (argv[i][0] == '-')
            return cmd_unknown_option("show", argv[i]);
        else if (options.address)
            return cli_usage("show", "one RUN expected, got %s as well", argv[i]);
        else
            options.address = argv[i];
    }
    return show(&options);
}

extern const struct cmd cmd_show;
const struct cmd cmd_show = {
    .name = "show",
    .usage = "show [OPTIONS] [RUN]",
    .doc = "Show one run: nodes, attempts, edges, dead letters, events.",
    .help = "  RUN     DAG@12, DAG@last, DAG or its YAML file (then: the last run); may be\n"
            "          left out while only one dag runs\n"
            "  --all   all attempts, partitions, reasons and events\n"
            "  --samples  rates, backlog, latency, CPU and memory over the run instead, or\n"
            "          of DAG/NODE, DAG@12/NODE, DAG/NODE.CLIENT, DAG/FROM:TO\n"
            "  --yaml  the YAML text that the run had, as it was\n"
            "  --json  everything as one object, times in UTC\n\n"
            "IN = SUM says whether every input record of the node ended as exactly one of\n"
            "answered, dropped or dead. Offset ranges are [first, next) of what this run\n"
            "wrote and read; markers of transactions have offsets too, so they are no\n"
            "counts.\n",
    .run = run,
};
