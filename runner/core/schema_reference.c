/* SPDX-License-Identifier: MIT
 *
 * The table of keys as Markdown.
 */
#include "base/text.h"
#include "core/dag_keys.h"
#include "core/schema.h"

static const struct {
    const char *heading;
    const char *intro;
} sections[DAG_SCOPES] = {
    [DAG_SCOPE_ROOT] = {"The file", "The map that the file is."},
    [DAG_SCOPE_KAFKA] = {"kafka", "The map under `kafka`."},
    [DAG_SCOPE_DEFAULTS] = {"defaults", "The map under `defaults`."},
    [DAG_SCOPE_NODE] = {"A node", "The map under the node's name in `nodes`."},
    [DAG_SCOPE_EDGE] = {"An edge", "The map under a node's name in `from`."},
    [DAG_SCOPE_RESTART] = {"restart", "The map under a node's `restart`."},
    [DAG_SCOPE_STOP] = {"stop", "The map under a node's `stop`."},
};

/* '|' would end the cell, '<' begin a tag. */
static void append_cell(struct text_buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            text_append(out, "\\|");
        else if (*text == '<')
            text_append(out, "&lt;");
        else
            text_append_bytes(out, text, 1);
    }
}

static void append_key(struct text_buf *out, const struct dag_key *key)
{
    char expected[DAG_EXPECTED];

    dag_key_expected(key, expected);
    text_appendf(out, "| `%s` | ", key->name);
    append_cell(out, expected);
    text_append(out, " | ");
    if (key->flags & DAG_KEY_REQUIRED)
        text_append(out, "**required**");
    else
        append_cell(out, key->fallback ? key->fallback : "");
    text_append(out, " | ");
    append_cell(out, key->doc);
    if (key->scope == DAG_SCOPE_NODE || key->scope == DAG_SCOPE_EDGE)
        text_append(out, key->flags & DAG_KEY_DEFAULT ? " | yes |\n" : " | |\n");
    else
        text_append(out, " |\n");
}

static void append_section(struct text_buf *out, enum dag_scope scope)
{
    bool defaults = scope == DAG_SCOPE_NODE || scope == DAG_SCOPE_EDGE;
    bool any_later = false;

    text_appendf(out, "### %s\n\n%s\n\n", sections[scope].heading,
                 sections[scope].intro);
    text_appendf(out, "| key | takes | default | meaning |%s\n",
                 defaults ? " in `defaults` |" : "");
    text_appendf(out, "|---|---|---|---|%s\n", defaults ? "---|" : "");
    for (const struct dag_key *key = dag_keys; key->name; key++) {
        if (key->scope == scope && !(key->flags & DAG_KEY_LATER))
            append_key(out, key);
    }
    for (const struct dag_key *key = dag_keys; key->name; key++) {
        if (key->scope != scope || !(key->flags & DAG_KEY_LATER))
            continue;
        text_appendf(out,
                     any_later ? ", `%s`" : "\nNot supported yet, and refused: `%s`",
                     key->name);
        any_later = true;
    }
    text_append(out, any_later ? ".\n\n" : "\n");
}

char *schema_reference(void)
{
    struct text_buf out = {0};

    for (size_t i = 0; i < DAG_SCOPES; i++)
        append_section(&out, (enum dag_scope)i);
    text_append(&out, "### kafka.properties that dagrun sets itself\n\n"
                      "| property | why it is refused |\n|---|---|\n");
    for (size_t i = 0; dag_property_refused(i); i++) {
        text_appendf(&out, "| `%s` | ", dag_property_refused(i));
        append_cell(&out, dag_property_refusal(dag_property_refused(i)));
        text_append(&out, " |\n");
    }
    return text_take(&out);
}
