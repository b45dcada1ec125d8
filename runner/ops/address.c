/* SPDX-License-Identifier: MIT */
#include "ops/address.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* Everything a dag's name is compared with. */
struct known {
    struct history_dag_list dags;
    struct ops_names live;
};

static int read_known(const struct ops *ops, struct address *out, struct known *known,
                      struct error *err)
{
    *known = (struct known){0};
    ops_live_dags(ops, &out->arena, &known->live);
    if (ops_history(ops) == NULL)
        return 0;
    return history_dags(ops_history(ops), &out->arena, &known->dags, err);
}

static const struct history_dag_row *find_dag(const struct known *known, const char *name)
{
    for (size_t i = 0; i < known->dags.count; i++) {
        if (strcmp(known->dags.items[i].dag, name) == 0)
            return &known->dags.items[i];
    }
    return NULL;
}

static bool is_known(const struct known *known, const char *name)
{
    for (size_t i = 0; i < known->live.count; i++) {
        if (strcmp(known->live.items[i], name) == 0)
            return true;
    }
    return find_dag(known, name) != NULL;
}

static void list_names(const struct ops_names *names, struct text_buf *out)
{
    enum { SHOWN = 8 };

    for (size_t i = 0; i < names->count && i < SHOWN; i++)
        text_appendf(out, "%s%s", i ? ", " : "", names->items[i]);
    if (names->count > SHOWN)
        text_append(out, ", …");
}

/* The dag that nobody named. */
static const char *only_dag(const struct known *known, struct error *err)
{
    struct text_buf names = {0};

    if (known->live.count == 1)
        return known->live.items[0];
    if (known->live.count == 0 && known->dags.count == 1)
        return known->dags.items[0].dag;
    if (known->live.count == 0)
        error_set(err, known->dags.count ? ERROR_INPUT : ERROR_NOT_FOUND,
                  known->dags.count ? "no dag runs: say which one you mean"
                                    : "no dag has run yet");
    list_names(&known->live, &names);
    error_set(err, ERROR_INPUT, "several dags run (%s): say which one you mean",
              text_str(&names));
    text_buf_clear(&names);
    return NULL;
}

/* ----------------------------------------------------------------------- YAML paths */

/* The length of a leading YAML path, 0 when text does not begin with one. */
static size_t path_length(const char *text)
{
    static const char *const ends[] = {".yaml", ".yml"};

    for (const char *at = text; *at; at++) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            size_t len = strlen(ends[i]);

            if (strncmp(at, ends[i], len) == 0 && strchr("/@", at[len]) != NULL)
                return (size_t)(at - text) + len;
        }
    }
    return 0;
}

/* The dag whose last run was of this file. */
static const char *dag_of_path(const struct known *known, const char *path,
                               struct error *err)
{
    char *real = realpath(path, NULL);

    for (size_t i = 0; i < known->dags.count; i++) {
        const char *recorded = known->dags.items[i].path;

        if (recorded && strcmp(recorded, real ? real : path) == 0) {
            free(real);
            return known->dags.items[i].dag;
        }
    }
    error_set(err, ERROR_NOT_FOUND, real ? "no run of %s is known" : "there is no file %s",
              path);
    free(real);
    return NULL;
}

/* -------------------------------------------------------------------------- parsing */

static int not_an_address(const char *text, struct error *err)
{
    error_set(err, ERROR_INPUT,
              "'%s' is no address: DAG, DAG/NODE, DAG/NODE.N, DAG/FROM:TO, DAG@12 or "
              "DAG@last",
              text);
    return -1;
}

static int parse_run(const char *word, const char *whole, struct address *out,
                     struct error *err)
{
    out->has_run = true;
    if (strcmp(word, "last") == 0)
        return 0;
    if (!text_parse_int(word, &out->run) || out->run < 1)
        return not_an_address(whole, err);
    return 0;
}

/* NODE, NODE.N or FROM:TO. */
static int parse_part(const char *word, const char *whole, struct address *out,
                      struct error *err)
{
    const char *colon = strchr(word, ':');
    const char *dot = strchr(word, '.');

    if (*word == '\0' || strpbrk(word, "/@") != NULL)
        return not_an_address(whole, err);
    if (colon) {
        out->from = mem_arena_strndup(&out->arena, word, (size_t)(colon - word));
        out->to = mem_arena_strdup(&out->arena, colon + 1);
        out->edge = mem_arena_strdup(&out->arena, word);
        return *out->from && *out->to ? 0 : not_an_address(whole, err);
    }
    out->node = dot ? mem_arena_strndup(&out->arena, word, (size_t)(dot - word))
                    : mem_arena_strdup(&out->arena, word);
    out->client = dot ? mem_arena_strdup(&out->arena, dot + 1) : NULL;
    return *out->node && (dot == NULL || *out->client) ? 0 : not_an_address(whole, err);
}

/* What follows the dag: nothing, "/…", "@…" or "@12/NODE". */
static int parse_rest(const char *rest, const char *whole, struct address *out,
                      struct error *err)
{
    const char *slash = strchr(rest, '/');

    if (*rest == '@') {
        char *run = mem_arena_strndup(&out->arena, rest + 1,
                                      slash ? (size_t)(slash - rest - 1) : strlen(rest + 1));

        if (parse_run(run, whole, out, err) != 0)
            return -1;
    }
    return slash ? parse_part(slash + 1, whole, out, err) : 0;
}

static int unknown_dag(const struct known *known, const char *name, struct error *err)
{
    const char *near = NULL;

    if (known->dags.count > 0) {
        const char **names = mem_alloc(known->dags.count * sizeof *names);

        for (size_t i = 0; i < known->dags.count; i++)
            names[i] = known->dags.items[i].dag;
        near = text_nearest(name, names, known->dags.count);
        free(names);
    }
    error_set(err, ERROR_NOT_FOUND, "no dag '%s' has run", name);
    error_near(err, near);
    return -1;
}

/* "NODE", "NODE.N", "FROM:TO" without a dag, or a dag's name alone. */
static int parse_single(const char *text, const struct known *known, struct address *out,
                        struct error *err)
{
    if (is_known(known, text)) {
        out->dag = mem_arena_strdup(&out->arena, text);
        return 0;
    }
    if (known->live.count != 1)
        return strpbrk(text, ".:") ? parse_part(text, text, out, err)
                                   : unknown_dag(known, text, err);
    return parse_part(text, text, out, err);
}

static int parse(const char *text, const struct known *known, struct address *out,
                 struct error *err)
{
    size_t path = path_length(text);
    size_t end = path ? path : strcspn(text, "/@");

    if (*text == '\0')
        return not_an_address(text, err);
    if (path) {
        char *file = mem_arena_strndup(&out->arena, text, path);

        out->dag = dag_of_path(known, file, err);
        return out->dag ? parse_rest(text + path, text, out, err) : -1;
    }
    if (text[end] == '\0')
        return parse_single(text, known, out, err);
    if (end > 0) {
        out->dag = mem_arena_strndup(&out->arena, text, end);
        if (!is_known(known, out->dag))
            return unknown_dag(known, out->dag, err);
    }
    return parse_rest(text + end, text, out, err);
}

int address_resolve(const struct ops *ops, const char *text, struct address *out,
                    struct error *err)
{
    struct known known;

    if (read_known(ops, out, &known, err) != 0)
        return -1;
    if (text && parse(text, &known, out, err) != 0)
        return -1;
    if (out->dag == NULL)
        out->dag = only_dag(&known, err);
    return out->dag ? 0 : -1;
}

void address_clear(struct address *address)
{
    mem_arena_clear(&address->arena);
    *address = (struct address){0};
}
