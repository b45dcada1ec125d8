/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cmd.h"
#include "cli/web_files.h"
#include "cli/web_source.h"
#include "cli/web_state.h"
#include "cli/web_user.h"
#include "host/lock.h"
#include "host/signals.h"
#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    FIRST_PORT = 7117,
    PORTS = 100, /* that are tried when none is said */
    PORT_MAX = 65535,
    FILES_WANTED = 4096, /* descriptors: a connection each, and room for ours */
};

struct options {
    char *host; /* NULL: 127.0.0.1 */
    int port;   /* 0: the first free one */
    bool url;
    bool read_only;
    const char **hosts; /* NULL-terminated */
    size_t host_count;
    size_t host_capacity;
    const char **folders; /* likewise; absolute, ours */
    size_t folder_count;
    size_t folder_capacity;
};

/* -------------------------------------------------------------------------- options */

/* "7117", "0.0.0.0:7117", "[::]:7117", "localhost:0". */
static int set_listen(struct options *options, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    size_t len = colon ? (size_t)(colon - text) : 0;
    int64_t port = 0;

    if (!text_parse_int(digits, &port) || port < 1 || port > PORT_MAX ||
        (colon && len == 0) ||
        (len > 0 && memchr(text, ':', len) && (text[0] != '[' || text[len - 1] != ']')))
        return cli_usage("web", "--listen %s: PORT or ADDRESS:PORT expected", text);
    if (len > 0 && text[0] == '[') {
        text++;
        len -= 2;
    }
    free(options->host);
    options->host = len > 0 ? mem_strndup(text, len) : NULL;
    options->port = (int)port;
    return 0;
}

static void add_text(const char ***list, size_t *count, size_t *capacity,
                     const char *text)
{
    *list = mem_grow(*list, *count + 1, capacity, sizeof **list);
    (*list)[(*count)++] = text;
    (*list)[*count] = NULL;
}

static int add_folder(struct options *options, const char *path)
{
    struct error err = {0};
    char *folder = web_files_folder(path, &err);

    if (folder == NULL)
        return cli_fail(&err);
    add_text(&options->folders, &options->folder_count, &options->folder_capacity,
             folder);
    return 0;
}

static int parse(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value;

        if ((value = cli_option(argc, argv, &i, "--listen")) != NULL) {
            if (set_listen(options, value) != 0)
                return 2;
        } else if ((value = cli_option(argc, argv, &i, "--allow-host")) != NULL) {
            if (*value == '\0' || strpbrk(value, ":/ "))
                return cli_usage(
                    "web", "--allow-host %s: a name without a port expected", value);
            add_text(&options->hosts, &options->host_count, &options->host_capacity,
                     value);
        } else if ((value = cli_option(argc, argv, &i, "--dags")) != NULL) {
            if (add_folder(options, value) != 0)
                return 2;
        } else if (strcmp(argv[i], "--read-only") == 0) {
            options->read_only = true;
        } else if (strcmp(argv[i], "--url") == 0) {
            options->url = true;
        } else if (strncmp(argv[i], "--role", 6) == 0) {
            return cli_usage("web", "--role belongs to 'web user add NAME --role ROLE'");
        } else {
            return cmd_unknown_option("web", argv[i]);
        }
    }
    if (options->url && argc > 2)
        return cli_usage("web", "--url stands alone: it asks the server that runs");
    return 0;
}

/* ------------------------------------------------------------------------------ url */

static int print_url(const char *home, struct error *err)
{
    char *token_path = mem_printf("%s/web.token", home);
    size_t len = 0;
    char *address = web_state_address(home);
    char *token = address ? web_state_read(token_path, &len) : NULL;

    if (token)
        (void)printf("http://%s/#token=%.*s\n", address, (int)strcspn(token, "\r\n"),
                     token);
    else if (address)
        error_set(err, ERROR_INTERNAL, "%s: %s", token_path, strerror(errno));
    else
        error_set(err, ERROR_NOT_FOUND, "no web server runs: 'dagrun web' starts one");
    free(token);
    free(address);
    free(token_path);
    return error_is_set(err) ? -1 : 0;
}

/* --------------------------------------------------------------------------- server */

/* As a number: a name that looks like one can be anybody's. */
static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static void on_signal(void *arg, uint32_t events)
{
    (void)arg;
    (void)events; /* the loop asks signals_next */
}

static bool is_asked_to_end(int signals)
{
    int signal;

    while ((signal = signals_next(signals)) != 0) {
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
            return true;
    }
    return false;
}

static void serve(struct loop *loop, int signals, struct web *web,
                  struct web_store *store)
{
    while (!is_asked_to_end(signals)) {
        int64_t store_ms = web_store_tick(store);
        int64_t web_ms = web_tick(web);

        loop_wait(loop, store_ms < web_ms ? store_ms : web_ms);
    }
}

/* Where this machine finds a server that listens there; the caller frees. */
static char *own_address(const char *host, int port)
{
    if (strcmp(host, "0.0.0.0") == 0)
        host = "127.0.0.1";
    if (strcmp(host, "::") == 0)
        host = "::1";
    return mem_printf(strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

static void announce(const struct options *options, const struct web *web,
                     const char *address, const char *home)
{
    size_t users = web_user_count(web);

    (void)printf("http://%s/#token=%s\n", address, web_token(web));
    (void)fflush(stdout);
    (void)fprintf(stderr,
                  "dagrun web: serves /api/v1 on %s; the token is in %s/web.token\n",
                  address, home);
    if (options->read_only)
        (void)fputs("dagrun web: it shows, and refuses every action\n", stderr);
    if (options->host && !is_loopback(options->host))
        (void)fprintf(
            stderr,
            "dagrun web: others can reach it on %s: each request needs the "
            "token or one of %zu users; both cross the network as plain text, "
            "so put a proxy with TLS in front\n",
            options->host, users);
}

static int listen_and_serve(const struct options *options, const char *home,
                            struct loop *loop, int signals, struct error *err)
{
    const char *host = options->host ? options->host : "127.0.0.1";
    char *token_path = mem_printf("%s/web.token", home);
    char *users_path = mem_printf("%s/web.users", home);
    struct web_store *store = web_store_open(loop, home, options->folders, err);
    struct web_config config = {.host = host,
                                .port = options->port ? options->port : FIRST_PORT,
                                .port_count = options->port ? 1 : PORTS,
                                .token_path = token_path,
                                .users_path = users_path,
                                .read_only = options->read_only,
                                .hosts = options->hosts};
    struct web *web = NULL;
    char *address = NULL;

    if (store) {
        config.source = web_store_source(store);
        web = web_open(loop, &config, err);
    }
    if (web) {
        address = own_address(host, web_port(web));
        if (web_state_write(home, address, err) == 0) {
            announce(options, web, address, home);
            serve(loop, signals, web, store);
        }
    }
    web_close(web);
    web_store_close(store);
    free(address);
    free(token_path);
    free(users_path);
    return error_is_set(err) ? -1 : 0;
}

/* As many connections as the server takes need as many descriptors. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= FILES_WANTED)
        return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int run_server(const struct options *options, const char *home,
                      struct error *err)
{
    char *path = mem_printf("%s/web.lock", home);
    struct lock *lock = lock_take(path, err);
    struct loop *loop = lock ? loop_new(err) : NULL;
    int signals = loop ? signals_open(err) : -1;
    char pid[16];

    if (lock == NULL && err->kind == ERROR_CONFLICT)
        error_prefix(err,
                     "a web server runs already ('dagrun web --url' says where): ");
    raise_file_limit();
    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    (void)setenv(CLI_AUDIT_PARENT, pid, 1); /* for our children */
    if (signals >= 0 && loop_add(loop, signals, EPOLLIN, on_signal, NULL, err) == 0)
        (void)listen_and_serve(options, home, loop, signals, err);
    if (signals >= 0)
        signals_close(signals);
    loop_free(loop);
    lock_release(lock);
    free(path);
    return error_is_set(err) ? -1 : 0;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    char *home = NULL;
    int code;

    if (argc > 1 && strcmp(argv[1], "user") == 0)
        return web_user(argc - 1, argv + 1);
    code = parse(&options, argc, argv);
    if (code == 0)
        home = cli_home(!options.url, &err);
    if (home && options.url)
        (void)print_url(home, &err);
    else if (home)
        (void)run_server(&options, home, &err);
    if (error_is_set(&err))
        code = cli_fail(&err);
    free(home);
    free(options.host);
    free(options.hosts);
    for (size_t i = 0; i < options.folder_count; i++)
        free((char *)options.folders[i]);
    free(options.folders);
    return code;
}

extern const struct cmd cmd_web;
const struct cmd cmd_web = {
    .name = "web",
    .usage = "web [OPTIONS], or web user list|add|passwd|role|remove",
    .doc = "Serve the history and what runs over HTTP: pages, /api/v1, /metrics.",
    .help =
        "  --listen [ADDRESS:]PORT   default 127.0.0.1 and 7117, or the next free "
        "port\n"
        "  --allow-host NAME         a name that browsers may know this server by; "
        "may\n"
        "                            be repeated. Addresses and localhost always are\n"
        "  --dags DIR                YAML files of this folder may be started over "
        "HTTP;\n"
        "                            may be repeated. Without it none may\n"
        "  --read-only               nothing can be started, stopped or changed "
        "through it\n"
        "  --role ROLE               of 'web user add': viewer, operator or admin\n"
        "  --url                     print the address of the server that runs, with\n"
        "                            its token, and exit\n\n"
        "It runs until Ctrl-C. The page's files, /healthz and /readyz are for everybody;\n"
        "every other request needs the token of web.token in the state directory, made at\n"
        "the first start:\n"
        "  curl -H \"Authorization: Bearer $(cat ~/.local/state/dagrun/web.token)\" "
        "\\\n"
        "      http://127.0.0.1:7117/api/v1/runs\n"
        "Remove the file and start again to have a new one. Or a user with a "
        "password:\n"
        "  dagrun web user add NAME --role ROLE   viewer (sees), operator (acts as "
        "well)\n"
        "                                         or admin (sees who did what)\n"
        "  dagrun web user passwd NAME            another password\n"
        "  dagrun web user role NAME ROLE         another role\n"
        "  dagrun web user remove NAME\n"
        "  dagrun web user list [--json]\n"
        "Passwords are asked for on the terminal, or read as a line from stdin. What "
        "is\n"
        "changed holds at once, also in a server that runs.\n",
    .run = run,
};
