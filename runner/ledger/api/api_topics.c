/* SPDX-License-Identifier: MIT
 *
 * api_topics.c - CreateTopics, CreatePartitions, DeleteTopics.
 */
#include "ledger/api/api.h"
#include "ledger/api/api_names.h"
#include "ledger/api/ledger.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_topics.h"

#include <string.h>

enum { REQUEST_PARTITIONS_MAX = 10000 };

static const struct wire_string NO_TEXT = {NULL, -1};

/* ---- CreateTopics -----------------------------------------------------------------
 */

static struct wire_string *names_to_create(struct request *request)
{
    const struct create_topics_request *asked = request->message;
    struct wire_string *names = mem_arena_alloc(
        &request->arena, ((size_t)asked->topics_count + 1) * sizeof(*names));

    for (int32_t i = 0; i < asked->topics_count; i++)
        names[i] = asked->topics[i].name;
    return names;
}

/* Kafka limits what one request may make, not counting topics that stand in it twice.
 */
static bool asks_too_much(const struct ledger *ledger, struct request *request,
                          const enum api_repeated *repeated)
{
    const struct create_topics_request *asked = request->message;
    int64_t total = 0;

    for (int32_t i = 0; i < asked->topics_count; i++) {
        const struct create_topics_request_creatable_topic *topic = &asked->topics[i];
        if (repeated[i] != API_SINGLE)
            continue;
        if (topic->assignments_count > 0)
            total += topic->assignments_count;
        else
            total += topic->num_partitions > 0 ? topic->num_partitions
                                               : ledger->default_partitions;
    }
    return total > REQUEST_PARTITIONS_MAX;
}

/* The configs of a new topic; of one given twice the last counts, as in Kafka. */
static enum kafka_error
read_configs(struct mem_arena *arena,
             const struct create_topics_request_creatable_topic *topic,
             struct config_set *set, struct text_buf *message)
{
    for (int32_t i = 0; i < topic->configs_count; i++) {
        struct wire_string name = topic->configs[i].name;
        struct wire_string value = topic->configs[i].value;
        if (value.len < 0) {
            text_appendf(message, "Null value not supported for topic configs: %.*s",
                         name.len, name.data);
            return KAFKA_INVALID_CONFIG;
        }
        config_put(set, mem_arena_strndup(arena, name.data, (size_t)name.len),
                   mem_arena_strndup(arena, value.data, (size_t)value.len));
    }
    return KAFKA_NONE;
}

static struct topics_replicas *
read_replicas(struct mem_arena *arena,
              const struct create_topics_request_creatable_topic *topic)
{
    int32_t count = topic->assignments_count > 0 ? topic->assignments_count : 0;
    struct topics_replicas *replicas =
        mem_arena_alloc(arena, ((size_t)count + 1) * sizeof(*replicas));

    for (int32_t i = 0; i < count; i++)
        replicas[i] = (struct topics_replicas){
            .index = topic->assignments[i].partition_index,
            .brokers = topic->assignments[i].broker_ids,
            .count = topic->assignments[i].broker_ids_count,
        };
    return replicas;
}

/* Every config that the new topic has, as its answer shows them. */
static void show_configs(struct ledger *ledger, struct mem_arena *arena,
                         const struct config_set *set,
                         struct create_topics_response_creatable_topic_result *out)
{
    const struct config_broker *broker = topics_broker(ledger->topics);
    size_t count;
    const struct config_key *keys = config_keys(CONFIG_TOPIC, &count);

    out->configs = mem_arena_alloc(arena, count * sizeof(*out->configs));
    out->configs_count = (int32_t)count;
    for (size_t i = 0; i < count; i++) {
        struct create_topics_response_creatable_topic_configs *config =
            &out->configs[i];
        struct config_value values[CONFIG_VALUES_MAX];
        char buffer[CONFIG_NUMBER];
        const char *value =
            config_text(CONFIG_TOPIC, keys[i].name, set, broker, buffer);
        wire_defaults(&create_topics_response_creatable_topic_configs_message, config);
        config->name = wire_string_of(keys[i].name);
        config->value = wire_string_of(mem_arena_strdup(arena, value));
        config->config_source = CONFIG_SOURCE_DEFAULT;
        if (config_values(CONFIG_TOPIC, &keys[i], set, broker, values) > 0)
            config->config_source = (int8_t)values[0].source;
    }
}

static void create_one(struct ledger *ledger, struct request *request,
                       const struct create_topics_request_creatable_topic *asked,
                       struct create_topics_response_creatable_topic_result *out)
{
    const struct create_topics_request *all = request->message;
    struct text_buf message = {0};
    struct config_set configs = {0};
    struct topics_new spec = {
        .name = asked->name,
        .partitions = asked->num_partitions,
        .replication_factor = asked->replication_factor,
        .replicas = read_replicas(&request->arena, asked),
        .replicas_count = asked->assignments_count,
        .configs = &configs,
        .validate_only = all->validate_only,
    };
    struct topic *topic = NULL;
    int32_t partitions = 0;
    enum kafka_error code = read_configs(&request->arena, asked, &configs, &message);

    if (code == KAFKA_NONE)
        code = topics_create(ledger->topics, &spec, &topic, &partitions, &message);
    out->error_code = (int16_t)code;
    out->error_message = api_take_message(&request->arena, &message);
    if (code == KAFKA_NONE) {
        if (topic != NULL)
            out->topic_id = topic->id;
        out->num_partitions = partitions;
        out->replication_factor = 1;
        show_configs(ledger, &request->arena, &configs, out);
    }
    config_clear(&configs);
}

void api_create_topics(struct ledger *ledger, struct request *request)
{
    const struct create_topics_request *asked = request->message;
    const enum api_repeated *repeated = api_repeated_names(
        &request->arena, names_to_create(request), asked->topics_count);
    bool too_much = asks_too_much(ledger, request, repeated);
    struct create_topics_response response;

    wire_defaults(&create_topics_response_message, &response);
    response.topics = mem_arena_alloc(
        &request->arena, ((size_t)asked->topics_count + 1) * sizeof(*response.topics));
    for (int32_t i = 0; i < asked->topics_count; i++) {
        struct create_topics_response_creatable_topic_result *out;
        if (repeated[i] == API_AGAIN)
            continue;
        out = &response.topics[response.topics_count++];
        wire_defaults(&create_topics_response_creatable_topic_result_message, out);
        out->name = asked->topics[i].name;
        out->error_message = NO_TEXT;
        if (repeated[i] == API_FIRST) {
            out->error_code = KAFKA_INVALID_REQUEST;
            out->error_message = wire_string_of("Duplicate topic name.");
        } else if (too_much) {
            out->error_code = KAFKA_POLICY_VIOLATION;
            out->error_message =
                wire_string_of("Excessively large number of partitions per request.");
        } else {
            create_one(ledger, request, &asked->topics[i], out);
        }
    }
    request_answer(request, &response);
}

/* ---- CreatePartitions -------------------------------------------------------------
 */

static void
grow_one(struct ledger *ledger, struct request *request,
         const struct create_partitions_request_create_partitions_topic *asked,
         struct create_partitions_response_create_partitions_topic_result *out)
{
    const struct create_partitions_request *all = request->message;
    struct topic *topic = topics_find(ledger->topics, asked->name);
    int32_t count = asked->assignments_count > 0 ? asked->assignments_count : 0;
    struct topics_replicas *replicas =
        mem_arena_alloc(&request->arena, ((size_t)count + 1) * sizeof(*replicas));
    struct topics_growth growth = {.count = asked->count,
                                   .replicas = replicas,
                                   .replicas_count = asked->assignments_count,
                                   .validate_only = all->validate_only};
    struct text_buf message = {0};

    if (topic == NULL) {
        out->error_code = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    for (int32_t i = 0; i < count; i++)
        replicas[i] =
            (struct topics_replicas){.brokers = asked->assignments[i].broker_ids,
                                     .count = asked->assignments[i].broker_ids_count};
    out->error_code = (int16_t)topics_grow(ledger->topics, topic, &growth, &message);
    out->error_message = api_take_message(&request->arena, &message);
}

void api_create_partitions(struct ledger *ledger, struct request *request)
{
    const struct create_partitions_request *asked = request->message;
    size_t count = (size_t)asked->topics_count;
    struct wire_string *names =
        mem_arena_alloc(&request->arena, (count + 1) * sizeof(*names));
    struct create_partitions_response response;
    const enum api_repeated *repeated;

    wire_defaults(&create_partitions_response_message, &response);
    response.results =
        mem_arena_alloc(&request->arena, (count + 1) * sizeof(*response.results));
    for (size_t i = 0; i < count; i++)
        names[i] = asked->topics[i].name;
    repeated = api_repeated_names(&request->arena, names, asked->topics_count);
    for (size_t i = 0; i < count; i++) {
        struct create_partitions_response_create_partitions_topic_result *out;
        if (repeated[i] == API_AGAIN)
            continue;
        out = &response.results[response.results_count++];
        wire_defaults(
            &create_partitions_response_create_partitions_topic_result_message, out);
        out->name = names[i];
        if (repeated[i] == API_FIRST) {
            out->error_code = KAFKA_INVALID_REQUEST;
            out->error_message = wire_string_of("Duplicate topic name.");
        } else {
            grow_one(ledger, request, &asked->topics[i], out);
        }
    }
    request_answer(request, &response);
}

/* ---- DeleteTopics -----------------------------------------------------------------
 */

/* What a client wants to be gone, by name or by id, and what is wrong with it. */
struct deletion {
    struct wire_string name;
    struct wire_uuid id;
    struct topic *topic;
    enum kafka_error code;
    const char *message;
    bool left_out; /* an earlier entry answers for it */
};

struct deletions {
    struct deletion *list;
    int32_t count;
};

static void refuse(struct deletion *deletion, enum kafka_error code,
                   const char *message)
{
    deletion->code = code;
    deletion->message = message;
}

/* From version 6 on topics may be named by their ids. */
static struct deletions read_deletions(struct request *request)
{
    const struct delete_topics_request *asked = request->message;
    bool by_names = request->version < 6;
    int32_t count = by_names ? asked->topic_names_count : asked->topics_count;
    struct deletions all = {NULL, count > 0 ? count : 0};

    all.list =
        mem_arena_alloc(&request->arena, ((size_t)all.count + 1) * sizeof(*all.list));
    for (int32_t i = 0; i < all.count; i++) {
        all.list[i].name = by_names ? asked->topic_names[i] : asked->topics[i].name;
        if (!by_names)
            all.list[i].id = asked->topics[i].topic_id;
    }
    return all;
}

static void find_topic(struct ledger *ledger, struct deletion *deletion)
{
    bool has_id = !wire_uuid_is_zero(&deletion->id);

    if (deletion->name.len >= 0 && has_id) {
        refuse(deletion, KAFKA_INVALID_REQUEST,
               "You may not specify both topic name and topic id.");
    } else if (deletion->name.len < 0 && !has_id) {
        refuse(deletion, KAFKA_INVALID_REQUEST,
               "Neither topic name nor id were specified.");
    } else if (has_id) {
        deletion->topic = topics_find_id(ledger->topics, &deletion->id);
        if (deletion->topic == NULL)
            refuse(deletion, KAFKA_UNKNOWN_TOPIC_ID,
                   "This server does not host this topic ID.");
    } else {
        deletion->topic = topics_find(ledger->topics, deletion->name);
        if (deletion->topic == NULL)
            refuse(deletion, KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                   "This server does not host this topic-partition.");
    }
}

/* Is the topic asked for by its id in one entry and by its name in another? */
static bool is_named_otherwise(const struct deletions *all,
                               const struct deletion *deletion)
{
    for (int32_t i = 0; i < all->count && deletion->topic != NULL; i++)
        if (all->list[i].topic == deletion->topic &&
            (all->list[i].name.len < 0) != (deletion->name.len < 0))
            return true;
    return false;
}

/* Entries that mean the same topic are all refused, with one answer. */
static void refuse_repeated(struct mem_arena *arena, struct deletions *all)
{
    struct wire_string *keys =
        mem_arena_alloc(arena, ((size_t)all->count + 1) * sizeof(*keys));
    const enum api_repeated *repeated;

    for (int32_t i = 0; i < all->count; i++) {
        const struct deletion *deletion = &all->list[i];
        if (deletion->topic != NULL)
            keys[i] =
                (struct wire_string){deletion->topic->name, deletion->topic->name_len};
        else
            keys[i] = deletion->name;
    }
    repeated = api_repeated_names(arena, keys, all->count);
    for (int32_t i = 0; i < all->count; i++) {
        struct deletion *deletion = &all->list[i];
        bool by_id = deletion->name.len < 0;
        bool mixed;
        if (repeated[i] == API_SINGLE || (deletion->topic == NULL && by_id))
            continue;
        deletion->left_out = repeated[i] == API_AGAIN;
        mixed = !deletion->left_out && is_named_otherwise(all, deletion);
        if (mixed)
            deletion->id = deletion->topic->id;
        refuse(deletion, KAFKA_INVALID_REQUEST,
               mixed
                   ? "The provided topic name maps to an ID that was already supplied."
               : by_id ? "Duplicate topic id."
                       : "Duplicate topic name.");
    }
}

static void delete_one(struct ledger *ledger, struct mem_arena *arena,
                       struct deletion *deletion,
                       struct delete_topics_response_deletable_topic_result *out)
{
    struct text_buf message = {0};

    out->name = deletion->name;
    out->topic_id = deletion->id;
    if (deletion->code == KAFKA_NONE) {
        out->topic_id = deletion->topic->id;
        out->name = wire_string_of(mem_arena_strdup(arena, deletion->topic->name));
        out->error_code =
            (int16_t)topics_delete(ledger->topics, deletion->topic, &message);
        out->error_message = api_take_message(arena, &message);
        return;
    }
    out->error_code = (int16_t)deletion->code;
    out->error_message = wire_string_of(deletion->message);
}

void api_delete_topics(struct ledger *ledger, struct request *request)
{
    struct deletions all = read_deletions(request);
    struct delete_topics_response response;

    wire_defaults(&delete_topics_response_message, &response);
    response.responses = mem_arena_alloc(
        &request->arena, ((size_t)all.count + 1) * sizeof(*response.responses));
    for (int32_t i = 0; i < all.count; i++)
        find_topic(ledger, &all.list[i]);
    refuse_repeated(&request->arena, &all);
    for (int32_t i = 0; i < all.count; i++) {
        struct delete_topics_response_deletable_topic_result *out;
        if (all.list[i].left_out)
            continue;
        out = &response.responses[response.responses_count++];
        wire_defaults(&delete_topics_response_deletable_topic_result_message, out);
        delete_one(ledger, &request->arena, &all.list[i], out);
    }
    request_answer(request, &response);
}
