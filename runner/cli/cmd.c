/* SPDX-License-Identifier: MIT */
#include "cli/cmd.h"

#include "base/text.h"
#include "cli/cli.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern const struct cmd cmd_audit;
extern const struct cmd cmd_broker;
extern const struct cmd cmd_clean;
extern const struct cmd cmd_completion;
extern const struct cmd cmd_dags;
extern const struct cmd cmd_dlq;
extern const struct cmd cmd_graph;
extern const struct cmd cmd_history;
extern const struct cmd cmd_logs;
extern const struct cmd cmd_pause;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_programs;
extern const struct cmd cmd_prune;
extern const struct cmd cmd_ps;
extern const struct cmd cmd_restart;
extern const struct cmd cmd_resume;
extern const struct cmd cmd_scale;
extern const struct cmd cmd_schema;
extern const struct cmd cmd_send;
extern const struct cmd cmd_show;
extern const struct cmd cmd_start;
extern const struct cmd cmd_status;
extern const struct cmd cmd_stop;
extern const struct cmd cmd_tap;
extern const struct cmd cmd_top;
extern const struct cmd cmd_validate;
extern const struct cmd cmd_version;
extern const struct cmd cmd_web;

const struct cmd *const cmd_table[] = {
    &cmd_start,
    &cmd_stop,
    &cmd_restart,
    &cmd_pause,
    &cmd_resume,
    &cmd_scale,
    &cmd_send,
    &cmd_status,
    &cmd_ps,
    &cmd_top,
    &cmd_logs,
    &cmd_dags,
    &cmd_history,
    &cmd_show,
    &cmd_audit,
    &cmd_tap,
    &cmd_dlq,
    &cmd_validate,
    &cmd_plan,
    &cmd_graph,
    &cmd_programs,
    &cmd_schema,
    &cmd_web,
    &cmd_broker,
    &cmd_clean,
    &cmd_prune,
    &cmd_completion,
    &cmd_version,
    NULL,
};

static void print_help(FILE *out)
{
    (void)fputs("dagrun runs a graph of programs over Kafka topics.\n\n"
                "usage: dagrun COMMAND [OPTIONS] [ARGUMENTS]\n\ncommands:\n",
                out);
    for (const struct cmd *const *c = cmd_table; *c; c++)
        (void)fprintf(out, "  %-10s %s\n", (*c)->name, (*c)->doc);
    (void)fputs("\n'dagrun COMMAND --help' says more.\n", out);
}

static int print_command_help(const struct cmd *cmd)
{
    (void)printf("%s\n\nusage: dagrun %s\n%s%s", cmd->doc, cmd->usage,
                 cmd->help ? "\n" : "", cmd->help ? cmd->help : "");
    return 0;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static const struct cmd *find(const char *name)
{
    for (const struct cmd *const *c = cmd_table; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

static int unknown(const char *name)
{
    enum { MANY = 64 };
    const char *names[MANY];
    size_t count = 0;
    const char *near;

    names[count++] = "help";
    for (const struct cmd *const *c = cmd_table; *c && count < MANY; c++)
        names[count++] = (*c)->name;
    near = text_nearest(name, names, count);
    text_printf_safe(stderr, "dagrun: error: no command '%s'", name);
    if (near)
        (void)fprintf(stderr, " (did you mean '%s'?)", near);
    (void)fputs("; 'dagrun --help' lists them\n", stderr);
    return 2;
}

/* An option in a help text; what its value is called, length 0 when it takes none. */
struct help_option {
    const char *name;
    size_t len;
    const char *value;
    size_t value_len;
};

/* A name begins its line, or follows another: "  -n, --lines N   text". */
static bool begins_name(const char *help, const char *at)
{
    if (at - help < 2 || at[-1] != ' ')
        return false;
    return at[-2] == ',' || (at[-2] == ' ' && (at - help == 2 || at[-3] == '\n'));
}

/* The first option at or behind *at, which moves behind its name. */
static bool next_option(const char *help, const char **at, struct help_option *option)
{
    const char *behind;

    while ((*at = strchr(*at, '-')) != NULL && !begins_name(help, *at))
        ++*at;
    if (*at == NULL)
        return false;
    *option = (struct help_option){.name = *at, .len = strcspn(*at, " ,\n")};
    *at += option->len;
    behind = **at == ',' ? *at + 2 + strcspn(*at + 2, " ,\n") : *at;
    if (behind[0] == ' ' && behind[1] != ' ') {
        option->value = behind + 1;
        option->value_len = strcspn(behind + 1, " \n");
    }
    return true;
}

static bool find_option(const char *help, const char *word, size_t len,
                        struct help_option *option)
{
    const char *at = help;

    while (next_option(help, &at, option)) {
        if (option->len == len && strncmp(option->name, word, len) == 0)
            return true;
    }
    return false;
}

static int suggest_option(const char *verb, const char *help, const char *word)
{
    enum { MANY = 32, SIZE = 32 };
    char names[MANY][SIZE];
    const char *list[MANY];
    const char *at = help;
    const char *near;
    struct help_option option;
    size_t count = 0;

    while (count < MANY && next_option(help, &at, &option)) {
        (void)snprintf(names[count], SIZE, "%.*s", (int)option.len, option.name);
        list[count] = names[count];
        count++;
    }
    near = text_nearest(word, list, count);
    if (near)
        return cli_usage(verb, "unknown option '%s', did you mean '%s'?", word, near);
    return cli_usage(verb, "unknown option '%s'", word);
}

int cmd_unknown_option(const char *verb, const char *word)
{
    const struct cmd *cmd = find(verb);
    const char *help = cmd && cmd->help ? cmd->help : "";
    size_t len = strcspn(word, "=");
    struct help_option option;

    if (word[0] != '-')
        return cli_usage(verb, "'%s' is too much", word);
    if (!find_option(help, word, len, &option))
        return suggest_option(verb, help, word);
    if (option.value_len > 0)
        return cli_usage(verb, "%s: the value is missing, as in %.*s %.*s", word,
                         (int)option.len, option.name, (int)option.value_len, option.value);
    return cli_usage(verb, "%.*s takes no value", (int)len, word);
}

int cmd_main(int argc, char **argv)
{
    const struct cmd *cmd;

    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
        cmd = argc > 2 ? find(argv[2]) : NULL;
        if (cmd)
            return print_command_help(cmd);
        if (argc > 2 && !is_help(argv[2]))
            return unknown(argv[2]);
        print_help(stdout);
        return 0;
    }
    cmd = find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (cmd == NULL)
        return unknown(argv[1]);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i]))
            return print_command_help(cmd);
    }
    return cmd->run(argc - 1, argv + 1);
}
