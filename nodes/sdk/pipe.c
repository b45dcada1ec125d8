/* SPDX-License-Identifier: MIT */
#include "sdk/pipe.h"

#include "base/clock.h"
#include "base/contract.h"
#include "base/text.h"
#include "sdk/config.h"
#include "sdk/emission.h"
#include "sdk/node.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 << 10, SHOWN = 200 };

struct pipe_host {
    struct emissions emissions;
    struct text_buf input;
    int64_t line;
    int64_t dead;
    bool write_failed;
    char chunk[CHUNK];
};

static void write_line(struct pipe_host *host, const void *value, size_t len)
{
    if ((len && fwrite(value, 1, len, stdout) != len) || putchar('\n') == EOF)
        host->write_failed = true;
}

static int emit(struct dagnode *n, const struct dagnode_output *out,
                struct dagnode_error *err)
{
    struct pipe_host *host = n->host;

    if (n->in_hand)
        emissions_add(&host->emissions, n->in_hand, out);
    else
        write_line(host, out->value, out->value_len);
    if (host->write_failed)
        return dagnode_fail(err, DAGNODE_FATAL, "stdout: %s", strerror(errno));
    return 0;
}

static void show_dead_letter(const struct dagnode_record *record,
                             const struct dagnode_error *err)
{
    size_t shown = record->value_len < SHOWN ? record->value_len : SHOWN;

    (void)fprintf(stderr, "dead letter: line %lld: %s: ", (long long)record->offset + 1,
                  node_error_name(err->kind));
    text_print_safe(stderr, err->text, strlen(err->text));
    (void)fputs(": ", stderr);
    text_print_safe(stderr, record->value, shown);
    (void)fputs(shown < record->value_len ? "…\n" : "\n", stderr);
}

static int handle_line(struct dagnode *n, const char *line, size_t len,
                       struct dagnode_error *fatal)
{
    struct pipe_host *host = n->host;
    struct dagnode_record record = {.value = line,
                                    .value_len = len,
                                    .timestamp_ms = clock_wall_ms(),
                                    .topic = "stdin",
                                    .offset = host->line++};
    struct dagnode_error err = {0};
    int result;

    n->in_hand = &record;
    result = n->ops->on_record(n, &record, n->state, &err);
    n->in_hand = NULL;
    if (result < 0 && err.kind == DAGNODE_NO_ERROR)
        (void)dagnode_fail(&err, DAGNODE_TRANSFORM, "the program gave no reason");
    if (result < 0 && (err.kind == DAGNODE_FATAL || err.kind == DAGNODE_USAGE)) {
        *fatal = err;
        return -1;
    }
    for (size_t i = 0; result == 0 && i < host->emissions.count; i++)
        write_line(host, host->emissions.list[i].value, host->emissions.list[i].value_len);
    emissions_reset(&host->emissions);
    if (result < 0) {
        host->dead++;
        show_dead_letter(&record, &err);
    }
    return 0;
}

/* Handle the complete lines of the input; at its end also one without a newline. */
static int handle_input(struct dagnode *n, bool at_end, struct dagnode_error *err)
{
    struct pipe_host *host = n->host;
    size_t start = 0;
    int result = 0;

    while (result == 0 && start < host->input.len) {
        const char *line = host->input.data + start;
        size_t left = host->input.len - start;
        const char *end = memchr(line, '\n', left);

        if (end == NULL && !at_end)
            break;
        result = handle_line(n, line, end ? (size_t)(end - line) : left, err);
        start += end ? (size_t)(end - line) + 1 : left;
    }
    text_drop_front(&host->input, start);
    return result;
}

/* What was handled becomes durable and visible before more is read. */
static int settle(struct dagnode *n, struct dagnode_error *err)
{
    if (node_commit(n, err) < 0)
        return -1;
    if (fflush(stdout) != 0)
        return dagnode_fail(err, DAGNODE_FATAL, "stdout: %s", strerror(errno));
    return 0;
}

static int run_filter(struct dagnode *n, struct dagnode_error *err)
{
    struct pipe_host *host = n->host;
    ssize_t got;

    while ((got = read(STDIN_FILENO, host->chunk, CHUNK)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return dagnode_fail(err, DAGNODE_FATAL, "stdin: %s", strerror(errno));
        text_append_bytes(&host->input, host->chunk, (size_t)got);
        if (handle_input(n, false, err) < 0 || settle(n, err) < 0)
            return -1;
    }
    return handle_input(n, true, err) < 0 ? -1 : settle(n, err);
}

static void wait_for(const struct dagnode *n)
{
    struct pollfd fd = {.fd = n->wait_fd, .events = POLLIN};

    (void)poll(&fd, 1, n->wait_ms > INT_MAX ? INT_MAX : (int)n->wait_ms);
}

static int run_source(struct dagnode *n, struct dagnode_error *err)
{
    for (;;) {
        switch (node_poll(n, err)) {
        case DAGNODE_FAILED:
            return -1;
        case DAGNODE_MORE:
            break;
        case DAGNODE_WAIT:
            if (settle(n, err) < 0)
                return -1;
            wait_for(n);
            break;
        case DAGNODE_END:
            return settle(n, err);
        }
    }
}

/* Collect "--with K=V"…; returns the number of words used, -1 with a line on stderr. */
static int read_options(int argc, char **argv, const char *name, struct values *with)
{
    int i = 0;

    while (i < argc && strncmp(argv[i], "--with", 6) == 0) {
        char *word = argv[i][6] == '=' ? argv[i] + 7 : i + 1 < argc ? argv[++i] : NULL;
        char *equals = word ? strchr(word, '=') : NULL;

        if (equals == NULL || equals == word) {
            (void)fprintf(stderr, "%s: error: --with expects NAME=VALUE\n", name);
            return -1;
        }
        *equals = '\0';
        values_take(with, config_value(word, equals + 1));
        i++;
    }
    if (i < argc && strcmp(argv[i], "--") == 0)
        i++;
    return i;
}

static int run_pipe(struct dagnode *n)
{
    struct pipe_host *host = n->host;
    struct dagnode_error err = {0};
    int result = node_start(n, &err);

    if (result == 0)
        result = n->ops->on_poll ? run_source(n, &err) : run_filter(n, &err);
    node_stop(n);
    if (fflush(stdout) != 0 && result == 0)
        result = dagnode_fail(&err, DAGNODE_FATAL, "stdout: %s", strerror(errno));
    if (result < 0)
        (void)fprintf(stderr, "%s: error: %s\n", n->ops->name, err.text);
    if (err.kind == DAGNODE_USAGE)
        return CONTRACT_EXIT_USAGE;
    return result < 0 || host->dead > 0;
}

int pipe_main(int argc, char **argv, const struct dagnode_ops *ops)
{
    struct values with = {0};
    struct pipe_host host = {0};
    struct error err = {0};
    struct dagnode n = {.ops = ops, .emit = emit, .host = &host};
    int used = read_options(argc, argv, ops->name, &with);
    int code = CONTRACT_EXIT_USAGE;

    if (used < 0)
        goto done;
    n.args = (const char *const *)(argv + used);
    n.arg_count = argc - used;
    n.dag = n.node = n.client = n.client_id = ops->name;
    if (options_init(&n.options, ops, &with, NULL, &err) < 0 ||
        options_check_args(ops, n.arg_count, &err) < 0) {
        (void)fprintf(stderr, "%s: error: %s\n", ops->name, err.text);
        goto done;
    }
    code = run_pipe(&n);
done:
    values_clear(&with);
    options_clear(&n.options);
    emissions_clear(&host.emissions);
    text_buf_clear(&host.input);
    return code;
}
