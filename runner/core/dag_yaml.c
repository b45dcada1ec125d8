/* SPDX-License-Identifier: MIT */
#include "core/dag_yaml.h"

#include "base/text.h"
#include "core/dag_scan.h"
#include "core/name_table.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    const char *text;
    size_t len;
    struct mem_arena *arena;
    struct dag_subst *subst;
    struct diag_list *diags;
    struct name_table anchors;
    size_t events;
    size_t alias_values;
    size_t alias_bytes;
    bool stop; /* nothing after this can be understood */
};

static struct dag_pos pos_of(yaml_mark_t mark)
{
    return (struct dag_pos){(int)mark.line + 1, (int)mark.column + 1};
}

static void refuse(struct reader *r, struct dag_pos at, const char *why)
{
    diag_add(r->diags, at.line, at.column, "%s", why);
    r->stop = true;
}

/* Does "${" stand in this line (from 0) of the text? */
static bool has_reference(const char *text, size_t len, size_t line)
{
    const char *end = text + len;

    for (; line > 0 && text < end; line--) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));

        text = newline ? newline + 1 : end;
    }
    for (; text + 1 < end && *text != '\n'; text++) {
        if (text[0] == '$' && text[1] == '{')
            return true;
    }
    return false;
}

/* What people usually meant. */
static const char *hint(const struct reader *r)
{
    const yaml_parser_t *p = &r->parser;

    if (strstr(p->context, "flow") && has_reference(r->text, r->len, p->problem_mark.line))
        return " (inside { } and [ ] a '${...}' takes quotes)";
    return "";
}

static void syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    struct dag_pos at = pos_of(p->problem_mark);
    struct dag_pos began = pos_of(p->context_mark);
    const char *problem = p->problem ? p->problem : "unknown problem";

    if (strstr(problem, "cannot start any token"))
        diag_add(r->diags, at.line, at.column,
                 "not YAML: %s (indentation takes spaces, no tabs; text with special "
                 "characters takes quotes)",
                 problem);
    else if (p->context == NULL)
        diag_add(r->diags, at.line, at.column, "not YAML: %s", problem);
    else
        diag_add(r->diags, at.line, at.column, "not YAML: %s %s that began at %d:%d%s",
                 problem, p->context, began.line, began.column, hint(r));
    r->stop = true;
}

/* The next event; false when reading must end. The caller deletes the event. */
static bool next(struct reader *r, yaml_event_t *event)
{
    if (r->stop)
        return false;
    if (!yaml_parser_parse(&r->parser, event)) {
        syntax_error(r);
        return false;
    }
    if (++r->events <= DAG_EVENTS_MAX)
        return true;
    refuse(r, pos_of(event->start_mark), "too many values for one file");
    yaml_event_delete(event);
    return false;
}

static void check_tag(struct reader *r, const yaml_char_t *tag, struct dag_pos at)
{
    static const char yaml_tags[] = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;
    char shown[DAG_SHOWN];

    if (tag == NULL)
        return;
    if (strncmp(text, yaml_tags, sizeof yaml_tags - 1) == 0)
        (void)snprintf(shown, sizeof shown, "'!!%.40s'", text + sizeof yaml_tags - 1);
    else
        dag_text_show(text, shown);
    diag_add(r->diags, at.line, at.column,
             "tag %s: tags are not taken; write text in quotes, numbers without", shown);
}

static void remember(struct reader *r, const yaml_char_t *anchor, struct dag_value *value)
{
    if (anchor)
        name_table_put(&r->anchors, mem_arena_strdup(r->arena, (const char *)anchor),
                       value);
}

static void read_scalar(struct reader *r, const yaml_event_t *event, bool is_key,
                        struct dag_value *value)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;

    check_tag(r, event->data.scalar.tag, value->pos);
    value->kind = DAG_SCALAR;
    value->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    value->text = mem_arena_strndup(r->arena, text, len);
    if (memchr(text, '\0', len)) {
        diag_add(r->diags, value->pos.line, value->pos.column,
                 "text with a NUL character (\\0): no program could be given it");
        value->failed = true;
    } else if (!is_key) {
        const char *put_in = dag_subst_text(r->subst, value->text, value->pos);

        value->failed = put_in == NULL;
        value->text = put_in ? put_in : "";
    }
    value->bytes = (uint32_t)strlen(value->text);
    remember(r, event->data.scalar.anchor, value);
}

/* The value an alias stands for, at the alias's own place. */
static void read_alias(struct reader *r, const yaml_event_t *event, struct dag_value *value)
{
    const char *anchor = (const char *)event->data.alias.anchor;
    const struct dag_value *original = name_table_find(&r->anchors, anchor);
    struct dag_pos pos = value->pos;
    char shown[DAG_SHOWN];

    if (original == NULL) {
        dag_text_show(anchor, shown);
        diag_add(r->diags, pos.line, pos.column,
                 "alias %s: no finished value before it has this anchor", shown);
        value->failed = true;
        value->text = "";
        return;
    }
    *value = *original;
    value->pos = pos;
    r->alias_values += value->size;
    r->alias_bytes += value->bytes;
    if (r->alias_values > DAG_ALIAS_NODES_MAX || r->alias_bytes > DAG_FILE_BYTES_MAX)
        refuse(r, pos, "aliases expand to more than 10,000 values or 1 MiB of text");
}

static struct dag_value *read_value(struct reader *r, yaml_event_t *event, int depth,
                                    bool is_key);

static void append(struct reader *r, struct dag_value *into, struct dag_item ***tail,
                   const struct dag_value *key, const struct dag_value *value)
{
    struct dag_item *item = mem_arena_alloc(r->arena, sizeof *item);

    item->key = key;
    item->value = value;
    **tail = item;
    *tail = &item->next;
    into->count++;
    into->size += value->size + (key ? key->size : 0);
    into->bytes += value->bytes + (key ? key->bytes : 0);
}

static void read_list(struct reader *r, const yaml_event_t *event, int depth,
                      struct dag_value *list)
{
    struct dag_item **tail = &list->items;
    yaml_event_t item;

    check_tag(r, event->data.sequence_start.tag, list->pos);
    list->kind = DAG_LIST;
    while (next(r, &item)) {
        const struct dag_value *value;

        if (item.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&item);
            break;
        }
        value = read_value(r, &item, depth, false);
        append(r, list, &tail, NULL, value);
    }
    remember(r, event->data.sequence_start.anchor, list);
}

/* The key that stands in the map already; few keys are compared, many looked up. */
static const struct dag_value *find_key(const struct dag_value *map,
                                        struct name_table *names, const char *text)
{
    enum { FEW = 12 };

    if (map->count < FEW) {
        for (const struct dag_item *i = map->items; i; i = i->next) {
            if (strcmp(i->key->text, text) == 0)
                return i->key;
        }
        return NULL;
    }
    if (names->count == 0) {
        for (const struct dag_item *i = map->items; i; i = i->next)
            name_table_put(names, i->key->text, (void *)(uintptr_t)i->key);
    }
    return name_table_find(names, text);
}

/* May this key be added to the map? Says so when not. */
static bool key_is_good(struct reader *r, const struct dag_value *map,
                        struct name_table *names, const struct dag_value *key)
{
    const struct dag_value *first;
    char shown[DAG_SHOWN];

    if (key->failed)
        return false;
    if (key->kind != DAG_SCALAR) {
        diag_add(r->diags, key->pos.line, key->pos.column,
                 "a key must be text, this one is %s",
                 key->kind == DAG_LIST ? "a list" : "a map");
        return false;
    }
    if (key->plain && strcmp(key->text, "<<") == 0) {
        diag_add(r->diags, key->pos.line, key->pos.column,
                 "merge keys (<<) are not taken; what all nodes have in common stands "
                 "under 'defaults'");
        return false;
    }
    first = find_key(map, names, key->text);
    if (first == NULL)
        return true;
    dag_text_show(key->text, shown);
    diag_add(r->diags, key->pos.line, key->pos.column, "duplicate key %s, first at %d:%d",
             shown, first->pos.line, first->pos.column);
    return false;
}

static void read_map(struct reader *r, const yaml_event_t *event, int depth,
                     struct dag_value *map)
{
    struct name_table names = {.arena = r->arena};
    struct dag_item **tail = &map->items;
    yaml_event_t item;

    check_tag(r, event->data.mapping_start.tag, map->pos);
    map->kind = DAG_MAP;
    while (next(r, &item)) {
        const struct dag_value *key;
        const struct dag_value *value;
        bool good;

        if (item.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&item);
            break;
        }
        key = read_value(r, &item, depth, true);
        good = key_is_good(r, map, &names, key);
        if (!next(r, &item))
            break;
        value = read_value(r, &item, depth, false);
        if (good) {
            append(r, map, &tail, key, value);
            if (names.count > 0)
                name_table_put(&names, key->text, (void *)(uintptr_t)key);
        }
    }
    remember(r, event->data.mapping_start.anchor, map);
}

/* Never NULL. Deletes the event. */
static struct dag_value *read_value(struct reader *r, yaml_event_t *event, int depth,
                                    bool is_key)
{
    struct dag_value *value = mem_arena_alloc(r->arena, sizeof *value);

    value->pos = pos_of(event->start_mark);
    value->size = 1;
    value->text = "";
    if (depth >= DAG_NESTING_MAX && event->type != YAML_SCALAR_EVENT)
        refuse(r, value->pos, "nested deeper than 64 levels");
    else if (event->type == YAML_SCALAR_EVENT)
        read_scalar(r, event, is_key, value);
    else if (event->type == YAML_ALIAS_EVENT)
        read_alias(r, event, value);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        read_list(r, event, depth + 1, value);
    else if (event->type == YAML_MAPPING_START_EVENT)
        read_map(r, event, depth + 1, value);
    yaml_event_delete(event);
    return value;
}

/* After the document: nothing more may come. */
static void check_end(struct reader *r)
{
    yaml_event_t event;

    while (next(r, &event)) {
        yaml_event_type_t type = event.type;
        struct dag_pos at = pos_of(event.start_mark);

        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return;
        if (type == YAML_DOCUMENT_START_EVENT)
            refuse(r, at, "a second document begins here: one file holds one dag");
    }
}

static const struct dag_value *read_document(struct reader *r)
{
    const struct dag_value *root = NULL;
    yaml_event_t event;

    while (root == NULL && next(r, &event)) {
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
            yaml_event_delete(&event);
            break;
        case YAML_STREAM_END_EVENT:
            yaml_event_delete(&event);
            refuse(r, (struct dag_pos){1, 1}, "the file is empty: expected 'nodes:'");
            break;
        default:
            root = read_value(r, &event, 0, false);
            break;
        }
    }
    check_end(r);
    return r->stop ? NULL : root;
}

const struct dag_value *dag_yaml_parse(const char *text, size_t len,
                                       struct mem_arena *arena, struct dag_subst *subst,
                                       struct diag_list *diags)
{
    struct reader r = {
        .text = text,
        .len = len,
        .arena = arena,
        .subst = subst,
        .diags = diags,
        .anchors = {.arena = arena},
    };
    const struct dag_value *root = NULL;
    size_t skip = 0;

    if (!dag_scan(text, len, &skip, diags))
        return NULL;
    if (!yaml_parser_initialize(&r.parser)) {
        diag_add(diags, 0, 0, "no memory for the YAML parser");
        return NULL;
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text + skip,
                                 len - skip);
    root = read_document(&r);
    yaml_parser_delete(&r.parser);
    return root;
}

bool dag_value_is_null(const struct dag_value *value)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (value->kind != DAG_SCALAR || !value->plain)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value->text, words[i]) == 0)
            return true;
    }
    return false;
}

void dag_text_show(const char *text, char shown[DAG_SHOWN])
{
    enum { ROOM = DAG_SHOWN - 8 };
    size_t len = strlen(text);

    if (len > ROOM) {
        len = ROOM;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        (void)snprintf(shown, DAG_SHOWN, "'%.*s...'", (int)len, text);
    } else {
        (void)snprintf(shown, DAG_SHOWN, "'%s'", text);
    }
}

void dag_value_show(const struct dag_value *value, char shown[DAG_SHOWN])
{
    if (value->kind != DAG_SCALAR)
        (void)snprintf(shown, DAG_SHOWN, "%s %s", value->count == 0 ? "an empty" : "a",
                       value->kind == DAG_LIST ? "list" : "map");
    else if (dag_value_is_null(value))
        (void)snprintf(shown, DAG_SHOWN, "nothing");
    else
        dag_text_show(value->text, shown);
}
