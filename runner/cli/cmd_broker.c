/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/broker_log.h"
#include "cli/broker_settings.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cmd.h"
#include "cli/embedded.h"
#include "host/lock.h"
#include "host/process.h"
#include "host/signals.h"
#include "ops/ops.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FIRST_PORT = 19092, /* tried first when none is set and none was used before */
    PORTS = 100,
    STOP_MS = 60000,
};

/* --------------------------------------------------------------------------------- run */

static int read_settings(const char *home, int argc, char **argv,
                         struct broker_settings *settings, struct error *err)
{
    char *data = embedded_path(home, "data");
    char *file = embedded_path(home, "settings.yaml");
    int rc;

    broker_settings_default(settings, data);
    rc = broker_settings_read(settings, file, err);
    free(data);
    free(file);
    for (int i = 1; rc == 0 && i < argc; i++) {
        int found = broker_settings_option(settings, argc, argv, &i, err);

        if (found == 0)
            error_set(err, ERROR_INPUT, "%s '%s' (see 'dagrun broker --help')",
                      argv[i][0] == '-' ? "unknown option" : "it takes no argument",
                      argv[i]);
        rc = found == 1 ? 0 : -1;
    }
    return rc;
}

/* The port of last time, so that what knows the address finds it again. */
static int last_port(const char *home)
{
    struct embedded_state state = {0};
    const char *colon;
    int64_t port = 0;

    embedded_state_read(home, &state);
    colon = state.listen ? strrchr(state.listen, ':') : NULL;
    if (colon == NULL || !text_parse_int(colon + 1, &port))
        port = 0;
    embedded_state_clear(&state);
    return (int)port;
}

static bool is_free(const char *host, int port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    const int on = 1;
    struct addrinfo *list = NULL;
    char service[16];
    bool free_port = false;
    int fd;

    (void)snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(host, service, &hints, &list) != 0)
        return false; /* opening it will say why */
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        free_port = bind(fd, list->ai_addr, list->ai_addrlen) == 0 && listen(fd, 1) == 0;
        (void)close(fd);
    }
    freeaddrinfo(list);
    return free_port;
}

/* The port of last time, else the first free one of ours, else 0: the kernel's choice. */
static int choose_port(const char *home, const char *host)
{
    int port = last_port(home);

    if (port != 0 && is_free(host, port))
        return port;
    for (port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) {
        if (is_free(host, port))
            return port;
    }
    return 0;
}

static char *host_port(const char *host, int port)
{
    return strchr(host, ':') ? mem_printf("[%s]:%d", host, port)
                             : mem_printf("%s:%d", host, port);
}

/* The runs that have their topics here, "a b c"; empty: none. */
static void append_users(const char *home, struct text_buf *names, struct error *err)
{
    struct mem_arena arena = {0};
    struct ops *ops = ops_open(home, err);
    struct ops_names live = {0};

    if (ops)
        ops_live_dags(ops, &arena, &live);
    for (size_t i = 0; i < live.count; i++) {
        struct history_last last = {0};

        if (ops_history(ops) &&
            history_last_run(ops_history(ops), live.items[i], &last, err) == 0 &&
            last.broker && strcmp(last.broker, EMBEDDED_NAME) == 0)
            text_appendf(names, "%s%s", names->len ? " " : "", live.items[i]);
        history_last_clear(&last);
    }
    mem_arena_clear(&arena);
    ops_close(ops);
}

/* Where clients find it. The caller frees. */
static char *address_of(const struct ledger_settings *settings, int port)
{
    return host_port(settings->advertised_host ? settings->advertised_host : settings->host,
                     settings->advertised_port ? settings->advertised_port : port);
}

/* The clients of a run look for their broker and topics where both were at its start. */
static int stay_for_runs(const char *home, const struct ledger_settings *settings,
                         bool port_chosen, struct error *err)
{
    static const char ways[] = "or 'dagrun stop --now' these";
    struct embedded_state last;
    struct text_buf users = {0};
    struct error ignored = {0};
    char *address = address_of(settings, settings->port);
    bool moved, other_data;

    embedded_state_read(home, &last);
    moved = last.address && strcmp(last.address, address) != 0;
    other_data = last.data && strcmp(last.data, settings->data_dir) != 0;
    if (moved || other_data)
        append_users(home, &users, &ignored);
    if (users.len > 0 && other_data)
        error_set(err, ERROR_CONFLICT,
                  "its data would be in %s, and runs have theirs in %s: start it there, "
                  "%s: %s",
                  settings->data_dir, last.data, ways, text_str(&users));
    else if (users.len > 0 && port_chosen)
        error_set(err, ERROR_CONFLICT,
                  "runs need it on %s, where another program listens: end that one, %s: %s",
                  last.address, ways, text_str(&users));
    else if (users.len > 0)
        error_set(err, ERROR_CONFLICT,
                  "it would be on %s, and runs need it on %s: start it there, %s: %s",
                  address, last.address, ways, text_str(&users));
    embedded_state_clear(&last);
    text_buf_clear(&users);
    free(address);
    return error_is_set(err) ? -1 : 0;
}

static int write_state(const char *home, int argc, char **argv,
                       const struct ledger_settings *settings, const struct ledger *ledger,
                       bool ended, struct error *err)
{
    char *address = address_of(settings, ledger_port(ledger));
    char *listen = host_port(settings->host, ledger_port(ledger));
    char *data = mem_strdup(settings->data_dir);
    char version[] = DAGRUN_VERSION;
    const struct embedded_state state = {.pid = getpid(),
                                         .address = address,
                                         .listen = listen,
                                         .data = data,
                                         .version = version,
                                         .flags = argv + 1,
                                         .flag_count = (size_t)argc - 1,
                                         .started_ms = clock_wall_ms(),
                                         .ended = ended};
    int rc = embedded_state_write(home, &state, err);

    free(address);
    free(listen);
    free(data);
    return rc;
}

static void on_signal(void *arg, uint32_t events)
{
    (void)arg;
    (void)events; /* the loop asks signals_next */
}

static void serve(struct loop *loop, struct ledger *ledger, int signals, const char *log)
{
    int64_t look_ms = 0;

    for (;;) {
        int64_t deadline = ledger_tick(ledger);
        int signal;

        if (clock_mono_ms() >= look_ms) {
            broker_log_bound(log, BROKER_LOG_BYTES);
            look_ms = clock_mono_ms() + 1000;
        }

        if (ledger_idle(ledger)) {
            log_write(LOG_INFO, "broker", NULL, "no client for a while: ending");
            return;
        }
        loop_wait(loop, deadline);
        while ((signal = signals_next(signals)) != 0) {
            if (signal == SIGTERM || signal == SIGINT)
                return;
        }
    }
}

static int run_locked(const char *home, int argc, char **argv,
                      struct broker_settings *settings, struct error *err)
{
    struct loop *loop = loop_new(err);
    int signals = loop ? signals_open(err) : -1;
    struct ledger *ledger = NULL;
    bool chosen = settings->ledger.port == 0;
    char *log = embedded_path(home, "log");

    if (chosen)
        settings->ledger.port = choose_port(home, settings->ledger.host);
    if (signals >= 0 && stay_for_runs(home, &settings->ledger, chosen, err) == 0 &&
        loop_add(loop, signals, EPOLLIN, on_signal, NULL, err) == 0)
        ledger = ledger_open(loop, &settings->ledger, err);
    if (ledger && write_state(home, argc, argv, &settings->ledger, ledger, false, err) == 0) {
        log_write(LOG_INFO, "broker", NULL, "serves on %s:%d", settings->ledger.host,
                  ledger_port(ledger));
        serve(loop, ledger, signals, log);
        (void)write_state(home, argc, argv, &settings->ledger, ledger, true, err);
    }
    ledger_close(ledger);
    if (signals >= 0)
        signals_close(signals);
    loop_free(loop);
    free(log);
    return error_is_set(err) ? -1 : 0;
}

static int run_broker(const char *home, int argc, char **argv, struct error *err)
{
    struct broker_settings settings = {0};
    char *folder = mem_printf("%s/broker", home);
    char *path = embedded_path(home, "lock");
    char *log = embedded_path(home, "log");
    struct lock *lock = NULL;

    log_set_level(LOG_INFO);
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        error_set(err, ERROR_INTERNAL, "%s: %s", folder, strerror(errno));
    else if (read_settings(home, argc, argv, &settings, err) == 0)
        lock = lock_take(path, err);
    if (lock)
        (void)run_locked(home, argc, argv, &settings, err);
    else if (err->kind == ERROR_CONFLICT)
        error_prefix(err, "the broker runs already: ");
    if (error_is_set(err) && broker_log_is(log)) /* where embedded_start reads it */
        log_write(LOG_ERROR, "broker", NULL, EMBEDDED_EXIT "%d", error_exit_code(err->kind));
    lock_release(lock);
    broker_settings_clear(&settings);
    free(log);
    free(path);
    free(folder);
    return error_is_set(err) ? -1 : 0;
}

/* ------------------------------------------------------------------------------- start */

static int start(const char *home, int argc, char **argv, struct error *err)
{
    struct broker_settings settings = {0};
    struct embedded_state before = {0};
    struct embedded_state state = {0};
    bool was_up = embedded_is_up(home, &before);

    /* A fault in the settings is this command's to tell, at once. */
    if (read_settings(home, argc, argv, &settings, err) == 0) {
        if (argc > 1 && was_up)
            error_set(err, ERROR_CONFLICT,
                      "the broker runs already on %s with other options: "
                      "'dagrun broker stop' it first",
                      before.address);
        else if (embedded_start(home, argv + 1, (size_t)argc - 1, &state, err) == 0)
            text_printf_safe(stdout, "%s\n", state.address);
    }
    if (!was_up || error_is_set(err))
        cli_audit("broker start", NULL, state.address, NULL, err);
    embedded_state_clear(&before);
    embedded_state_clear(&state);
    broker_settings_clear(&settings);
    return error_is_set(err) ? -1 : 0;
}

/* -------------------------------------------------------------------------------- stop */

static bool wait_until_gone(const char *lock)
{
    int64_t until = clock_mono_ms() + STOP_MS;
    pid_t pid;

    while (lock_probe(lock, &pid)) {
        if (clock_mono_ms() > until)
            return false;
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return true;
}

static int stop(const char *home, int argc, char **argv, struct error *err)
{
    char *lock = embedded_path(home, "lock");
    struct embedded_state state = {0};
    struct text_buf users = {0};
    pid_t pid = 0;

    embedded_state_read(home, &state);
    if (argc > 1)
        error_set(err, ERROR_INPUT, "broker stop takes no '%s'", argv[1]);
    else if (!lock_probe(lock, &pid))
        (void)puts("the broker does not run");
    else
        append_users(home, &users, err);
    if (pid > 0 && users.len > 0)
        error_set(err, ERROR_CONFLICT,
                  "it is used by %s: 'dagrun stop' that first (a run starts its broker "
                  "again)",
                  text_str(&users));
    else if (pid > 0 && !error_is_set(err)) {
        (void)kill(pid, SIGTERM);
        if (wait_until_gone(lock))
            (void)printf("the broker (pid %d) has ended; its data stays\n", (int)pid);
        else
            error_set(err, ERROR_TIMEOUT, "the broker (pid %d) does not end", (int)pid);
    }
    if (pid > 0)
        cli_audit("broker stop", NULL, state.address, NULL, err);
    text_buf_clear(&users);
    embedded_state_clear(&state);
    free(lock);
    return error_is_set(err) ? -1 : 0;
}

/* ------------------------------------------------------------------------------ status */

static json_t *status_object(const struct embedded_state *state, bool up)
{
    json_t *object = json_pack("{s:b,s:o,s:o}", "running", up, "address",
                               json_text(state->address), "data", json_text(state->data));
    int64_t space = embedded_space(state);
    char since[CLOCK_TEXT];
    struct process_usage usage;

    if (!up)
        return object;
    clock_format_utc(state->started_ms, since);
    (void)json_object_set_new(object, "pid", json_integer(state->pid));
    (void)json_object_set_new(object, "since", json_text(since));
    (void)json_object_set_new(object, "version", json_text(state->version));
    if (space >= 0)
        (void)json_object_set_new(object, "free_bytes", json_integer(space));
    if (process_usage(state->pid, &usage)) {
        (void)json_object_set_new(object, "rss_bytes", json_integer(usage.rss_bytes));
        (void)json_object_set_new(object, "cpu_ms", json_integer(usage.cpu_ms));
    }
    return object;
}

static void print_status(const struct embedded_state *state)
{
    struct process_usage usage;
    char since[CLOCK_TEXT];
    char memory[TEXT_NUMBER] = "?";
    char room[TEXT_NUMBER] = "?";

    clock_format_local(state->started_ms, since);
    if (process_usage(state->pid, &usage))
        text_format_bytes(usage.rss_bytes, memory);
    if (embedded_space(state) >= 0)
        text_format_bytes(embedded_space(state), room);
    text_printf_safe(stdout,
                     "address  %s\nversion  %s%s\npid      %d, since %s, %s\n"
                     "data     %s (%s free)\n",
                     state->address, state->version ? state->version : "unknown",
                     state->version && strcmp(state->version, DAGRUN_VERSION) == 0
                         ? ""
                         : " (this dagrun is " DAGRUN_VERSION ")",
                     (int)state->pid, since, memory, state->data, room);
}

static int status(const char *home, int argc, char **argv, struct error *err)
{
    struct embedded_state state = {0};
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    bool up = embedded_is_up(home, &state);

    if (argc > 1 && !json) {
        error_set(err, ERROR_INPUT, "broker status takes no '%s'", argv[1]);
    } else if (json) {
        json_t *object;
        char *line;

        if (!up)
            embedded_state_read(home, &state);
        object = status_object(&state, up);
        line = json_line(object);
        (void)puts(line);
        free(line);
        json_decref(object);
    } else if (up) {
        print_status(&state);
    }
    if (!up)
        error_set(err, ERROR_UNREACHABLE, "%s",
                  json ? "" : "the broker does not run; 'dagrun broker start' starts it");
    embedded_state_clear(&state);
    return error_is_set(err) ? -1 : 0;
}

/* ------------------------------------------------------------------------------------- */

static int run(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const char *home, int argc, char **argv, struct error *err);
    } verbs[] = {{"start", start}, {"stop", stop}, {"status", status}, {"run", run_broker}};
    struct error err = {0};
    char *home;
    int code = 0;

    if (argc < 2)
        return cli_usage("broker", "start, stop, status or run expected");
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, argv[1]) != 0)
            continue;
        home = cli_home(true, &err);
        if (home == NULL || verbs[i].run(home, argc - 1, argv + 1, &err) < 0)
            code = cli_fail(&err);
        free(home);
        return code;
    }
    return cli_usage("broker", "start, stop, status or run expected, not '%s'", argv[1]);
}

extern const struct cmd cmd_broker;
const struct cmd cmd_broker = {
    .name = "broker",
    .usage = "broker start|stop|status|run [OPTIONS]",
    .doc = "The embedded broker, for dags that name no other.",
    .help = "Settings of start and run; $DAGRUN_HOME/broker/settings.yaml may have them too,\n"
            "with '_' for '-' (retention_bytes: 10GiB):\n\n" BROKER_SETTINGS_HELP
            "\nstart returns when it serves, and prints its address; run stays in front;\n"
            "stop is refused while a run uses it; status --json for programs.\n",
    .run = run,
};
