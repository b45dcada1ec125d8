/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_target.h"
#include "cli/cmd.h"
#include "cli/table.h"
#include "host/control.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *dag;
    bool now;
    bool json;
};

static int parse(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--now") == 0)
            options->now = true;
        else if (strcmp(argv[i], "--json") == 0)
            options->json = true;
        else if (argv[i][0] == '-')
            return cmd_unknown_option("stop", argv[i]);
        else if (options->dag)
            return cli_usage("stop", "one dag at a time: '%s' is too much", argv[i]);
        else
            options->dag = argv[i];
    }
    return 0;
}

/* Follow the run to its end: its last status, owned by the caller, or NULL. */
static json_t *follow(struct control_client *client)
{
    struct error ended = {0};
    json_t *request = json_pack("{s:s}", "do", "subscribe");
    json_t *status = control_call(client, request, 5000, &ended);
    json_t *last = NULL;

    while (status) {
        json_decref(last);
        last = status;
        status = control_next(client, -1, &ended);
    }
    json_decref(request);
    return last;
}

static void audit(const char *dag, const struct options *options,
                  const struct error *err)
{
    cli_audit("stop", dag, dag, options->now ? json_pack("{s:b}", "now", 1) : NULL, err);
}

static int stop(const struct ops *ops, const char *dag, const struct options *options,
                struct error *err)
{
    char *path = ops_socket_path(ops_home(ops), dag);
    struct control_client *client = control_connect(path, err);
    json_t *request = json_pack("{s:s,s:b}", "do", "stop", "now", options->now);
    json_t *reply = client ? control_call(client, request, 5000, err) : NULL;
    json_t *last;

    audit(dag, options, err);
    last = reply ? follow(client) : NULL;
    if (last && options->json) {
        char *line = json_line(last);

        (void)puts(line);
        free(line);
    } else if (last) {
        plain_finish(stdout, last);
    }
    json_decref(last);
    json_decref(reply);
    json_decref(request);
    control_client_free(client);
    free(path);
    return error_is_set(err) ? cli_fail(err) : 0;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    struct address address = {0};
    struct ops *ops;
    int code = parse(argc, argv, &options);

    if (code != 0)
        return code;
    ops = cli_target("stop", options.dag, TARGET_DAG, &address, &err);
    code = ops ? stop(ops, address.dag, &options, &err) : cli_fail(&err);
    address_clear(&address);
    ops_close(ops);
    return code;
}

extern const struct cmd cmd_stop;
const struct cmd cmd_stop = {
    .name = "stop",
    .usage = "stop [--now] [--json] [DAG]",
    .doc = "Stop a run: sources first, then the rest, until everything is handled.",
    .help = "DAG may be left out while only one runs. Returns when the run has ended.\n\n"
            "  --now    kill at once; what was not finished stays in its topics\n"
            "  --json   print the last status as JSON\n",
    .run = run,
};
