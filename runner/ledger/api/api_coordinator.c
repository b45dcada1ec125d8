/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/ledger.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/messages_groups.h"

enum key_type { KEY_GROUP, KEY_TRANSACTION, KEY_SHARE };

static enum kafka_error check_type(int8_t type)
{
    return type == KEY_GROUP || type == KEY_TRANSACTION ? KAFKA_NONE
                                                        : KAFKA_INVALID_REQUEST;
}

/* Kafka gives no text for share groups, which it knows, and one for what it does not.
 */
static const char *error_message(enum kafka_error error, int8_t type)
{
    if (error == KAFKA_NONE || type == KEY_SHARE)
        return "";
    return kafka_error_text(error);
}

static void answer_many(const struct ledger *ledger, struct request *request,
                        struct find_coordinator_response *response)
{
    const struct find_coordinator_request *message = request->message;
    enum kafka_error error = check_type(message->key_type);
    int32_t count = message->coordinator_keys_count;

    response->coordinators_count = count;
    response->coordinators = mem_arena_alloc(
        &request->arena, (size_t)count * sizeof *response->coordinators);
    for (int32_t i = 0; i < count; i++) {
        response->coordinators[i] = (struct find_coordinator_response_coordinator){
            .key = message->coordinator_keys[i],
            .node_id = error ? -1 : LEDGER_NODE_ID,
            .host = wire_string_of(error ? "" : ledger->host),
            .port = error ? -1 : ledger->port,
            .error_code = (int16_t)error,
            .error_message = wire_string_of(error_message(error, message->key_type)),
        };
    }
}

static void answer_one(const struct ledger *ledger, const struct request *request,
                       struct find_coordinator_response *response)
{
    const struct find_coordinator_request *message = request->message;
    enum kafka_error error = check_type(message->key_type);

    response->error_code = (int16_t)error;
    response->error_message =
        wire_string_of(error ? error_message(error, message->key_type) : "NONE");
    response->node_id = error ? -1 : LEDGER_NODE_ID;
    response->host = wire_string_of(error ? "" : ledger->host);
    response->port = error ? -1 : ledger->port;
}

void api_find_coordinator(struct ledger *ledger, struct request *request)
{
    struct find_coordinator_response response;

    wire_defaults(&find_coordinator_response_message, &response);
    if (request->version >= 4)
        answer_many(ledger, request, &response);
    else
        answer_one(ledger, request, &response);
    request_answer(request, &response);
}
