/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *address;
    bool json;
    bool clients;
};

static const struct grid_column client_columns[] = {
    {"CLIENT", 0, false, false}, {"STATE", 0, false, false}, {"PID", 8, true, false},
    {"ATTEMPT", 3, true, false}, {"UP FOR", 4, true, false}, {"IN/s", 7, true, false},
    {"OUT/s", 6, true, false},   {"LAG", 9, true, false},    {"CPU %", 2, true, false},
    {"MEMORY", 2, true, false},  {"LAST EXIT", 1, false, true}, {NULL, 0, false, false},
};

static void add_client(struct grid *grid, const char *node, const json_t *client)
{
    const char *state = json_get_string(client, "state", "");
    char text[TEXT_NUMBER];

    grid_format(grid, "", "%s.%s", node, json_get_string(client, "client", "?"));
    grid_text(grid, grid_state_color(state), state);
    grid_format(grid, "", "%" PRId64, json_get_int(client, "pid", 0));
    grid_format(grid, "", "%" PRId64, json_get_int(client, "attempt", 0));
    text_format_duration(json_get_int(client, "uptime_ms", 0), text);
    grid_text(grid, "", text);
    grid_format(grid, "", "%.1f", json_number_value(json_object_get(client, "in_per_s")));
    grid_format(grid, "", "%.1f", json_number_value(json_object_get(client, "out_per_s")));
    if (json_get_int(client, "lag", -1) >= 0)
        grid_count(grid, "", json_get_int(client, "lag", 0));
    else
        grid_text(grid, "", "-");
    grid_format(grid, "", "%.1f", json_number_value(json_object_get(client, "cpu_percent")));
    text_format_bytes(json_get_int(client, "rss_bytes", 0), text);
    grid_text(grid, "", text);
    grid_text(grid, "", json_get_string(client, "last_exit", NULL));
}

static void print_clients(const json_t *status)
{
    const json_t *nodes = json_object_get(status, "nodes");
    struct grid *grid = grid_new(client_columns);
    bool any = false;

    for (size_t n = 0; n < json_array_size(nodes); n++) {
        const json_t *node = json_array_get(nodes, n);
        const json_t *clients = json_object_get(node, "clients");

        for (size_t c = 0; c < json_array_size(clients); c++) {
            add_client(grid, json_get_string(node, "node", "?"),
                       json_array_get(clients, c));
            any = true;
        }
    }
    if (any) {
        (void)putchar('\n');
        grid_print(grid, stdout, table_width(stdout), table_color(stdout));
    }
    grid_free(grid);
}

static void print_status(const json_t *status, const struct options *options)
{
    table_print(stdout, status, table_width(stdout), table_color(stdout));
    if (options->clients)
        print_clients(status);
}

static void unknown_node(const json_t *status, const char *node, struct error *err)
{
    const json_t *nodes = json_object_get(status, "nodes");
    size_t count = json_array_size(nodes);
    const char **names = mem_alloc((count + 1) * sizeof *names);

    for (size_t n = 0; n < count; n++)
        names[n] = json_get_string(json_array_get(nodes, n), "node", "");
    error_set(err, ERROR_NOT_FOUND, "%s@%" PRId64 " has no node '%s'",
              json_get_string(status, "dag", "?"), json_get_int(status, "run", 0), node);
    error_near(err, text_nearest(node, names, count));
    free(names);
}

/* One node only, when the address names one. */
static int narrow(json_t *status, const char *node, struct error *err)
{
    json_t *nodes = json_object_get(status, "nodes");
    json_t *found = NULL;
    json_t *item;
    size_t n;

    if (node == NULL)
        return 0;
    json_array_foreach(nodes, n, item) {
        if (strcmp(json_get_string(item, "node", ""), node) == 0)
            found = item;
    }
    if (found == NULL) {
        unknown_node(status, node, err);
        return -1;
    }
    (void)json_object_set_new(status, "nodes", json_pack("[O]", found));
    return 0;
}

/* What is shown is a dag as it is now, never a run that was. */
static int check_address(const struct address *address, const json_t *status,
                         struct error *err)
{
    if (address->edge)
        error_set(err, ERROR_INPUT, "status takes DAG or DAG/NODE, not the edge %s",
                  address->edge);
    else if (address->run > 0 && address->run != json_get_int(status, "run", 0))
        error_set(err, ERROR_INPUT,
                  "status shows the last run, not %s@%" PRId64 ": 'dagrun show %s@%" PRId64
                  "' shows that",
                  address->dag, address->run, address->dag, address->run);
    return error_is_set(err) ? -1 : 0;
}

static int status_of_one(const struct options *options, struct error *err)
{
    struct address address;
    struct ops *ops = cli_ops_at(options->address, &address, err);
    json_t *status = ops ? ops_status(ops, address.dag, err) : NULL;

    if (status && check_address(&address, status, err) == 0 &&
        narrow(status, address.node, err) == 0) {
        if (options->json)
            cli_print_json(json_incref(status));
        else
            print_status(status, options);
    }
    json_decref(status);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

/* One that ends between the look and the question is left out. */
static void status_of_live(const struct ops *ops, const struct ops_names *names,
                           const struct options *options)
{
    json_t *all = json_array();

    for (size_t i = 0; i < names->count; i++) {
        struct error err = {0};
        json_t *status = ops_status(ops, names->items[i], &err);

        if (status)
            (void)json_array_append_new(all, status);
        else
            text_printf_safe(stderr, "dagrun: %s\n", err.text);
    }
    for (size_t i = 0; i < json_array_size(all) && !options->json; i++) {
        if (i > 0)
            (void)putchar('\n');
        print_status(json_array_get(all, i), options);
    }
    if (options->json)
        cli_print_json(all);
    else
        json_decref(all);
}

static int status_of_all(const struct options *options, struct error *err)
{
    struct mem_arena arena = {0};
    struct ops *ops = cli_ops(err);
    struct ops_names names = {0};

    if (ops == NULL)
        return -1;
    ops_live_dags(ops, &arena, &names);
    status_of_live(ops, &names, options);
    if (names.count == 0)
        (void)fputs("dagrun: no dag runs; 'dagrun history' lists earlier runs\n", stderr);
    mem_arena_clear(&arena);
    ops_close(ops);
    return 0;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    int result;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = true;
        else if (strcmp(argv[i], "--clients") == 0)
            options.clients = true;
        else if (argv[i][0] == '-')
            return cmd_unknown_option(argv[0], argv[i]);
        else if (options.address)
            return cli_usage(argv[0], "one DAG expected, got %s as well", argv[i]);
        else
            options.address = argv[i];
    }
    result = options.address ? status_of_one(&options, &err) : status_of_all(&options, &err);
    return result == 0 ? 0 : cli_fail(&err);
}

#define STATUS_HELP                                                                        \
    "  DAG[/NODE]  its name or its YAML file; without it every dag that runs\n"            \
    "  --clients   a line for every client too: pid, attempt, rates, lag, CPU, memory\n"   \
    "  --json      the status object; without DAG an array of them\n\n"                    \
    "A dag that does not run is shown with what its last run came to.\n"

extern const struct cmd cmd_status;
const struct cmd cmd_status = {
    .name = "status",
    .usage = "status [OPTIONS] [DAG[/NODE]]",
    .doc = "Show what runs: nodes, rates, backlog, clients.",
    .help = STATUS_HELP,
    .run = run,
};

extern const struct cmd cmd_ps;
const struct cmd cmd_ps = {
    .name = "ps",
    .usage = "ps [OPTIONS] [DAG[/NODE]]",
    .doc = "The same as status.",
    .help = STATUS_HELP,
    .run = run,
};
