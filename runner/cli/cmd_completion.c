/* SPDX-License-Identifier: MIT
 *
 * Completion scripts, made from the command table: the words that a command's help shows
 * as options are its options, so the two can't differ.
 */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Options stand at the beginning of a line of the help, "  -f, --follow   text". */
static void append_options(struct text_buf *out, const char *help)
{
    const char *line = help;

    while (line && *line) {
        const char *at = line + strspn(line, " ");

        while (at > line && *at == '-') {
            size_t len = strcspn(at, " ,\n=");

            text_appendf(out, "%s%.*s", out->len ? " " : "", (int)len, at);
            at += len;
            at += *at == ',' ? strspn(at, ", ") : 0;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    text_appendf(out, "%s--help", out->len ? " " : "");
}

static void append_word(struct text_buf *out, const char *word, size_t len)
{
    text_appendf(out, "%s%.*s", out->len ? " " : "", (int)len, word);
}

/* Small letters, "list", or several words of them, "list|add". */
static bool is_literal(const char *text, size_t len)
{
    return len > 0 && islower((unsigned char)*text) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz|") >= len;
}

/*
 * What is typed behind the command as the usage has it: "list" and "show" of "dlq
 * list|show", and of "web user list|add" "user" as well. What one puts in is in capitals.
 */
static void append_words(struct text_buf *out, const struct cmd *cmd)
{
    const char *before = cmd->name;
    size_t before_len = strlen(before);
    size_t len;

    for (const char *at = cmd->usage; *at; at += len + strspn(at + len, " ,")) {
        len = strcspn(at, " ,");
        if (is_literal(at, len) && memchr(at, '|', len)) {
            if (is_literal(before, before_len) &&
                strncmp(before, cmd->name, before_len) != 0)
                append_word(out, before, before_len);
            for (const char *word = at; word < at + len; word += strcspn(word, "| ,") + 1)
                append_word(out, word, strcspn(word, "| ,"));
        }
        before = at;
        before_len = len;
    }
}

static void append_commands(struct text_buf *out)
{
    for (const struct cmd *const *c = cmd_table; *c; c++)
        text_appendf(out, "%s%s", out->len ? " " : "", (*c)->name);
    text_append(out, " help");
}

static void print_bash(void)
{
    struct text_buf words = {0};

    append_commands(&words);
    (void)printf("# bash completion of dagrun; source it, or put it into\n"
                 "# ~/.local/share/bash-completion/completions/dagrun\n"
                 "_dagrun() {\n"
                 "    local word=${COMP_WORDS[COMP_CWORD]} options= words=\n"
                 "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                 "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\")\n"
                 "        return\n"
                 "    fi\n"
                 "    case ${COMP_WORDS[1]} in\n",
                 text_str(&words));
    text_buf_clear(&words);
    for (const struct cmd *const *c = cmd_table; *c; c++) {
        append_options(&words, (*c)->help);
        (void)printf("    %s) options='%s'", (*c)->name, text_str(&words));
        text_buf_clear(&words);
        append_words(&words, *c);
        (void)printf(" words='%s' ;;\n", text_str(&words));
        text_buf_clear(&words);
    }
    (void)printf("    esac\n"
                 "    case $word in\n"
                 "    -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;\n"
                 "    *) mapfile -t COMPREPLY < <(\n"
                 "        compgen -W \"$words $(dagrun completion dags 2>/dev/null)\" -- "
                 "\"$word\"\n"
                 "        compgen -f -- \"$word\") ;;\n"
                 "    esac\n"
                 "}\n"
                 "complete -o filenames -F _dagrun dagrun\n");
}

static void print_zsh(void)
{
    struct text_buf words = {0};

    (void)printf("#compdef dagrun\n"
                 "# zsh completion of dagrun; put it as _dagrun into a folder of $fpath\n"
                 "_dagrun() {\n"
                 "    local -a commands options verbs\n"
                 "    commands=(\n");
    for (const struct cmd *const *c = cmd_table; *c; c++)
        (void)printf("        %s\n", (*c)->name);
    (void)printf("    )\n"
                 "    if (( CURRENT == 2 )); then compadd -a commands; return; fi\n"
                 "    case $words[2] in\n");
    for (const struct cmd *const *c = cmd_table; *c; c++) {
        append_options(&words, (*c)->help);
        (void)printf("    %s) options=(%s)", (*c)->name, text_str(&words));
        text_buf_clear(&words);
        append_words(&words, *c);
        (void)printf(" verbs=(%s) ;;\n", text_str(&words));
        text_buf_clear(&words);
    }
    (void)printf("    esac\n"
                 "    if [[ $words[CURRENT] == -* ]]; then compadd -a options; return; fi\n"
                 "    compadd -- $verbs $(dagrun completion dags 2>/dev/null)\n"
                 "    _files\n"
                 "}\n"
                 "_dagrun \"$@\"\n");
}

/* For fish, in single quotes. */
static void print_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            (void)putchar('\\');
        (void)putchar(*text);
    }
    (void)putchar('\'');
}

static void print_fish(void)
{
    struct text_buf words = {0};

    (void)puts("# fish completion of dagrun; put it into ~/.config/fish/completions");
    for (const struct cmd *const *c = cmd_table; *c; c++) {
        (void)printf("complete -c dagrun -n __fish_use_subcommand -f -a %s -d ",
                     (*c)->name);
        print_quoted((*c)->doc);
        (void)putchar('\n');
        append_options(&words, (*c)->help);
        append_words(&words, *c);
        (void)printf("complete -c dagrun -n '__fish_seen_subcommand_from %s' -a '%s'\n",
                     (*c)->name, text_str(&words));
        text_buf_clear(&words);
    }
    (void)puts("complete -c dagrun -n 'not __fish_use_subcommand' -a "
               "'(dagrun completion dags 2>/dev/null)'");
}

/* The names of dags, for the scripts. */
static int print_dags(void)
{
    struct mem_arena arena = {0};
    struct history_dag_list dags = {0};
    struct error err = {0};
    struct ops *ops = cli_ops(&err);

    if (ops && ops_history(ops))
        (void)history_dags(ops_history(ops), &arena, &dags, &err);
    for (size_t i = 0; i < dags.count; i++)
        (void)puts(dags.items[i].dag);
    mem_arena_clear(&arena);
    ops_close(ops);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

static int run(int argc, char **argv)
{
    const char *shell = argc == 2 ? argv[1] : "";

    if (strcmp(shell, "bash") == 0)
        print_bash();
    else if (strcmp(shell, "zsh") == 0)
        print_zsh();
    else if (strcmp(shell, "fish") == 0)
        print_fish();
    else if (strcmp(shell, "dags") == 0)
        return print_dags();
    else
        return cli_usage("completion", "bash, zsh or fish expected");
    return 0;
}

extern const struct cmd cmd_completion;
const struct cmd cmd_completion = {
    .name = "completion",
    .usage = "completion bash|zsh|fish",
    .doc = "Print a script that completes command lines.",
    .help = "For bash:  source <(dagrun completion bash)\n"
            "For zsh:   dagrun completion zsh >DIR/_dagrun, DIR being in $fpath\n"
            "For fish:  dagrun completion fish >~/.config/fish/completions/dagrun.fish\n",
    .run = run,
};
