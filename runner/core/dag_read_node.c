/* SPDX-License-Identifier: MIT
 *
 * The values of nodes that are lists and maps: args, with, env, clients, from.
 */
#include "base/text.h"
#include "core/dag_json.h"
#include "core/dag_read.h"
#include "core/name_table.h"

#include <ctype.h>
#include <string.h>

void dag_read_args(struct dag_reader *r, const struct dag_key *key,
                   const struct dag_value *value, void *slot)
{
    struct dag_node *node = &r->dag->nodes[r->node];
    const char **args;

    if (value->kind != DAG_LIST) {
        dag_read_mismatch(r, key, value);
        return;
    }
    args = mem_arena_alloc(&r->dag->arena, (value->count + 1) * sizeof *args);
    node->arg_count = 0;
    for (const struct dag_item *item = value->items; item; item = item->next) {
        if (item->value->kind != DAG_SCALAR)
            dag_read_report(r, item->value->pos,
                            "args: expected a text; lists and maps go to 'with'");
        args[node->arg_count++] = item->value->text;
    }
    *(const char ***)slot = args;
}

/* Add the map's pairs to what defaults: has put there; a name that is there is
 * replaced. */
static void merge_settings(struct dag_reader *r, const struct dag_value *map,
                           struct dag_settings *settings, bool json)
{
    size_t old_count = settings->count;
    struct dag_setting *items =
        mem_arena_alloc(&r->dag->arena, (old_count + map->count) * sizeof *items);

    if (old_count > 0)
        memcpy(items, settings->items, old_count * sizeof *items);
    settings->items = items;
    for (const struct dag_item *item = map->items; item; item = item->next) {
        size_t at = 0;

        while (at < old_count && strcmp(items[at].name, item->key->text) != 0)
            at++;
        if (at == old_count)
            at = settings->count++;
        items[at] = (struct dag_setting){
            .name = item->key->text,
            .value = json ? dag_json(item->value, &r->dag->arena, r->diags)
                          : item->value->text,
            .pos = item->key->pos,
            .value_pos = item->value->pos,
        };
    }
}

void dag_read_with(struct dag_reader *r, const struct dag_key *key,
                   const struct dag_value *value, void *slot)
{
    if (value->kind == DAG_MAP)
        merge_settings(r, value, slot, true);
    else
        dag_read_mismatch(r, key, value);
}

/* All values are scalars, else they are reported and the map is not to be used. */
static bool is_text_map(struct dag_reader *r, const struct dag_key *key,
                        const struct dag_value *value)
{
    bool good = true;

    if (value->kind != DAG_MAP) {
        dag_read_mismatch(r, key, value);
        return false;
    }
    for (const struct dag_item *item = value->items; item; item = item->next) {
        if (item->value->kind == DAG_SCALAR)
            continue;
        dag_read_report(r, item->value->pos, "%s: %s: expected a text, found %s",
                        key->name, item->key->text,
                        item->value->kind == DAG_LIST ? "a list" : "a map");
        good = false;
    }
    return good;
}

static bool is_variable_name(const char *name)
{
    if (*name == '\0' || isdigit((unsigned char)*name))
        return false;
    for (; *name; name++) {
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    }
    return true;
}

void dag_read_env(struct dag_reader *r, const struct dag_key *key,
                  const struct dag_value *value, void *slot)
{
    enum { DEFAULTS_MAX = 100 }; /* they are copied for every node that adds its own */

    bool good = is_text_map(r, key, value);

    if (r->in_defaults && value->count > DEFAULTS_MAX) {
        dag_read_report(r, value->pos, "env: at most 100 variables may be defaults");
        return;
    }
    for (const struct dag_item *item = value->items; item && item->key;
         item = item->next) {
        char shown[DAG_SHOWN];

        dag_text_show(item->key->text, shown);
        if (!is_variable_name(item->key->text))
            dag_read_report(
                r, item->key->pos,
                "env: %s is no name of a variable: expected letters, digits and "
                "'_', not beginning with a digit",
                shown);
        else if (strncmp(item->key->text, "DAGRUN_", 7) == 0)
            dag_read_report(r, item->key->pos,
                            "env: %s: names that begin with DAGRUN_ are dagrun's own",
                            shown);
    }
    if (good)
        merge_settings(r, value, slot, false);
}

void dag_read_kafka(struct dag_reader *r, const struct dag_key *key,
                    const struct dag_value *value, void *slot)
{
    if (!is_text_map(r, key, value))
        return;
    for (const struct dag_item *item = value->items; item; item = item->next) {
        const char *why = dag_property_refusal(item->key->text);

        if (why)
            dag_read_report(r, item->key->pos, "%s: %s is set by dagrun: %s", key->name,
                            item->key->text, why);
    }
    merge_settings(r, value, slot, false);
}

/* The texts "0" to "999", made once for all nodes. */
static const char **numbers(struct dag_reader *r, size_t count)
{
    if (r->numbers == NULL) {
        r->numbers = mem_arena_alloc(&r->dag->arena, count * sizeof *r->numbers);
        for (size_t i = 0; i < count; i++)
            r->numbers[i] = mem_arena_printf(&r->dag->arena, "%zu", i);
    }
    return r->numbers;
}

static bool is_good_id(struct dag_reader *r, const struct dag_value *id,
                       struct name_table *seen)
{
    const struct dag_value *first;
    char shown[DAG_SHOWN];

    dag_value_show(id, shown);
    if (id->kind != DAG_SCALAR || !dag_is_name(id->text)) {
        dag_read_report(r, id->pos,
                        "clients: %s is no client id: expected " DAG_NAME_RULE, shown);
        return false;
    }
    first = name_table_find(seen, id->text);
    if (first == NULL)
        return true;
    dag_read_report(r, id->pos, "clients: id %s stands there twice, first at %d:%d",
                    shown, first->pos.line, first->pos.column);
    return false;
}

static void read_client_ids(struct dag_reader *r, const struct dag_value *list,
                            struct dag_node *node)
{
    const char **ids = mem_arena_alloc(&r->dag->arena, list->count * sizeof *ids);
    struct name_table seen = {.arena = &r->dag->arena};

    node->client_count = 0;
    for (const struct dag_item *item = list->items; item; item = item->next) {
        if (item->value->failed || !is_good_id(r, item->value, &seen))
            continue;
        name_table_put(&seen, item->value->text, (void *)(uintptr_t)item->value);
        ids[node->client_count++] = item->value->text;
    }
    node->clients = ids;
}

void dag_read_clients(struct dag_reader *r, const struct dag_key *key,
                      const struct dag_value *value, void *slot)
{
    struct dag_node *node =
        (struct dag_node *)(void *)((char *)slot - offsetof(struct dag_node, clients));
    int64_t number;

    if (value->kind == DAG_LIST && value->count > 0 &&
        value->count <= (size_t)key->max) {
        read_client_ids(r, value, node);
    } else if (value->kind == DAG_SCALAR && value->plain &&
               text_parse_int(value->text, &number) && number >= key->min &&
               number <= key->max) {
        node->clients = numbers(r, (size_t)key->max);
        node->client_count = (size_t)number;
    } else {
        dag_read_mismatch(r, key, value);
    }
}

static void add_link(struct dag_reader *r, const struct dag_value *from,
                     const struct dag_value *settings)
{
    struct dag_link *link;

    r->link_count++;
    if (from->failed)
        return;
    if (from->kind != DAG_SCALAR || dag_value_is_null(from)) {
        char shown[DAG_SHOWN];

        dag_value_show(from, shown);
        dag_read_report(r, from->pos, "from: expected the name of a node, found %s%s",
                        shown,
                        from->kind == DAG_MAP
                            ? "; settings go into a map: from: {NAME: {...}, NAME: {}}"
                            : "");
        return;
    }
    link = mem_arena_alloc(&r->dag->arena, sizeof *link);
    link->to = r->node;
    link->from = from;
    link->settings = settings;
    *r->links_tail = link;
    r->links_tail = &link->next;
}

static void refuse_link(struct dag_reader *r, const struct dag_item *item)
{
    char name[DAG_SHOWN];
    char shown[DAG_SHOWN];

    r->link_count++;
    dag_text_show(item->key->text, name);
    dag_value_show(item->value, shown);
    dag_read_report(r, item->value->pos,
                    "from: %s: expected a map of settings, found %s", name, shown);
}

void dag_read_from(struct dag_reader *r, const struct dag_key *key,
                   const struct dag_value *value, void *slot)
{
    (void)key;
    (void)slot;
    if (value->kind == DAG_SCALAR && !dag_value_is_null(value)) {
        add_link(r, value, NULL);
    } else if (value->count == 0) {
        r->link_count++;
        dag_read_report(r, value->pos,
                        "from: names no node; leave it out for a source");
    }
    for (const struct dag_item *item = value->items; item; item = item->next) {
        const struct dag_value *settings = item->value;
        bool none = item->key && dag_value_is_null(settings);

        if (item->key == NULL)
            add_link(r, item->value, NULL);
        else if (none || settings->kind == DAG_MAP || settings->failed)
            add_link(r, item->key, none || settings->failed ? NULL : settings);
        else
            refuse_link(r, item);
    }
}
