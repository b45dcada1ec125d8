/* SPDX-License-Identifier: MIT */
#include "ledger/group/consumer_store.h"

#include "base/log.h"
#include "base/mem.h"
#include "ledger/group/pack.h"
#include "ledger/store/store.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX = 'c', FORM = 1 };

static void write_key(struct text_buf *key, const char *group_id,
                      enum consumer_kind kind, const char *member_id)
{
    const char letters[] = {PREFIX, (char)kind};

    text_append_bytes(key, letters, sizeof(letters));
    pack_string(key, wire_string_of(group_id));
    text_append(key, member_id);
}

void consumer_store_put(const struct consumer_group *group, enum consumer_kind kind,
                        const char *member_id, const struct text_buf *value)
{
    struct text_buf key = {0};
    struct error err = {0};

    write_key(&key, group->id, kind, member_id);
    if (store_put(group->env->store, key.data, key.len, value->data, value->len,
                  &err) != 0)
        log_write(LOG_ERROR, "group", NULL, "consumer group %s: %s", group->id,
                  err.text);
    text_buf_clear(&key);
}

static void remove_key(const struct consumer_group *group, enum consumer_kind kind,
                       const char *member_id)
{
    struct text_buf key = {0};
    struct error err = {0};

    write_key(&key, group->id, kind, member_id);
    if (store_delete(group->env->store, key.data, key.len, &err) != 0)
        log_write(LOG_ERROR, "group", NULL, "consumer group %s: %s", group->id,
                  err.text);
    text_buf_clear(&key);
}

void consumer_store_put_group(const struct consumer_group *group, int32_t epoch,
                              int32_t target_epoch, uint64_t hash)
{
    struct text_buf value = {0};

    pack_i32(&value, FORM);
    pack_i32(&value, epoch);
    pack_i32(&value, target_epoch);
    pack_i64(&value, (int64_t)hash);
    consumer_store_put(group, CONSUMER_KIND_GROUP, "", &value);
    text_buf_clear(&value);
}

static void put_member(const struct consumer_group *group,
                       const struct consumer_member *member)
{
    struct text_buf facts = {0}, place = {0}, target = {0};

    consumer_member_write_facts(member, &facts);
    consumer_member_write_place(member, &place);
    consumer_member_write_target(&member->target, &target);
    consumer_store_put(group, CONSUMER_KIND_FACTS, member->id, &facts);
    consumer_store_put(group, CONSUMER_KIND_PLACE, member->id, &place);
    consumer_store_put(group, CONSUMER_KIND_TARGET, member->id, &target);
    text_buf_clear(&facts);
    text_buf_clear(&place);
    text_buf_clear(&target);
}

void consumer_store_all(const struct consumer_group *group)
{
    for (const struct consumer_member *member = group->members; member != NULL;
         member = member->hh.next)
        put_member(group, member);
    consumer_store_put_group(group, group->epoch, group->target_epoch, group->hash);
}

void consumer_store_remove_member(const struct consumer_group *group,
                                  const char *member_id)
{
    remove_key(group, CONSUMER_KIND_FACTS, member_id);
    remove_key(group, CONSUMER_KIND_PLACE, member_id);
    remove_key(group, CONSUMER_KIND_TARGET, member_id);
}

enum kafka_error consumer_forget(struct consumer_group *group)
{
    struct error err = {0};

    store_batch_begin(group->env->store);
    for (struct consumer_member *member = group->members; member != NULL;
         member = member->hh.next)
        consumer_store_remove_member(group, member->id);
    remove_key(group, CONSUMER_KIND_GROUP, "");
    if (store_batch_end(group->env->store, &err) == 0)
        return KAFKA_NONE;
    log_write(LOG_ERROR, "group", NULL, "consumer group %s: %s", group->id, err.text);
    return KAFKA_COORDINATOR_NOT_AVAILABLE;
}

/* ---- loading --------------------------------------------------------------------- */

struct loaded {
    struct consumer_group *group;
    struct consumer_member *members;
    bool known; /* its own entry was there */
    UT_hash_handle hh;
};

struct loading {
    const struct consumer_env *env;
    struct loaded *groups;
    int64_t damaged;
};

static struct loaded *loaded_group(struct loading *loading, const char *id)
{
    struct loaded *loaded;

    HASH_FIND(hh, loading->groups, id, strlen(id), loaded);
    if (loaded != NULL)
        return loaded;
    loaded = mem_alloc(sizeof(*loaded));
    loaded->group = consumer_new(loading->env, id);
    HASH_ADD_KEYPTR(hh, loading->groups, loaded->group->id, strlen(loaded->group->id),
                    loaded);
    return loaded;
}

static struct consumer_member *loaded_member(struct loaded *loaded, const char *id)
{
    struct consumer_member *member;

    HASH_FIND(hh, loaded->members, id, strlen(id), member);
    if (member != NULL)
        return member;
    member = consumer_member_new(id);
    HASH_ADD_KEYPTR(hh, loaded->members, member->id, strlen(member->id), member);
    return member;
}

static bool load_group(struct loaded *loaded, const void *value, size_t len)
{
    struct unpack in = {.data = value, .left = len};

    if (unpack_i32(&in) != FORM)
        return false;
    loaded->group->epoch = unpack_i32(&in);
    loaded->group->target_epoch = unpack_i32(&in);
    loaded->group->hash = (uint64_t)unpack_i64(&in);
    loaded->known = unpack_done(&in);
    return loaded->known;
}

static bool load_value(struct loaded *loaded, char kind, const char *member_id,
                       const void *value, size_t len)
{
    switch (kind) {
    case CONSUMER_KIND_GROUP:
        return load_group(loaded, value, len);
    case CONSUMER_KIND_FACTS:
        return consumer_member_read_facts(loaded_member(loaded, member_id), value, len);
    case CONSUMER_KIND_PLACE:
        return consumer_member_read_place(loaded_member(loaded, member_id), value, len);
    case CONSUMER_KIND_TARGET:
        return consumer_member_read_target(loaded_member(loaded, member_id), value,
                                           len);
    default:
        return false;
    }
}

static bool load_entry(void *arg, const void *key, size_t key_len, const void *value,
                       size_t value_len)
{
    struct loading *loading = arg;
    struct unpack in = {.data = (const uint8_t *)key + 2, .left = key_len - 2};
    struct wire_string id = {NULL, -1};
    char *group_id, *member_id;

    if (key_len > 2)
        id = unpack_string(&in);
    if (id.len < 0) {
        loading->damaged++;
        return true;
    }
    group_id = mem_strndup(id.data, (size_t)id.len);
    member_id = mem_strndup((const char *)in.data, in.left);
    if (!load_value(loaded_group(loading, group_id), ((const char *)key)[1], member_id,
                    value, value_len))
        loading->damaged++;
    free(group_id);
    free(member_id);
    return true;
}

/* A member that another one's partitions collide with has to join again. */
static bool collides(const struct consumer_group *group,
                     const struct consumer_member *member)
{
    struct partition_set all = partition_set_or(&member->assigned, &member->revoking);
    bool taken = partition_set_meet(&member->assigned, &member->revoking);

    for (size_t i = 0; i < all.count; i++)
        taken = taken || consumer_taken(group, &all.items[i]);
    partition_set_clear(&all);
    return taken || (member->instance_id != NULL &&
                     consumer_find_instance(group, member->instance_id) != NULL);
}

static void load_member(struct consumer_group *group, struct consumer_member *member,
                        int64_t now_ms)
{
    char why[PATTERN_WHY];

    member->session_deadline_ms =
        now_ms +
        (member->classic ? member->classic_session_ms : consumer_session_ms(group));
    if (member->state == CONSUMER_UNREVOKED && !member->classic)
        member->rebalance_deadline_ms = now_ms + member->rebalance_timeout_ms;
    if (*member->regex != '\0' && consumer_pattern_find(group, member->regex) == NULL)
        consumer_pattern_add(group, member->regex, why);
    consumer_link(group, member);
}

/* Link a group's members; what only damage can leave behind is put right. */
static void finish_group(struct loaded *loaded, int64_t now_ms)
{
    struct consumer_group *group = loaded->group;
    struct consumer_member *member, *next;

    HASH_ITER(hh, loaded->members, member, next)
    {
        HASH_DEL(loaded->members, member);
        memset(&member->hh, 0, sizeof(member->hh));
        if (member->epoch > group->epoch) /* the group's entry is lost or old */
            group->epoch = member->epoch;
        if (collides(group, member)) {
            consumer_store_remove_member(group, member->id);
            consumer_member_free(member);
            continue;
        }
        load_member(group, member, now_ms);
    }
    if (!loaded->known) {
        group->epoch++;
        log_write(LOG_WARN, "group", NULL,
                  "consumer group %s: its entry is damaged; it goes on at epoch %d",
                  group->id, group->epoch);
    }
}

int consumer_load(const struct consumer_env *env, int64_t now_ms, consumer_found_fn *fn,
                  void *arg, struct error *err)
{
    struct loading loading = {.env = env};
    struct loaded *loaded, *next;
    const char prefix = PREFIX;

    store_each(env->store, &prefix, 1, load_entry, &loading);
    if (loading.damaged > 0 && loading.groups == NULL) {
        error_set(err, ERROR_INTERNAL,
                  "the store's %lld entries of consumer groups are of another version",
                  (long long)loading.damaged);
        return -1;
    }
    if (loading.damaged > 0)
        log_write(LOG_WARN, "group", NULL, "%lld damaged entries of consumer groups",
                  (long long)loading.damaged);
    HASH_ITER(hh, loading.groups, loaded, next)
    {
        HASH_DEL(loading.groups, loaded);
        finish_group(loaded, now_ms);
        fn(arg, loaded->group);
        free(loaded);
    }
    return 0;
}
