/* SPDX-License-Identifier: MIT
 *
 * ledger_durable_test.c - policy "always": what is on the disk when an answer comes,
 * and what is answered when the disk refuses to flush.
 */
#include "ledger_api_rig.h"
#include "support/suite.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the disk has been told; written by the thread that flushes as well. */
static struct {
    char log[FIXTURE_PATH + 64]; /* of partition t-0 */
    _Atomic int64_t log_bytes;   /* of it that are flushed */
    _Atomic int checkpoints, folders, stores, starts;
    _Atomic int64_t log_at_store; /* its size at the first flush of the store */
    _Atomic(const char *) broken; /* flushing fails for paths with this in them */
} disk;

static int64_t size_of_log(void)
{
    struct stat status;

    return stat(disk.log, &status) == 0 ? status.st_size : 0;
}

static bool ends_with(const char *path, const char *end)
{
    size_t len = strlen(path), end_len = strlen(end);

    return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

static void note(const char *path)
{
    if (strcmp(path, disk.log) == 0)
        disk.log_bytes = size_of_log();
    if (ends_with(path, "/t-0/checkpoint"))
        disk.checkpoints++;
    if (strcmp(path, rig.dir) == 0)
        disk.folders++;
    if (ends_with(path, "/store") && disk.stores++ == 0)
        disk.log_at_store = size_of_log();
}

/* In place of the C library's. */
int fdatasync(int fd)
{
    char link[64], path[FIXTURE_PATH + 128];
    const char *broken = disk.broken;
    ssize_t len;

    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    if (broken && strstr(path, broken)) {
        errno = EIO;
        return -1;
    }
    note(path);
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    disk.starts++;
    return (int)syscall(SYS_fsync, fd);
}

static void reset_disk(void)
{
    disk.log_bytes = disk.log_at_store = -1;
    disk.checkpoints = disk.folders = disk.stores = disk.starts = 0;
    disk.broken = NULL;
}

static void set_up_always(void)
{
    set_up();
    close_broker();
    (void)snprintf(disk.log, sizeof disk.log, "%s/t-0/%020d.log", rig.dir, 0);
    reset_disk();
    open_broker(LEDGER_FSYNC_ALWAYS);
}

static void tear_down_always(void)
{
    disk.broken = NULL;
    tear_down();
}

/* ---- transactions -----------------------------------------------------------------
 */

static struct init_producer_id_response init_producer(struct client *client)
{
    struct init_producer_id_request request;
    struct init_producer_id_response response;

    wire_defaults(&init_producer_id_request_message, &request);
    request.transactional_id = wire_string_of("x");
    request.transaction_timeout_ms = 60000;
    ask(client, WIRE_INIT_PRODUCER_ID, 4, &request);
    ck_assert(receive(client, WIRE_INIT_PRODUCER_ID, 4, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    return response;
}

static void send_end(struct client *client, const struct init_producer_id_response *who)
{
    struct end_txn_request request;

    wire_defaults(&end_txn_request_message, &request);
    request.transactional_id = wire_string_of("x");
    request.producer_id = who->producer_id;
    request.producer_epoch = who->producer_epoch;
    request.committed = true;
    ask(client, WIRE_END_TXN, 5, &request);
}

static struct init_producer_id_response begin_transaction(struct client *client)
{
    struct init_producer_id_response who = init_producer(client);
    struct put put = plain;

    put.version = 12;
    put.transactional_id = "x";
    put.batch = (struct bench_batch){.producer_id = who.producer_id,
                                     .epoch = who.producer_epoch,
                                     .count = 5,
                                     .attributes = BATCH_TRANSACTIONAL};
    ck_assert_int_eq(put_error(client, &put), KAFKA_NONE);
    return who;
}

/* Else a power cut after the next transaction's beginning aborts a committed one. */
START_TEST(a_transaction_is_answered_as_ended_when_its_markers_are_flushed)
{
    struct client client = connect_client();
    struct init_producer_id_response who = begin_transaction(&client);
    int64_t before = size_of_log();
    struct end_txn_response response;

    ck_assert_int_eq(disk.log_bytes, before);
    send_end(&client, &who);
    ck_assert(receive(&client, WIRE_END_TXN, 5, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert_int_gt(size_of_log(), before);
    ck_assert_int_eq(disk.log_bytes, size_of_log());
    disconnect(&client);
}
END_TEST

/* Else a power cut can leave markers in some partitions of an undecided transaction. */
START_TEST(a_decision_is_flushed_before_the_first_marker)
{
    struct client client = connect_client();
    struct init_producer_id_response who = begin_transaction(&client);
    int64_t before = size_of_log();
    struct end_txn_response response;

    reset_disk();
    send_end(&client, &who);
    ck_assert(receive(&client, WIRE_END_TXN, 5, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert_int_eq(disk.log_at_store, before);
    disconnect(&client);
}
END_TEST

START_TEST(an_end_whose_markers_cannot_be_flushed_is_none)
{
    struct client client = connect_client();
    struct init_producer_id_response who = begin_transaction(&client);
    struct end_txn_response response;

    disk.broken = "/t-0/";
    send_end(&client, &who);
    ck_assert(receive(&client, WIRE_END_TXN, 5, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_COORDINATOR_NOT_AVAILABLE);
    disconnect(&client);
}
END_TEST

/* ---- records ----------------------------------------------------------------------
 */

START_TEST(a_first_record_has_its_folder_flushed)
{
    struct client client = connect_client();

    ck_assert_int_eq(disk.starts, 1); /* the data folder, with the store in it */
    ck_assert_int_eq(disk.folders, 0);
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    ck_assert_int_eq(disk.folders, 1);
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    ck_assert_int_eq(disk.folders, 1);
    disconnect(&client);
}
END_TEST

START_TEST(a_partition_that_cannot_be_flushed_stops_no_other)
{
    struct client client = connect_client();
    struct put other = plain;

    disk.broken = "/t-0/";
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_STORAGE_ERROR);
    other.partition = 1;
    ck_assert_int_eq(put_error(&client, &other), KAFKA_NONE);
    disk.broken = NULL;
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(put_error(&client, &other), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

/* Nobody above the descriptors that are open now gets more than so many. */
static rlim_t leave_descriptors(int count)
{
    int next = dup(0);
    struct rlimit limit;
    rlim_t before;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)(next + count);
    (void)close(next);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

/* Enough to make its files, and then not to flush them. */
START_TEST(a_partition_outlives_that_there_are_no_descriptors)
{
    struct client client = connect_client();
    struct put put = plain;
    struct produce_response response;
    struct rlimit limit;
    rlim_t before;

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    put.partition = 1;
    before = leave_descriptors(4);
    (void)send_put(&client, &put);
    ck_assert(!receive(&client, WIRE_PRODUCE, put.version, 300, &response));
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = before;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(receive(&client, WIRE_PRODUCE, put.version, LONG_MS, &response));
    ck_assert_int_eq(response.responses[0].partition_responses[0].error_code,
                     KAFKA_NONE);
    ck_assert_int_eq(put_error(&client, &put), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

static struct delete_records_response delete_records(struct client *client)
{
    struct delete_records_request request;
    struct delete_records_request_delete_records_topic topic;
    struct delete_records_request_delete_records_partition partition;
    struct delete_records_response response;

    wire_defaults(&delete_records_request_message, &request);
    wire_defaults(&delete_records_request_delete_records_topic_message, &topic);
    wire_defaults(&delete_records_request_delete_records_partition_message, &partition);
    partition.offset = 5;
    topic.name = wire_string_of("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(client, WIRE_DELETE_RECORDS, 2, &request);
    ck_assert(receive(client, WIRE_DELETE_RECORDS, 2, LONG_MS, &response));
    return response;
}

START_TEST(deleted_records_are_flushed_away)
{
    struct client client = connect_client();
    struct delete_records_response response;

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    reset_disk();
    response = delete_records(&client);
    ck_assert_int_eq(response.topics[0].partitions[0].error_code, KAFKA_NONE);
    ck_assert_int_eq(response.topics[0].partitions[0].low_watermark, 5);
    ck_assert_int_gt(disk.checkpoints, 0);
    disk.broken = "/t-0/";
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_STORAGE_ERROR);
    disconnect(&client);
}
END_TEST

/* ---- the store --------------------------------------------------------------------
 */

static int16_t create_error(struct client *client, const char *name)
{
    struct create_topics_request request;
    struct create_topics_request_creatable_topic topic;
    struct create_topics_response response;

    wire_defaults(&create_topics_request_message, &request);
    wire_defaults(&create_topics_request_creatable_topic_message, &topic);
    topic.name = wire_string_of(name);
    topic.num_partitions = 1;
    topic.replication_factor = 1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(client, WIRE_CREATE_TOPICS, 7, &request);
    if (!receive(client, WIRE_CREATE_TOPICS, 7, 2000, &response))
        return INT16_MIN;
    return response.topics[0].error_code;
}

/* After a failed flush nothing is known about the file; what it said was a lie. */
START_TEST(a_store_that_cannot_be_flushed_promises_nothing)
{
    struct client client = connect_client();

    disk.broken = "/store";
    ck_assert_int_eq(create_error(&client, "u"), INT16_MIN);
    ck_assert(is_closed(&client));
    disconnect(&client);
    disk.broken = NULL;
    client = connect_client();
    ck_assert_int_eq(create_error(&client, "v"), KAFKA_STORAGE_ERROR);
    disconnect(&client);
    close_broker();
    open_broker(LEDGER_FSYNC_ALWAYS);
    client = connect_client();
    ck_assert_int_eq(create_error(&client, "v"), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

/* ---- a topic and what groups committed of it ----------------------------------------
 */

static void commit_offset(struct client *client)
{
    struct offset_commit_request request;
    struct offset_commit_request_offset_commit_request_topic topic;
    struct offset_commit_request_offset_commit_request_partition partition;
    struct offset_commit_response response;

    wire_defaults(&offset_commit_request_message, &request);
    wire_defaults(&offset_commit_request_offset_commit_request_topic_message, &topic);
    wire_defaults(&offset_commit_request_offset_commit_request_partition_message,
                  &partition);
    partition.committed_offset = 7;
    topic.name = wire_string_of("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.group_id = wire_string_of("g");
    request.generation_id_or_member_epoch = -1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(client, WIRE_OFFSET_COMMIT, 6, &request);
    ck_assert(receive(client, WIRE_OFFSET_COMMIT, 6, LONG_MS, &response));
    ck_assert_int_eq(response.topics[0].partitions[0].error_code, KAFKA_NONE);
}

static int64_t committed(struct client *client)
{
    struct offset_fetch_request request;
    struct offset_fetch_request_offset_fetch_request_topic topic;
    struct offset_fetch_response response;
    int32_t index = 0;

    wire_defaults(&offset_fetch_request_message, &request);
    wire_defaults(&offset_fetch_request_offset_fetch_request_topic_message, &topic);
    topic.name = wire_string_of("t");
    topic.partition_indexes = &index;
    topic.partition_indexes_count = 1;
    request.group_id = wire_string_of("g");
    request.topics = &topic;
    request.topics_count = 1;
    ask(client, WIRE_OFFSET_FETCH, 5, &request);
    ck_assert(receive(client, WIRE_OFFSET_FETCH, 5, LONG_MS, &response));
    return response.topics[0].partitions[0].committed_offset;
}

static int16_t delete_error(struct client *client)
{
    struct delete_topics_request request;
    struct delete_topics_response response;
    struct wire_string name = wire_string_of("t");

    wire_defaults(&delete_topics_request_message, &request);
    request.topic_names = &name;
    request.topic_names_count = 1;
    ask(client, WIRE_DELETE_TOPICS, 4, &request);
    ck_assert(receive(client, WIRE_DELETE_TOPICS, 4, LONG_MS, &response));
    return response.responses[0].error_code;
}

/* The store may grow by so many bytes. libcheck's file is below that as well. */
static void leave_bytes(int64_t bytes)
{
    char path[FIXTURE_PATH + 16];
    struct rlimit limit;
    struct stat status;

    (void)signal(SIGXFSZ, SIG_IGN);
    (void)snprintf(path, sizeof path, "%s/store", rig.dir);
    (void)stat(path, &status);
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < 0 ? limit.rlim_max : (rlim_t)(status.st_size + bytes);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* Room for a part of what goes: then nothing may go, or a new topic of the name would
 * be read from where the old one was. */
START_TEST(a_topic_goes_with_its_offsets_or_not_at_all)
{
    struct client client = connect_client();
    int16_t error;

    commit_offset(&client);
    leave_bytes(70);
    error = delete_error(&client);
    leave_bytes(-1);
    ck_assert_int_eq(error, KAFKA_STORAGE_ERROR);
    ck_assert_int_eq(committed(&client), 7);
    ck_assert_int_eq(delete_error(&client), KAFKA_NONE);
    create_topic(&client, "t");
    ck_assert_int_eq(committed(&client), -1);
    disconnect(&client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("durable");
    TCase *tcase = tcase_create("durable");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up_always, tear_down_always);
    tcase_add_test(tcase,
                   a_transaction_is_answered_as_ended_when_its_markers_are_flushed);
    tcase_add_test(tcase, a_decision_is_flushed_before_the_first_marker);
    tcase_add_test(tcase, an_end_whose_markers_cannot_be_flushed_is_none);
    tcase_add_test(tcase, a_first_record_has_its_folder_flushed);
    tcase_add_test(tcase, a_partition_that_cannot_be_flushed_stops_no_other);
    tcase_add_test(tcase, a_partition_outlives_that_there_are_no_descriptors);
    tcase_add_test(tcase, deleted_records_are_flushed_away);
    tcase_add_test(tcase, a_topic_goes_with_its_offsets_or_not_at_all);
    tcase_add_test(tcase, a_store_that_cannot_be_flushed_promises_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
