/* SPDX-License-Identifier: MIT
 *
 * scale: more or fewer clients of nodes of a run that lives.
 */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cli_target.h"
#include "cli/cmd.h"
#include "ops/actions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One word of the command: "arithmetic/calc=4". */
struct wish {
    char *target; /* before the '=' */
    int64_t clients;
};

static int parse_wish(const char *word, struct wish *wish, struct error *err)
{
    const char *equals = strrchr(word, '=');

    if (equals == NULL || equals == word || !text_parse_int(equals + 1, &wish->clients) ||
        wish->clients < 1) {
        error_set(err, ERROR_INPUT,
                  "'%s': NODE=N expected, N at least 1, as in arithmetic/calc=4", word);
        return -1;
    }
    wish->target = mem_strndup(word, (size_t)(equals - word));
    return 0;
}

/* A name alone is a node of the dag that was named before it. */
static void add_dag(struct wish *wish, const char *dag)
{
    char *whole;

    if (dag[0] == '\0' || strchr(wish->target, '/'))
        return;
    whole = mem_printf("%s/%s", dag, wish->target);
    free(wish->target);
    wish->target = whole;
}

static int carry_out(const struct wish *wish, char dag[DAG_NAME_MAX + 1],
                     struct error *err)
{
    struct address address = {0};
    struct ops *ops = cli_target("scale", wish->target, TARGET_NODE, &address, err);

    if (ops && address.node == NULL)
        error_set(err, ERROR_INPUT, "'%s' is a dag: scale takes DAG/NODE=N", address.dag);
    else if (ops && ops_scale(ops, address.dag, address.node, wish->clients, err) == 0)
        (void)printf("%s/%s: %lld client%s from now on, until the run ends\n", address.dag,
                     address.node, (long long)wish->clients,
                     wish->clients == 1 ? "" : "s");
    if (ops) {
        cli_audit_at("scale", &address,
                     json_pack("{s:I}", "clients", (json_int_t)wish->clients), err);
        (void)snprintf(dag, DAG_NAME_MAX + 1, "%s", address.dag);
    }
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int scale(struct wish *wishes, int count, struct error *err)
{
    char dag[DAG_NAME_MAX + 1] = "";

    for (int i = 0; i < count; i++) {
        add_dag(&wishes[i], dag);
        if (carry_out(&wishes[i], dag, err) < 0)
            return -1;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct error err = {0};
    struct wish *wishes;
    int count = argc - 1;

    if (argc > 1 && argv[1][0] == '-')
        return cmd_unknown_option(argv[0], argv[1]);
    if (count == 0)
        return cli_usage(argv[0], "DAG/NODE=N is missing");
    wishes = mem_alloc((size_t)count * sizeof *wishes);
    for (int i = 0; i < count && !error_is_set(&err); i++)
        (void)parse_wish(argv[i + 1], &wishes[i], &err);
    if (!error_is_set(&err))
        (void)scale(wishes, count, &err);
    for (int i = 0; i < count; i++)
        free(wishes[i].target);
    free(wishes);
    return error_is_set(&err) ? cli_fail(&err) : 0;
}

extern const struct cmd cmd_scale;
const struct cmd cmd_scale = {
    .name = "scale",
    .usage = "scale [DAG/]NODE=N [NODE=N...]",
    .doc = "Give nodes of a run more or fewer clients.",
    .help = "New clients start, or the highest finish what is in hand, give their partitions\n"
            "back and end. It holds until the run ends: the next start takes the number in the\n"
            "YAML. A node can have as many clients as its input has partitions; a source can't\n"
            "be scaled.\n",
    .run = run,
};
