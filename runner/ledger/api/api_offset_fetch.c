/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/group/offsets.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_offsets.h"

enum {
    VERSION_GROUP_ERROR = 2, /* an error of the group is no longer in each partition */
    VERSION_GROUPS = 8,      /* many groups in one request */
    VERSION_TOPIC_IDS = 10,
};

struct fetch {
    struct ledger *ledger;
    struct mem_arena *arena;
    struct wire_string group;
    bool by_id;
    bool stable; /* an offset that an open transaction may replace is an error */
    bool exists; /* without a group nothing is committed */
};

static void
fetch_nothing(struct offset_fetch_response_offset_fetch_response_partitions *out,
              int32_t partition, enum kafka_error error)
{
    wire_defaults(&offset_fetch_response_offset_fetch_response_partitions_message, out);
    out->partition_index = partition;
    out->committed_offset = -1;
    out->error_code = (int16_t)error;
}

static void
fetch_partition(const struct fetch *fetch, struct wire_string topic, int32_t partition,
                struct offset_fetch_response_offset_fetch_response_partitions *out)
{
    const struct offsets *offsets = fetch->ledger->offsets;
    const struct offset *offset = NULL;

    if (fetch->exists)
        offset = offsets_find(offsets, fetch->group, topic, partition);
    if (fetch->stable && offsets_unstable(offsets, fetch->group, topic, partition)) {
        fetch_nothing(out, partition, KAFKA_UNSTABLE_OFFSET_COMMIT);
        return;
    }
    fetch_nothing(out, partition, KAFKA_NONE);
    if (offset) {
        out->committed_offset = offset->offset;
        out->committed_leader_epoch = offset->leader_epoch;
        out->metadata = offset->metadata;
    }
}

/* ---- the topics that were asked for ------------------------------------------ */

static void
fetch_topic(const struct fetch *fetch,
            const struct offset_fetch_request_offset_fetch_request_topics *in,
            struct offset_fetch_response_offset_fetch_response_topics *out)
{
    const struct topic *topic =
        fetch->by_id ? topics_find_id(fetch->ledger->topics, &in->topic_id) : NULL;

    wire_defaults(&offset_fetch_response_offset_fetch_response_topics_message, out);
    out->topic_id = in->topic_id;
    out->name = topic ? (struct wire_string){topic->name, topic->name_len} : in->name;
    out->partitions_count = in->partition_indexes_count;
    out->partitions =
        mem_arena_alloc(fetch->arena, ((size_t)in->partition_indexes_count + 1) *
                                          sizeof *out->partitions);
    for (int32_t i = 0; i < in->partition_indexes_count; i++) {
        if (fetch->by_id && !topic)
            fetch_nothing(&out->partitions[i], in->partition_indexes[i],
                          KAFKA_UNKNOWN_TOPIC_ID);
        else
            fetch_partition(fetch, out->name, in->partition_indexes[i],
                            &out->partitions[i]);
    }
}

static void
fetch_asked(const struct fetch *fetch,
            const struct offset_fetch_request_offset_fetch_request_group *in,
            struct offset_fetch_response_offset_fetch_response_group *out)
{
    out->topics_count = in->topics_count;
    out->topics = mem_arena_alloc(fetch->arena,
                                  ((size_t)in->topics_count + 1) * sizeof *out->topics);
    for (int32_t i = 0; i < in->topics_count; i++)
        fetch_topic(fetch, &in->topics[i], &out->topics[i]);
}

/* ---- all that the group has -------------------------------------------------- */

/* offsets_each gives the partitions of a topic one after the other: first they are
 * counted, then filled in. */
struct fetch_all {
    const struct fetch *fetch;
    int32_t topics, partitions; /* so far */
    struct wire_string last;
    struct offset_fetch_response_offset_fetch_response_topics *out;
    struct offset_fetch_response_offset_fetch_response_partitions *room;
};

static bool count_offset(void *arg, struct wire_string topic, int32_t partition,
                         const struct offset *offset)
{
    struct fetch_all *all = arg;

    (void)partition;
    (void)offset;
    if (all->topics == 0 || !wire_string_equal(all->last, topic))
        all->topics++;
    all->partitions++;
    all->last = topic;
    return true;
}

/* False: it has no id, because it was deleted. */
static bool begin_topic(struct fetch_all *all, struct wire_string name)
{
    const struct fetch *fetch = all->fetch;
    const struct topic *topic =
        fetch->by_id ? topics_find(fetch->ledger->topics, name) : NULL;
    struct offset_fetch_response_offset_fetch_response_topics *out;

    if (fetch->by_id && !topic)
        return false;
    out = &all->out[all->topics++];
    wire_defaults(&offset_fetch_response_offset_fetch_response_topics_message, out);
    out->name = name;
    if (topic)
        out->topic_id = topic->id;
    out->partitions = &all->room[all->partitions];
    all->last = name;
    return true;
}

static bool fill_offset(void *arg, struct wire_string topic, int32_t partition,
                        const struct offset *offset)
{
    struct fetch_all *all = arg;

    (void)offset;
    if ((all->topics == 0 || !wire_string_equal(all->last, topic)) &&
        !begin_topic(all, topic))
        return true;
    fetch_partition(all->fetch, topic, partition, &all->room[all->partitions++]);
    all->out[all->topics - 1].partitions_count++;
    return true;
}

static void fetch_all(const struct fetch *fetch,
                      struct offset_fetch_response_offset_fetch_response_group *out)
{
    struct fetch_all all = {.fetch = fetch};

    if (!fetch->exists)
        return;
    offsets_each(fetch->ledger->offsets, fetch->group, count_offset, &all);
    all.out = mem_arena_alloc(fetch->arena, ((size_t)all.topics + 1) * sizeof *all.out);
    all.room =
        mem_arena_alloc(fetch->arena, ((size_t)all.partitions + 1) * sizeof *all.room);
    all.topics = all.partitions = 0;
    offsets_each(fetch->ledger->offsets, fetch->group, fill_offset, &all);
    out->topics = all.out;
    out->topics_count = all.topics;
}

/* ---- the request ------------------------------------------------------------- */

static void
fetch_group(struct ledger *ledger, struct request *request, bool stable,
            const struct offset_fetch_request_offset_fetch_request_group *in,
            struct offset_fetch_response_offset_fetch_response_group *out)
{
    struct groups_member who = {
        in->group_id, in->member_id, {NULL, -1}, in->member_epoch};
    enum kafka_error error = request_is_full(request)
                                 ? KAFKA_INVALID_REQUEST
                                 : groups_check_fetch(ledger->groups, &who);
    struct fetch fetch = {
        .ledger = ledger,
        .arena = &request->arena,
        .group = in->group_id,
        .by_id = request->version >= VERSION_TOPIC_IDS,
        .stable = stable,
        .exists = error != KAFKA_GROUP_ID_NOT_FOUND,
    };

    wire_defaults(&offset_fetch_response_offset_fetch_response_group_message, out);
    out->group_id = in->group_id;
    if (error != KAFKA_NONE && fetch.exists)
        out->error_code = (int16_t)error;
    else if (in->topics_count < 0)
        fetch_all(&fetch, out);
    else
        fetch_asked(&fetch, in, out);
}

/* Before version 8 a request is one group, with structs of its own. */
static void old_request(const struct offset_fetch_request *in, struct mem_arena *arena,
                        struct offset_fetch_request_offset_fetch_request_group *out)
{
    wire_defaults(&offset_fetch_request_offset_fetch_request_group_message, out);
    out->group_id = in->group_id;
    out->topics_count = in->topics_count;
    if (in->topics_count < 0)
        return;
    out->topics =
        mem_arena_alloc(arena, ((size_t)in->topics_count + 1) * sizeof *out->topics);
    for (int32_t i = 0; i < in->topics_count; i++) {
        out->topics[i].name = in->topics[i].name;
        out->topics[i].partition_indexes = in->topics[i].partition_indexes;
        out->topics[i].partition_indexes_count = in->topics[i].partition_indexes_count;
    }
}

static void
old_topic(const struct offset_fetch_response_offset_fetch_response_topics *in,
          struct mem_arena *arena,
          struct offset_fetch_response_offset_fetch_response_topic *out)
{
    out->name = in->name;
    out->partitions_count = in->partitions_count;
    out->partitions = mem_arena_alloc(arena, ((size_t)in->partitions_count + 1) *
                                                 sizeof *out->partitions);
    for (int32_t i = 0; i < in->partitions_count; i++) {
        out->partitions[i].partition_index = in->partitions[i].partition_index;
        out->partitions[i].committed_offset = in->partitions[i].committed_offset;
        out->partitions[i].committed_leader_epoch =
            in->partitions[i].committed_leader_epoch;
        out->partitions[i].metadata = in->partitions[i].metadata;
        out->partitions[i].error_code = in->partitions[i].error_code;
    }
}

static void
old_response(const struct offset_fetch_response_offset_fetch_response_group *in,
             struct mem_arena *arena, struct offset_fetch_response *out)
{
    out->error_code = in->error_code;
    out->topics_count = in->topics_count;
    out->topics =
        mem_arena_alloc(arena, ((size_t)in->topics_count + 1) * sizeof *out->topics);
    for (int32_t i = 0; i < in->topics_count; i++)
        old_topic(&in->topics[i], arena, &out->topics[i]);
}

/* Versions 0 and 1 have no place for an error of the group but in each partition. */
static void
spread_error(const struct fetch *fetch,
             const struct offset_fetch_request_offset_fetch_request_group *in,
             struct offset_fetch_response_offset_fetch_response_group *group)
{
    fetch_asked(fetch, in, group);
    for (int32_t i = 0; i < group->topics_count; i++) {
        for (int32_t j = 0; j < group->topics[i].partitions_count; j++)
            group->topics[i].partitions[j].error_code = group->error_code;
    }
}

static void fetch_old(struct ledger *ledger, struct request *request,
                      struct offset_fetch_response *out)
{
    const struct offset_fetch_request *in = request->message;
    struct offset_fetch_request_offset_fetch_request_group group;
    struct offset_fetch_response_offset_fetch_response_group answer;
    struct fetch nothing = {
        .ledger = ledger, .arena = &request->arena, .group = in->group_id};

    old_request(in, &request->arena, &group);
    fetch_group(ledger, request, in->require_stable, &group, &answer);
    if (answer.error_code != KAFKA_NONE && request->version < VERSION_GROUP_ERROR &&
        group.topics_count >= 0)
        spread_error(&nothing, &group, &answer);
    old_response(&answer, &request->arena, out);
}

void api_offset_fetch(struct ledger *ledger, struct request *request)
{
    const struct offset_fetch_request *in = request->message;
    struct offset_fetch_response out;

    wire_defaults(&offset_fetch_response_message, &out);
    if (request->version < VERSION_GROUPS) {
        fetch_old(ledger, request, &out);
    } else {
        out.groups_count = in->groups_count;
        out.groups = mem_arena_alloc(&request->arena, ((size_t)in->groups_count + 1) *
                                                          sizeof *out.groups);
        for (int32_t i = 0; i < in->groups_count; i++)
            fetch_group(ledger, request, in->require_stable, &in->groups[i],
                        &out.groups[i]);
    }
    request_answer(request, &out);
}
