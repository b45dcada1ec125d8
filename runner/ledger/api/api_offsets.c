/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "base/log.h"
#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/group/offsets.h"
#include "ledger/topic/topics.h"
#include "ledger/wire/messages_offsets.h"

enum { VERSION_TOPIC_IDS = 10 }; /* of OffsetCommit */

/* ---- OffsetCommit ------------------------------------------------------------ */

struct commit {
    struct ledger *ledger;
    struct request *request;
    const struct offset_commit_request *in;
    struct offset_commit_response out;
    bool any; /* is there a partition that exists? */
};

/* Topics and partitions as they are named; those that exist have no error yet. */
static void commit_look_up(struct commit *commit, int32_t index)
{
    const struct offset_commit_request_offset_commit_request_topic *in =
        &commit->in->topics[index];
    struct offset_commit_response_offset_commit_response_topic *out =
        &commit->out.topics[index];
    bool by_id = commit->request->version >= VERSION_TOPIC_IDS;
    const struct topic *topic =
        by_id ? topics_find_id(commit->ledger->topics, &in->topic_id)
              : topics_find(commit->ledger->topics, in->name);

    wire_defaults(&offset_commit_response_offset_commit_response_topic_message, out);
    out->topic_id = in->topic_id;
    out->name = topic ? (struct wire_string){topic->name, topic->name_len} : in->name;
    out->partitions_count = in->partitions_count;
    out->partitions =
        mem_arena_alloc(&commit->request->arena,
                        ((size_t)in->partitions_count + 1) * sizeof *out->partitions);
    for (int32_t i = 0; i < in->partitions_count; i++) {
        int32_t partition = in->partitions[i].partition_index;
        int16_t error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;

        if (topic && partition >= 0 && partition < topic->partitions)
            error = KAFKA_NONE;
        else if (!topic && by_id)
            error = KAFKA_UNKNOWN_TOPIC_ID;
        out->partitions[i].partition_index = partition;
        out->partitions[i].error_code = error;
        commit->any = commit->any || error == KAFKA_NONE;
    }
}

/* All partitions that have no error yet get this one. */
static void commit_fail(struct commit *commit, enum kafka_error error)
{
    for (int32_t i = 0; i < commit->out.topics_count; i++) {
        struct offset_commit_response_offset_commit_response_topic *topic =
            &commit->out.topics[i];

        for (int32_t j = 0; j < topic->partitions_count; j++) {
            if (topic->partitions[j].error_code == KAFKA_NONE)
                topic->partitions[j].error_code = (int16_t)error;
        }
    }
}

/* When an offset kept for so long is forgotten; -1: as the broker's setting says. */
static int64_t expiry(int64_t wall_ms, int64_t keep_ms)
{
    if (keep_ms == -1)
        return -1;
    return keep_ms > INT64_MAX - wall_ms ? INT64_MAX : wall_ms + keep_ms;
}

static void commit_set(struct commit *commit, int32_t index)
{
    const struct offset_commit_request_offset_commit_request_topic *in =
        &commit->in->topics[index];
    struct offset_commit_response_offset_commit_response_topic *out =
        &commit->out.topics[index];
    int64_t wall_ms = commit->request->wall_ms, keep_ms = commit->in->retention_time_ms;

    for (int32_t i = 0; i < in->partitions_count; i++) {
        struct offset offset = {
            .offset = in->partitions[i].committed_offset,
            .leader_epoch = in->partitions[i].committed_leader_epoch,
            .commit_ms = wall_ms,
            .expire_ms = expiry(wall_ms, keep_ms),
            .metadata = in->partitions[i].committed_metadata,
        };

        if (out->partitions[i].error_code == KAFKA_NONE)
            out->partitions[i].error_code =
                (int16_t)offsets_set(commit->ledger->offsets, out->name,
                                     in->partitions[i].partition_index, &offset);
    }
}

static void commit_all(struct commit *commit)
{
    const struct offset_commit_request *in = commit->in;
    struct groups_member who = {in->group_id, in->member_id, in->group_instance_id,
                                in->generation_id_or_member_epoch};
    struct groups_caller caller;
    struct error err = {0};
    enum kafka_error error;

    api_groups_caller(commit->request, &caller);
    error = groups_check_commit(commit->ledger->groups, &who, false, &caller);
    if (error != KAFKA_NONE) {
        commit_fail(commit, error);
        return;
    }
    offsets_begin(commit->ledger->offsets, in->group_id, -1);
    for (int32_t i = 0; i < in->topics_count; i++)
        commit_set(commit, i);
    if (offsets_end(commit->ledger->offsets, &err) != 0) {
        log_write(LOG_ERROR, "offsets", NULL, "a commit is not stored: %s", err.text);
        commit_fail(commit, KAFKA_COORDINATOR_NOT_AVAILABLE);
    }
}

void api_offset_commit(struct ledger *ledger, struct request *request)
{
    struct commit commit = {
        .ledger = ledger, .request = request, .in = request->message};

    wire_defaults(&offset_commit_response_message, &commit.out);
    commit.out.topics_count = commit.in->topics_count;
    commit.out.topics =
        mem_arena_alloc(&request->arena, ((size_t)commit.in->topics_count + 1) *
                                             sizeof *commit.out.topics);
    for (int32_t i = 0; i < commit.in->topics_count; i++)
        commit_look_up(&commit, i);
    if (commit.any)
        commit_all(&commit);
    request_answer(request, &commit.out);
}

/* ---- OffsetDelete ------------------------------------------------------------ */

struct deletion {
    struct ledger *ledger;
    struct request *request;
    const struct offset_delete_request *in;
    struct offset_delete_response out;
    bool any;
};

/* As Kafka's: first those that are not there, and no topic without partitions. */
static void delete_look_up(struct deletion *deletion, int32_t index)
{
    const struct offset_delete_request_offset_delete_request_topic *in =
        &deletion->in->topics[index];
    struct offset_delete_response_offset_delete_response_topic *out =
        &deletion->out.topics[deletion->out.topics_count];
    const struct topic *topic = topics_find(deletion->ledger->topics, in->name);

    if (in->partitions_count == 0)
        return;
    deletion->out.topics_count++;
    out->name = in->name;
    out->partitions =
        mem_arena_alloc(&deletion->request->arena,
                        (size_t)in->partitions_count * sizeof *out->partitions);
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < in->partitions_count; i++) {
            int32_t partition = in->partitions[i].partition_index;
            bool known = topic && partition >= 0 && partition < topic->partitions;

            if (known != (pass == 1))
                continue;
            out->partitions[out->partitions_count++] =
                (struct offset_delete_response_offset_delete_response_partition){
                    .partition_index = partition,
                    .error_code = known ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                };
            deletion->any = deletion->any || known;
        }
    }
}

static enum kafka_error delete_one(struct deletion *deletion, struct wire_string topic,
                                   int32_t partition)
{
    struct wire_string group = deletion->in->group_id;
    enum kafka_error error =
        groups_check_offset_delete(deletion->ledger->groups, group, topic);
    struct error err = {0};

    if (error == KAFKA_NONE &&
        offsets_delete(deletion->ledger->offsets, group, topic, partition, &err) != 0) {
        log_write(LOG_ERROR, "offsets", NULL, "an offset is not deleted: %s", err.text);
        return KAFKA_COORDINATOR_NOT_AVAILABLE;
    }
    return error;
}

static void delete_all(struct deletion *deletion)
{
    for (int32_t i = 0; i < deletion->out.topics_count; i++) {
        struct offset_delete_response_offset_delete_response_topic *topic =
            &deletion->out.topics[i];

        for (int32_t j = 0; j < topic->partitions_count; j++) {
            if (topic->partitions[j].error_code == KAFKA_NONE)
                topic->partitions[j].error_code = (int16_t)delete_one(
                    deletion, topic->name, topic->partitions[j].partition_index);
        }
    }
}

void api_offset_delete(struct ledger *ledger, struct request *request)
{
    struct deletion deletion = {
        .ledger = ledger, .request = request, .in = request->message};
    struct offset_delete_response *out = &deletion.out;

    wire_defaults(&offset_delete_response_message, out);
    out->topics = mem_arena_alloc(
        &request->arena, ((size_t)deletion.in->topics_count + 1) * sizeof *out->topics);
    for (int32_t i = 0; i < deletion.in->topics_count; i++)
        delete_look_up(&deletion, i);
    if (deletion.any) {
        out->error_code = (int16_t)groups_check_offset_delete(
            ledger->groups, deletion.in->group_id, (struct wire_string){NULL, -1});
        if (out->error_code == KAFKA_NONE)
            delete_all(&deletion);
        else
            out->topics_count = 0;
    }
    request_answer(request, out);
}
