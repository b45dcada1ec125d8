/* SPDX-License-Identifier: MIT */
#include "cli/start_options.h"

#include "cli/cmd.h"
#include "host/history.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_abandon(struct start_options *options, const char *edge)
{
    size_t count = options->permits.abandon_count;

    options->abandon = mem_grow(options->abandon, count, &options->abandon_capacity,
                                sizeof *options->abandon);
    options->abandon[count] = edge;
    options->permits.abandon = options->abandon;
    options->permits.abandon_count = count + 1;
}

static bool parse_flag(struct start_options *options, const char *word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"-d", &options->detach},     {"--detach", &options->detach},
                 {"--keep", &options->keep},   {"--fresh", &options->permits.fresh},
                 {"--plain", &options->plain}, {"--adopt", &options->permits.adopt}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, word) == 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

int start_options_parse(int argc, char **argv, struct start_options *options)
{
    struct error err = {0};

    for (int i = 1; i < argc; i++) {
        const char *value;

        if (parse_flag(options, argv[i]))
            continue;
        if ((value = cli_option(argc, argv, &i, "--brokers")))
            options->brokers = value;
        else if ((value = cli_option(argc, argv, &i, "--abandon")))
            add_abandon(options, value);
        else if ((value = cli_option(argc, argv, &i, "--param"))) {
            if (cli_params_add(&options->params, value, &err) < 0)
                return cli_fail(&err);
        } else if (argv[i][0] == '-' && argv[i][1] != '\0')
            return cmd_unknown_option(argv[0], argv[i]);
        else if (options->file)
            return cli_usage(argv[0], "one dag at a time: '%s' is too much", argv[i]);
        else
            options->file = argv[i];
    }
    if (options->file == NULL)
        return cli_usage(argv[0], "which dag? a YAML file or a dag's name is missing");
    return 0;
}

void start_options_clear(struct start_options *options)
{
    cli_params_clear(&options->params);
    free(options->abandon);
}

/* The path in the history of a dag's name; NULL when it never ran. */
static char *path_in_history(const char *name, struct error *err)
{
    char *home = cli_home(false, err);
    char *file = home ? mem_printf("%s/history.db", home) : NULL;
    struct history *history = file ? history_open(file, true, err) : NULL;
    struct history_last last = {0};
    char *path = NULL;

    if (history && history_last_run(history, name, &last, err) == 0)
        path = mem_strdup(last.path);
    history_last_clear(&last);
    history_close(history);
    free(home);
    free(file);
    return path;
}

static bool is_file_name(const char *text)
{
    const char *dot = strrchr(text, '.');

    return strchr(text, '/') || access(text, F_OK) == 0 ||
           (dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0));
}

char *start_find_file(const char *text, struct error *err)
{
    struct error ignored = {0};
    char *path;

    if (is_file_name(text))
        return mem_strdup(text);
    path = path_in_history(text, &ignored);
    if (path == NULL)
        error_set(err, ERROR_NOT_FOUND,
                  "no file '%s', and no dag of that name has run; 'dagrun history' lists "
                  "those that have",
                  text);
    return path;
}
