/* SPDX-License-Identifier: MIT
 *
 * api_configs.c - DescribeConfigs, ListConfigResources.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_configs.h"

#include <string.h>

/* ---- DescribeConfigs --------------------------------------------------------------
 */

enum { RESOURCES_MAX = 20000 };

/* One resource that is described. */
struct description {
    struct ledger *ledger;
    struct request *request;
    const struct describe_configs_request_describe_configs_resource *asked;
    struct describe_configs_response_describe_configs_result *out;
    enum config_resource resource;
    const struct config_set *set; /* the resource's own configs; NULL: none */
};

static void refuse(struct description *to, enum kafka_error code,
                   struct text_buf *message)
{
    to->out->error_code = (int16_t)code;
    to->out->error_message = api_take_message(&to->request->arena, message);
    if (to->out->error_message.len < 0)
        to->out->error_message = wire_string_of("");
}

/* An empty list of keys stands for all, as null does. */
static bool is_wanted(const struct description *to, const char *name)
{
    const struct describe_configs_request_describe_configs_resource *asked = to->asked;

    for (int32_t i = 0; i < asked->configuration_keys_count; i++)
        if (wire_string_is(asked->configuration_keys[i], name))
            return true;
    return asked->configuration_keys_count <= 0;
}

static void
show_synonyms(struct description *to, const struct config_value *values, int count,
              struct describe_configs_response_describe_configs_resource_result *out)
{
    struct mem_arena *arena = &to->request->arena;

    out->synonyms =
        mem_arena_alloc(arena, ((size_t)count + 1) * sizeof(*out->synonyms));
    out->synonyms_count = count;
    for (int i = 0; i < count; i++) {
        out->synonyms[i].name = wire_string_of(values[i].name);
        out->synonyms[i].value = wire_string_of(values[i].value);
        out->synonyms[i].source = (int8_t)values[i].source;
    }
}

static void show(struct description *to, const struct config_key *key,
                 const char *value, const struct config_value *values, int count)
{
    const struct describe_configs_request *request = to->request->message;
    struct describe_configs_response_describe_configs_resource_result *out =
        &to->out->configs[to->out->configs_count++];

    wire_defaults(&describe_configs_response_describe_configs_resource_result_message,
                  out);
    out->name = wire_string_of(key->name);
    out->value = wire_string_of(value);
    out->read_only = to->resource == CONFIG_BROKER && !key->dynamic;
    out->config_source = (int8_t)(count > 0 ? values[0].source : CONFIG_SOURCE_DEFAULT);
    out->is_default = out->config_source == CONFIG_SOURCE_DEFAULT;
    out->config_type = (int8_t)key->type;
    out->documentation =
        wire_string_of(request->include_documentation ? key->about : NULL);
    if (request->include_synonyms)
        show_synonyms(to, values, count, out);
}

static void show_key(struct description *to, const struct config_key *key)
{
    const struct config_broker *broker = topics_broker(to->ledger->topics);
    struct config_value values[CONFIG_VALUES_MAX];
    char buffer[CONFIG_NUMBER];
    int count = config_values(to->resource, key, to->set, broker, values);
    const char *value = config_text(to->resource, key->name, to->set, broker, buffer);

    if (value == buffer)
        value = mem_arena_strdup(&to->request->arena, buffer);
    show(to, key, value, values, count);
}

static void show_all(struct description *to)
{
    size_t count;
    const struct config_key *keys = config_keys(to->resource, &count);

    to->out->configs =
        mem_arena_alloc(&to->request->arena, (count + 1) * sizeof(*to->out->configs));
    for (size_t i = 0; i < count; i++)
        if (is_wanted(to, keys[i].name))
            show_key(to, &keys[i]);
}

/* The cluster's default broker: only what was set. */
static void show_default_broker(struct description *to)
{
    const struct config_set *set = &topics_broker(to->ledger->topics)->dynamic_default;

    to->out->configs = mem_arena_alloc(&to->request->arena,
                                       (set->count + 1) * sizeof(*to->out->configs));
    for (size_t i = 0; i < set->count; i++) {
        const struct config_key *key = config_find(CONFIG_BROKER, set->entries[i].name);
        struct config_value value = {set->entries[i].name, set->entries[i].value,
                                     CONFIG_SOURCE_DYNAMIC_DEFAULT_BROKER};
        if (key != NULL && is_wanted(to, key->name))
            show(to, key, value.value, &value, 1);
    }
}

static void describe_topic(struct description *to)
{
    const struct topic *topic =
        topics_find(to->ledger->topics, to->asked->resource_name);
    struct text_buf message = {0};
    enum kafka_error code = topics_check_name(to->asked->resource_name, &message);

    if (code == KAFKA_NONE && topic == NULL)
        code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (code != KAFKA_NONE) {
        refuse(to, code, &message);
        return;
    }
    to->set = &topic->configs;
    show_all(to);
}

static void describe_broker(struct description *to)
{
    struct wire_string name = to->asked->resource_name;
    struct text_buf message = {0};
    int64_t id;

    if (name.len == 0) {
        show_default_broker(to);
    } else if (!text_parse_int(
                   mem_arena_strndup(&to->request->arena, name.data, (size_t)name.len),
                   &id)) {
        text_appendf(&message, "Broker id must be an integer, but it is: %.*s",
                     name.len, name.data);
        refuse(to, KAFKA_INVALID_REQUEST, &message);
    } else if (id != LEDGER_NODE_ID) {
        text_appendf(
            &message,
            "Unexpected broker id, expected %d or empty string, but received %.*s",
            LEDGER_NODE_ID, name.len, name.data);
        refuse(to, KAFKA_INVALID_REQUEST, &message);
    } else {
        show_all(to);
    }
}

static void describe_group(struct description *to)
{
    struct text_buf message = {0};

    if (to->asked->resource_name.len <= 0) {
        text_append(&message, "Group name must not be empty");
        refuse(to, KAFKA_INVALID_REQUEST, &message);
        return;
    }
    to->set = topics_group(to->ledger->topics, to->asked->resource_name);
    show_all(to);
}

static void describe_one(struct description *to)
{
    struct text_buf message = {0};

    wire_defaults(&describe_configs_response_describe_configs_result_message, to->out);
    to->out->resource_type = to->asked->resource_type;
    to->out->resource_name = to->asked->resource_name;
    to->resource = (enum config_resource)to->asked->resource_type;
    switch (to->asked->resource_type) {
    case CONFIG_TOPIC:
        describe_topic(to);
        break;
    case CONFIG_BROKER:
        describe_broker(to);
        break;
    case CONFIG_GROUP:
        describe_group(to);
        break;
    default:
        text_append(&message, to->asked->resource_type == CONFIG_CLIENT_METRICS
                                  ? "This broker takes no client metrics."
                              : to->asked->resource_type == CONFIG_BROKER_LOGGER
                                  ? "This broker has no loggers to set."
                                  : "There is no such type of resource.");
        refuse(to, KAFKA_INVALID_REQUEST, &message);
    }
}

/* A small request could ask for a gigabyte of answer. */
static void refuse_all(struct description *to)
{
    struct text_buf message = {0};

    wire_defaults(&describe_configs_response_describe_configs_result_message, to->out);
    to->out->resource_type = to->asked->resource_type;
    to->out->resource_name = to->asked->resource_name;
    text_appendf(&message, "This broker describes at most %d resources at once.",
                 RESOURCES_MAX);
    refuse(to, KAFKA_INVALID_REQUEST, &message);
}

void api_describe_configs(struct ledger *ledger, struct request *request)
{
    const struct describe_configs_request *asked = request->message;
    bool too_much = asked->resources_count > RESOURCES_MAX;
    struct describe_configs_response response;

    wire_defaults(&describe_configs_response_message, &response);
    response.results =
        mem_arena_alloc(&request->arena, ((size_t)asked->resources_count + 1) *
                                             sizeof(*response.results));
    response.results_count = asked->resources_count;
    for (int32_t i = 0; i < asked->resources_count; i++) {
        struct description to = {.ledger = ledger,
                                 .request = request,
                                 .asked = &asked->resources[i],
                                 .out = &response.results[i]};
        if (too_much)
            refuse_all(&to);
        else
            describe_one(&to);
    }
    request_answer(request, &response);
}

/* ---- ListConfigResources ----------------------------------------------------------
 */

struct listing {
    struct mem_arena *arena;
    struct list_config_resources_response response;
    size_t capacity;
};

static void add_resource(struct listing *to, enum config_resource type,
                         const char *name)
{
    int32_t count = to->response.config_resources_count;
    struct list_config_resources_response_config_resource *list =
        to->response.config_resources;

    if ((size_t)count == to->capacity) {
        to->capacity = to->capacity * 2 + 16;
        list = mem_arena_alloc(to->arena, to->capacity * sizeof(*list));
        if (count > 0)
            memcpy(list, to->response.config_resources, (size_t)count * sizeof(*list));
        to->response.config_resources = list;
    }
    list[count].resource_name = wire_string_of(name);
    list[count].resource_type = (int8_t)type;
    to->response.config_resources_count++;
}

static void add_group(void *arg, const char *group, const struct config_set *set)
{
    (void)set;
    add_resource(arg, CONFIG_GROUP, group);
}

static void list_type(struct listing *to, struct ledger *ledger,
                      enum config_resource type)
{
    if (type == CONFIG_BROKER || type == CONFIG_BROKER_LOGGER)
        add_resource(to, type, "1");
    if (type == CONFIG_TOPIC)
        for (int32_t i = 0; i < topics_count(ledger->topics); i++)
            add_resource(to, type, topics_at(ledger->topics, i)->name);
    if (type == CONFIG_GROUP)
        topics_each_group(ledger->topics, add_group, to);
}

/* Version 0 knows client metrics only, and there are none here. */
void api_list_config_resources(struct ledger *ledger, struct request *request)
{
    static const int8_t all[] = {CONFIG_BROKER_LOGGER, CONFIG_BROKER, CONFIG_TOPIC,
                                 CONFIG_GROUP, CONFIG_CLIENT_METRICS};
    const struct list_config_resources_request *asked = request->message;
    struct listing to = {.arena = &request->arena};
    const int8_t *types = asked->resource_types_count > 0 ? asked->resource_types : all;
    int32_t count = asked->resource_types_count > 0 ? asked->resource_types_count
                                                    : (int32_t)sizeof(all);

    wire_defaults(&list_config_resources_response_message, &to.response);
    for (int32_t i = 0; i < count; i++)
        if (memchr(all, types[i], sizeof(all)) == NULL)
            to.response.error_code = KAFKA_UNSUPPORTED_VERSION;
    if (request->version > 0 && to.response.error_code == KAFKA_NONE)
        for (size_t i = 0; i < sizeof(all); i++)
            if (memchr(types, all[i], (size_t)count) != NULL)
                list_type(&to, ledger, (enum config_resource)all[i]);
    request_answer(request, &to.response);
}
