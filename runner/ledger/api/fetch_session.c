/* SPDX-License-Identifier: MIT */
#include "ledger/api/fetch_session.h"

#include "ledger/wire/messages_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { FINAL_EPOCH = -1, INITIAL_EPOCH = 0, BY_ID_VERSION = 13 };

void fetch_sessions_init(struct fetch_sessions *sessions, uint32_t seed)
{
    *sessions = (struct fetch_sessions){
        .next_id = (int32_t)(seed & INT32_MAX),
        .max_sessions = FETCH_SESSIONS_MAX,
        .max_parts = FETCH_SESSION_PARTS_MAX,
    };
}

static void remove_part(struct fetch_sessions *sessions, struct fetch_session *session,
                        struct fetch_part *part)
{
    HASH_DEL(session->by_key, part);
    DL_DELETE(session->parts, part);
    sessions->parts--;
    free(part);
}

static void remove_session(struct fetch_sessions *sessions,
                           struct fetch_session *session)
{
    if (sessions->going)
        sessions->going(sessions->arg, session);
    while (session->parts)
        remove_part(sessions, session, session->parts);
    HASH_DEL(sessions->by_id, session);
    DL_DELETE(sessions->oldest, session);
    free(session);
}

void fetch_sessions_clear(struct fetch_sessions *sessions)
{
    while (sessions->oldest)
        remove_session(sessions, sessions->oldest);
}

static struct fetch_session *find_session(struct fetch_sessions *sessions, int32_t id)
{
    struct fetch_session *session = NULL;

    HASH_FIND(hh, sessions->by_id, &id, sizeof id, session);
    return session;
}

static void touch(struct fetch_sessions *sessions, struct fetch_session *session,
                  int64_t now_ms)
{
    session->used_ms = now_ms;
    DL_DELETE(sessions->oldest, session);
    DL_APPEND(sessions->oldest, session);
}

/* Is there room, or does an old session make some? */
static bool make_room(struct fetch_sessions *sessions, size_t parts, int64_t now_ms)
{
    while (HASH_COUNT(sessions->by_id) >= sessions->max_sessions ||
           sessions->parts + parts > sessions->max_parts) {
        struct fetch_session *oldest = sessions->oldest;

        if (oldest == NULL || now_ms - oldest->used_ms < FETCH_SESSION_REST_MS)
            return false;
        remove_session(sessions, oldest);
    }
    return true;
}

static struct fetch_session *new_session(struct fetch_sessions *sessions, bool by_id,
                                         int64_t now_ms)
{
    struct fetch_session *session = mem_alloc(sizeof *session);

    do
        sessions->next_id = sessions->next_id == INT32_MAX ? 1 : sessions->next_id + 1;
    while (find_session(sessions, sessions->next_id));
    session->id = sessions->next_id;
    session->epoch = INITIAL_EPOCH + 1;
    session->by_id = by_id;
    session->used_ms = now_ms;
    HASH_ADD(hh, sessions->by_id, id, sizeof session->id, session);
    DL_APPEND(sessions->oldest, session);
    return session;
}

/* Topic and index as bytes. */
static void make_key(const struct fetch_session *session, const struct wire_uuid *id,
                     struct wire_string topic, int32_t index, struct text_buf *key)
{
    key->len = 0;
    if (session->by_id)
        text_append_bytes(key, id->bytes, sizeof id->bytes);
    else
        text_append_bytes(key, topic.data, (size_t)topic.len);
    text_append_bytes(key, &index, sizeof index);
}

static struct fetch_part *find_part(const struct fetch_session *session,
                                    const struct text_buf *key)
{
    struct fetch_part *part = NULL;

    HASH_FIND(hh, session->by_key, key->data, key->len, part);
    return part;
}

static void set_part(struct fetch_part *part,
                     const struct fetch_request_fetch_partition *asked)
{
    part->index = asked->partition;
    part->max_bytes = asked->partition_max_bytes;
    part->leader_epoch = asked->current_leader_epoch;
    part->last_epoch = asked->last_fetched_epoch;
    part->offset = asked->fetch_offset;
}

static struct fetch_part *add_part(struct fetch_sessions *sessions,
                                   struct fetch_session *session,
                                   const struct fetch_request_fetch_topic *topic,
                                   const struct text_buf *key)
{
    struct fetch_part *part = mem_alloc(sizeof *part + key->len);

    memcpy(part->key, key->data, key->len);
    part->key_len = key->len;
    part->id = topic->topic_id;
    part->topic =
        (struct wire_string){part->key, session->by_id ? 0 : topic->topic.len};
    part->told_high_watermark = -1;
    part->told_start = -1;
    HASH_ADD_KEYPTR(hh, session->by_key, part->key, part->key_len, part);
    DL_APPEND(session->parts, part);
    sessions->parts++;
    return part;
}

static void take_topics(struct fetch_sessions *sessions, struct fetch_session *session,
                        const struct fetch_request *request)
{
    struct text_buf key = {0};

    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct fetch_request_fetch_topic *topic = &request->topics[t];

        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct fetch_part *part;

            make_key(session, &topic->topic_id, topic->topic,
                     topic->partitions[p].partition, &key);
            part = find_part(session, &key);
            if (part == NULL)
                part = add_part(sessions, session, topic, &key);
            set_part(part, &topic->partitions[p]);
        }
    }
    text_buf_clear(&key);
}

static void forget_topics(struct fetch_sessions *sessions,
                          struct fetch_session *session,
                          const struct fetch_request *request)
{
    struct text_buf key = {0};

    for (int32_t t = 0; t < request->forgotten_topics_data_count; t++) {
        const struct fetch_request_forgotten_topic *topic =
            &request->forgotten_topics_data[t];

        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct fetch_part *part;

            make_key(session, &topic->topic_id, topic->topic, topic->partitions[p],
                     &key);
            part = find_part(session, &key);
            if (part)
                remove_part(sessions, session, part);
        }
    }
    text_buf_clear(&key);
}

static size_t count_parts(const struct fetch_request *request)
{
    size_t count = 0;

    for (int32_t t = 0; t < request->topics_count; t++)
        count += (size_t)request->topics[t].partitions_count;
    return count;
}

static enum fetch_kind begin_full(struct fetch_sessions *sessions,
                                  const struct fetch_request *request, int16_t version,
                                  int64_t now_ms, struct fetch_session **session)
{
    size_t parts = count_parts(request);

    if (parts == 0 || !make_room(sessions, parts, now_ms))
        return FETCH_FULL;
    *session = new_session(sessions, version >= BY_ID_VERSION, now_ms);
    take_topics(sessions, *session, request);
    return FETCH_FULL;
}

static enum fetch_kind go_on(struct fetch_sessions *sessions,
                             const struct fetch_request *request, int64_t now_ms,
                             struct fetch_session **out)
{
    struct fetch_session *session = *out;

    if (sessions->going)
        sessions->going(sessions->arg, session);
    touch(sessions, session, now_ms);
    take_topics(sessions, session, request);
    forget_topics(sessions, session, request);
    if (session->parts == NULL) {
        remove_session(sessions, session);
        *out = NULL;
        return FETCH_SESSIONLESS;
    }
    session->epoch = session->epoch == INT32_MAX ? 1 : session->epoch + 1;
    return FETCH_INCREMENTAL;
}

enum fetch_kind fetch_session_begin(struct fetch_sessions *sessions,
                                    const struct fetch_request *request,
                                    int16_t version, int64_t now_ms,
                                    struct fetch_session **session,
                                    enum kafka_error *error)
{
    struct fetch_session *found = find_session(sessions, request->session_id);

    *session = NULL;
    *error = KAFKA_NONE;
    if (request->session_epoch == FINAL_EPOCH ||
        request->session_epoch == INITIAL_EPOCH) {
        if (found)
            remove_session(sessions, found);
        if (request->session_epoch == FINAL_EPOCH)
            return FETCH_SESSIONLESS;
        return begin_full(sessions, request, version, now_ms, session);
    }
    if (found && sessions->parts + count_parts(request) > sessions->max_parts) {
        remove_session(sessions, found); /* the client begins a full one */
        found = NULL;
    }
    if (found == NULL)
        *error = KAFKA_FETCH_SESSION_ID_NOT_FOUND;
    else if (found->epoch != request->session_epoch)
        *error = KAFKA_INVALID_FETCH_SESSION_EPOCH;
    else if (found->by_id != (version >= BY_ID_VERSION))
        *error = KAFKA_FETCH_SESSION_TOPIC_ID_ERROR;
    if (*error != KAFKA_NONE)
        return FETCH_REFUSED;
    *session = found;
    return go_on(sessions, request, now_ms, session);
}

struct fetch_part *fetch_parts(const struct fetch_request *request,
                               struct mem_arena *arena)
{
    struct fetch_part *list = NULL;

    for (int32_t t = 0; t < request->topics_count; t++) {
        const struct fetch_request_fetch_topic *topic = &request->topics[t];

        for (int32_t p = 0; p < topic->partitions_count; p++) {
            struct fetch_part *part = mem_arena_alloc(arena, sizeof *part);

            part->id = topic->topic_id;
            part->topic = topic->topic;
            set_part(part, &topic->partitions[p]);
            DL_APPEND(list, part);
        }
    }
    return list;
}

void fetch_session_served(struct fetch_session *session, struct fetch_part *part)
{
    DL_DELETE(session->parts, part);
    DL_APPEND(session->parts, part);
}
