/* SPDX-License-Identifier: MIT */
#include "cli/web_child.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct stream {
    int fd; /* -1: closed */
    struct text_buf text;
};

struct web_child {
    struct web_children *children;
    struct process *process;
    struct stream out;
    struct stream talk;
    size_t output_bytes;
    bool acts;
    bool said_too_much;
    int64_t deadline_ms;
    web_child_fn *done;
    void *done_arg;
    struct web_child *next;
};

struct web_children {
    struct loop *loop;
    struct web_child *first;
    int count;
    int max;
};

struct web_children *web_children_new(struct loop *loop, int max)
{
    struct web_children *children = mem_alloc(sizeof *children);

    *children = (struct web_children){.loop = loop, .max = max};
    return children;
}

static void stream_close(struct web_children *children, struct stream *stream)
{
    if (stream->fd >= 0) {
        loop_remove(children->loop, stream->fd);
        (void)close(stream->fd);
    }
    stream->fd = -1;
}

static void child_free(struct web_child *child)
{
    struct web_children *children = child->children;
    struct web_child **link = &children->first;

    while (*link != child)
        link = &(*link)->next;
    *link = child->next;
    children->count--;
    stream_close(children, &child->out);
    stream_close(children, &child->talk);
    if (child->process)
        loop_remove(children->loop, process_fd(child->process));
    process_free(child->process);
    text_buf_clear(&child->out.text);
    text_buf_clear(&child->talk.text);
    free(child->done_arg);
    free(child);
}

void web_children_free(struct web_children *children)
{
    if (children == NULL)
        return;
    while (children->first)
        child_free(children->first);
    free(children);
}

/* One that only reads has nothing to finish. */
static void stop_talking(struct web_child *child)
{
    child->said_too_much = true;
    if (!child->acts)
        process_signal(child->process, SIGKILL);
}

static void stream_read(struct web_child *child, struct stream *stream)
{
    char data[8192];
    ssize_t len;

    while (stream->fd >= 0 && (len = read(stream->fd, data, sizeof data)) != 0) {
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0)
            return;
        if (stream->text.len + (size_t)len <= child->output_bytes)
            text_append_bytes(&stream->text, data, (size_t)len);
        else if (!child->said_too_much)
            stop_talking(child);
    }
    stream_close(child->children, stream);
}

static void on_output(void *arg, uint32_t events)
{
    struct web_child *child = arg;

    (void)events;
    stream_read(child, &child->out);
    stream_read(child, &child->talk);
}

static enum error_kind kind_of(int exit_code)
{
    static const enum error_kind kinds[] = {
        ERROR_INPUT, ERROR_UNREACHABLE, ERROR_NOT_FOUND, ERROR_CONFLICT, ERROR_TIMEOUT};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (error_exit_code(kinds[i]) == exit_code)
            return kinds[i];
    }
    return ERROR_FAILED;
}

/* The words without "dagrun: error: " or "dagrun VERB: ", and without the pointer to
 * help that follows a usage error. */
static const char *plain_words(const struct web_child *child, size_t *len)
{
    static const char error[] = "dagrun: error: ";
    const char *words = text_str(&child->talk.text);
    const char *colon = strchr(words, ':');
    const char *help = strstr(words, " (see 'dagrun ");

    *len = help ? (size_t)(help - words) : child->talk.text.len;
    while (*len > 0 && words[*len - 1] == '\n')
        --*len;
    if (strncmp(words, error, sizeof error - 1) == 0)
        colon = words + sizeof error - 3;
    else if (help == NULL || strncmp(words, "dagrun ", 7) != 0)
        return words;
    *len -= (size_t)(colon + 2 - words);
    return colon + 2;
}

/* What it said; how it ended when it said nothing. */
static void set_failure(const struct web_child *child, const struct process_exit *end,
                        struct error *err)
{
    size_t len;
    const char *words = plain_words(child, &len);
    char how[PROCESS_EXIT_TEXT];

    process_exit_text(end, how);
    if (len > 0)
        error_set(err, kind_of(end->code), "%.*s", (int)len, words);
    else
        error_set(err, kind_of(end->code), "it ended with %s", how);
}

static void finish(struct web_child *child, const struct error *err)
{
    web_child_fn *done = child->done;
    void *done_arg = child->done_arg;
    char *out = text_take(&child->out.text);

    child->done_arg = NULL;
    child_free(child);
    done(done_arg, out ? out : mem_strdup(""), err);
    free(done_arg);
}

void web_child_stop(struct web_child *child)
{
    struct error err = {0};

    error_set(&err, ERROR_INTERRUPTED, "it is not wanted any more");
    finish(child, &err); /* freeing kills it */
}

static void on_end(void *arg, uint32_t events)
{
    struct web_child *child = arg;
    struct process_exit end = {0};
    struct error err = {0};

    (void)events;
    loop_remove(child->children->loop, process_fd(child->process));
    if (!process_reap(child->process, &end))
        error_set(&err, ERROR_INTERNAL, "its end could not be read");
    stream_read(child, &child->out);
    stream_read(child, &child->talk);
    if (child->said_too_much && (end.code == 0 || !child->acts))
        error_set(&err, ERROR_INTERNAL, "its answer is larger than %zu bytes",
                  child->output_bytes);
    else if (end.code != 0)
        set_failure(child, &end, &err);
    finish(child, &err);
}

/* The end for us to read, and the one for the child in *theirs. */
static int open_pipe(struct web_child *child, struct stream *stream, int *theirs,
                     struct error *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set(err, ERROR_INTERNAL, "pipe: %s", strerror(errno));
        return -1;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    stream->fd = ends[0];
    *theirs = ends[1];
    return loop_add(child->children->loop, stream->fd, EPOLLIN, on_output, child, err);
}

static int spawn(struct web_child *child, char *const *argv, struct error *err)
{
    int out = -1;
    int talk = -1;

    if (open_pipe(child, &child->out, &out, err) == 0 &&
        open_pipe(child, &child->talk, &talk, err) == 0) {
        const struct process_spec spec = {.path = "/proc/self/exe",
                                          .argv = argv,
                                          .stdin_fd = -1,
                                          .stdout_fd = out,
                                          .stderr_fd = talk,
                                          .extra_fd = -1};

        child->process = process_spawn(&spec, err);
    }
    if (child->process)
        (void)loop_add(child->children->loop, process_fd(child->process), EPOLLIN,
                       on_end, child, err);
    if (out >= 0)
        (void)close(out);
    if (talk >= 0)
        (void)close(talk);
    return error_is_set(err) ? -1 : 0;
}

struct web_child *web_child_run(struct web_children *children,
                                const struct web_child_spec *spec)
{
    struct error err = {0};
    struct web_child *child;

    if (children->count == children->max) {
        error_set(&err, ERROR_UNREACHABLE, "too much is being done at once; try again");
        spec->done(spec->done_arg, mem_strdup(""), &err);
        free(spec->done_arg);
        return NULL;
    }
    child = mem_alloc(sizeof *child);
    *child = (struct web_child){.children = children,
                                .out.fd = -1,
                                .talk.fd = -1,
                                .output_bytes = spec->output_bytes,
                                .acts = spec->acts,
                                .deadline_ms = clock_mono_ms() + spec->limit_ms,
                                .done = spec->done,
                                .done_arg = spec->done_arg,
                                .next = children->first};
    children->first = child;
    children->count++;
    if (spawn(child, spec->argv, &err) == 0)
        return child;
    finish(child, &err);
    return NULL;
}

int64_t web_children_tick(struct web_children *children)
{
    int64_t now_ms = clock_mono_ms();
    int64_t deadline_ms = INT64_MAX;

    for (struct web_child *child = children->first, *next; child; child = next) {
        struct error err = {0};

        next = child->next;
        if (child->deadline_ms <= now_ms) {
            error_set(&err, ERROR_TIMEOUT, "it took too long and was given up");
            finish(child, &err); /* freeing kills it */
        } else if (child->deadline_ms < deadline_ms) {
            deadline_ms = child->deadline_ms;
        }
    }
    return deadline_ms;
}
