/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCERPT_MAX = 200 };

struct options {
    const char **files;
    size_t count;
    size_t capacity;
    bool json;
    bool programs;
    struct cli_params params;
};

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

/* Cut a line that is too long, but inside no character. */
static void cut_line(char *line)
{
    size_t end = EXCERPT_MAX;

    if (strlen(line) <= EXCERPT_MAX)
        return;
    while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
        end--;
    line[end] = '\0';
}

/* The line of the file that is meant, cut; null: it can't be read again. */
static json_t *excerpt(const char *path, int wanted)
{
    FILE *file = strcmp(path, "-") == 0 ? NULL : fopen(path, "re");
    json_t *found = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;

    for (int at = 0; file && at < wanted && len >= 0; at++)
        len = getline(&line, &room, file);
    if (file && wanted > 0 && len >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        cut_line(line);
        found = json_string(line); /* NULL: no UTF-8 */
    }
    if (file)
        (void)fclose(file);
    free(line);
    return found ? found : json_null();
}

static json_t *errors_json(const char *file, const struct diag_list *diags,
                           const struct error *err)
{
    json_t *errors = json_array();

    for (size_t i = 0; i < diags->count; i++) {
        json_t *object = json_object();

        set(object, "line", json_integer(diags->items[i].line));
        set(object, "column", json_integer(diags->items[i].column));
        set(object, "text", json_text(diags->items[i].text));
        set(object, "excerpt", excerpt(file, diags->items[i].line));
        (void)json_array_append_new(errors, object);
    }
    if (error_is_set(err)) {
        json_t *object = json_object();

        set(object, "line", json_integer(0));
        set(object, "column", json_integer(0));
        set(object, "text", json_text(err->text));
        set(object, "excerpt", json_null());
        (void)json_array_append_new(errors, object);
    }
    return errors;
}

static void add_json(json_t *files, const char *file, const struct dag *dag, json_t *errors)
{
    json_t *object = json_object();

    set(object, "file", json_text(cli_shown_path(file)));
    set(object, "ok", json_boolean(dag != NULL));
    if (dag) {
        set(object, "name", json_text(dag->name));
        set(object, "nodes", json_integer((json_int_t)dag->node_count));
        set(object, "edges", json_integer((json_int_t)dag->edge_count));
    }
    set(object, "errors", errors);
    (void)json_array_append_new(files, object);
}

/* Returns 0 or 2. */
static int validate(const struct options *options, const char *file, json_t *files)
{
    struct diag_list diags = {0};
    struct error err = {0};
    struct dag *dag =
        cli_read_dag(file, &options->params, options->programs, &diags, &err);

    if (options->json)
        add_json(files, file, dag, errors_json(file, &diags, &err));
    else if (dag)
        text_printf_safe(stdout, "%s: ok: %zu node%s, %zu edge%s\n", cli_shown_path(file),
                     dag->node_count, dag->node_count == 1 ? "" : "s", dag->edge_count,
                     dag->edge_count == 1 ? "" : "s");
    else if (error_is_set(&err))
        (void)cli_fail(&err);
    else
        cli_print_diags(&diags, file);
    diag_clear(&diags);
    dag_free(dag);
    return dag ? 0 : 2;
}

static int parse(struct options *options, int argc, char **argv)
{
    struct error err = {0};
    bool only_files = false;

    for (int i = 1; i < argc; i++) {
        const char *value;

        if (only_files || argv[i][0] != '-' || strcmp(argv[i], "-") == 0) {
            options->files = mem_grow(options->files, options->count, &options->capacity,
                                      sizeof *options->files);
            options->files[options->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_files = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (strcmp(argv[i], "--no-programs") == 0) {
            options->programs = false;
        } else if ((value = cli_option(argc, argv, &i, "--param")) != NULL) {
            if (cli_params_add(&options->params, value, &err) != 0)
                return cli_fail(&err);
        } else {
            return cmd_unknown_option("validate", argv[i]);
        }
    }
    return options->count > 0 ? 0 : cli_usage("validate", "FILE is missing");
}

static int run(int argc, char **argv)
{
    struct options options = {.programs = true};
    json_t *files = json_array();
    int code = parse(&options, argc, argv);

    if (code == 0) {
        for (size_t i = 0; i < options.count; i++)
            code |= validate(&options, options.files[i], files);
        if (options.json) {
            char *line = json_line(files);

            (void)puts(line);
            free(line);
        }
    }
    json_decref(files);
    cli_params_clear(&options.params);
    free(options.files);
    return code;
}

extern const struct cmd cmd_validate;
const struct cmd cmd_validate = {
    .name = "validate",
    .usage = "validate [OPTIONS] FILE…",
    .doc = "Check YAML files and the programs they name; start nothing.",
    .help = "  FILE           a YAML file; - reads standard input\n"
            "  --param N=V    value of ${N} in the file; may be repeated\n"
            "  --no-programs  do not ask the programs for their options\n"
            "  --json         results as JSON on stdout\n"
            "\nEvery error is one line FILE:LINE:COLUMN: error: TEXT on stderr.\n"
            "Exit code 0: all files are right; 2: they are not.\n",
    .run = run,
};
