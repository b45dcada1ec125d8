/* SPDX-License-Identifier: MIT */
#include "ledger/api/api.h"

#include "base/log.h"
#include "ledger/api/api_partition.h"
#include "ledger/api/flushes.h"
#include "ledger/api/ledger.h"
#include "ledger/group/groups.h"
#include "ledger/group/offsets.h"
#include "ledger/topic/topics.h"
#include "ledger/txn/txns.h"
#include "ledger/wire/messages_txn.h"

/* Versions from which on a client knows PRODUCER_FENCED. */
enum { INIT_KNOWS_FENCED = 4, TXN_KNOWS_FENCED = 2 };

enum { ADD_BATCHED = 4 }; /* AddPartitionsToTxn: brokers send several transactions */

static struct txns_time time_of(const struct request *request)
{
    return (struct txns_time){.now_ms = request->now_ms, .wall_ms = request->wall_ms};
}

/* Older clients take the one that they know. */
static int16_t fenced_since(const struct request *request, int16_t version,
                            enum kafka_error error)
{
    if (error == KAFKA_PRODUCER_FENCED && request->version < version)
        return KAFKA_INVALID_PRODUCER_EPOCH;
    return (int16_t)error;
}

/* ---- InitProducerId ------------------------------------------------------ */

void api_init_producer_id(struct ledger *ledger, struct request *request)
{
    const struct init_producer_id_request *in = request->message;
    const struct txns_time time = time_of(request);
    const struct txns_init init = {
        .transactional_id = in->transactional_id,
        .timeout_ms = in->transaction_timeout_ms,
        .expected = {.id = in->producer_id, .epoch = in->producer_epoch},
    };
    struct txns_producer producer = {.id = -1, .epoch = -1};
    struct init_producer_id_response out;
    enum kafka_error error = KAFKA_INVALID_REQUEST; /* half an expectation */

    if ((in->producer_id == -1) == (in->producer_epoch == -1))
        error = txns_init(ledger->txns, &init, &time, &producer);
    wire_defaults(&init_producer_id_response_message, &out);
    out.error_code = fenced_since(request, INIT_KNOWS_FENCED, error);
    out.producer_id = producer.id;
    out.producer_epoch = producer.epoch;
    request_answer(request, &out);
}

/* ---- AddPartitionsToTxn -------------------------------------------------- */

struct adding {
    struct ledger *ledger;
    struct request *request;
    struct txns_writer who;
    bool verify_only;
    const struct add_partitions_to_txn_request_add_partitions_to_txn_topic *topics;
    int32_t topics_count;
    struct txns_partition *partitions;
    int32_t count;
};

static bool exists(struct adding *adding, struct wire_string name, int32_t index)
{
    const struct topic *topic = topics_find(adding->ledger->topics, name);

    return wire_string_is(name, TXNS_OFFSETS_TOPIC) ||
           (topic != NULL && index >= 0 && index < topic->partitions);
}

/* List all partitions named. Is every one of them there? */
static bool list_partitions(struct adding *adding)
{
    int32_t total = 0;
    bool all = true;

    for (int32_t i = 0; i < adding->topics_count; i++)
        total += adding->topics[i].partitions_count;
    adding->partitions = mem_arena_alloc(
        &adding->request->arena, ((size_t)total + 1) * sizeof *adding->partitions);
    for (int32_t i = 0; i < adding->topics_count; i++) {
        for (int32_t j = 0; j < adding->topics[i].partitions_count; j++) {
            struct txns_partition *one = &adding->partitions[adding->count++];
            one->topic = adding->topics[i].name;
            one->index = adding->topics[i].partitions[j];
            all = all && exists(adding, one->topic, one->index);
        }
    }
    return all;
}

static int16_t result_of(struct adding *adding, const struct txns_partition *partition,
                         bool all_exist, enum kafka_error error)
{
    if (!exists(adding, partition->topic, partition->index))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (!all_exist)
        return KAFKA_OPERATION_NOT_ATTEMPTED;
    if (adding->verify_only)
        error = txns_verify(adding->ledger->txns, &adding->who, partition);
    return fenced_since(adding->request, TXN_KNOWS_FENCED, error);
}

/* Do one transaction; *results has an element per topic. */
static void add_partitions(
    struct adding *adding,
    struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result **results)
{
    struct mem_arena *arena = &adding->request->arena;
    const struct txns_time time = time_of(adding->request);
    const struct txns_partition *next;
    enum kafka_error error = KAFKA_NONE;
    bool all_exist = list_partitions(adding);

    if (all_exist && !adding->verify_only)
        error = txns_add(adding->ledger->txns, &adding->who, adding->partitions,
                         adding->count, &time);
    next = adding->partitions;
    *results =
        mem_arena_alloc(arena, ((size_t)adding->topics_count + 1) * sizeof **results);
    for (int32_t i = 0; i < adding->topics_count; i++) {
        struct add_partitions_to_txn_response_add_partitions_to_txn_topic_result
            *topic = &(*results)[i];
        int32_t count = adding->topics[i].partitions_count;

        topic->name = adding->topics[i].name;
        topic->results_by_partition_count = count;
        topic->results_by_partition = mem_arena_alloc(
            arena, ((size_t)count + 1) * sizeof *topic->results_by_partition);
        for (int32_t j = 0; j < count; j++, next++) {
            topic->results_by_partition[j].partition_index = next->index;
            topic->results_by_partition[j].partition_error_code =
                result_of(adding, next, all_exist, error);
        }
    }
}

static void add_one(struct ledger *ledger, struct request *request,
                    struct add_partitions_to_txn_response *out)
{
    const struct add_partitions_to_txn_request *in = request->message;
    struct adding adding = {
        .ledger = ledger,
        .request = request,
        .who = {.transactional_id = in->v3_and_below_transactional_id,
                .producer = {.id = in->v3_and_below_producer_id,
                             .epoch = in->v3_and_below_producer_epoch}},
        .topics = in->v3_and_below_topics,
        .topics_count = in->v3_and_below_topics_count,
    };

    add_partitions(&adding, &out->results_by_topic_v3_and_below);
    out->results_by_topic_v3_and_below_count = adding.topics_count;
}

static void add_batch(struct ledger *ledger, struct request *request,
                      struct add_partitions_to_txn_response *out)
{
    const struct add_partitions_to_txn_request *in = request->message;

    out->results_by_transaction_count = in->transactions_count;
    out->results_by_transaction =
        mem_arena_alloc(&request->arena, ((size_t)in->transactions_count + 1) *
                                             sizeof *out->results_by_transaction);
    for (int32_t i = 0; i < in->transactions_count; i++) {
        struct add_partitions_to_txn_response_add_partitions_to_txn_result *result =
            &out->results_by_transaction[i];
        struct adding adding = {
            .ledger = ledger,
            .request = request,
            .who = {.transactional_id = in->transactions[i].transactional_id,
                    .producer = {.id = in->transactions[i].producer_id,
                                 .epoch = in->transactions[i].producer_epoch}},
            .verify_only = in->transactions[i].verify_only,
            .topics = in->transactions[i].topics,
            .topics_count = in->transactions[i].topics_count,
        };

        result->transactional_id = in->transactions[i].transactional_id;
        add_partitions(&adding, &result->topic_results);
        result->topic_results_count = adding.topics_count;
    }
}

void api_add_partitions_to_txn(struct ledger *ledger, struct request *request)
{
    struct add_partitions_to_txn_response out;

    wire_defaults(&add_partitions_to_txn_response_message, &out);
    if (request->version < ADD_BATCHED)
        add_one(ledger, request, &out);
    else
        add_batch(ledger, request, &out);
    request_answer(request, &out);
}

/* ---- AddOffsetsToTxn ----------------------------------------------------- */

void api_add_offsets_to_txn(struct ledger *ledger, struct request *request)
{
    const struct add_offsets_to_txn_request *in = request->message;
    const struct txns_time time = time_of(request);
    const struct txns_writer who = {
        .transactional_id = in->transactional_id,
        .producer = {.id = in->producer_id, .epoch = in->producer_epoch},
    };
    struct add_offsets_to_txn_response out;

    wire_defaults(&add_offsets_to_txn_response_message, &out);
    out.error_code =
        fenced_since(request, TXN_KNOWS_FENCED,
                     txns_add_group(ledger->txns, &who, in->group_id, &time));
    request_answer(request, &out);
}

/* ---- TxnOffsetCommit ----------------------------------------------------- */

struct pending {
    struct ledger *ledger;
    struct request *request;
    const struct txn_offset_commit_request *in;
    struct txn_offset_commit_response out;
    bool any; /* is there a partition that exists? */
};

static void pend_look_up(struct pending *pending, int32_t index)
{
    const struct txn_offset_commit_request_txn_offset_commit_request_topic *in =
        &pending->in->topics[index];
    struct txn_offset_commit_response_txn_offset_commit_response_topic *out =
        &pending->out.topics[index];
    const struct topic *topic = topics_find(pending->ledger->topics, in->name);

    out->name = in->name;
    out->partitions_count = in->partitions_count;
    out->partitions =
        mem_arena_alloc(&pending->request->arena,
                        ((size_t)in->partitions_count + 1) * sizeof *out->partitions);
    for (int32_t i = 0; i < in->partitions_count; i++) {
        int32_t partition = in->partitions[i].partition_index;
        bool known = topic != NULL && partition >= 0 && partition < topic->partitions;

        out->partitions[i].partition_index = partition;
        out->partitions[i].error_code =
            known ? KAFKA_NONE : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        pending->any = pending->any || known;
    }
}

/* All partitions that have no error yet get this one. */
static void pend_fail(struct pending *pending, enum kafka_error error)
{
    for (int32_t i = 0; i < pending->out.topics_count; i++) {
        struct txn_offset_commit_response_txn_offset_commit_response_topic *topic =
            &pending->out.topics[i];

        for (int32_t j = 0; j < topic->partitions_count; j++)
            if (topic->partitions[j].error_code == KAFKA_NONE)
                topic->partitions[j].error_code = (int16_t)error;
    }
}

static void pend_set(struct pending *pending, int32_t index)
{
    const struct txn_offset_commit_request_txn_offset_commit_request_topic *in =
        &pending->in->topics[index];
    struct txn_offset_commit_response_txn_offset_commit_response_topic *out =
        &pending->out.topics[index];

    for (int32_t i = 0; i < in->partitions_count; i++) {
        struct offset offset = {
            .offset = in->partitions[i].committed_offset,
            .leader_epoch = in->partitions[i].committed_leader_epoch,
            .commit_ms = pending->request->wall_ms,
            .expire_ms = -1,
            .metadata = in->partitions[i].committed_metadata,
        };

        if (out->partitions[i].error_code == KAFKA_NONE)
            out->partitions[i].error_code =
                (int16_t)offsets_set(pending->ledger->offsets, in->name,
                                     in->partitions[i].partition_index, &offset);
    }
}

/* The coordinator's checks come first, then the group's. */
static enum kafka_error pend_check(struct pending *pending)
{
    const struct txn_offset_commit_request *in = pending->in;
    const struct txns_time time = time_of(pending->request);
    const struct txns_writer who = {
        .transactional_id = in->transactional_id,
        .producer = {.id = in->producer_id, .epoch = in->producer_epoch},
    };
    const struct groups_member member = {in->group_id, in->member_id,
                                         in->group_instance_id, in->generation_id};
    struct groups_caller caller;

    if (in->group_id.len <= 0)
        return KAFKA_INVALID_GROUP_ID;
    enum kafka_error error = txns_offset_commit(
        pending->ledger->txns, &who, in->group_id, pending->request->version, &time);
    if (error != KAFKA_NONE)
        return error;
    api_groups_caller(pending->request, &caller);
    return groups_check_commit(pending->ledger->groups, &member, true, &caller);
}

static void pend_all(struct pending *pending)
{
    enum kafka_error error = pend_check(pending);
    struct error err = {0};

    if (error != KAFKA_NONE) {
        pend_fail(pending, error);
        return;
    }
    offsets_begin(pending->ledger->offsets, pending->in->group_id,
                  pending->in->producer_id);
    for (int32_t i = 0; i < pending->in->topics_count; i++)
        pend_set(pending, i);
    if (offsets_end(pending->ledger->offsets, &err) != 0) {
        log_write(LOG_ERROR, "offsets", NULL, "a commit is not stored: %s", err.text);
        pend_fail(pending, KAFKA_COORDINATOR_NOT_AVAILABLE);
    }
}

void api_txn_offset_commit(struct ledger *ledger, struct request *request)
{
    struct pending pending = {
        .ledger = ledger, .request = request, .in = request->message};

    wire_defaults(&txn_offset_commit_response_message, &pending.out);
    pending.out.topics_count = pending.in->topics_count;
    pending.out.topics =
        mem_arena_alloc(&request->arena, ((size_t)pending.in->topics_count + 1) *
                                             sizeof *pending.out.topics);
    for (int32_t i = 0; i < pending.in->topics_count; i++)
        pend_look_up(&pending, i);
    if (pending.any)
        pend_all(&pending);
    request_answer(request, &pending.out);
}

/* ---- EndTxn -------------------------------------------------------------- */

/* Committed is what is committed after a power cut, too. */
static void check_end(struct ledger *ledger, const struct request *request,
                      void *response)
{
    const struct end_txn_request *in = request->message;
    struct end_txn_response *out = response;

    if (out->error_code == KAFKA_NONE &&
        !txns_end_kept(ledger->txns, in->transactional_id))
        out->error_code = KAFKA_COORDINATOR_NOT_AVAILABLE;
}

void api_end_txn(struct ledger *ledger, struct request *request)
{
    const struct end_txn_request *in = request->message;
    const struct txns_time time = time_of(request);
    const struct txns_writer who = {
        .transactional_id = in->transactional_id,
        .producer = {.id = in->producer_id, .epoch = in->producer_epoch},
    };
    struct txns_producer next;
    struct end_txn_response out;
    enum kafka_error error =
        txns_end(ledger->txns, &who, in->committed, request->version, &time, &next);

    wire_defaults(&end_txn_response_message, &out);
    out.error_code = fenced_since(request, TXN_KNOWS_FENCED, error);
    out.producer_id = next.id;
    out.producer_epoch = next.epoch;
    flushes_answer(ledger, request, &out, check_end);
}

/* ---- WriteTxnMarkers ----------------------------------------------------- */

enum { MARKERS_VERSION_2 = 2 }; /* of transactions */

static enum kafka_error write_marker(struct ledger *ledger, struct wire_string name,
                                     int32_t index, const struct partition_mark *mark)
{
    struct partition *partition;
    struct error err = {0};

    if (wire_string_is(name, TXNS_OFFSETS_TOPIC))
        return offsets_settle(ledger->offsets, mark->producer_id, mark->commit, &err) ==
                       0
                   ? KAFKA_NONE
                   : KAFKA_COORDINATOR_NOT_AVAILABLE;
    enum kafka_error error =
        api_partition(ledger, topics_find(ledger->topics, name), index, &partition);
    return error == KAFKA_NONE ? partition_marker(partition, mark) : error;
}

static void
write_markers(struct ledger *ledger, struct request *request,
              const struct write_txn_markers_request_writable_txn_marker *in,
              struct write_txn_markers_response_writable_txn_marker_result *out)
{
    const struct partition_mark mark = {
        .producer_id = in->producer_id,
        .epoch = in->producer_epoch,
        .coordinator_epoch = in->coordinator_epoch,
        .commit = in->transaction_result,
        .bumps_epoch = in->transaction_version >= MARKERS_VERSION_2,
        .wall_ms = request->wall_ms,
    };

    out->producer_id = in->producer_id;
    out->topics_count = in->topics_count;
    out->topics = mem_arena_alloc(&request->arena,
                                  ((size_t)in->topics_count + 1) * sizeof *out->topics);
    for (int32_t i = 0; i < in->topics_count; i++) {
        int32_t count = in->topics[i].partition_indexes_count;

        out->topics[i].name = in->topics[i].name;
        out->topics[i].partitions_count = count;
        out->topics[i].partitions = mem_arena_alloc(
            &request->arena, ((size_t)count + 1) * sizeof *out->topics[i].partitions);
        for (int32_t j = 0; j < count; j++) {
            int32_t index = in->topics[i].partition_indexes[j];
            out->topics[i].partitions[j].partition_index = index;
            out->topics[i].partitions[j].error_code =
                (int16_t)write_marker(ledger, in->topics[i].name, index, &mark);
        }
    }
}

static void check_markers(struct ledger *ledger, const struct request *request,
                          void *response)
{
    struct write_txn_markers_response *out = response;

    (void)request;
    for (int32_t m = 0; m < out->markers_count; m++) {
        for (int32_t t = 0; t < out->markers[m].topics_count; t++) {
            struct write_txn_markers_response_writable_txn_marker_topic_result *marked =
                &out->markers[m].topics[t];
            const struct topic *topic = topics_find(ledger->topics, marked->name);

            for (int32_t p = 0; p < marked->partitions_count; p++)
                if (marked->partitions[p].error_code == KAFKA_NONE &&
                    !flushes_kept(topic, marked->partitions[p].partition_index))
                    marked->partitions[p].error_code = KAFKA_STORAGE_ERROR;
        }
    }
}

void api_write_txn_markers(struct ledger *ledger, struct request *request)
{
    const struct write_txn_markers_request *in = request->message;
    struct write_txn_markers_response out;

    wire_defaults(&write_txn_markers_response_message, &out);
    out.markers_count = in->markers_count;
    out.markers = mem_arena_alloc(&request->arena, ((size_t)in->markers_count + 1) *
                                                       sizeof *out.markers);
    for (int32_t i = 0; i < in->markers_count; i++)
        write_markers(ledger, request, &in->markers[i], &out.markers[i]);
    flushes_answer(ledger, request, &out, check_markers);
}
