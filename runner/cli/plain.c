/* SPDX-License-Identifier: MIT
 *
 * A run in plain lines: what changed, nodes of one new state in one line.
 */
#include "cli/table.h"

#include "base/text.h"
#include "cli/table_render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const json_t *find_node(const json_t *status, const char *name)
{
    const json_t *nodes = json_object_get(status, "nodes");

    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);

        if (strcmp(json_get_string(node, "node", ""), name) == 0)
            return node;
    }
    return NULL;
}

static bool changed(const json_t *before, const json_t *after, const char *key)
{
    return strcmp(json_get_string(before, key, ""), json_get_string(after, key, "")) != 0;
}

/* The node of the status before; the nodes keep their places in a run. */
static const json_t *node_before(const json_t *before, const json_t *node, size_t at)
{
    const char *name = json_get_string(node, "node", "");
    const json_t *same = json_array_get(json_object_get(before, "nodes"), at);

    if (same && strcmp(json_get_string(same, "node", ""), name) == 0)
        return same;
    return before ? find_node(before, name) : NULL;
}

/* Has this state been reported by an earlier node of this round? */
static bool is_first_of_state(const json_t *before, const json_t *nodes, size_t at)
{
    const char *state = json_get_string(json_array_get(nodes, at), "state", "");

    for (size_t i = 0; i < at; i++) {
        const json_t *node = json_array_get(nodes, i);

        if (strcmp(json_get_string(node, "state", ""), state) == 0 &&
            changed(node_before(before, node, i), node, "state"))
            return false;
    }
    return true;
}

static void say_state(FILE *out, const json_t *before, const json_t *nodes, size_t from)
{
    enum { SHOWN = 20 };
    const char *state = json_get_string(json_array_get(nodes, from), "state", "");
    char *safe = grid_safe(state);
    size_t count = 0;

    for (size_t i = from; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        char *name;

        if (strcmp(json_get_string(node, "state", ""), state) != 0 ||
            !changed(node_before(before, node, i), node, "state"))
            continue;
        if (count++ >= SHOWN)
            continue;
        name = grid_safe(json_get_string(node, "node", ""));
        (void)fprintf(out, "%s%s", count > 1 ? ", " : "", name);
        free(name);
    }
    if (count > SHOWN)
        (void)fprintf(out, " and %zu more", count - SHOWN);
    (void)fprintf(out, ": %s\n", safe);
    free(safe);
}

static void say_restart(FILE *out, const json_t *before, const json_t *node)
{
    int64_t restarts = json_get_int(node, "restarts", 0);
    char *name;
    char *error;

    if (restarts <= json_get_int(before, "restarts", 0))
        return;
    name = grid_safe(json_get_string(node, "node", ""));
    error = grid_safe(json_get_string(node, "last_error", ""));
    (void)fprintf(out, "%s: restarted (%" PRId64 "%s)%s%s\n", name, restarts,
                  restarts == 1 ? " time" : " times", *error ? ": " : "", error);
    free(name);
    free(error);
}

static void say_error(FILE *out, const json_t *before, const json_t *node)
{
    char *name;
    char *error;

    if (!changed(before, node, "last_error") ||
        *json_get_string(node, "last_error", "") == '\0' ||
        json_get_int(node, "restarts", 0) > json_get_int(before, "restarts", 0))
        return;
    name = grid_safe(json_get_string(node, "node", ""));
    error = grid_safe(json_get_string(node, "last_error", ""));
    (void)fprintf(out, "%s: %s\n", name, error);
    free(name);
    free(error);
}

static void say_run(FILE *out, const json_t *before, const json_t *status)
{
    const json_t *broker = json_object_get(status, "broker");
    const json_t *old = json_object_get(before, "broker");
    /* While it has never answered nor failed, it is not up, but not down either. */
    bool up = json_get_bool(broker, "up", true) ||
              json_get_string(broker, "error", NULL) == NULL;
    bool was_up = json_get_bool(old, "up", true) ||
                  json_get_string(old, "error", NULL) == NULL;
    char *name = table_run_name(status);
    char *state = grid_safe(json_get_string(status, "state", "?"));
    char *address = grid_safe(json_get_string(broker, "address", "?"));

    if (changed(before, status, "state"))
        (void)fprintf(out, "%s: %s\n", name, state);
    if (up != was_up)
        (void)fprintf(out, "%s: broker %s is %s\n", name, address, up ? "back" : "down");
    free(name);
    free(state);
    free(address);
}

void plain_update(FILE *out, const json_t *before, const json_t *status)
{
    const json_t *nodes = json_object_get(status, "nodes");

    say_run(out, before, status);
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const json_t *node = json_array_get(nodes, i);
        const json_t *old = node_before(before, node, i);

        say_restart(out, old, node);
        say_error(out, old, node);
        if (changed(old, node, "state") && is_first_of_state(before, nodes, i))
            say_state(out, before, nodes, i);
    }
    (void)fflush(out);
}

void plain_finish(FILE *out, const json_t *status)
{
    struct table_size size = {0};
    struct lines lines = {0};

    table_render_final(status, size, false, &lines);
    lines_print(&lines, out);
    (void)fflush(out);
    lines_clear(&lines);
}
