/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_describe.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct programs {
    struct cli_description *items;
    char **paths;
    size_t count;
    size_t capacity;
};

static void add(struct programs *programs, char *path)
{
    size_t capacity = programs->capacity;

    programs->paths = mem_grow(programs->paths, programs->count, &capacity,
                               sizeof *programs->paths);
    programs->capacity = capacity;
    programs->paths[programs->count++] = path;
}

static void clear(struct programs *programs)
{
    for (size_t i = 0; i < programs->count; i++) {
        if (programs->items)
            text_buf_clear(&programs->items[i].output);
        free(programs->paths[i]);
    }
    free(programs->items);
    free(programs->paths);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Executable files with a name that a YAML can say. */
static int find_all(struct programs *programs, struct error *err)
{
    char *folder = cli_nodes_folder();
    DIR *dir = opendir(folder);

    if (dir == NULL)
        error_set(err, ERROR_NOT_FOUND, "the built-in programs are missing: %s: %s",
                  folder, strerror(errno));
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        char *path = mem_printf("%s/%s", folder, entry->d_name);
        struct stat st;

        if (strchr(entry->d_name, '.') == NULL && stat(path, &st) == 0 &&
            S_ISREG(st.st_mode) && access(path, X_OK) == 0)
            add(programs, path);
        else
            free(path);
    }
    if (dir)
        (void)closedir(dir);
    free(folder);
    if (programs->count > 0)
        qsort(programs->paths, programs->count, sizeof *programs->paths, compare);
    return error_is_set(err) ? -1 : 0;
}

static int find_one(const char *name, struct programs *programs, struct error *err)
{
    char *path = cli_program_path(name, err);

    if (path == NULL) {
        err->kind = ERROR_NOT_FOUND;
        return -1;
    }
    add(programs, path);
    return 0;
}

static void describe(struct programs *programs)
{
    programs->items = mem_alloc((programs->count + 1) * sizeof *programs->items);
    for (size_t i = 0; i < programs->count; i++)
        programs->items[i].path = programs->paths[i];
    cli_describe(programs->items, programs->count);
}

/* What a program says of itself; NULL and one line on stderr when it doesn't. */
static json_t *parsed(const struct cli_description *item)
{
    struct error err = item->err;
    json_t *value = NULL;

    if (!error_is_set(&err))
        value = json_parse(text_str(&item->output), item->output.len, &err);
    if (value == NULL)
        text_printf_safe(stderr, "dagrun: %s: %s\n", item->path, err.text);
    return value;
}

static const struct grid_column program_columns[] = {
    {"PROGRAM", 0, false, false}, {"KIND", 2, false, false},
    {"ARGS", 1, false, true},     {"WHAT IT DOES", 0, false, false},
    {NULL, 0, false, false},
};

static void print_list(const json_t *all)
{
    struct grid *grid = grid_new(program_columns);

    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *program = json_array_get(all, i);

        grid_text(grid, "", json_get_string(program, "name", "?"));
        grid_text(grid, "", json_get_string(program, "kind", ""));
        grid_text(grid, "",
                  json_get_string(json_object_get(program, "args"), "usage", ""));
        grid_text(grid, "", json_get_string(program, "doc", ""));
    }
    grid_print(grid, stdout, 0, table_color(stdout));
    grid_free(grid);
}

static const struct grid_column option_columns[] = {
    {"OPTION", 0, false, false}, {"TYPE", 0, false, false},  {"DEFAULT", 0, false, false},
    {"DOC", 0, false, false},    {NULL, 0, false, false},
};

static void print_one(const json_t *program)
{
    const json_t *options = json_object_get(program, "options");
    const char *usage = json_get_string(json_object_get(program, "args"), "usage", "");
    struct grid *grid = grid_new(option_columns);

    text_printf_safe(stdout, "%s (%s): %s\n", json_get_string(program, "name", "?"),
                 json_get_string(program, "kind", ""), json_get_string(program, "doc", ""));
    if (*usage)
        text_printf_safe(stdout, "\nargs: %s\n", usage);
    for (size_t i = 0; i < json_array_size(options); i++) {
        const json_t *option = json_array_get(options, i);
        bool required = json_get_bool(option, "required", false);

        grid_text(grid, "", json_get_string(option, "name", "?"));
        grid_text(grid, "", json_get_string(option, "type", ""));
        grid_text(grid, "",
                  required ? "(required)" : json_get_string(option, "default", "-"));
        grid_text(grid, "", json_get_string(option, "doc", ""));
    }
    if (json_array_size(options) > 0) {
        (void)puts("\nwith:");
        grid_print(grid, stdout, 0, table_color(stdout));
    }
    grid_free(grid);
    if (json_get_bool(program, "any_option", false))
        (void)puts("\nIt takes options of any name besides.");
}

static int show(const char *name, bool json)
{
    struct programs programs = {0};
    struct error err = {0};
    json_t *all = json_array();
    int code = 0;

    if ((name ? find_one(name, &programs, &err) : find_all(&programs, &err)) == 0) {
        describe(&programs);
        for (size_t i = 0; i < programs.count; i++) {
            json_t *program = parsed(&programs.items[i]);

            if (program)
                (void)json_array_append_new(all, program);
        }
    }
    if (error_is_set(&err))
        code = cli_fail(&err);
    else if (name && json_array_size(all) == 0)
        code = 2; /* parsed has said why */
    else if (json)
        cli_print_json(json_incref(name ? json_array_get(all, 0) : all));
    else if (name)
        print_one(json_array_get(all, 0));
    else
        print_list(all);
    json_decref(all);
    clear(&programs);
    return code;
}

static int run(int argc, char **argv)
{
    const char *name = NULL;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-')
            return cmd_unknown_option("programs", argv[i]);
        else if (name)
            return cli_usage("programs", "one NAME expected, got %s as well", argv[i]);
        else
            name = argv[i];
    }
    return show(name, json);
}

extern const struct cmd cmd_programs;
const struct cmd cmd_programs = {
    .name = "programs",
    .usage = "programs [--json] [NAME]",
    .doc = "List the built-in programs, or one with its options.",
    .help = "  NAME    a built-in program, or the path of any program on the SDK\n"
            "  --json  what the programs say of themselves (--describe)\n",
    .run = run,
};
