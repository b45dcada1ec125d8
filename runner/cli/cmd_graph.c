/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "core/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PIPE_COLUMNS = 120 };

struct options {
    const char *file;
    bool json;
    char *(*draw)(const struct dag *dag);
    struct cli_params params;
};

/* The terminal's columns; a pipe is as wide as most pagers and mails are read. */
static int columns(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return PIPE_COLUMNS;
}

/* As the C library decides it, without setlocale. */
static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

static char *ascii(const struct dag *dag)
{
    struct graph_ascii_style style = {.width = columns(), .unicode = speaks_utf8()};

    return graph_ascii(dag, &style);
}

static const struct {
    const char *name;
    char *(*draw)(const struct dag *dag);
} formats[] = {
    {"ascii", ascii},
    {"dot", graph_dot},
    {"mermaid", graph_mermaid},
    {"svg", graph_svg},
};

static int set_format(struct options *options, const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i].name, name) == 0)
            options->draw = formats[i].draw;
    }
    options->json = strcmp(name, "json") == 0;
    if (options->draw == NULL && !options->json)
        return cli_usage("graph", "--format %s: expected ascii, dot, mermaid, svg or json",
                         name);
    return 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    struct error err = {0};

    for (int i = 1; i < argc; i++) {
        const char *value;

        if ((value = cli_option(argc, argv, &i, "--format")) != NULL) {
            options->draw = NULL;
            if (set_format(options, value) != 0)
                return 2;
        } else if ((value = cli_option(argc, argv, &i, "--param")) != NULL) {
            if (cli_params_add(&options->params, value, &err) != 0)
                return cli_fail(&err);
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return cmd_unknown_option("graph", argv[i]);
        } else if (options->file) {
            return cli_usage("graph", "one FILE expected, got %s as well", argv[i]);
        } else {
            options->file = argv[i];
        }
    }
    return options->file ? 0 : cli_usage("graph", "FILE is missing");
}

static int print_graph(const struct options *options)
{
    struct error err = {0};
    struct dag *dag = cli_load_dag(options->file, &options->params, false, &err);
    char *text;

    if (dag == NULL)
        return cli_fail(&err);
    text = options->draw(dag);
    dag_free(dag);
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
        error_set(&err, ERROR_INTERNAL, "the graph could not be written: %s",
                  strerror(errno));
    free(text);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

/* Of a run: what the pages draw. */
static int print_json(const struct options *options)
{
    struct error err = {0};
    struct address address = {0};
    struct ops_run run = {0};
    struct ops *ops = cli_ops_at(options->file, &address, &err);

    if (ops && (address.node || address.edge))
        error_set(&err, ERROR_INPUT, "--format json takes DAG or DAG@RUN");
    else if (ops && ops_run(ops, address.dag, address.run, &run, &err) == 0)
        cli_print_json(ops_graph_json(&run));
    ops_run_clear(&run);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int run(int argc, char **argv)
{
    struct options options = {.draw = ascii};
    int code = parse(&options, argc, argv);

    if (code == 0)
        code = options.json ? print_json(&options) : print_graph(&options);
    cli_params_clear(&options.params);
    return code;
}

extern const struct cmd cmd_graph;
const struct cmd cmd_graph = {
    .name = "graph",
    .usage = "graph [OPTIONS] FILE, or graph --format json DAG[@RUN]",
    .doc = "Draw the graph of a YAML file.",
    .help = "  FILE         a YAML file; - reads standard input\n"
            "  --format F   ascii (default): boxes and lines; a graph that is wider than\n"
            "               the terminal is printed as a list\n"
            "               dot: for Graphviz; mermaid: for Markdown; svg: a picture;\n"
            "               json, of a run: boxes and lines with their places in pixels\n"
            "  --param N=V  value of ${N} in the file; may be repeated\n",
    .run = run,
};
