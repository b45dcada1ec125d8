/* SPDX-License-Identifier: MIT
 *
 * api_alter_configs.c - IncrementalAlterConfigs and the older AlterConfigs, which
 * replaces everything that was set.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_configs.h"

#include <string.h>

/* Both requests in one form. */
struct change {
    struct wire_string name;
    struct wire_string value;
    int8_t operation;
};

struct resource {
    int8_t type;
    struct wire_string name;
    const struct change *changes;
    int32_t changes_count;
    enum kafka_error code;
    struct text_buf message;
};

struct alteration {
    struct ledger *ledger;
    struct mem_arena *arena;
    struct resource *resources;
    int32_t count;
    bool replaces; /* AlterConfigs */
    bool validate_only;
};

static enum kafka_error refuse(struct text_buf *message, enum kafka_error code,
                               const char *text)
{
    text_append(message, text);
    return code;
}

/* May it be changed? *topic is set for topics that are there. */
static enum kafka_error check_resource(struct ledger *ledger,
                                       const struct resource *resource,
                                       struct mem_arena *arena, struct topic **topic,
                                       struct text_buf *message)
{
    struct wire_string name = resource->name;
    enum kafka_error code;
    int64_t id;

    switch (resource->type) {
    case CONFIG_TOPIC:
        if (name.len == 0)
            return refuse(message, KAFKA_INVALID_REQUEST,
                          "Default topic resources are not allowed.");
        code = topics_check_name(name, message);
        *topic = topics_find(ledger->topics, name);
        return code;
    case CONFIG_GROUP:
        return name.len > 0 ? KAFKA_NONE
                            : refuse(message, KAFKA_INVALID_REQUEST,
                                     "Default group resources are not allowed.");
    case CONFIG_BROKER:
        if (name.len == 0)
            return KAFKA_NONE;
        if (!text_parse_int(mem_arena_strndup(arena, name.data, (size_t)name.len),
                            &id)) {
            text_appendf(message, "Node id must be an integer, but it is: %.*s",
                         name.len, name.data);
            return KAFKA_INVALID_REQUEST;
        }
        if (id == LEDGER_NODE_ID)
            return KAFKA_NONE;
        text_appendf(message, "Unexpected broker id, expected %d, but received %.*s",
                     LEDGER_NODE_ID, name.len, name.data);
        return KAFKA_INVALID_REQUEST;
    case CONFIG_CLIENT_METRICS:
        return refuse(message, KAFKA_INVALID_REQUEST,
                      "This broker takes no client metrics.");
    case CONFIG_BROKER_LOGGER:
        return refuse(message, KAFKA_INVALID_REQUEST,
                      "This broker has no loggers to set.");
    default:
        text_appendf(message, "Unknown resource type %d", resource->type);
        return KAFKA_INVALID_REQUEST;
    }
}

/* The same key twice in one resource is refused before anything is looked at. */
static bool has_repeated_keys(struct mem_arena *arena, const struct resource *resource)
{
    struct wire_string *names =
        mem_arena_alloc(arena, ((size_t)resource->changes_count + 1) * sizeof(*names));
    const enum api_repeated *repeated;

    for (int32_t i = 0; i < resource->changes_count; i++)
        names[i] = resource->changes[i].name;
    repeated = api_repeated_names(arena, names, resource->changes_count);
    for (int32_t i = 0; i < resource->changes_count; i++)
        if (repeated[i] != API_SINGLE)
            return true;
    return false;
}

static enum kafka_error check_values(const struct resource *resource,
                                     struct text_buf *message)
{
    const char *separator = "Null value not supported for : ";

    for (int32_t i = 0; i < resource->changes_count; i++) {
        const struct change *change = &resource->changes[i];

        if (change->value.len >= 0 || change->operation == CONFIG_DELETE)
            continue;
        text_appendf(message, "%s%.*s", separator, change->name.len, change->name.data);
        separator = ", ";
    }
    return message->len > 0 ? KAFKA_INVALID_REQUEST : KAFKA_NONE;
}

/* Kafka keeps this one at the cluster's level, because of eligible leader replicas. */
static enum kafka_error check_min_insync(const struct resource *resource,
                                         const struct config_set *set,
                                         struct text_buf *message)
{
    bool is_set = config_get(set, "min.insync.replicas") != NULL;

    if (resource->type != CONFIG_BROKER)
        return KAFKA_NONE;
    if (resource->name.len > 0 && is_set)
        return refuse(message, KAFKA_INVALID_CONFIG,
                      "Broker-level min.insync.replicas cannot be altered while ELR is "
                      "enabled.");
    if (resource->name.len == 0 && !is_set)
        return refuse(
            message, KAFKA_INVALID_CONFIG,
            "Cluster-level min.insync.replicas cannot be removed while ELR is "
            "enabled.");
    return KAFKA_NONE;
}

static const struct config_set *present_set(const struct alteration *all,
                                            const struct resource *resource,
                                            const struct topic *topic)
{
    const struct config_broker *broker = topics_broker(all->ledger->topics);

    switch (resource->type) {
    case CONFIG_TOPIC:
        return topic != NULL ? &topic->configs : NULL;
    case CONFIG_GROUP:
        return topics_group(all->ledger->topics, resource->name);
    default:
        return resource->name.len == 0 ? &broker->dynamic_default : &broker->dynamic;
    }
}

/* What the set would be after the changes. */
static enum kafka_error change_set(const struct alteration *all,
                                   const struct resource *resource,
                                   const struct config_set *present,
                                   struct config_set *set, struct text_buf *message)
{
    const struct config_broker *broker = topics_broker(all->ledger->topics);
    enum kafka_error code = KAFKA_NONE;
    const char *kept = config_get(&broker->dynamic_default, "min.insync.replicas");

    if (!all->replaces && present != NULL)
        config_copy(set, present);
    else if (resource->type == CONFIG_BROKER && resource->name.len == 0 && kept != NULL)
        config_put(set, "min.insync.replicas", kept);
    for (int32_t i = 0; i < resource->changes_count && code == KAFKA_NONE; i++) {
        const struct change *change = &resource->changes[i];
        const char *name =
            mem_arena_strndup(all->arena, change->name.data, (size_t)change->name.len);
        const char *value = change->value.len < 0
                                ? NULL
                                : mem_arena_strndup(all->arena, change->value.data,
                                                    (size_t)change->value.len);
        code = config_alter((enum config_resource)resource->type, set, broker, name,
                            (enum config_operation)change->operation, value, message);
    }
    if (code == KAFKA_NONE)
        code = config_check((enum config_resource)resource->type, set, broker, message);
    return code == KAFKA_NONE ? check_min_insync(resource, set, message) : code;
}

static enum kafka_error alter(const struct alteration *all, struct resource *resource)
{
    struct topics *topics = all->ledger->topics;
    struct text_buf *message = &resource->message;
    struct config_set set = {0};
    struct topic *topic = NULL;
    enum kafka_error code;

    if (has_repeated_keys(all->arena, resource))
        return refuse(message, KAFKA_INVALID_REQUEST,
                      "Error due to duplicate config keys");
    code = check_values(resource, message);
    if (code == KAFKA_NONE)
        code = check_resource(all->ledger, resource, all->arena, &topic, message);
    if (code != KAFKA_NONE)
        return code;
    code = change_set(all, resource, present_set(all, resource, topic), &set, message);
    if (code == KAFKA_NONE && resource->type == CONFIG_TOPIC && topic == NULL) {
        text_appendf(message, "The topic '%.*s' does not exist.", resource->name.len,
                     resource->name.data);
        code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (code == KAFKA_NONE && !all->validate_only)
        code =
            topic != NULL
                ? topics_configure(topics, topic, &set, message)
                : topics_configure_other(topics, (enum config_resource)resource->type,
                                         resource->name, &set, message);
    config_clear(&set);
    return code;
}

/* All that name one resource are refused, each with its answer. */
static void alter_all(struct alteration *all)
{
    struct wire_string *keys =
        mem_arena_alloc(all->arena, ((size_t)all->count + 1) * sizeof(*keys));
    const enum api_repeated *repeated;

    for (int32_t i = 0; i < all->count; i++) {
        struct wire_string name = all->resources[i].name;
        char *key = mem_arena_printf(all->arena, "%d %.*s", all->resources[i].type,
                                     name.len, name.data);
        keys[i] = wire_string_of(key);
    }
    repeated = api_repeated_names(all->arena, keys, all->count);
    for (int32_t i = 0; i < all->count; i++) {
        struct resource *resource = &all->resources[i];
        if (repeated[i] == API_SINGLE)
            resource->code = alter(all, resource);
        else
            resource->code = refuse(&resource->message, KAFKA_INVALID_REQUEST,
                                    "Each resource must appear at most once.");
    }
}

static void new_resources(struct alteration *all, int32_t count)
{
    all->count = count > 0 ? count : 0;
    all->resources =
        mem_arena_alloc(all->arena, ((size_t)all->count + 1) * sizeof(*all->resources));
}

/* Take over one resource; the caller fills its changes. */
static struct change *take_resource(struct alteration *all, int32_t index, int8_t type,
                                    struct wire_string name, int32_t changes_count)
{
    struct resource *resource = &all->resources[index];
    struct change *changes;

    resource->type = type;
    resource->name = name;
    resource->changes_count = changes_count > 0 ? changes_count : 0;
    changes = mem_arena_alloc(all->arena,
                              ((size_t)resource->changes_count + 1) * sizeof(*changes));
    resource->changes = changes;
    return changes;
}

void api_alter_configs(struct ledger *ledger, struct request *request)
{
    const struct alter_configs_request *asked = request->message;
    struct alteration all = {.ledger = ledger,
                             .arena = &request->arena,
                             .replaces = true,
                             .validate_only = asked->validate_only};
    struct alter_configs_response response;

    new_resources(&all, asked->resources_count);
    for (int32_t i = 0; i < all.count; i++) {
        const struct alter_configs_request_alter_configs_resource *from =
            &asked->resources[i];
        struct change *changes = take_resource(
            &all, i, from->resource_type, from->resource_name, from->configs_count);

        for (int32_t k = 0; k < from->configs_count; k++)
            changes[k] = (struct change){from->configs[k].name, from->configs[k].value,
                                         CONFIG_SET};
    }
    alter_all(&all);
    wire_defaults(&alter_configs_response_message, &response);
    response.responses = mem_arena_alloc(
        &request->arena, ((size_t)all.count + 1) * sizeof(*response.responses));
    for (struct resource *one = all.resources; one < all.resources + all.count; one++)
        response.responses[response.responses_count++] =
            (struct alter_configs_response_alter_configs_resource_response){
                .error_code = (int16_t)one->code,
                .error_message = api_take_message(&request->arena, &one->message),
                .resource_type = one->type,
                .resource_name = one->name,
            };
    request_answer(request, &response);
}

void api_incremental_alter_configs(struct ledger *ledger, struct request *request)
{
    const struct incremental_alter_configs_request *asked = request->message;
    struct alteration all = {.ledger = ledger,
                             .arena = &request->arena,
                             .validate_only = asked->validate_only};
    struct incremental_alter_configs_response response;

    new_resources(&all, asked->resources_count);
    for (int32_t i = 0; i < all.count; i++) {
        const struct incremental_alter_configs_request_alter_configs_resource *from =
            &asked->resources[i];
        struct change *changes = take_resource(
            &all, i, from->resource_type, from->resource_name, from->configs_count);

        for (int32_t k = 0; k < from->configs_count; k++)
            changes[k] = (struct change){from->configs[k].name, from->configs[k].value,
                                         from->configs[k].config_operation};
    }
    alter_all(&all);
    wire_defaults(&incremental_alter_configs_response_message, &response);
    response.responses = mem_arena_alloc(
        &request->arena, ((size_t)all.count + 1) * sizeof(*response.responses));
    for (struct resource *one = all.resources; one < all.resources + all.count; one++)
        response.responses[response.responses_count++] =
            (struct incremental_alter_configs_response_alter_configs_resource_response){
                .error_code = (int16_t)one->code,
                .error_message = api_take_message(&request->arena, &one->message),
                .resource_type = one->type,
                .resource_name = one->name,
            };
    request_answer(request, &response);
}
