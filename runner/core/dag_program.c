/* SPDX-License-Identifier: MIT
 *
 * A node against what its program says of itself.
 */
#include "base/json.h"
#include "base/text.h"
#include "core/dag.h"

#include <stdlib.h>
#include <string.h>

enum { ABI = 1 };

struct program {
    const struct dag_node *node;
    const json_t *description;
    struct diag_list *diags;
};

static void complain(struct program *p, struct dag_pos at, const char *text)
{
    diag_add(p->diags, at.line, at.column, "node '%s': %s", p->node->name, text);
}

static void check_kind(struct program *p)
{
    const char *kind = json_get_string(p->description, "kind", "");
    const struct dag_node *node = p->node;
    bool source = strcmp(kind, "source") == 0;

    if (source && node->input_count > 0)
        diag_add(p->diags, node->program_pos.line, node->program_pos.column,
                 "node '%s': program %s is a source and reads nothing: leave 'from' out, or "
                 "use another program",
                 node->name, node->program);
    else if (!source && node->input_count == 0)
        diag_add(p->diags, node->program_pos.line, node->program_pos.column,
                 "node '%s': program %s is no source: say with 'from' what it reads",
                 node->name, node->program);
    if (strcmp(kind, "sink") == 0 && node->output_count > 0)
        diag_add(p->diags, node->program_pos.line, node->program_pos.column,
                 "node '%s': program %s is a sink and writes nothing, but another node "
                 "reads from it",
                 node->name, node->program);
}

static void check_args(struct program *p)
{
    const json_t *args = json_object_get(p->description, "args");
    const char *usage = json_get_string(args, "usage", "");
    int64_t min = json_get_int(args, "min", 0);
    int64_t max = json_get_int(args, "max", -1);
    const struct dag_node *node = p->node;
    struct dag_pos at = node->args_pos.line > 0 ? node->args_pos : node->program_pos;
    int64_t count = (int64_t)node->arg_count;

    if (count >= min && (max < 0 || count <= max))
        return;
    if (max == 0)
        diag_add(p->diags, at.line, at.column,
                 "node '%s': args: program %s takes no arguments, found %zu", node->name,
                 node->program, node->arg_count);
    else
        diag_add(p->diags, at.line, at.column,
                 "node '%s': args: program %s takes %s%s%s, found %zu argument%s",
                 node->name, node->program, *usage ? "" : "other arguments",
                 *usage ? "args: " : "", usage, node->arg_count, count == 1 ? "" : "s");
}

static const json_t *find_option(const struct program *p, const char *name)
{
    const json_t *options = json_object_get(p->description, "options");
    const json_t *option;
    size_t i;

    json_array_foreach(options, i, option)
    {
        if (strcmp(json_get_string(option, "name", ""), name) == 0)
            return option;
    }
    return NULL;
}

static void report_unknown(struct program *p, const struct dag_setting *setting)
{
    enum { MANY = 64 };
    const json_t *options = json_object_get(p->description, "options");
    const char *names[MANY];
    struct text_buf list = {0};
    const char *near;
    const json_t *option;
    size_t count = 0;
    size_t i;

    json_array_foreach(options, i, option)
    {
        if (count == MANY)
            break;
        names[count] = json_get_string(option, "name", "");
        text_appendf(&list, "%s%s", count > 0 ? ", " : "", names[count]);
        count++;
    }
    near = text_nearest(setting->name, names, count);
    if (near)
        diag_add(p->diags, setting->pos.line, setting->pos.column,
                 "node '%s': with: program %s has no option '%.64s' (did you mean '%s'?)",
                 p->node->name, p->node->program, setting->name, near);
    else if (count == 0)
        diag_add(p->diags, setting->pos.line, setting->pos.column,
                 "node '%s': with: program %s has no options, found '%.64s'",
                 p->node->name, p->node->program, setting->name);
    else
        diag_add(p->diags, setting->pos.line, setting->pos.column,
                 "node '%s': with: program %s has no option '%.64s': expected one of %s",
                 p->node->name, p->node->program, setting->name, text_str(&list));
    text_buf_clear(&list);
}

/* Whole numbers may be longer than any C type: JSON text of digits alone. */
static bool is_whole(const char *json)
{
    json += *json == '-';
    return *json != '\0' && json[strspn(json, "0123456789")] == '\0';
}

static bool fits_int(const char *json)
{
    int64_t number;

    return is_whole(json) && text_parse_int(json, &number);
}

/* The text of a JSON string; NULL when it is something else. The caller decrefs. */
static json_t *as_string(const char *json)
{
    struct error err = {0};
    json_t *value = *json == '"' ? json_parse(json, strlen(json), &err) : NULL;

    return value;
}

static bool fits_number(const char *text)
{
    char *end;

    (void)strtod(text, &end);
    return strchr("-0123456789", *text) && end != text && *end == '\0';
}

/* Quotes around a number do no harm where one is expected: in a flow map ${NAME} can't
 * stand without them. */
static bool fits(const char *type, const char *json)
{
    json_t *string = as_string(json);
    const char *text = json_string_value(string);
    const char *plain = text ? text : json;
    int64_t number;
    bool good;

    if (strcmp(type, "int") == 0)
        good = fits_int(plain);
    else if (strcmp(type, "number") == 0)
        good = fits_number(plain);
    else if (strcmp(type, "bool") == 0)
        good = strcmp(plain, "true") == 0 || strcmp(plain, "false") == 0;
    else if (strcmp(type, "size") == 0)
        good = (fits_int(json) && *json != '-') || (text && text_parse_bytes(text, &number));
    else if (strcmp(type, "duration") == 0)
        good = text && text_parse_duration_ms(text, &number);
    else if (strcmp(type, "path") == 0)
        good = text && *text;
    else
        good = text != NULL;
    json_decref(string);
    return good;
}

static void check_type(struct program *p, const struct dag_setting *setting,
                       const json_t *option)
{
    static const struct {
        const char *type;
        const char *expected;
    } types[] = {
        {"string", "text (a number or true as text takes quotes)"},
        {"int", "a whole number"},
        {"number", "a number"},
        {"bool", "true or false"},
        {"path", "the path of a file"},
        {"size", "a size such as 64KiB"},
        {"duration", "a duration with its unit such as 500ms"},
    };
    const char *type = json_get_string(option, "type", "string");

    if (fits(type, setting->value))
        return;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].type, type) == 0)
            diag_add(p->diags, setting->value_pos.line, setting->value_pos.column,
                     "node '%s': with: %s: expected %s, found %.64s", p->node->name,
                     setting->name, types[i].expected, setting->value);
    }
}

static bool is_given(const struct dag_node *node, const char *name)
{
    for (size_t i = 0; i < node->with.count; i++) {
        if (strcmp(node->with.items[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_options(struct program *p)
{
    const json_t *options = json_object_get(p->description, "options");
    bool any = json_get_bool(p->description, "any_option", false);
    const json_t *option;
    size_t i;

    for (size_t k = 0; k < p->node->with.count; k++) {
        const struct dag_setting *setting = &p->node->with.items[k];

        option = find_option(p, setting->name);
        if (option)
            check_type(p, setting, option);
        else if (!any)
            report_unknown(p, setting);
    }
    json_array_foreach(options, i, option)
    {
        const char *name = json_get_string(option, "name", "");

        if (json_get_bool(option, "required", false) && !is_given(p->node, name))
            diag_add(p->diags, p->node->program_pos.line, p->node->program_pos.column,
                     "node '%s': program %s needs the option '%s': write 'with: {%s: ...}' "
                     "(%s)",
                     p->node->name, p->node->program, name, name,
                     json_get_string(option, "doc", ""));
    }
}

void dag_check_program(const struct dag *dag, size_t node, const char *describe,
                       struct diag_list *diags)
{
    struct program p = {.node = &dag->nodes[node], .diags = diags};
    struct error err = {0};
    json_t *description = json_parse(describe, strlen(describe), &err);

    p.description = description;
    if (!json_is_object(description) ||
        json_object_get(description, "abi") == NULL) {
        diag_add(diags, p.node->program_pos.line, p.node->program_pos.column,
                 "node '%s': %s --describe does not print what a program built with "
                 "libdagnode prints",
                 p.node->name, p.node->program);
    } else if (json_get_int(description, "abi", 0) != ABI) {
        complain(&p, p.node->program_pos,
                 "its program was built for another version of libdagnode: build it again");
    } else {
        check_kind(&p);
        check_args(&p);
        check_options(&p);
    }
    json_decref(description);
}
