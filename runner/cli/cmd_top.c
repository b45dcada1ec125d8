/* SPDX-License-Identifier: MIT
 *
 * top: what runs, the busiest first. On a terminal a screen that follows and obeys keys;
 * elsewhere the same table again and again.
 */
#include "base/clock.h"
#include "base/loop.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "cli/top_rows.h"
#include "cli/web_live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { INTERVAL_MIN_MS = 100, INTERVAL_MAX_MS = 3600 * 1000, FIRST_WAIT_MS = 5000 };

struct options {
    const char *address;
    struct top_view view;
    bool once;
    bool json;
    int64_t interval_ms;
};

struct top {
    struct options *options;
    const struct ops *ops;
    struct loop *loop;
    struct web_live *live;
    struct screen *screen; /* NULL: no terminal */
    int signals;
    bool color;
    bool repaint;
    bool over;
    int exit_code;
};

/* -------------------------------------------------------------------------- options */

static int parse_sort(const char *text, struct options *options)
{
    int sort = top_sort_find(text);
    const char *names[TOP_SORTS];
    const char *near;

    if (sort >= 0) {
        options->view.sort = (enum top_sort)sort;
        return 0;
    }
    for (int i = 0; i < TOP_SORTS; i++)
        names[i] = top_sort_name((enum top_sort)i);
    near = text_nearest(text, names, TOP_SORTS);
    return cli_usage("top", "--sort: cpu, memory, in, out or lag expected, not '%s'%s%s%s",
                     text, near ? " (did you mean '" : "", near ? near : "",
                     near ? "'?)" : "");
}

static int parse_interval(const char *text, struct options *options)
{
    if (text_parse_duration_ms(text, &options->interval_ms) &&
        options->interval_ms >= INTERVAL_MIN_MS && options->interval_ms <= INTERVAL_MAX_MS)
        return 0;
    return cli_usage("top", "--interval: 100ms to 1h expected, not '%s'", text);
}

static int parse_word(int argc, char **argv, int *i, struct options *options)
{
    const char *value;

    if (strcmp(argv[*i], "--once") == 0)
        options->once = true;
    else if (strcmp(argv[*i], "--json") == 0)
        options->json = true;
    else if (strcmp(argv[*i], "--clients") == 0)
        options->view.clients = true;
    else if ((value = cli_option(argc, argv, i, "--sort")) != NULL)
        return parse_sort(value, options);
    else if ((value = cli_option(argc, argv, i, "--interval")) != NULL)
        return parse_interval(value, options);
    else if (argv[*i][0] == '-')
        return cmd_unknown_option("top", argv[*i]);
    else if (options->address)
        return cli_usage("top", "one DAG or DAG/NODE: '%s' is too much", argv[*i]);
    else
        options->address = argv[*i];
    return 0;
}

static int parse(int argc, char **argv, struct options *options)
{
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++)
        code = parse_word(argc, argv, &i, options);
    return code;
}

/* ----------------------------------------------------------------------------- once */

/* The runs' own words; one that ends between the look and the question is left out. */
static json_t *ask_all(const struct ops *ops, const char *dag)
{
    struct mem_arena arena = {0};
    struct ops_names names;
    json_t *all = json_array();

    ops_live_dags(ops, &arena, &names);
    for (size_t i = 0; i < names.count; i++) {
        struct error err = {0};
        json_t *status = dag == NULL || strcmp(dag, names.items[i]) == 0
                             ? ops_status(ops, names.items[i], &err)
                             : NULL;

        if (status)
            (void)json_array_append_new(all, status);
        else if (error_is_set(&err))
            text_printf_safe(stderr, "dagrun: %s\n", err.text);
    }
    mem_arena_clear(&arena);
    return all;
}

static void print_table(const struct options *options, const json_t *all)
{
    struct top_size size = {.width = table_width(stdout)};
    struct lines lines = {0};

    top_render(all, &options->view, size, table_color(stdout), &lines);
    lines_print(&lines, stdout);
    (void)fflush(stdout);
    lines_clear(&lines);
}

static void show_once(const struct ops *ops, const struct options *options)
{
    json_t *all = ask_all(ops, options->view.dag);

    if (options->json)
        cli_print_json(top_json(all, &options->view));
    else
        print_table(options, all);
    json_decref(all);
}

/* ------------------------------------------------------------------------- following */

static void paint(struct top *top)
{
    const json_t *all = web_live_all(top->live);
    struct lines lines = {0};
    struct top_size size = {0};

    if (top->screen == NULL) {
        print_table(top->options, all);
        return;
    }
    screen_size(top->screen, &size.width, &size.height);
    lines_add(&lines,
              "c CPU  m memory  i in/s  o out/s  l lag  n nodes/clients  q quit", size.width,
              top->color ? GRID_DIM : "");
    size.height -= (int)lines.count;
    top_render(all, &top->options->view, size, top->color, &lines);
    screen_paint(top->screen, &lines);
    lines_clear(&lines);
}

static void obey(struct top *top, int key)
{
    char name[] = {(char)key, '\0'};
    int sort = top_sort_find(name);

    if (key == 'q')
        top->over = true;
    else if (key == 'n')
        top->options->view.clients = !top->options->view.clients;
    else if (sort >= 0)
        top->options->view.sort = (enum top_sort)sort;
    else
        return;
    top->repaint = true;
}

/* A terminal that is gone is readable for ever and has no key. */
static void on_key(void *arg, uint32_t events)
{
    struct top *top = arg;
    int key = screen_key(top->screen);

    if (key == 0 && (events & (EPOLLHUP | EPOLLERR)))
        top->over = true;
    for (; key != 0; key = screen_key(top->screen))
        obey(top, key);
}

static void suspend(struct top *top)
{
    if (top->screen)
        screen_suspend(top->screen);
    (void)kill(getpid(), SIGSTOP);
    if (top->screen)
        screen_resume(top->screen);
    top->repaint = true;
}

static void on_signal(void *arg, uint32_t events)
{
    struct top *top = arg;
    struct signalfd_siginfo info;

    (void)events;
    while (read(top->signals, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGWINCH) {
            top->repaint = true;
        } else if (info.ssi_signo == SIGTSTP) {
            suspend(top);
        } else {
            top->over = true;
            top->exit_code = 130;
        }
    }
}

static int open_signals(struct top *top, struct error *err)
{
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        (void)sigaddset(&set, watched[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    top->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (top->signals >= 0)
        return loop_add(top->loop, top->signals, EPOLLIN, on_signal, top, err);
    error_set(err, ERROR_INTERNAL, "signalfd: %s", strerror(errno));
    return -1;
}

/* The first table waits until every run that lives has spoken once. */
static bool all_spoke(struct top *top)
{
    struct mem_arena arena = {0};
    struct ops_names names;
    bool result;

    ops_live_dags(top->ops, &arena, &names);
    result = json_array_size(web_live_all(top->live)) >= names.count;
    mem_arena_clear(&arena);
    return result;
}

static void follow(struct top *top)
{
    int64_t begun_ms = clock_mono_ms();
    int64_t paint_ms = begun_ms;
    bool shown = false;

    while (!top->over && !ferror(stdout)) {
        int64_t look_ms = web_live_tick(top->live, top->ops);
        int64_t now_ms = clock_mono_ms();

        shown = shown || all_spoke(top) || now_ms - begun_ms > FIRST_WAIT_MS;
        if (shown && (top->repaint || now_ms >= paint_ms)) {
            paint(top);
            top->repaint = false;
            paint_ms = now_ms + top->options->interval_ms;
        }
        loop_wait(top->loop, shown && paint_ms < look_ms ? paint_ms : look_ms);
    }
}

static int watch(const struct ops *ops, struct options *options)
{
    struct error err = {0};
    struct top top = {.options = options, .ops = ops, .color = table_color(stdout),
                      .signals = -1};
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

    top.loop = loop_new(&err);
    if (top.loop && open_signals(&top, &err) == 0 && terminal)
        top.screen = screen_open(&err);
    if (top.screen)
        (void)loop_add(top.loop, STDIN_FILENO, EPOLLIN, on_key, &top, &err);
    if (!error_is_set(&err)) {
        top.live = web_live_new(top.loop);
        follow(&top);
    }
    web_live_free(top.live);
    screen_close(top.screen);
    loop_free(top.loop);
    if (top.signals >= 0)
        (void)close(top.signals);
    return error_is_set(&err) ? cli_fail(&err) : top.exit_code;
}

/* A name that no node has would show nothing for ever. */
static void check_node(const struct ops *ops, const struct address *address,
                       struct error *err)
{
    json_t *status = address->node ? ops_status(ops, address->dag, err) : NULL;
    const json_t *nodes = json_object_get(status, "nodes");
    size_t count = json_array_size(nodes);
    const char **names = mem_alloc((count + 1) * sizeof *names);
    bool found = status == NULL;

    for (size_t n = 0; n < count; n++) {
        names[n] = json_get_string(json_array_get(nodes, n), "node", "");
        found = found || strcmp(names[n], address->node) == 0;
    }
    if (!found) {
        error_set(err, ERROR_NOT_FOUND, "dag %s has no node '%s'", address->dag,
                  address->node);
        error_near(err, text_nearest(address->node, names, count));
    }
    free(names);
    json_decref(status);
}

/* As cli_target does it for those that act: what is only looked at is in no audit. */
static void check_address(const struct ops *ops, const struct address *address,
                          struct error *err)
{
    if (address->edge || address->has_run || address->client)
        error_set(err, ERROR_INPUT, "top takes DAG or DAG/NODE");
    else if (!ops_is_live(ops, address->dag))
        error_set(err, ERROR_NOT_FOUND, "dag %s does not run", address->dag);
    else
        check_node(ops, address, err);
}

/* Nothing to resolve when no dag is named: top may begin before any run does. */
static struct ops *find_ops(struct options *options, struct address *address,
                            struct error *err)
{
    struct ops *ops =
        options->address ? cli_ops_at(options->address, address, err) : cli_ops(err);

    if (ops && options->address)
        check_address(ops, address, err);
    options->view.dag = address->dag;
    options->view.node = address->node;
    return ops;
}

static int run(int argc, char **argv)
{
    struct options options = {.interval_ms = 1000};
    struct address address = {0};
    struct error err = {0};
    struct ops *ops;
    int code = parse(argc, argv, &options);

    if (code != 0)
        return code;
    ops = find_ops(&options, &address, &err);
    if (error_is_set(&err))
        code = cli_fail(&err);
    else if (options.once || options.json)
        show_once(ops, &options);
    else
        code = watch(ops, &options);
    address_clear(&address);
    ops_close(ops);
    return code;
}

extern const struct cmd cmd_top;
const struct cmd cmd_top = {
    .name = "top",
    .usage = "top [OPTIONS] [DAG[/NODE]]",
    .doc = "Follow what runs, the busiest first.",
    .help = "  --sort KEY       cpu (default), memory, in, out or lag: the largest first\n"
            "  --clients        a row for every client, not for every node\n"
            "  --interval TIME  how often it is shown anew, 1s by default\n"
            "  --once           show it once\n"
            "  --json           once, as one JSON object\n\n"
            "On a terminal: c, m, i, o and l sort, n changes between nodes and clients, q\n"
            "quits. Elsewhere the table is printed again and again until Ctrl-C.\n",
    .run = run,
};
