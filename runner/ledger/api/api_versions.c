/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/wire/api.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/messages_metadata.h"

#include <stdlib.h>

/* Features as Apache Kafka 4.2 names them, as far as this broker has them. */
static const struct {
    const char *name;
    int16_t min, max, finalized;
} features[] = {
    {.name = "group.version", .min = 0, .max = 1, .finalized = 1},
    {.name = "metadata.version", .min = 7, .max = 29, .finalized = 29},
    {.name = "transaction.version", .min = 0, .max = 2, .finalized = 2},
};
enum { FEATURES = sizeof features / sizeof features[0] };

static void add_api(struct api_versions_response *response, const struct wire_api *api)
{
    response->api_keys[response->api_keys_count++] =
        (struct api_versions_response_api_version){.api_key = api->key,
                                                   .min_version = api->min_version,
                                                   .max_version = api->max_version};
}

static void add_apis(struct request *request, struct api_versions_response *response)
{
    response->api_keys =
        mem_arena_alloc(&request->arena, WIRE_KEYS * sizeof *response->api_keys);
    for (int16_t key = 0; key < WIRE_KEYS; key++) {
        const struct wire_api *api = wire_api_find(key);

        if (api && api_find(key))
            add_api(response, api);
    }
}

static void add_features(struct request *request,
                         struct api_versions_response *response)
{
    struct mem_arena *arena = &request->arena;

    response->supported_features =
        mem_arena_alloc(arena, FEATURES * sizeof *response->supported_features);
    response->finalized_features =
        mem_arena_alloc(arena, FEATURES * sizeof *response->finalized_features);
    response->finalized_features_epoch = 0;
    for (size_t i = 0; i < FEATURES; i++) {
        response->finalized_features[response->finalized_features_count++] =
            (struct api_versions_response_finalized_feature_key){
                .name = wire_string_of(features[i].name),
                .max_version_level = features[i].finalized,
                .min_version_level = features[i].finalized};
        if (features[i].min == 0 && request->version < 4)
            continue; /* older clients refuse an answer with such a feature */
        response->supported_features[response->supported_features_count++] =
            (struct api_versions_response_supported_feature_key){
                .name = wire_string_of(features[i].name),
                .min_version = features[i].min,
                .max_version = features[i].max};
    }
}

/* Names are letters, digits, dashes and dots, as Kafka demands from version 3 on. */
static bool valid_name(struct wire_string name)
{
    for (int32_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!word && (i == 0 || i == name.len - 1 || (c != '-' && c != '.')))
            return false;
    }
    return name.len > 0;
}

void api_versions(struct ledger *ledger, struct request *request)
{
    const struct api_versions_request *message = request->message;
    struct api_versions_response response;

    (void)ledger;
    wire_defaults(&api_versions_response_message, &response);
    if (request->unsupported) {
        response.error_code = KAFKA_UNSUPPORTED_VERSION;
        response.api_keys = mem_arena_alloc(&request->arena, sizeof *response.api_keys);
        add_api(&response, request->api);
    } else if (request->version >= 3 &&
               (!valid_name(message->client_software_name) ||
                !valid_name(message->client_software_version))) {
        response.error_code = KAFKA_INVALID_REQUEST;
    } else {
        add_apis(request, &response);
        add_features(request, &response);
    }
    request_answer(request, &response);
}
