/* SPDX-License-Identifier: MIT */
#include "cli/cli_target.h"

#include "cli/cli_audit.h"

static const char *shapes(int parts)
{
    if (parts & TARGET_CLIENT)
        return "DAG, DAG/NODE or DAG/NODE.N";
    return parts & TARGET_NODE ? "DAG or DAG/NODE" : "DAG";
}

static int check(const char *verb, const struct ops *ops, int parts,
                 const struct address *address, struct error *err)
{
    bool too_much = address->edge || address->has_run ||
                    (address->node && !(parts & TARGET_NODE)) ||
                    (address->client && !(parts & TARGET_CLIENT));

    if (too_much)
        error_set(err, ERROR_INPUT, "%s takes %s", verb, shapes(parts));
    else if (!ops_is_live(ops, address->dag))
        error_set(err, ERROR_NOT_FOUND, "dag %s does not run", address->dag);
    return error_is_set(err) ? -1 : 0;
}

struct ops *cli_target(const char *verb, const char *text, int parts,
                       struct address *address, struct error *err)
{
    struct ops *ops = cli_ops_at(text, address, err);

    if (ops == NULL || check(verb, ops, parts, address, err) == 0)
        return ops;
    cli_audit_at(verb, address, NULL, err);
    address_clear(address);
    ops_close(ops);
    return NULL;
}
