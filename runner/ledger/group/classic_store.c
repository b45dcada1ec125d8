/* SPDX-License-Identifier: MIT
 *
 * A classic group in the store: "gc" id holds the group with its members, "gn" id the
 * highest generation that any member was told.
 */
#include "ledger/group/classic_members.h"

#include "base/log.h"
#include "ledger/group/pack.h"

#include <stdlib.h>

enum { FORMAT = 1 };

static const char group_prefix[2] = {'g', 'c'};
static const char generation_prefix[2] = {'g', 'n'};

static void key_write(struct text_buf *key, const char prefix[2], struct wire_string id)
{
    text_append_bytes(key, prefix, 2);
    text_append_bytes(key, id.data, (size_t)id.len);
}

static void member_write(struct text_buf *value, const struct classic_member *member)
{
    pack_string(value, member->id);
    pack_string(value, member->instance);
    pack_string(value, member->client_id);
    pack_string(value, member->host);
    pack_i32(value, member->rebalance_timeout_ms);
    pack_i32(value, member->session_timeout_ms);
    pack_bytes(value, member->assignment);
    pack_i32(value, member->protocols_count);
    for (int32_t i = 0; i < member->protocols_count; i++) {
        pack_string(value, member->protocols[i].name);
        pack_bytes(value, member->protocols[i].metadata);
    }
}

static void group_write(struct text_buf *value, const struct classic *group)
{
    const struct classic_member *member = group->members;

    pack_i32(value, FORMAT);
    pack_i32(value, group->generation);
    pack_i32(value, group->last_generation);
    pack_i64(value, group->state_ms);
    pack_string(value, group->protocol_type);
    pack_string(value, group->protocol);
    pack_string(value,
                group->leader ? group->leader->id : (struct wire_string){NULL, -1});
    pack_i32(value, (int32_t)HASH_COUNT(group->members));
    for (; member; member = member->hh.next)
        member_write(value, member);
}

int classic_keep(struct classic *group, struct error *err)
{
    struct text_buf key = {0}, value = {0};
    int rc;

    key_write(&key, group_prefix, group->id);
    group_write(&value, group);
    rc = store_put(group->env->store, key.data, key.len, value.data, value.len, err);
    text_buf_clear(&key);
    text_buf_clear(&value);
    return rc;
}

int classic_keep_generation(struct classic *group, struct error *err)
{
    struct text_buf key = {0}, value = {0};
    int rc;

    key_write(&key, generation_prefix, group->id);
    pack_i32(&value, group->last_generation);
    rc = store_put(group->env->store, key.data, key.len, value.data, value.len, err);
    text_buf_clear(&key);
    text_buf_clear(&value);
    return rc;
}

int classic_forget(struct classic *group, struct error *err)
{
    struct store *store = group->env->store;
    struct text_buf key = {0};
    int rc;

    store_batch_begin(store);
    key_write(&key, group_prefix, group->id);
    rc = store_delete(store, key.data, key.len, err);
    key.len = 0;
    key_write(&key, generation_prefix, group->id);
    if (rc == 0)
        rc = store_delete(store, key.data, key.len, err);
    if (rc == 0)
        rc = store_batch_end(store, err);
    else
        store_batch_drop(store);
    text_buf_clear(&key);
    return rc;
}

/* ---- load -------------------------------------------------------------------- */

struct load {
    const struct classic_env *env;
    int64_t now_ms;
    classic_found_fn *fn;
    void *arg;
    int64_t bad;
};

static bool member_read(struct unpack *in, struct classic *group, int64_t now_ms)
{
    struct join_group_request request = {0};
    struct groups_caller caller = {.version = 1};
    struct wire_string id = unpack_string(in), host;
    struct classic_member *member;
    struct wire_bytes assignment;
    char *host_text;

    request.group_instance_id = unpack_string(in);
    caller.client_id = unpack_string(in);
    host = unpack_string(in);
    request.rebalance_timeout_ms = unpack_i32(in);
    request.session_timeout_ms = unpack_i32(in);
    assignment = unpack_bytes(in);
    request.protocols_count = unpack_i32(in);
    if (in->bad || id.len <= 0 || host.len < 0 || request.protocols_count < 0 ||
        request.protocols_count > CLASSIC_PROTOCOLS_MAX || classic_find(group, id) ||
        classic_find_instance(group, request.group_instance_id))
        return false;
    request.protocols =
        mem_alloc(((size_t)request.protocols_count + 1) * sizeof *request.protocols);
    for (int32_t i = 0; i < request.protocols_count; i++) {
        request.protocols[i].name = unpack_string(in);
        request.protocols[i].metadata = unpack_bytes(in);
    }
    host_text = mem_strndup(host.data ? host.data : "", (size_t)host.len);
    caller.host = host_text;
    member = classic_member_new(&request, &caller, classic_copy(id));
    classic_member_assign(member, assignment);
    member->deadline_ms = now_ms + member->session_timeout_ms;
    classic_member_add(group, member);
    free(host_text);
    free(request.protocols);
    return !in->bad;
}

static bool group_read(struct unpack *in, struct classic *group, int64_t now_ms)
{
    struct wire_string leader;
    bool ok = unpack_i32(in) == FORMAT;
    int32_t count;

    group->generation = unpack_i32(in);
    group->last_generation = unpack_i32(in);
    group->state_ms = unpack_i64(in);
    group->protocol_type = classic_copy(unpack_string(in));
    group->protocol = classic_copy(unpack_string(in));
    leader = unpack_string(in);
    count = unpack_i32(in);
    for (int32_t i = 0; ok && i < count; i++)
        ok = member_read(in, group, now_ms);
    group->leader = classic_find(group, leader);
    if (!group->leader)
        group->leader = group->members;
    /* A group that has members was last seen with an assignment. */
    group->state = group->members ? CLASSIC_STABLE : CLASSIC_EMPTY;
    return ok && unpack_done(in);
}

static void load_generation(struct classic *group)
{
    struct text_buf key = {0}, value = {0};
    struct error err = {0};
    struct unpack in;
    int32_t generation;

    key_write(&key, generation_prefix, group->id);
    if (store_get(group->env->store, key.data, key.len, &value, &err) > 0) {
        in = (struct unpack){(const uint8_t *)value.data, value.len, false};
        generation = unpack_i32(&in);
        if (unpack_done(&in) && generation > group->last_generation)
            group->last_generation = generation;
    }
    text_buf_clear(&key);
    text_buf_clear(&value);
}

/*
 * The broker ended between a generation and its assignment: its members join once more,
 * so that none of them falls back to the generation before.
 */
static void resume(struct classic *group, int64_t now_ms)
{
    if (!group->members || group->last_generation <= group->generation)
        return;
    group->previous = CLASSIC_STABLE;
    group->state = CLASSIC_PREPARING;
    group->join_ms = now_ms + classic_rebalance_timeout(group);
}

static bool load_group(void *arg, const void *key, size_t key_len, const void *value,
                       size_t value_len)
{
    struct load *load = arg;
    struct wire_string id = {(const char *)key + 2, (int32_t)key_len - 2};
    struct classic *group = classic_new(load->env, id);
    struct unpack in = {value, value_len, false};

    if (group_read(&in, group, load->now_ms)) {
        load_generation(group);
        resume(group, load->now_ms);
        load->fn(load->arg, group);
    } else {
        load->bad++;
        classic_free(group);
    }
    return true;
}

void classic_load(const struct classic_env *env, int64_t now_ms, classic_found_fn *fn,
                  void *arg)
{
    struct load load = {env, now_ms, fn, arg, 0};

    store_each(env->store, group_prefix, sizeof group_prefix, load_group, &load);
    if (load.bad > 0)
        log_write(
            LOG_ERROR, "groups", NULL,
            "%lld groups in the store are damaged and are left out: their members "
            "join again",
            (long long)load.bad);
}
