/* SPDX-License-Identifier: MIT */
#include "core/dag_keys.h"

#include "base/json.h"
#include "base/text.h"
#include "core/schema.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *find(void *arg, const char *name)
{
    (void)arg;
    (void)name;
    return NULL;
}

static bool parse(const struct dag_key *key, const char *text, int64_t *value)
{
    if (key->type == DAG_TYPE_DURATION)
        return text_parse_duration_ms(text, value);
    if (key->type == DAG_TYPE_SIZE)
        return text_parse_bytes(text, value);
    return text_parse_int(text, value);
}

START_TEST(ranges_say_what_is_checked)
{
    int seen = 0;

    for (const struct dag_key *key = dag_keys; key->name; key++) {
        const char *to = key->range ? strstr(key->range, " to ") : NULL;
        char *low;
        int64_t value;

        if (key->range == NULL)
            continue;
        ck_assert_msg(to != NULL, "%s: %s", key->name, key->range);
        low = strndup(key->range, (size_t)(to - key->range));
        ck_assert_msg(parse(key, low, &value) && value == key->min, "%s", key->name);
        ck_assert_msg(parse(key, to + 4, &value) && value == key->max, "%s", key->name);
        free(low);
        seen++;
    }
    ck_assert_int_gt(seen, 8);
}
END_TEST

/* The struct that a key of the scope is stored in, of a dag that says nothing. */
static const void *target(const struct dag *dag, enum dag_scope scope)
{
    switch (scope) {
    case DAG_SCOPE_EDGE:
        return &dag->edges[0];
    case DAG_SCOPE_RESTART:
        return &dag->nodes[0].restart;
    case DAG_SCOPE_STOP:
        return &dag->nodes[0].stop;
    default:
        return NULL;
    }
}

START_TEST(defaults_are_what_the_table_says)
{
    static const char text[] = "nodes: {a: {program: x}, b: {program: y, from: a}}";
    struct dag_source source = {.find = find};
    struct diag_list diags = {0};
    struct dag *dag = dag_load(text, strlen(text), "/d/x.yaml", &source, &diags);
    int seen = 0;

    ck_assert_ptr_nonnull(dag);
    for (const struct dag_key *key = dag_keys; key->name; key++) {
        const char *base = target(dag, key->scope);
        int64_t expected;

        if (base == NULL || key->fallback == NULL ||
            !parse(key, key->fallback, &expected))
            continue;
        if (key->type == DAG_TYPE_INT)
            ck_assert_int_eq(*(const int *)(const void *)(base + key->offset),
                             expected);
        else
            ck_assert_int_eq(*(const int64_t *)(const void *)(base + key->offset),
                             expected);
        seen++;
    }
    ck_assert_int_ge(seen, 8);
    ck_assert_uint_eq(dag->nodes[0].client_count, 1);
    ck_assert_int_eq(dag->nodes[0].restart.when, DAG_RESTART_ON_FAILURE);
    ck_assert_int_eq(dag->edges[0].replication, -1);
    dag_free(dag);
}
END_TEST

START_TEST(every_key_says_what_it_takes_and_what_it_is_for)
{
    for (const struct dag_key *key = dag_keys; key->name; key++) {
        char expected[DAG_EXPECTED];

        ck_assert_ptr_nonnull(key->doc);
        ck_assert(key->doc[strlen(key->doc) - 1] == '.');
        dag_key_expected(key, expected);
        ck_assert_msg(strcmp(expected, "(null)") != 0 && *expected, "%s", key->name);
        ck_assert_ptr_eq(dag_key_find(key->scope, key->name), key);
    }
}
END_TEST

START_TEST(a_later_key_is_never_suggested)
{
    ck_assert_str_eq(dag_key_nearest(DAG_SCOPE_NODE, "cleints"), "clients");
    ck_assert_ptr_null(dag_key_nearest(DAG_SCOPE_NODE, "timeuot"));
}
END_TEST

START_TEST(the_schema_has_the_keys_that_are_carried_out)
{
    struct error err = {0};
    char *text = schema_json();
    json_t *schema = json_parse(text, strlen(text), &err);
    json_t *defs = json_object_get(schema, "$defs");
    json_t *node = json_object_get(json_object_get(defs, "node"), "properties");
    json_t *edge = json_object_get(json_object_get(defs, "edge"), "properties");

    for (const struct dag_key *key = dag_keys; key->name; key++) {
        bool later = key->flags & DAG_KEY_LATER;

        if (key->scope == DAG_SCOPE_NODE)
            ck_assert((json_object_get(node, key->name) == NULL) == later);
        if (key->scope == DAG_SCOPE_EDGE)
            ck_assert((json_object_get(edge, key->name) == NULL) == later);
    }
    json_decref(schema);
    free(text);
}
END_TEST

START_TEST(secrets_are_known_by_their_names)
{
    ck_assert(dag_property_is_secret("sasl.password"));
    ck_assert(dag_property_is_secret("ssl.key.password"));
    ck_assert(dag_property_is_secret("sasl.oauthbearer.client.secret"));
    ck_assert(!dag_property_is_secret("sasl.username"));
    ck_assert(!dag_property_is_secret("ssl.ca.location"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_keys");
    TCase *tcase = tcase_create("keys");

    tcase_add_test(tcase, ranges_say_what_is_checked);
    tcase_add_test(tcase, defaults_are_what_the_table_says);
    tcase_add_test(tcase, every_key_says_what_it_takes_and_what_it_is_for);
    tcase_add_test(tcase, a_later_key_is_never_suggested);
    tcase_add_test(tcase, the_schema_has_the_keys_that_are_carried_out);
    tcase_add_test(tcase, secrets_are_known_by_their_names);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
