/* SPDX-License-Identifier: MIT
 *
 * The types of values: one reader each, chosen by the key's type.
 */
#include "base/text.h"
#include "core/dag_read.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void dag_read_mismatch(struct dag_reader *r, const struct dag_key *key,
                       const struct dag_value *value)
{
    char expected[DAG_EXPECTED];
    char shown[DAG_SHOWN];

    dag_key_expected(key, expected);
    dag_value_show(value, shown);
    dag_read_report(r, value->pos, "%s: expected %s, found %s", key->name, expected,
                    shown);
}

/* A scalar that says something; else it is reported. */
static bool is_text(struct dag_reader *r, const struct dag_key *key,
                    const struct dag_value *value)
{
    if (value->kind == DAG_SCALAR && !dag_value_is_null(value) && *value->text != '\0')
        return true;
    dag_read_mismatch(r, key, value);
    return false;
}

static void read_text(struct dag_reader *r, const struct dag_key *key,
                      const struct dag_value *value, void *slot)
{
    if (is_text(r, key, value))
        *(const char **)slot = value->text;
}

static void read_name(struct dag_reader *r, const struct dag_key *key,
                      const struct dag_value *value, void *slot)
{
    if (value->kind == DAG_SCALAR && dag_is_name(value->text))
        *(const char **)slot = value->text;
    else
        dag_read_mismatch(r, key, value);
}

static void read_prefix(struct dag_reader *r, const struct dag_key *key,
                        const struct dag_value *value, void *slot)
{
    enum { PREFIX_MAX = 48 };
    size_t len = strlen(value->text);

    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)value->text[i]) && !strchr("._-", value->text[i]))
            len = PREFIX_MAX + 1;
    }
    if (value->kind == DAG_SCALAR && len <= PREFIX_MAX && !dag_value_is_null(value))
        *(const char **)slot = value->text;
    else
        dag_read_mismatch(r, key, value);
}

/* host, host:port or [ipv6]:port, with a protocol in front or not; no spaces. */
static bool is_broker(const char *text, size_t len)
{
    const char *colon = memrchr(text, ':', len);
    size_t digits;
    long port;

    if (len == 0 || strcspn(text, " \t\n'\"") < len)
        return false;
    if (colon == NULL || colon[1] == '/' || text[len - 1] == ']')
        return true;
    digits = len - (size_t)(colon - text) - 1;
    if (colon == text || digits < 1 || digits > 5 ||
        strspn(colon + 1, "0123456789") < digits)
        return false;
    port = strtol(colon + 1, NULL, 10);
    return port >= 1 && port <= UINT16_MAX;
}

bool dag_read_is_brokers(const char *text)
{
    for (;; text++) {
        size_t len = strcspn(text, ",");

        if (!is_broker(text, len))
            return false;
        text += len;
        if (*text == '\0')
            return true;
    }
}

static void read_brokers(struct dag_reader *r, const struct dag_key *key,
                         const struct dag_value *value, void *slot)
{
    if (!is_text(r, key, value))
        return;
    if (dag_read_is_brokers(value->text))
        *(const char **)slot = value->text;
    else
        dag_read_mismatch(r, key, value);
}

/* dir/path without "./" in it; ".." stays, for it may cross a symbolic link. */
static const char *absolute(struct dag_reader *r, const char *path)
{
    struct text_buf full = {0};
    const char *text;

    if (*path != '/')
        text_append(&full, r->dag->dir);
    while (*path) {
        size_t len = strcspn(path, "/");

        if (len > 0 && !(len == 1 && *path == '.')) {
            if (full.len == 0 || full.data[full.len - 1] != '/')
                text_append(&full, "/");
            text_append_bytes(&full, path, len);
        }
        path += len;
        path += strspn(path, "/");
    }
    text = mem_arena_strdup(&r->dag->arena, full.len > 0 ? full.data : "/");
    text_buf_clear(&full);
    return text;
}

static void read_path(struct dag_reader *r, const struct dag_key *key,
                      const struct dag_value *value, void *slot)
{
    if (is_text(r, key, value))
        *(const char **)slot = absolute(r, value->text);
}

static void read_program(struct dag_reader *r, const struct dag_key *key,
                         const struct dag_value *value, void *slot)
{
    struct dag_node *node = &r->dag->nodes[r->node];

    if (value->kind == DAG_SCALAR && strchr(value->text, '/')) {
        node->program_is_path = true;
        *(const char **)slot = absolute(r, value->text);
    } else if (value->kind == DAG_SCALAR && dag_is_name(value->text)) {
        *(const char **)slot = value->text;
    } else {
        dag_read_mismatch(r, key, value);
    }
}

static void read_int(struct dag_reader *r, const struct dag_key *key,
                     const struct dag_value *value, void *slot)
{
    int64_t number;

    if (value->kind == DAG_SCALAR && value->plain &&
        text_parse_int(value->text, &number) && number >= key->min &&
        number <= key->max && !(key->min < 1 && number == 0))
        *(int *)slot = (int)number;
    else
        dag_read_mismatch(r, key, value);
}

static void read_duration(struct dag_reader *r, const struct dag_key *key,
                          const struct dag_value *value, void *slot)
{
    int64_t ms;

    if (value->kind == DAG_SCALAR && text_parse_duration_ms(value->text, &ms) &&
        ms >= key->min && ms <= key->max)
        *(int64_t *)slot = ms;
    else
        dag_read_mismatch(r, key, value);
}

/* With its unit, though the parser of options would take bytes, too. */
static void read_size(struct dag_reader *r, const struct dag_key *key,
                      const struct dag_value *value, void *slot)
{
    size_t len = strlen(value->text);
    int64_t bytes;

    if (value->kind == DAG_SCALAR && len > 0 &&
        !isdigit((unsigned char)value->text[len - 1]) &&
        text_parse_bytes(value->text, &bytes) && bytes >= key->min && bytes <= key->max)
        *(int64_t *)slot = bytes;
    else
        dag_read_mismatch(r, key, value);
}

static void read_choice(struct dag_reader *r, const struct dag_key *key,
                        const struct dag_value *value, void *slot)
{
    for (int i = 0; value->kind == DAG_SCALAR && key->choices[i]; i++) {
        if (strcmp(value->text, key->choices[i]) != 0)
            continue;
        if (key->choice_later && strcmp(value->text, key->choice_later) == 0)
            dag_read_report(r, value->pos, "%s: %s is not supported yet; leave it out",
                            key->name, value->text);
        else
            *(int *)slot = i;
        return;
    }
    dag_read_mismatch(r, key, value);
}

static void read_section(struct dag_reader *r, const struct dag_key *key,
                         const struct dag_value *value, void *slot)
{
    const char *outer = r->where_section;

    if (value->kind != DAG_MAP) {
        dag_read_mismatch(r, key, value);
        return;
    }
    r->where_section =
        outer ? mem_arena_join(&r->dag->arena, outer, ": ", key->name, NULL)
              : key->name;
    dag_read_section(r, key->inner, value, slot);
    r->where_section = outer;
}

static void read_policy(struct dag_reader *r, const struct dag_key *key,
                        const struct dag_value *value, void *slot)
{
    struct dag_restart_policy *policy = slot;

    if (value->kind == DAG_MAP)
        read_section(r, key, value, slot);
    else
        read_choice(r, key, value, &policy->when);
}

static void read_defaults(struct dag_reader *r, const struct dag_key *key,
                          const struct dag_value *value, void *slot)
{
    bool node = key->inner == DAG_SCOPE_NODE;

    (void)slot;
    r->in_defaults = true;
    read_section(r, key, value, node ? (void *)&r->node_defaults : &r->edge_defaults);
    r->in_defaults = false;
}

/* Put aside: they are read when everything that they depend on is known. */
static void read_nodes(struct dag_reader *r, const struct dag_key *key,
                       const struct dag_value *value, void *slot)
{
    (void)slot;
    if (value->kind == DAG_MAP && value->count > 0)
        r->nodes = value;
    else
        dag_read_mismatch(r, key, value);
}

void dag_read_value(struct dag_reader *r, const struct dag_key *key,
                    const struct dag_value *value, void *target)
{
    static dag_read_fn *const readers[DAG_TYPES] = {
        [DAG_TYPE_TEXT] = read_text,         [DAG_TYPE_NAME] = read_name,
        [DAG_TYPE_PREFIX] = read_prefix,     [DAG_TYPE_BROKERS] = read_brokers,
        [DAG_TYPE_PROGRAM] = read_program,   [DAG_TYPE_PATH] = read_path,
        [DAG_TYPE_INT] = read_int,           [DAG_TYPE_DURATION] = read_duration,
        [DAG_TYPE_SIZE] = read_size,         [DAG_TYPE_CHOICE] = read_choice,
        [DAG_TYPE_POLICY] = read_policy,     [DAG_TYPE_ARGS] = dag_read_args,
        [DAG_TYPE_ENV] = dag_read_env,       [DAG_TYPE_KAFKA] = dag_read_kafka,
        [DAG_TYPE_WITH] = dag_read_with,     [DAG_TYPE_CLIENTS] = dag_read_clients,
        [DAG_TYPE_FROM] = dag_read_from,     [DAG_TYPE_SECTION] = read_section,
        [DAG_TYPE_DEFAULTS] = read_defaults, [DAG_TYPE_NODES] = read_nodes,
    };

    if (value->failed)
        return;
    if (key->pos_offset > 0)
        *(struct dag_pos *)(void *)((char *)target + key->pos_offset) = value->pos;
    readers[key->type](r, key, value, (char *)target + key->offset);
}
