/* SPDX-License-Identifier: MIT */
#include "sdk/config.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static const yyjson_read_flag READ = YYJSON_READ_NUMBER_AS_RAW;

static const char *get_text(struct mem_arena *arena, yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);

    return yyjson_is_str(value) ? mem_arena_strdup(arena, yyjson_get_str(value)) : NULL;
}

/* Numbers stay text while parsing, so that those of "with" are never rounded. */
static bool get_int(yyjson_val *object, const char *key, int64_t *number)
{
    yyjson_val *value = yyjson_obj_get(object, key);

    return yyjson_is_raw(value) && text_parse_int(yyjson_get_raw(value), number);
}

static int64_t get_count(yyjson_val *object, const char *key, int64_t fallback)
{
    int64_t number;

    return get_int(object, key, &number) ? number : fallback;
}

static bool get_flag(yyjson_val *object, const char *key)
{
    return yyjson_is_true(yyjson_obj_get(object, key));
}

static struct value make_value(const char *name, yyjson_val *json)
{
    struct value value = {.name = mem_strdup(name), .kind = VALUE_OTHER};
    char *text = yyjson_val_write(json, 0, NULL);

    if (yyjson_is_null(json)) {
        value.kind = VALUE_NULL;
    } else if (yyjson_is_bool(json)) {
        value.kind = VALUE_BOOL;
        value.text = mem_strdup(yyjson_get_bool(json) ? "true" : "false");
    } else if (yyjson_is_raw(json)) {
        value.kind = VALUE_NUMBER;
        value.text = mem_strdup(yyjson_get_raw(json));
    } else if (yyjson_is_str(json)) {
        value.kind = VALUE_STRING;
        value.text = mem_strdup(yyjson_get_str(json));
    }
    value.json = mem_strdup(text ? text : "null");
    free(text);
    return value;
}

struct value config_value(const char *name, const char *text)
{
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text, strlen(text), READ, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_mut_doc *own = NULL;
    struct value value;

    if (yyjson_is_bool(root) || yyjson_is_raw(root) || yyjson_is_str(root)) {
        value = make_value(name, root);
    } else {
        char *json;

        own = yyjson_mut_doc_new(NULL);
        json = yyjson_mut_val_write(yyjson_mut_str(own, text), 0, NULL);
        value = (struct value){.name = mem_strdup(name),
                               .json = mem_strdup(json ? json : "\"\""),
                               .kind = VALUE_STRING,
                               .text = mem_strdup(text)};
        free(json);
    }
    yyjson_mut_doc_free(own);
    yyjson_doc_free(doc);
    return value;
}

static void read_with(struct config *config, yyjson_val *object)
{
    yyjson_obj_iter iter;
    yyjson_val *key;

    yyjson_obj_iter_init(object, &iter);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL)
        values_take(&config->with,
                    make_value(yyjson_get_str(key), yyjson_obj_iter_get_val(key)));
}

static void read_properties(struct config *config, yyjson_val *object)
{
    size_t count = yyjson_obj_size(object), used = 0;
    struct config_property *list =
        mem_arena_alloc(&config->arena, (count + 1) * sizeof *list);
    yyjson_obj_iter iter;
    yyjson_val *key;

    yyjson_obj_iter_init(object, &iter);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);

        if (!yyjson_is_str(value))
            continue;
        list[used].name = mem_arena_strdup(&config->arena, yyjson_get_str(key));
        list[used++].value = mem_arena_strdup(&config->arena, yyjson_get_str(value));
    }
    config->properties = list;
    config->property_count = used;
}

static int read_inputs(struct config *config, yyjson_val *array, struct error *err)
{
    const char **list =
        mem_arena_alloc(&config->arena, (yyjson_arr_size(array) + 1) * sizeof *list);
    size_t index, max;
    yyjson_val *item;

    yyjson_arr_foreach(array, index, max, item) {
        list[index] = get_text(&config->arena, item, "topic");
        if (list[index] == NULL) {
            error_set(err, ERROR_INPUT, "config: inputs[%zu] has no topic", index);
            return -1;
        }
    }
    config->inputs = list;
    config->input_count = yyjson_arr_size(array);
    return 0;
}

static int read_outputs(struct config *config, yyjson_val *array, struct error *err)
{
    struct config_output *list =
        mem_arena_alloc(&config->arena, (yyjson_arr_size(array) + 1) * sizeof *list);
    size_t index, max;
    yyjson_val *item;

    yyjson_arr_foreach(array, index, max, item) {
        list[index].topic = get_text(&config->arena, item, "topic");
        list[index].max_record = get_count(item, "max_record", 0);
        if (list[index].topic == NULL) {
            error_set(err, ERROR_INPUT, "config: outputs[%zu] has no topic", index);
            return -1;
        }
    }
    config->outputs = list;
    config->output_count = yyjson_arr_size(array);
    return 0;
}

static void read_scalars(struct config *config, yyjson_val *root)
{
    struct mem_arena *arena = &config->arena;
    yyjson_val *checkpoint = yyjson_obj_get(root, "checkpoint");
    yyjson_val *mode = yyjson_obj_get(root, "mode");

    config->dag = get_text(arena, root, "dag");
    config->node = get_text(arena, root, "node");
    config->client = get_text(arena, root, "client");
    config->client_id = get_text(arena, root, "client_id");
    config->instance = get_text(arena, root, "instance");
    if (config->instance == NULL)
        config->instance = config->client_id;
    config->dir = get_text(arena, root, "dir");
    config->group = get_text(arena, root, "group");
    config->dlq = get_text(arena, root, "dlq");
    config->parking = get_text(arena, root, "parking");
    config->checkpoint_group = get_text(arena, checkpoint, "group");
    config->checkpoint_topic = get_text(arena, checkpoint, "topic");
    config->run = get_count(root, "run", 0);
    config->attempt = get_count(root, "attempt", 1);
    config->max_record = get_count(root, "max_record", 0);
    config->commit_ms = get_count(root, "commit_ms", 200);
    config->has_position = get_int(root, "position", &config->position);
    config->source = get_flag(root, "source");
    config->keep = get_flag(root, "keep");
    config->send = yyjson_equals_str(mode, "send");
}

static int check_members(const struct config *config, struct error *err)
{
    const struct {
        const char *name;
        bool missing;
    } needed[] = {
        {"dag", config->dag == NULL},
        {"node", config->node == NULL},
        {"client", config->client == NULL},
        {"client_id", config->client_id == NULL},
        {"group", config->input_count > 0 && config->group == NULL},
        {"checkpoint.topic", config->checkpoint_group && !config->checkpoint_topic},
    };

    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (needed[i].missing) {
            error_set(err, ERROR_INPUT, "config: %s is missing", needed[i].name);
            return -1;
        }
    }
    return 0;
}

int config_parse(struct config *config, const char *line, size_t len, struct error *err)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)line, len, READ, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    int result = -1;

    *config = (struct config){0};
    if (!yyjson_equals_str(yyjson_obj_get(root, "type"), "config")) {
        error_set(err, ERROR_INPUT, "the runner's first line is no config: %.80s", line);
        goto done;
    }
    read_scalars(config, root);
    read_with(config, yyjson_obj_get(root, "with"));
    read_properties(config, yyjson_obj_get(root, "kafka"));
    if (read_inputs(config, yyjson_obj_get(root, "inputs"), err) == 0 &&
        read_outputs(config, yyjson_obj_get(root, "outputs"), err) == 0)
        result = check_members(config, err);
done:
    yyjson_doc_free(doc);
    return result;
}

void config_clear(struct config *config)
{
    values_clear(&config->with);
    mem_arena_clear(&config->arena);
    *config = (struct config){0};
}

enum config_command config_parse_command(const char *line, size_t len)
{
    static const struct {
        const char *name;
        enum config_command command;
    } commands[] = {{"pause", CONFIG_PAUSE},
                    {"resume", CONFIG_RESUME},
                    {"report", CONFIG_REPORT},
                    {"drain", CONFIG_DRAIN}};
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)line, len, READ, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *type = yyjson_obj_get(root, "type");
    enum config_command command = CONFIG_UNKNOWN;

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (yyjson_equals_str(type, commands[i].name))
            command = commands[i].command;
    }
    if (command == CONFIG_DRAIN && get_flag(root, "leave"))
        command = CONFIG_LEAVE;
    yyjson_doc_free(doc);
    return command;
}

struct window_totals config_parse_totals(const char *metadata, size_t len)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)metadata, len, READ, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct window_totals totals = {0};

    if (!get_int(root, "in", &totals.in) || !get_int(root, "answered", &totals.answered) ||
        !get_int(root, "dropped", &totals.dropped) ||
        !get_int(root, "dead", &totals.dead) || !get_int(root, "out", &totals.out))
        totals = (struct window_totals){0};
    yyjson_doc_free(doc);
    return totals;
}

bool config_parse_checkpoint(const char *metadata, size_t len, struct checkpoint *out)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)metadata, len, READ, NULL, NULL);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool found = get_int(root, "run", &out->run) &&
                 get_int(root, "position", &out->position) &&
                 get_int(root, "out", &out->out);

    yyjson_doc_free(doc);
    return found;
}
