/* SPDX-License-Identifier: MIT */
#include "core/schema.h"

#include "base/json.h"
#include "base/mem.h"
#include "core/dag_keys.h"

#include <stdlib.h>
#include <string.h>

/* Any value may be written as ${NAME}; what it becomes an editor can't know. */
#define REFERENCE "\\$\\{"
#define NAME_PATTERN "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"

static const char *const scope_names[DAG_SCOPES] = {
    [DAG_SCOPE_ROOT] = "root",         [DAG_SCOPE_KAFKA] = "kafka",
    [DAG_SCOPE_DEFAULTS] = "defaults", [DAG_SCOPE_NODE] = "node",
    [DAG_SCOPE_EDGE] = "edge",         [DAG_SCOPE_RESTART] = "restart",
    [DAG_SCOPE_STOP] = "stop",
};

static json_t *ref(const char *name, const char *suffix)
{
    char text[64];

    (void)snprintf(text, sizeof text, "#/$defs/%s%s", name, suffix);
    return json_pack("{s:s}", "$ref", text);
}

static json_t *pattern(const char *regex)
{
    return json_pack("{s:s,s:s}", "type", "string", "pattern", regex);
}

/* Both are taken over. */
static json_t *either(json_t *a, json_t *b)
{
    return json_pack("{s:[o,o]}", "anyOf", a, b);
}

static json_t *or_reference(json_t *schema)
{
    return either(schema, pattern(REFERENCE));
}

static json_t *map_of(json_t *values)
{
    return json_pack("{s:s,s:o}", "type", "object", "additionalProperties", values);
}

static json_t *integer(const struct dag_key *key)
{
    return json_pack("{s:s,s:I,s:I}", "type", "integer", "minimum",
                     (json_int_t)key->min, "maximum", (json_int_t)key->max);
}

static json_t *choices(const struct dag_key *key)
{
    json_t *list = json_array();

    for (const char *const *choice = key->choices; *choice; choice++) {
        if (key->choice_later == NULL || strcmp(*choice, key->choice_later) != 0)
            (void)json_array_append_new(list, json_string(*choice));
    }
    return or_reference(json_pack("{s:o}", "enum", list));
}

static json_t *kafka_properties(void)
{
    json_t *schema = map_of(ref("text", ""));
    json_t *names = json_array();

    for (size_t i = 0; dag_property_refused(i); i++)
        (void)json_array_append_new(names, json_string(dag_property_refused(i)));
    (void)json_object_set_new(schema, "propertyNames",
                              json_pack("{s:{s:o}}", "not", "enum", names));
    return schema;
}

static json_t *nodes(const struct dag_key *key)
{
    json_t *schema = map_of(ref(scope_names[key->inner], ""));

    (void)json_object_set_new(schema, "minProperties", json_integer(1));
    (void)json_object_set_new(schema, "propertyNames",
                              json_pack("{s:s,s:{s:[s,s,s]}}", "pattern", NAME_PATTERN,
                                        "not", "enum", "dlq", "retry", "parking"));
    return schema;
}

static json_t *from(const struct dag_key *key)
{
    json_t *names = json_pack("{s:s,s:o,s:i,s:b}", "type", "array", "items",
                              ref("name", ""), "minItems", 1, "uniqueItems", 1);
    json_t *edges = map_of(
        either(ref(scope_names[key->inner], ""), json_pack("{s:s}", "type", "null")));

    (void)json_object_set_new(edges, "minProperties", json_integer(1));
    return json_pack("{s:[o,o,o]}", "anyOf", ref("name", ""), names, edges);
}

static json_t *type_schema(const struct dag_key *key)
{
    switch (key->type) {
    case DAG_TYPE_NAME:
        return or_reference(ref("name", ""));
    case DAG_TYPE_INT:
        return or_reference(integer(key));
    case DAG_TYPE_DURATION:
        return pattern("^[0-9]+(\\.[0-9]+)?(ms|s|m|min|h|d)$|" REFERENCE);
    case DAG_TYPE_SIZE:
        return pattern("^[0-9]+(\\.[0-9]+)?(B|[kK]B|KiB|MB|MiB|GB|GiB)$|" REFERENCE);
    case DAG_TYPE_CHOICE:
        return choices(key);
    case DAG_TYPE_POLICY:
        return either(choices(key), ref(scope_names[key->inner], ""));
    case DAG_TYPE_ARGS:
        return json_pack("{s:s,s:o}", "type", "array", "items", ref("text", ""));
    case DAG_TYPE_ENV:
        return map_of(ref("text", ""));
    case DAG_TYPE_KAFKA:
        return kafka_properties();
    case DAG_TYPE_WITH:
        return json_pack("{s:s}", "type", "object");
    case DAG_TYPE_CLIENTS:
        return either(or_reference(integer(key)),
                      json_pack("{s:s,s:{s:[s,s]},s:i,s:b}", "type", "array", "items",
                                "type", "string", "integer", "minItems", 1,
                                "uniqueItems", 1));
    case DAG_TYPE_FROM:
        return from(key);
    case DAG_TYPE_SECTION:
        return ref(scope_names[key->inner], "");
    case DAG_TYPE_DEFAULTS:
        return ref(scope_names[key->inner], "_defaults");
    case DAG_TYPE_NODES:
        return nodes(key);
    default:
        return ref("text", "");
    }
}

static json_t *key_schema(const struct dag_key *key)
{
    json_t *schema = type_schema(key);
    char *doc = key->fallback ? mem_printf("%s Default: %s.", key->doc, key->fallback)
                              : mem_strdup(key->doc);

    (void)json_object_set_new(schema, "description", json_string(doc));
    free(doc);
    return schema;
}

/* The map of a scope; defaults: only with the keys that may be defaults. */
static json_t *scope_schema(enum dag_scope scope, bool defaults)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    json_t *schema = json_pack("{s:s,s:b,s:o}", "type", "object",
                               "additionalProperties", 0, "properties", properties);

    for (const struct dag_key *key = dag_keys; key->name; key++) {
        if (key->scope != scope || (key->flags & DAG_KEY_LATER) ||
            (defaults && !(key->flags & DAG_KEY_DEFAULT)))
            continue;
        (void)json_object_set_new(properties, key->name, key_schema(key));
        if (key->flags & DAG_KEY_REQUIRED)
            (void)json_array_append_new(required, json_string(key->name));
    }
    if (json_array_size(required) > 0)
        (void)json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

char *schema_json(void)
{
    json_t *schema = scope_schema(DAG_SCOPE_ROOT, false);
    json_t *defs = json_object();
    char *text;

    (void)json_object_set_new(
        schema, "$schema", json_string("https://json-schema.org/draft/2020-12/schema"));
    (void)json_object_set_new(schema, "title", json_string("dagrun dag"));
    (void)json_object_set_new(defs, "name", pattern(NAME_PATTERN));
    (void)json_object_set_new(
        defs, "text",
        json_pack("{s:[s,s,s,s]}", "type", "string", "number", "boolean", "null"));
    for (size_t i = DAG_SCOPE_KAFKA; i < DAG_SCOPES; i++)
        (void)json_object_set_new(defs, scope_names[i],
                                  scope_schema((enum dag_scope)i, false));
    (void)json_object_set_new(defs, "node_defaults",
                              scope_schema(DAG_SCOPE_NODE, true));
    (void)json_object_set_new(defs, "edge_defaults",
                              scope_schema(DAG_SCOPE_EDGE, true));
    (void)json_object_set_new(schema, "$defs", defs);
    text = json_dumps(schema, JSON_INDENT(2));
    json_decref(schema);
    return text;
}
