/* SPDX-License-Identifier: MIT */
#include "sdk/client.h"

#include "base/clock.h"
#include "base/contract.h"
#include "sdk/kafka_conf.h"
#include "sdk/quote.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LEAVE_MS = 10000, FINISH_MS = 5000 };

void client_fail(struct client *client, int code, const char *format, ...)
{
    struct text_buf line = {0};
    va_list args;

    if (client_failed(client))
        return;
    va_start(args, format);
    (void)vsnprintf(client->failure, sizeof client->failure, format, args);
    va_end(args);
    if (client->failure[0] == '\0')
        (void)snprintf(client->failure, sizeof client->failure, "failed");
    client->exit_code = code;
    if (!client->config.send) /* there the command says it, on the same terminal */
        (void)fprintf(stderr, "%s: error: %s\n", client->n.ops->name, client->failure);
    text_append(&line, "{\"type\":\"error\",\"text\":");
    quote_text(&line, client->failure);
    text_append(&line, "}");
    link_send(&client->link, text_str(&line));
    text_buf_clear(&line);
}

int64_t client_tick(struct client *client)
{
    int64_t before = client->now_ms;

    client->now_ms = clock_mono_ms();
    client->wall_ms = clock_wall_ms();
    return client->now_ms - before;
}

bool client_is_at_rest(const struct client *client)
{
    return client->in.at == client->in.filled && client->in.assigning == NULL &&
           client->out.retry_count == 0 && client->dead.count == 0 &&
           parts_unfinished(&client->parts) == 0;
}

bool client_is_idle(const struct client *client)
{
    bool makes_more = client->source.part && !client->source.finished &&
                      !client->source.waits && !client->paused &&
                      client->phase == CLIENT_RUNNING;

    return !makes_more && client_is_at_rest(client) && commit_is_clean(client);
}

void client_ready(struct client *client)
{
    if (!client->ready)
        link_send(&client->link, "{\"type\":\"ready\"}");
    client->ready = true;
}

static void drain(struct client *client, bool leave)
{
    client->leave = client->leave || leave;
    if (client->phase != CLIENT_RUNNING)
        return;
    client->phase = CLIENT_DRAINING;
    kafka_in_stop(client);
}

static void obey(struct client *client, const char *line, size_t len)
{
    switch (config_parse_command(line, len)) {
    case CONFIG_PAUSE:
        client->paused = true;
        kafka_in_pause(client, true);
        break;
    case CONFIG_RESUME:
        client->paused = false;
        if (client->phase == CLIENT_RUNNING)
            kafka_in_pause(client, false);
        break;
    case CONFIG_REPORT:
        client->stats.asked = true;
        break;
    case CONFIG_DRAIN:
        drain(client, false);
        break;
    case CONFIG_LEAVE:
        drain(client, true);
        break;
    case CONFIG_UNKNOWN:
        break;
    }
}

/* The first TERM is a drain, the second ends the client at once. */
static void take_signals(struct client *client)
{
    struct signalfd_siginfo info;

    while (read(client->signal_fd, &info, sizeof info) == sizeof info) {
        if (client->signals++ == 0)
            drain(client, false);
        else
            client_fail(client, CLIENT_INTERRUPTED, "ended by a second SIGTERM");
    }
}

static void wait_for_events(struct client *client, int64_t timeout_ms)
{
    short link_events = POLLIN | (link_wants_write(&client->link) ? POLLOUT : 0);
    struct pollfd fds[4] = {
        {.fd = client->link.closed ? -1 : client->link.fd, .events = link_events},
        {.fd = client->wake_fd, .events = POLLIN},
        {.fd = client->signal_fd, .events = POLLIN},
        {.fd = client->source.waits ? client->n.wait_fd : -1, .events = POLLIN}};
    uint64_t count;

    if (timeout_ms > INT_MAX)
        timeout_ms = INT_MAX;
    (void)poll(fds, 4, timeout_ms < 0 ? 0 : (int)timeout_ms);
    /* First empty the descriptor, then the queues: else a wake-up would be lost. */
    if (fds[1].revents && read(client->wake_fd, &count, sizeof count) < 0)
        fds[1].revents = 0;
    if (fds[1].revents)
        client->in.more = true;
    if (fds[3].revents)
        client->source.waits = false;
    if (fds[2].revents)
        take_signals(client);
}

void client_serve(struct client *client, int64_t timeout_ms)
{
    const char *line;
    size_t len;

    wait_for_events(client, timeout_ms);
    (void)client_tick(client);
    while ((line = link_next_line(&client->link, &len)) != NULL)
        obey(client, line, len);
    if (client->link.closed) /* the runner is dead: the guard gives us 500 ms */
        drain(client, false);
    link_flush(&client->link);
    kafka_out_serve(client);
    commit_serve(client);
    broker_step(&client->broker, client->now_ms);
    revival_step(client);
    (void)stats_step(client);
}

static int emit(struct dagnode *n, const struct dagnode_output *output,
                struct dagnode_error *err)
{
    struct client *client = n->host;

    if (n->in_hand) {
        emissions_add(&client->emissions, n->in_hand, output);
        return 0;
    }
    if (client->source.part)
        return source_emit(client, output, err);
    return dagnode_fail(err, DAGNODE_FATAL, "dagnode_emit outside on_record");
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void open_committing(struct client *client, rd_kafka_t *committer)
{
    commit_init(client, committer);
    broker_init(&client->broker, client, client->out.rk ? client->out.rk : committer);
}

static void reopen_input(struct client *client)
{
    struct error err = {0};

    broker_clear(&client->broker);
    commit_clear(client);
    if (kafka_in_reopen(client, &err) < 0)
        client_fail(client, CLIENT_FAILED, "%s", err.text);
    else
        open_committing(client, client->in.rk);
}

/* One round; returns when the next one is due at the latest. */
static int64_t step(struct client *client)
{
    bool more = client->source.part ? source_work(client)
                : client->in.rk     ? kafka_in_work(client)
                                    : false;
    int64_t due;

    if (client->in.reopen || kafka_in_is_stuck(client))
        reopen_input(client);
    kafka_out_retry(client);
    dead_step(client);
    due = commit_step(client);
    if (client->in.rk)
        due = earlier(due, kafka_in_assign(client));
    if (client->source.waits)
        due = earlier(due, client->source.poll_at_ms);
    due = earlier(due, stats_step(client));
    return more ? client->now_ms : due;
}

/* A source that made everything ends by itself, unless it is kept. */
static bool is_over(const struct client *client)
{
    if (!client_is_idle(client))
        return false;
    return client->phase == CLIENT_DRAINING ||
           (client->source.finished && !client->config.keep);
}

static void loop(struct client *client)
{
    int64_t due = 0, leave_until_ms;

    while (!client_failed(client) && !is_over(client)) {
        client_serve(client, due - client->now_ms);
        due = step(client);
    }
    if (client_failed(client) || !client->leave || client->in.rk == NULL ||
        client->config.parking == NULL)
        return;
    client->phase = CLIENT_LEAVING;
    leave_until_ms = client->now_ms + LEAVE_MS;
    kafka_in_leave(client);
    while (!client_failed(client) && !client->in.left && client->now_ms < leave_until_ms) {
        (void)kafka_in_work(client);
        client_serve(client, 100);
    }
}

static int open_kafka(struct client *client, struct error *err)
{
    rd_kafka_t *committer = NULL;

    if (kafka_out_open(client, err) < 0)
        return -1;
    if (client->config.source) {
        if (client->config.checkpoint_group && !client->config.send) {
            committer = kafka_open(client, KAFKA_COMMITTER, err);
            if (committer == NULL)
                return -1;
        }
    } else {
        if (kafka_in_open(client, err) < 0)
            return -1;
        committer = client->in.rk;
    }
    open_committing(client, committer);
    return 0;
}

static void close_kafka(struct client *client)
{
    rd_kafka_t *committer = client->config.source ? client->commit.rk : NULL;

    client->phase = CLIENT_OVER;
    dead_clear(client);
    broker_clear(&client->broker);
    commit_clear(client);
    kafka_in_close(client);
    kafka_out_close(client);
    if (committer)
        rd_kafka_destroy_flags(committer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    parts_clear(&client->parts);
}

static int start_program(struct client *client)
{
    struct dagnode_error err = {0};

    if (client_failed(client))
        return -1;
    if (node_start(&client->n, &err) == 0)
        return 0;
    client_fail(client, err.kind == DAGNODE_USAGE ? CONTRACT_EXIT_USAGE : CLIENT_FAILED,
                "%s", err.text);
    return -1;
}

static int start_kafka(struct client *client)
{
    struct error err = {0};

    if (open_kafka(client, &err) == 0)
        return 0;
    client_fail(client, CONTRACT_EXIT_USAGE, "%s", err.text);
    return -1;
}

/* A source must know its position before its program starts; any other node joins its
 * group only once its program has. */
static int start(struct client *client)
{
    if (!client->config.source)
        return start_program(client) < 0 ? -1 : start_kafka(client);
    if (start_kafka(client) < 0)
        return -1;
    source_open(client);
    if (start_program(client) < 0)
        return -1;
    client_ready(client);
    return 0;
}

/* Nobody starts a 'send' again: what it made before it failed is still written. */
static void finish_send(struct client *client)
{
    int64_t until_ms = client->now_ms + FINISH_MS;

    while (client->out.unreported > 0 && !client->link.closed &&
           client->now_ms < until_ms)
        client_serve(client, 100);
}

static void run(struct client *client)
{
    if (start(client) < 0)
        return;
    loop(client);
    if (client_failed(client) && client->config.send)
        finish_send(client);
    if (!client_failed(client) || client->config.send)
        stats_send(client);
}

/* Before any thread exists, so that all of them leave SIGTERM to the descriptor. */
static int open_descriptors(struct client *client, struct error *err)
{
    sigset_t term;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    client->signal_fd = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC);
    client->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (client->signal_fd >= 0 && client->wake_fd >= 0)
        return 0;
    error_set(err, ERROR_INTERNAL, "signalfd, eventfd: %s", strerror(errno));
    return -1;
}

static int read_config(struct client *client, int argc, char **argv, struct error *err)
{
    size_t len;
    const char *line = link_read_line(&client->link, &len);
    struct dagnode *n = &client->n;

    if (line == NULL) {
        error_set(err, ERROR_INPUT, "the runner closed the socket before its config");
        return -1;
    }
    if (config_parse(&client->config, line, len, err) < 0)
        return -1;
    n->args = (const char *const *)(argv + 1);
    n->arg_count = argc - 1;
    n->dag = client->config.dag;
    n->node = client->config.node;
    n->client = client->config.client;
    n->client_id = client->config.client_id;
    if (client->config.source != (n->ops->on_poll != NULL)) {
        error_set(err, ERROR_INPUT, "%s is no %s: its node %s", n->ops->name,
                  n->ops->on_poll ? "filter" : "source",
                  client->config.source ? "has no from:" : "has a from:");
        return -1;
    }
    if (options_init(&n->options, n->ops, &client->config.with, client->config.dir, err) <
        0)
        return -1;
    return options_check_args(n->ops, n->arg_count, err);
}

int client_main(int argc, char **argv, const struct dagnode_ops *ops, int fd)
{
    struct client *client = calloc(1, sizeof *client);
    struct error err = {0};
    int code;

    if (client == NULL)
        abort();
    client->n = (struct dagnode){.ops = ops, .emit = emit, .host = client};
    (void)client_tick(client);
    if (open_descriptors(client, &err) < 0 || link_open(&client->link, fd, &err) < 0) {
        (void)fprintf(stderr, "%s: error: %s\n", ops->name, err.text);
        free(client);
        return CLIENT_FAILED;
    }
    if (read_config(client, argc, argv, &err) < 0)
        client_fail(client, CONTRACT_EXIT_USAGE, "%s", err.text);
    else
        run(client);
    node_stop(&client->n);
    close_kafka(client);
    options_clear(&client->n.options);
    config_clear(&client->config);
    emissions_clear(&client->emissions);
    link_close(&client->link);
    (void)close(client->signal_fd);
    (void)close(client->wake_fd);
    code = client->exit_code;
    free(client);
    return code;
}
