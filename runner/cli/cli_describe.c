/* SPDX-License-Identifier: MIT */
#include "cli/cli_describe.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_ONCE = 64, /* processes: descriptors are not without limit */
    LIMIT_MS = 5000,
    OUTPUT_MAX = 1 << 20,
};

/* A running PROGRAM --describe. */
struct job {
    struct cli_description *item;
    struct process *process;
    int fd; /* its stdout; -1: closed */
};

static void begin(struct job *job, struct cli_description *item)
{
    char *argv[] = {(char *)(uintptr_t)item->path, (char[]){"--describe"}, NULL};
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int ends[2];
    struct process_spec spec = {.path = item->path,
                                .argv = argv,
                                .stdin_fd = -1,
                                .stderr_fd = null_fd,
                                .extra_fd = -1};

    *job = (struct job){.item = item, .fd = -1};
    if (null_fd < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        error_set(&item->err, ERROR_INTERNAL, "%s: %s", item->path, strerror(errno));
    } else {
        spec.stdout_fd = ends[1];
        job->process = process_spawn(&spec, &item->err);
        job->fd = ends[0];
        (void)close(ends[1]);
        (void)fcntl(job->fd, F_SETFL, O_NONBLOCK);
    }
    if (null_fd >= 0)
        (void)close(null_fd);
}

static void close_output(struct job *job)
{
    if (job->fd >= 0)
        (void)close(job->fd);
    job->fd = -1;
}

static void read_output(struct job *job)
{
    struct cli_description *item = job->item;
    char chunk[16 * 1024];
    ssize_t len;

    while ((len = read(job->fd, chunk, sizeof chunk)) > 0) {
        if (item->output.len + (size_t)len > OUTPUT_MAX) {
            error_set(&item->err, ERROR_INPUT, "%s --describe printed more than 1 MiB",
                      item->path);
            close_output(job);
            return;
        }
        text_append_bytes(&item->output, chunk, (size_t)len);
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_output(job);
}

/* Read from all that still print, until none does or the time is over. */
static void collect(struct job *jobs, size_t count, int64_t deadline_ms)
{
    struct pollfd fds[AT_ONCE];

    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        size_t open_count = 0;

        for (size_t i = 0; i < count; i++) {
            fds[i] = (struct pollfd){.fd = jobs[i].fd, .events = POLLIN};
            open_count += jobs[i].fd >= 0;
        }
        if (open_count == 0 || left_ms <= 0)
            return;
        if (poll(fds, count, (int)left_ms) < 0 && errno != EINTR)
            return;
        for (size_t i = 0; i < count; i++) {
            if (jobs[i].fd >= 0 && fds[i].revents != 0)
                read_output(&jobs[i]);
        }
    }
}

/* Its output is complete or given up: see how the process ended. */
static void finish(struct job *job, int64_t deadline_ms)
{
    struct cli_description *item = job->item;
    struct process_exit end = {0};
    bool reaped;

    if (job->fd >= 0)
        error_set(&item->err, ERROR_INPUT, "%s --describe did not end within 5 s",
                  item->path);
    close_output(job);
    if (job->process == NULL)
        return;
    while (!(reaped = process_reap(job->process, &end)) && !error_is_set(&item->err)) {
        struct pollfd dead = {.fd = process_fd(job->process), .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_mono_ms();

        if (left_ms <= 0)
            error_set(&item->err, ERROR_INPUT, "%s --describe did not end within 5 s",
                      item->path);
        else
            (void)poll(&dead, 1, (int)left_ms);
    }
    if (reaped && end.code != 0) {
        char how[PROCESS_EXIT_TEXT];

        process_exit_text(&end, how);
        error_set(&item->err, ERROR_INPUT,
                  "%s --describe ended with %s: is it a program built with libdagnode?",
                  item->path, how);
    }
    process_free(job->process);
}

void cli_describe(struct cli_description *items, size_t count)
{
    struct job jobs[AT_ONCE];

    for (size_t done = 0; done < count;) {
        size_t batch = count - done < AT_ONCE ? count - done : AT_ONCE;
        int64_t deadline_ms = clock_mono_ms() + LIMIT_MS;

        for (size_t i = 0; i < batch; i++)
            begin(&jobs[i], &items[done + i]);
        collect(jobs, batch, deadline_ms);
        for (size_t i = 0; i < batch; i++)
            finish(&jobs[i], deadline_ms);
        done += batch;
    }
}

/* A distinct program of a dag. */
struct program {
    const char *name;
    char *path; /* NULL: err says why */
    struct error err;
    struct cli_description *description;
};

static int by_program(const void *a, const void *b, void *arg)
{
    const struct dag *dag = arg;

    return strcmp(dag->nodes[*(const size_t *)a].program,
                  dag->nodes[*(const size_t *)b].program);
}

static void report(const struct dag *dag, size_t node, const struct program *program,
                   struct diag_list *diags)
{
    const struct dag_node *n = &dag->nodes[node];
    const struct error *err =
        program->path ? &program->description->err : &program->err;

    if (error_is_set(err))
        diag_add(diags, n->program_pos.line, n->program_pos.column, "node '%s': %s",
                 n->name, err->text);
    else
        dag_check_program(dag, node, text_str(&program->description->output), diags);
}

/* programs: one per distinct name, in the order of nodes, sorted by program. */
static size_t find_programs(const struct dag *dag, const size_t *nodes,
                            struct program *programs,
                            struct cli_description *descriptions)
{
    size_t count = 0;
    size_t found = 0;

    for (size_t i = 0; i < dag->node_count; i++) {
        const char *name = dag->nodes[nodes[i]].program;
        struct program *program = &programs[count];

        if (count > 0 && strcmp(programs[count - 1].name, name) == 0)
            continue;
        program->name = name;
        program->path = cli_program_path(name, &program->err);
        if (program->path) {
            program->description = &descriptions[found++];
            program->description->path = program->path;
        }
        count++;
    }
    cli_describe(descriptions, found);
    return count;
}

void cli_check_programs(const struct dag *dag, struct diag_list *diags)
{
    size_t *nodes = mem_alloc(dag->node_count * sizeof *nodes);
    struct program *programs = mem_alloc(dag->node_count * sizeof *programs);
    struct cli_description *descriptions =
        mem_alloc(dag->node_count * sizeof *descriptions);
    size_t count;
    size_t at = 0;

    for (size_t i = 0; i < dag->node_count; i++)
        nodes[i] = i;
    qsort_r(nodes, dag->node_count, sizeof *nodes, by_program, (void *)(uintptr_t)dag);
    count = find_programs(dag, nodes, programs, descriptions);
    for (size_t i = 0; i < dag->node_count; i++) {
        while (strcmp(programs[at].name, dag->nodes[nodes[i]].program) != 0)
            at++;
        report(dag, nodes[i], &programs[at], diags);
    }
    for (size_t i = 0; i < count; i++) {
        if (programs[i].description)
            text_buf_clear(&programs[i].description->output);
        free(programs[i].path);
    }
    diag_sort(diags);
    free(descriptions);
    free(programs);
    free(nodes);
}
