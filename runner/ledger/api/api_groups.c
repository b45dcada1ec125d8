/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/wire/messages_groups.h"

#include <uthash.h>

/*
 * Without ACLs everybody may do all that can be done to a group: the bits of READ,
 * DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS.
 */
enum { ALL_OPERATIONS = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11 };

enum { VERSION_PROTOCOL_NAMES = 5 }; /* of SyncGroup: both must be there from here on */

void api_groups_caller(struct request *request, struct groups_caller *caller)
{
    *caller = (struct groups_caller){
        .client_id = request->client_id,
        .host = mem_arena_printf(&request->arena, "/%s", request->host),
        .now_ms = request->now_ms,
        .wall_ms = request->wall_ms,
        .version = request->version,
    };
}

void api_join_group(struct ledger *ledger, struct request *request)
{
    struct groups_caller caller;

    api_groups_caller(request, &caller);
    groups_join(ledger->groups, request->message, &caller, request);
}

void api_sync_group(struct ledger *ledger, struct request *request)
{
    const struct sync_group_request *in = request->message;
    struct sync_group_response out;
    struct groups_caller caller;

    if (request->version >= VERSION_PROTOCOL_NAMES &&
        (in->protocol_type.len < 0 || in->protocol_name.len < 0)) {
        wire_defaults(&sync_group_response_message, &out);
        out.error_code = KAFKA_INCONSISTENT_GROUP_PROTOCOL;
        request_answer(request, &out);
        return;
    }
    api_groups_caller(request, &caller);
    groups_sync(ledger->groups, in, &caller, request);
}

void api_heartbeat(struct ledger *ledger, struct request *request)
{
    struct groups_caller caller;
    struct heartbeat_response out;

    api_groups_caller(request, &caller);
    wire_defaults(&heartbeat_response_message, &out);
    out.error_code =
        (int16_t)groups_heartbeat(ledger->groups, request->message, &caller);
    request_answer(request, &out);
}

void api_leave_group(struct ledger *ledger, struct request *request)
{
    struct groups_caller caller;
    struct leave_group_response out;

    api_groups_caller(request, &caller);
    groups_leave(ledger->groups, request->message, &caller, &request->arena, &out);
    request_answer(request, &out);
}

void api_list_groups(struct ledger *ledger, struct request *request)
{
    struct list_groups_response out;

    groups_list(ledger->groups, request->message, &request->arena, &out);
    request_answer(request, &out);
}

void api_describe_groups(struct ledger *ledger, struct request *request)
{
    const struct describe_groups_request *in = request->message;
    struct describe_groups_response out;

    wire_defaults(&describe_groups_response_message, &out);
    out.groups_count = in->groups_count;
    out.groups = mem_arena_alloc(&request->arena,
                                 ((size_t)in->groups_count + 1) * sizeof *out.groups);
    for (int32_t i = 0; i < in->groups_count; i++) {
        struct describe_groups_response_described_group *group = &out.groups[i];

        if (request_is_full(request)) {
            wire_defaults(&describe_groups_response_described_group_message, group);
            group->group_id = in->groups[i];
            group->error_code = KAFKA_INVALID_REQUEST;
            continue;
        }
        groups_describe(ledger->groups, in->groups[i], request->version,
                        &request->arena, group);
        if (in->include_authorized_operations && group->error_code == KAFKA_NONE)
            group->authorized_operations = ALL_OPERATIONS;
    }
    request_answer(request, &out);
}

/* The names of a request that were seen: each is deleted once, as Kafka does. */
struct named {
    struct wire_string name;
    UT_hash_handle hh;
};

static bool is_new_name(struct named **seen, struct wire_string name,
                        struct mem_arena *arena)
{
    struct named *found = NULL;

    HASH_FIND(hh, *seen, name.data, (unsigned)name.len, found);
    if (found)
        return false;
    found = mem_arena_alloc(arena, sizeof *found);
    found->name = name;
    HASH_ADD_KEYPTR(hh, *seen, found->name.data, (unsigned)found->name.len, found);
    return true;
}

void api_delete_groups(struct ledger *ledger, struct request *request)
{
    const struct delete_groups_request *in = request->message;
    struct delete_groups_response out;
    struct named *seen = NULL;

    wire_defaults(&delete_groups_response_message, &out);
    out.results = mem_arena_alloc(
        &request->arena, ((size_t)in->groups_names_count + 1) * sizeof *out.results);
    for (int32_t i = 0; i < in->groups_names_count; i++) {
        struct delete_groups_response_deletable_group_result *result =
            &out.results[out.results_count];

        if (!is_new_name(&seen, in->groups_names[i], &request->arena))
            continue;
        result->group_id = in->groups_names[i];
        result->error_code =
            (int16_t)groups_delete(ledger->groups, in->groups_names[i]);
        out.results_count++;
    }
    HASH_CLEAR(hh, seen);
    request_answer(request, &out);
}
