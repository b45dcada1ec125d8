/* SPDX-License-Identifier: MIT */
#include "ledger/group/classic_members.h"

#include <stdlib.h>
#include <string.h>

struct wire_string classic_copy(struct wire_string text)
{
    char *copy;

    if (text.len < 0)
        return (struct wire_string){NULL, -1};
    copy = mem_alloc((size_t)text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.data, (size_t)text.len);
    return (struct wire_string){copy, text.len};
}

void classic_release(struct wire_string text)
{
    free((char *)(uintptr_t)text.data);
}

static struct wire_bytes bytes_copy(struct wire_bytes bytes)
{
    struct wire_string copy =
        classic_copy((struct wire_string){(const char *)bytes.data, bytes.len});

    return (struct wire_bytes){(const uint8_t *)copy.data, copy.len};
}

static void bytes_release(struct wire_bytes bytes)
{
    free((uint8_t *)(uintptr_t)bytes.data);
}

static bool bytes_equal(struct wire_bytes a, struct wire_bytes b)
{
    return a.len == b.len && (a.len <= 0 || memcmp(a.data, b.data, (size_t)a.len) == 0);
}

/* ---- who is there ------------------------------------------------------------ */

struct classic_member *classic_find(const struct classic *group, struct wire_string id)
{
    struct classic_member *found = NULL;

    if (id.len > 0)
        HASH_FIND(hh, group->members, id.data, (unsigned)id.len, found);
    return found;
}

struct classic_member *classic_find_instance(const struct classic *group,
                                             struct wire_string instance)
{
    struct classic_member *found = NULL;

    if (instance.len >= 0)
        HASH_FIND(hh_instance, group->statics, instance.data, (unsigned)instance.len,
                  found);
    return found;
}

struct classic_pending *classic_find_pending(const struct classic *group,
                                             struct wire_string id)
{
    struct classic_pending *found = NULL;

    if (id.len > 0)
        HASH_FIND(hh, group->pending, id.data, (unsigned)id.len, found);
    return found;
}

enum kafka_error classic_check(const struct classic *group, struct wire_string id,
                               struct wire_string instance)
{
    const struct classic_member *owner = classic_find_instance(group, instance);

    if (instance.len >= 0 && !owner)
        return KAFKA_UNKNOWN_MEMBER_ID;
    if (owner && !wire_string_equal(owner->id, id))
        return KAFKA_FENCED_INSTANCE_ID;
    return classic_find(group, id) ? KAFKA_NONE : KAFKA_UNKNOWN_MEMBER_ID;
}

/* ---- one member -------------------------------------------------------------- */

static void protocols_clear(struct classic_member *member)
{
    for (int32_t i = 0; i < member->protocols_count; i++) {
        classic_release(member->protocols[i].name);
        bytes_release(member->protocols[i].metadata);
    }
    free(member->protocols);
    member->protocols = NULL;
    member->protocols_count = 0;
}

void classic_member_update(struct classic_member *member,
                           const struct join_group_request *request,
                           const struct groups_caller *caller)
{
    int32_t count = request->protocols_count > 0 ? request->protocols_count : 0;

    protocols_clear(member);
    member->protocols = mem_alloc(((size_t)count + 1) * sizeof *member->protocols);
    member->protocols_count = count;
    for (int32_t i = 0; i < count; i++) {
        member->protocols[i].name = classic_copy(request->protocols[i].name);
        member->protocols[i].metadata = bytes_copy(request->protocols[i].metadata);
    }
    member->session_timeout_ms = request->session_timeout_ms;
    /* Version 0 knows only the session timeout. */
    member->rebalance_timeout_ms = caller->version == 0 ? request->session_timeout_ms
                                                        : request->rebalance_timeout_ms;
}

struct classic_member *classic_member_new(const struct join_group_request *request,
                                          const struct groups_caller *caller,
                                          struct wire_string id)
{
    struct classic_member *member = mem_alloc(sizeof *member);
    struct wire_string client_id = caller->client_id;

    if (client_id.len < 0)
        client_id = (struct wire_string){"", 0};
    member->id = id;
    member->instance = classic_copy(request->group_instance_id);
    member->client_id = classic_copy(client_id);
    member->host = classic_copy(wire_string_of(caller->host));
    member->assignment = bytes_copy((struct wire_bytes){NULL, 0});
    member->deadline_ms = INT64_MAX;
    classic_member_update(member, request, caller);
    return member;
}

void classic_member_free(struct classic_member *member)
{
    protocols_clear(member);
    classic_release(member->id);
    classic_release(member->instance);
    classic_release(member->client_id);
    classic_release(member->host);
    bytes_release(member->assignment);
    free(member);
}

void classic_member_assign(struct classic_member *member, struct wire_bytes assignment)
{
    bytes_release(member->assignment);
    if (assignment.len < 0)
        assignment = (struct wire_bytes){NULL, 0};
    member->assignment = bytes_copy(assignment);
}

struct wire_bytes classic_member_metadata(const struct classic_member *member,
                                          struct wire_string protocol)
{
    for (int32_t i = 0; i < member->protocols_count; i++) {
        if (wire_string_equal(member->protocols[i].name, protocol))
            return member->protocols[i].metadata;
    }
    return (struct wire_bytes){NULL, -1};
}

bool classic_member_matches(const struct classic_member *member,
                            const struct join_group_request *request)
{
    if (member->protocols_count != request->protocols_count)
        return false;
    for (int32_t i = 0; i < member->protocols_count; i++) {
        const struct classic_protocol *mine = &member->protocols[i];

        if (!wire_string_equal(mine->name, request->protocols[i].name) ||
            !bytes_equal(mine->metadata, request->protocols[i].metadata))
            return false;
    }
    return true;
}

/* ---- coming and going -------------------------------------------------------- */

void classic_member_add(struct classic *group, struct classic_member *member)
{
    HASH_ADD_KEYPTR(hh, group->members, member->id.data, (unsigned)member->id.len,
                    member);
    if (member->instance.len >= 0)
        HASH_ADD_KEYPTR(hh_instance, group->statics, member->instance.data,
                        (unsigned)member->instance.len, member);
    if (!group->leader)
        group->leader = member;
}

void classic_member_remove(struct classic *group, struct classic_member *member)
{
    HASH_DELETE(hh, group->members, member);
    if (member->instance.len >= 0)
        HASH_DELETE(hh_instance, group->statics, member);
    if (group->leader == member)
        group->leader = group->members;
    classic_member_free(member);
}

void classic_member_rename(struct classic *group, struct classic_member *member,
                           struct wire_string id)
{
    HASH_DELETE(hh, group->members, member);
    classic_release(member->id);
    member->id = id;
    HASH_ADD_KEYPTR(hh, group->members, member->id.data, (unsigned)member->id.len,
                    member);
}

void classic_pending_add(struct classic *group, struct wire_string id,
                         int64_t deadline_ms)
{
    struct classic_pending *pending = mem_alloc(sizeof *pending);

    pending->id = classic_copy(id);
    pending->deadline_ms = deadline_ms;
    HASH_ADD_KEYPTR(hh, group->pending, pending->id.data, (unsigned)pending->id.len,
                    pending);
}

void classic_pending_remove(struct classic *group, struct classic_pending *pending)
{
    HASH_DEL(group->pending, pending);
    classic_release(pending->id);
    free(pending);
}

/* ---- what they have in common ------------------------------------------------ */

bool classic_all_joined(const struct classic *group)
{
    return (int32_t)HASH_COUNT(group->members) == group->joining && !group->pending;
}

int64_t classic_rebalance_timeout(const struct classic *group)
{
    const struct classic_member *member = group->members;
    int64_t longest = 0;

    for (; member; member = member->hh.next) {
        if (member->rebalance_timeout_ms > longest)
            longest = member->rebalance_timeout_ms;
    }
    return longest;
}

bool classic_elect(struct classic *group)
{
    struct classic_member *member = group->members;

    if (group->leader && group->leader->join_ticket)
        return true;
    while (member && !member->join_ticket)
        member = member->hh.next;
    if (member)
        group->leader = member;
    return member != NULL;
}

/* Do all members support the protocol? */
static bool is_common(const struct classic *group, struct wire_string protocol)
{
    const struct classic_member *member = group->members;

    for (; member; member = member->hh.next) {
        if (classic_member_metadata(member, protocol).len < 0)
            return false;
    }
    return true;
}

bool classic_supports(const struct classic *group,
                      const struct join_group_request *request)
{
    if (group->state == CLASSIC_EMPTY)
        return request->protocol_type.len > 0 && request->protocols_count > 0;
    if (!wire_string_equal(group->protocol_type, request->protocol_type))
        return false;
    for (int32_t i = 0; i < request->protocols_count; i++) {
        if (is_common(group, request->protocols[i].name))
            return true;
    }
    return false;
}

/* The member's vote: its first protocol that is among the candidates; -1: none. */
static int32_t vote_of(const struct classic_member *member,
                       const struct classic_protocol *candidates, int32_t count)
{
    for (int32_t i = 0; i < member->protocols_count; i++) {
        for (int32_t j = 0; j < count; j++) {
            if (wire_string_equal(member->protocols[i].name, candidates[j].name))
                return j;
        }
    }
    return -1;
}

struct wire_string classic_vote(const struct classic *group)
{
    const struct classic_member *first = group->members, *member;
    struct wire_string winner = {NULL, -1};
    struct classic_protocol *candidates;
    int32_t *votes, count = 0, most = 0;

    if (!first)
        return winner;
    /* A candidate is one that all support, so it is among the first member's. */
    candidates = mem_alloc(((size_t)first->protocols_count + 1) * sizeof *candidates);
    votes = mem_alloc(((size_t)first->protocols_count + 1) * sizeof *votes);
    for (int32_t i = 0; i < first->protocols_count; i++) {
        if (is_common(group, first->protocols[i].name))
            candidates[count++] = first->protocols[i];
    }
    for (member = first; member; member = member->hh.next) {
        int32_t vote = vote_of(member, candidates, count);

        if (vote >= 0)
            votes[vote]++;
    }
    for (int32_t i = 0; i < count; i++) {
        if (votes[i] > most) {
            most = votes[i];
            winner = candidates[i].name;
        }
    }
    free(candidates);
    free(votes);
    return winner;
}
