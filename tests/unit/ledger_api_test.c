/* SPDX-License-Identifier: MIT
 *
 * ledger_api_test.c - Produce, Fetch and ListOffsets of a whole broker in this process,
 * over its socket: what is answered, and when.
 */
#include "base/clock.h"
#include "base/loop.h"
#include "ledger/ledger.h"
#include "ledger/wire/api.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_offsets.h"
#include "ledger/wire/messages_produce.h"
#include "ledger/wire/messages_topics.h"
#include "ledger/wire/messages_txn.h"
#include "ledger_partition_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { PARTITIONS = 3, LONG_MS = 20000, PARTS_MAX = 4 };

struct client {
    int fd;
    int32_t asked; /* correlation of the last request */
    struct text_buf in;
};

static struct {
    char dir[FIXTURE_PATH];
    struct loop *loop;
    struct ledger *ledger;
    struct mem_arena arena;
    struct records_builder builder;
    struct wire_uuid topic_id;
} rig;

/* ---- a client ---------------------------------------------------------------------
 */

static struct client connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)ledger_port(rig.ledger)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

    ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return client;
}

static void disconnect(struct client *client)
{
    (void)close(client->fd);
    text_buf_clear(&client->in);
}

static void turn(void)
{
    loop_wait(rig.loop, clock_mono_ms() + 1);
    (void)ledger_tick(rig.ledger);
}

static void ask(struct client *client, enum wire_key key, int16_t version,
                const void *message)
{
    struct wire_out out = {0};

    wire_write_request(wire_api_find((int16_t)key), version, ++client->asked,
                       wire_string_of("test"), message, &out);
    ck_assert_int_eq(send(client->fd, out.bytes.data, out.bytes.len, MSG_NOSIGNAL),
                     (ssize_t)out.bytes.len);
    wire_out_clear(&out);
}

/* 1: a whole answer is in client->in. 0: not yet. -1: the connection is closed. */
static int look(struct client *client)
{
    uint32_t size = 0;
    ssize_t n;

    text_reserve(&client->in, 1 << 20);
    n = recv(client->fd, client->in.data + client->in.len, 1 << 20, MSG_DONTWAIT);
    if (n > 0)
        client->in.len += (size_t)n;
    if (client->in.len >= 4)
        memcpy(&size, client->in.data, 4);
    if (client->in.len >= 4 && client->in.len >= 4 + ntohl(size))
        return 1;
    return n == 0 ? -1 : 0;
}

/* The answer to the last request within ms; false: there is none yet. */
static bool receive(struct client *client, enum wire_key key, int16_t version,
                    int64_t ms, void *response)
{
    const struct wire_api *api = wire_api_find((int16_t)key);
    size_t head = 8 + (wire_api_flexible(api, version) ? 1 : 0);
    int64_t end_ms = clock_mono_ms() + ms;
    struct error err = {0};
    char *copy;
    int found;

    do {
        turn();
        found = look(client);
    } while (found == 0 && clock_mono_ms() < end_ms);
    if (found != 1)
        return false;
    /* The response borrows: its bytes live as long as the arena. */
    copy = mem_arena_strndup(&rig.arena, client->in.data, client->in.len);
    ck_assert_msg(wire_read(api->response, version, (uint8_t *)copy + head,
                            client->in.len - head, &rig.arena, response, &err) == 0,
                  "%s", err.text);
    client->in.len = 0;
    return true;
}

static bool is_closed(struct client *client)
{
    int found = 0;

    for (int i = 0; i < 200 && found == 0; i++) {
        turn();
        found = look(client);
    }
    return found < 0;
}

/* ---- requests ---------------------------------------------------------------------
 */

static void create_topic(struct client *client, const char *name)
{
    struct create_topics_request request;
    struct create_topics_request_creatable_topic topic;
    struct create_topics_response response;

    wire_defaults(&create_topics_request_message, &request);
    wire_defaults(&create_topics_request_creatable_topic_message, &topic);
    topic.name = wire_string_of(name);
    topic.num_partitions = PARTITIONS;
    topic.replication_factor = 1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(client, WIRE_CREATE_TOPICS, 7, &request);
    ck_assert(receive(client, WIRE_CREATE_TOPICS, 7, LONG_MS, &response));
    ck_assert_int_eq(response.topics[0].error_code, KAFKA_NONE);
    rig.topic_id = response.topics[0].topic_id;
}

static void delete_topic(struct client *client, const char *name)
{
    struct delete_topics_request request;
    struct delete_topics_response response;
    struct wire_string names[1] = {wire_string_of(name)};

    wire_defaults(&delete_topics_request_message, &request);
    request.topic_names = names;
    request.topic_names_count = 1;
    ask(client, WIRE_DELETE_TOPICS, 4, &request);
    ck_assert(receive(client, WIRE_DELETE_TOPICS, 4, LONG_MS, &response));
    ck_assert_int_eq(response.responses[0].error_code, KAFKA_NONE);
}

/* What to produce into one partition. */
struct put {
    const char *topic;
    int32_t partition;
    int16_t acks, version;
    const char *transactional_id;
    struct bench_batch batch;
    struct wire_uuid id;
};

static const struct put plain = {
    .topic = "t",
    .acks = -1,
    .version = 9,
    .batch = {.producer_id = -1, .epoch = -1, .sequence = -1, .count = 10}};

static size_t send_put(struct client *client, const struct put *put)
{
    struct produce_request request;
    struct produce_request_topic_produce_data topic;
    struct produce_request_partition_produce_data partition;
    size_t size;

    wire_defaults(&produce_request_message, &request);
    wire_defaults(&produce_request_topic_produce_data_message, &topic);
    wire_defaults(&produce_request_partition_produce_data_message, &partition);
    partition.index = put->partition;
    partition.records.data =
        bench_make(&rig.builder, &put->batch, clock_wall_ms(), &size);
    partition.records.len = (int64_t)size;
    topic.name = wire_string_of(put->topic);
    topic.topic_id = put->id;
    topic.partition_data = &partition;
    topic.partition_data_count = 1;
    request.topic_data = &topic;
    request.topic_data_count = 1;
    request.acks = put->acks;
    request.transactional_id = wire_string_of(put->transactional_id);
    ask(client, WIRE_PRODUCE, put->version, &request);
    return size;
}

static struct produce_response_partition_produce_response
put_answer(struct client *client, const struct put *put)
{
    struct produce_response response;

    (void)send_put(client, put);
    ck_assert(receive(client, WIRE_PRODUCE, put->version, LONG_MS, &response));
    ck_assert_int_eq(response.responses_count, 1);
    return response.responses[0].partition_responses[0];
}

static enum kafka_error put_error(struct client *client, const struct put *put)
{
    return (enum kafka_error)put_answer(client, put).error_code;
}

/* What to fetch: topic t, from these offsets on; -1: not this partition. */
struct get {
    const char *topic;
    int64_t from[PARTITIONS];
    int32_t wait_ms, min_bytes, max_bytes, part_bytes;
    int32_t session, epoch;
    int8_t isolation;
};

static const struct get all = {.topic = "t",
                               .min_bytes = 1,
                               .max_bytes = 1 << 20,
                               .part_bytes = 1 << 20,
                               .epoch = -1};

static void send_get(struct client *client, const struct get *get)
{
    struct fetch_request request;
    struct fetch_request_fetch_topic topic;
    struct fetch_request_fetch_partition partitions[PARTITIONS];

    wire_defaults(&fetch_request_message, &request);
    wire_defaults(&fetch_request_fetch_topic_message, &topic);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct fetch_request_fetch_partition *one = &partitions[topic.partitions_count];

        if (get->from[i] < 0)
            continue;
        wire_defaults(&fetch_request_fetch_partition_message, one);
        one->partition = i;
        one->fetch_offset = get->from[i];
        one->partition_max_bytes = get->part_bytes;
        topic.partitions_count++;
    }
    topic.topic = wire_string_of(get->topic);
    topic.partitions = partitions;
    request.topics = &topic;
    request.topics_count = topic.partitions_count > 0;
    request.max_wait_ms = get->wait_ms;
    request.min_bytes = get->min_bytes;
    request.max_bytes = get->max_bytes;
    request.session_id = get->session;
    request.session_epoch = get->epoch;
    request.isolation_level = get->isolation;
    ask(client, WIRE_FETCH, 11, &request);
}

static struct fetch_response get_answer(struct client *client, const struct get *get)
{
    struct fetch_response response;

    send_get(client, get);
    ck_assert(receive(client, WIRE_FETCH, 11, LONG_MS, &response));
    return response;
}

/* "0:81 2:0": index:bytes of the partitions in an answer, in their order. */
static const char *sizes(const struct fetch_response *response)
{
    static char text[256];
    size_t len = 0;

    text[0] = '\0';
    for (int32_t t = 0; t < response->responses_count; t++) {
        const struct fetch_response_fetchable_topic_response *topic =
            &response->responses[t];

        for (int32_t p = 0; p < topic->partitions_count; p++)
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "%s%d:%lld",
                                 len ? " " : "", topic->partitions[p].partition_index,
                                 (long long)topic->partitions[p].records.len);
    }
    return text;
}

static const struct fetch_response_partition_data *
part_of(const struct fetch_response *response)
{
    ck_assert_int_ge(response->responses_count, 1);
    return &response->responses[0].partitions[0];
}

/* ---- the broker -------------------------------------------------------------------
 */

static void open_broker(enum ledger_fsync fsync)
{
    struct ledger_settings settings;
    struct error err = {0};

    ledger_settings_default(&settings);
    settings.data_dir = rig.dir;
    settings.fsync = fsync;
    rig.loop = loop_new(&err);
    rig.ledger = ledger_open(rig.loop, &settings, &err);
    ck_assert_msg(rig.ledger != NULL, "%s", err.text);
}

static void close_broker(void)
{
    ledger_close(rig.ledger);
    loop_free(rig.loop);
}

static void set_up(void)
{
    struct client client;

    log_set_level(LOG_ERROR);
    (void)snprintf(rig.dir, sizeof rig.dir, "/tmp/ledger-api-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig.dir));
    open_broker(LEDGER_FSYNC_INTERVAL);
    client = connect_client();
    create_topic(&client, "t");
    disconnect(&client);
}

static void tear_down(void)
{
    char command[FIXTURE_PATH + 16];

    close_broker();
    mem_arena_clear(&rig.arena);
    records_builder_clear(&rig.builder);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", rig.dir);
    ck_assert_int_eq(system(command), 0);
}

/* ---- Produce ----------------------------------------------------------------------
 */

START_TEST(offsets_follow_each_other)
{
    struct client client = connect_client();

    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 0);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10);
    disconnect(&client);
}
END_TEST

static const struct {
    int16_t version, acks;
    const char *topic, *transactional_id;
    int32_t partition;
    int16_t attributes;
    int error;
} refused[] = {
    {9, -1, "none", NULL, 0, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, -1, "t", NULL, PARTITIONS, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, -1, "t", NULL, -1, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION},
    {9, 2, "t", NULL, 0, 0, KAFKA_INVALID_REQUIRED_ACKS},
    {9, -2, "t", NULL, 0, 0, KAFKA_INVALID_REQUIRED_ACKS},
    {9, -1, "t", NULL, 0, BATCH_TRANSACTIONAL,
     KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED},
    {13, -1, "t", NULL, 0, 0, KAFKA_UNKNOWN_TOPIC_ID},
};

START_TEST(what_cannot_be_appended_is_named)
{
    struct client client = connect_client();
    struct put put = plain;
    struct produce_response_partition_produce_response answer;

    put.version = refused[_i].version;
    put.acks = refused[_i].acks;
    put.topic = refused[_i].topic;
    put.partition = refused[_i].partition;
    put.batch.attributes = refused[_i].attributes;
    answer = put_answer(&client, &put);
    ck_assert_int_eq(answer.error_code, refused[_i].error);
    ck_assert_int_eq(answer.base_offset, -1);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 0);
    disconnect(&client);
}
END_TEST

START_TEST(topics_may_be_named_by_id)
{
    struct client client = connect_client();
    struct put put = plain;

    put.version = 13;
    put.id = rig.topic_id;
    ck_assert_int_eq(put_error(&client, &put), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

START_TEST(without_acks_there_is_no_answer_and_an_error_closes)
{
    struct client client = connect_client();
    struct put put = plain;

    put.acks = 0;
    (void)send_put(&client, &put);
    ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10);
    put.topic = "none";
    (void)send_put(&client, &put);
    ck_assert(is_closed(&client));
    disconnect(&client);
}
END_TEST

START_TEST(old_versions_are_advertised_and_refused)
{
    struct client client = connect_client();
    struct put put = plain;

    put.version = 2;
    (void)send_put(&client, &put);
    ck_assert(is_closed(&client));
    disconnect(&client);
}
END_TEST

START_TEST(policy_always_answers_after_the_flush)
{
    struct client client;
    struct put bad = plain;

    close_broker();
    open_broker(LEDGER_FSYNC_ALWAYS);
    client = connect_client();
    bad.topic = "none";
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(put_answer(&client, &plain).base_offset, 10 * i);
        ck_assert_int_eq(put_error(&client, &bad), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    }
    (void)send_put(&client, &plain);
    disconnect(&client); /* it goes while its answer waits */
    client = connect_client();
    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    disconnect(&client);
}
END_TEST

/* ---- Fetch ------------------------------------------------------------------------
 */

START_TEST(what_was_produced_is_fetched)
{
    struct client client = connect_client();
    struct fetch_response response;
    size_t size = send_put(&client, &plain);
    struct produce_response put;

    ck_assert(receive(&client, WIRE_PRODUCE, plain.version, LONG_MS, &put));
    response = get_answer(&client, &all);
    ck_assert_int_eq(part_of(&response)->records.len, (int64_t)size);
    ck_assert_int_eq(part_of(&response)->high_watermark, 10);
    ck_assert_int_eq(part_of(&response)->last_stable_offset, 10);
    disconnect(&client);
}
END_TEST

START_TEST(a_waiting_fetch_gets_new_data_at_once)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    start_ms = clock_mono_ms();
    ck_assert_int_eq(put_error(&producer, &plain), KAFKA_NONE);
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_lt(clock_mono_ms() - start_ms, LONG_MS / 4);
    ck_assert_int_gt(part_of(&response)->records.len, 0);
    disconnect(&consumer);
    disconnect(&producer);
}
END_TEST

START_TEST(a_fetch_waits_for_as_much_as_it_wants)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;
    struct fetch_response response;
    size_t size = send_put(&producer, &plain);
    struct produce_response put;

    ck_assert(receive(&producer, WIRE_PRODUCE, plain.version, LONG_MS, &put));
    get.wait_ms = LONG_MS;
    get.min_bytes = (int32_t)(size * 2);
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    {
        struct put other = plain; /* of another partition: together they are enough */

        other.partition = 1;
        ck_assert_int_eq(put_error(&producer, &other), KAFKA_NONE);
    }
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_gt(response.responses[0].partitions[1].records.len, 0);
    disconnect(&consumer);
    disconnect(&producer);
}
END_TEST

START_TEST(a_fetch_ends_when_its_time_is_over)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms = clock_mono_ms();

    get.wait_ms = 80;
    response = get_answer(&client, &get);
    ck_assert_int_ge(clock_mono_ms() - start_ms, 79);
    ck_assert_str_eq(sizes(&response), "0:0 1:0 2:0");
    disconnect(&client);
}
END_TEST

START_TEST(a_client_that_goes_while_it_waits_leaves_nothing)
{
    struct client consumer = connect_client(), producer = connect_client();
    struct get get = all;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    for (int i = 0; i < 5; i++)
        turn();
    disconnect(&consumer);
    for (int i = 0; i < 5; i++)
        turn();
    ck_assert_int_eq(put_error(&producer, &plain), KAFKA_NONE);
    disconnect(&producer);
}
END_TEST

START_TEST(a_deleted_topic_ends_the_wait)
{
    struct client consumer = connect_client(), admin = connect_client();
    struct get get = all;
    struct fetch_response response;

    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    delete_topic(&admin, "t");
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_eq(part_of(&response)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    ck_assert_int_eq(part_of(&response)->high_watermark, -1);
    disconnect(&consumer);
    disconnect(&admin);
}
END_TEST

START_TEST(an_offset_out_of_range_is_told_at_once)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    int64_t start_ms = clock_mono_ms();

    get.wait_ms = LONG_MS;
    get.from[1] = 5;
    response = get_answer(&client, &get);
    ck_assert_int_lt(clock_mono_ms() - start_ms, LONG_MS / 4);
    ck_assert_int_eq(response.responses[0].partitions[0].error_code, KAFKA_NONE);
    ck_assert_int_eq(response.responses[0].partitions[1].error_code,
                     KAFKA_OFFSET_OUT_OF_RANGE);
    ck_assert_int_eq(response.responses[0].partitions[1].aborted_transactions_count,
                     -1);
    disconnect(&client);
}
END_TEST

START_TEST(the_first_batch_comes_whole_and_the_limit_holds_for_the_rest)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    char expected[64];
    int64_t size = 0;

    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct put put = plain;
        struct produce_response answer;

        put.partition = i;
        size = (int64_t)send_put(&client, &put);
        ck_assert(receive(&client, WIRE_PRODUCE, put.version, LONG_MS, &answer));
    }
    get.max_bytes = 1;
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:0 2:0", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.max_bytes = (int32_t)size * 2;
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:%lld 2:0", (long long)size,
                   (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    disconnect(&client);
}
END_TEST

START_TEST(a_session_answers_what_changed_and_serves_everybody_in_turn)
{
    struct client client = connect_client();
    struct get get = all;
    struct fetch_response response;
    char expected[64];
    int64_t size = 0;

    get.epoch = 0;
    response = get_answer(&client, &get);
    ck_assert_str_eq(sizes(&response), "0:0 1:0 2:0");
    ck_assert_int_ne(response.session_id, 0);
    get = (struct get){.topic = "t",
                       .from = {-1, -1, -1},
                       .min_bytes = 1,
                       .max_bytes = 1,
                       .session = response.session_id,
                       .epoch = 1};
    response = get_answer(&client, &get);
    ck_assert_int_eq(response.responses_count, 0);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        struct put put = plain;
        struct produce_response answer;

        put.partition = i;
        size = (int64_t)send_put(&client, &put);
        ck_assert(receive(&client, WIRE_PRODUCE, put.version, LONG_MS, &answer));
    }
    get.epoch = 2; /* one batch is all the room: partition 0 is served, all have news */
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "0:%lld 1:0 2:0", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.epoch = 3; /* then the next one */
    response = get_answer(&client, &get);
    (void)snprintf(expected, sizeof expected, "1:%lld", (long long)size);
    ck_assert_str_eq(sizes(&response), expected);
    get.epoch = 3;
    response = get_answer(&client, &get);
    ck_assert_int_eq(response.error_code, KAFKA_INVALID_FETCH_SESSION_EPOCH);
    disconnect(&client);
}
END_TEST

START_TEST(a_session_that_is_taken_over_ends_the_older_wait)
{
    struct client old = connect_client(), young = connect_client();
    struct get get = all;
    struct fetch_response response;
    int32_t session;

    get.epoch = 0;
    response = get_answer(&old, &get);
    session = response.session_id;
    get = (struct get){.topic = "t",
                       .from = {-1, -1, -1},
                       .min_bytes = 1,
                       .max_bytes = 1000,
                       .wait_ms = LONG_MS,
                       .session = session,
                       .epoch = 1};
    send_get(&old, &get);
    ck_assert(!receive(&old, WIRE_FETCH, 11, 50, &response));
    get.epoch = 2;
    get.wait_ms = 10;
    response = get_answer(&young, &get);
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
    ck_assert(receive(&old, WIRE_FETCH, 11, LONG_MS / 2, &response));
    disconnect(&old);
    disconnect(&young);
}
END_TEST

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

static void end_transaction(struct client *client,
                            const struct init_producer_id_response *who, bool commit)
{
    struct end_txn_request request;
    struct end_txn_response response;

    wire_defaults(&end_txn_request_message, &request);
    request.transactional_id = wire_string_of("x");
    request.producer_id = who->producer_id;
    request.producer_epoch = who->producer_epoch;
    request.committed = commit;
    ask(client, WIRE_END_TXN, 5, &request);
    ck_assert(receive(client, WIRE_END_TXN, 5, LONG_MS, &response));
    ck_assert_int_eq(response.error_code, KAFKA_NONE);
}

/* Produce 12 adds the partition to the transaction by itself. */
START_TEST(a_committed_reader_is_woken_by_the_end_of_the_transaction)
{
    struct client producer = connect_client(), consumer = connect_client();
    struct init_producer_id_response who = init_producer(&producer);
    bool commit = _i == 0;
    struct fetch_response response;
    struct get get = all;
    struct put put = plain;

    put.version = 12;
    put.transactional_id = "x";
    put.batch = (struct bench_batch){.producer_id = who.producer_id,
                                     .epoch = who.producer_epoch,
                                     .count = 5,
                                     .attributes = BATCH_TRANSACTIONAL};
    get.isolation = 1;
    get.wait_ms = LONG_MS;
    send_get(&consumer, &get);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 30, &response));
    ck_assert_int_eq(put_error(&producer, &put), KAFKA_NONE);
    ck_assert(!receive(&consumer, WIRE_FETCH, 11, 50, &response));
    end_transaction(&producer, &who, commit);
    ck_assert(receive(&consumer, WIRE_FETCH, 11, LONG_MS / 2, &response));
    ck_assert_int_eq(part_of(&response)->last_stable_offset, 6);
    ck_assert_int_eq(part_of(&response)->aborted_transactions_count, commit ? 0 : 1);
    disconnect(&producer);
    disconnect(&consumer);
}
END_TEST

/* ---- ListOffsets ------------------------------------------------------------------
 */

static const struct {
    int16_t version;
    int64_t timestamp;
    int error;
    int64_t offset;
} looked_up[] = {
    {1, -1, KAFKA_NONE, 10},
    {1, -2, KAFKA_NONE, 0},
    {6, -3, KAFKA_UNSUPPORTED_VERSION, -1},
    {7, -3, KAFKA_NONE, 0},
    {7, -4, KAFKA_UNSUPPORTED_VERSION, -1},
    {8, -4, KAFKA_NONE, 0},
    {8, -5, KAFKA_UNSUPPORTED_VERSION, -1},
    {9, -5, KAFKA_NONE, -1},
    {11, -6, KAFKA_NONE, -1},
    {11, -7, KAFKA_UNSUPPORTED_VERSION, -1},
    {11, 0, KAFKA_NONE, 0},
    {11, INT64_MAX, KAFKA_NONE, -1},
};

START_TEST(offsets_are_looked_up_as_kafka_does)
{
    struct client client = connect_client();
    struct list_offsets_request request;
    struct list_offsets_request_list_offsets_topic topic;
    struct list_offsets_request_list_offsets_partition partition;
    struct list_offsets_response response;
    const struct list_offsets_response_list_offsets_partition_response *answer;

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    wire_defaults(&list_offsets_request_message, &request);
    wire_defaults(&list_offsets_request_list_offsets_topic_message, &topic);
    wire_defaults(&list_offsets_request_list_offsets_partition_message, &partition);
    partition.timestamp = looked_up[_i].timestamp;
    topic.name = wire_string_of("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    request.topics = &topic;
    request.topics_count = 1;
    ask(&client, WIRE_LIST_OFFSETS, looked_up[_i].version, &request);
    ck_assert(
        receive(&client, WIRE_LIST_OFFSETS, looked_up[_i].version, LONG_MS, &response));
    answer = &response.topics[0].partitions[0];
    ck_assert_int_eq(answer->error_code, looked_up[_i].error);
    ck_assert_int_eq(answer->offset, looked_up[_i].offset);
    disconnect(&client);
}
END_TEST

/* ---- the broker as a whole --------------------------------------------------------
 */

START_TEST(everything_is_there_after_a_restart)
{
    struct client client = connect_client();
    struct fetch_response response;
    char before[32];

    ck_assert_int_eq(put_error(&client, &plain), KAFKA_NONE);
    (void)snprintf(before, sizeof before, "%s", ledger_cluster_id(rig.ledger));
    disconnect(&client);
    close_broker();
    open_broker(LEDGER_FSYNC_INTERVAL);
    ck_assert_str_eq(ledger_cluster_id(rig.ledger), before);
    ck_assert_uint_eq(strlen(before), 22);
    client = connect_client();
    response = get_answer(&client, &all);
    ck_assert_int_eq(part_of(&response)->high_watermark, 10);
    disconnect(&client);
}
END_TEST

START_TEST(a_data_folder_has_one_broker)
{
    struct ledger_settings settings;
    struct error err = {0};

    ledger_settings_default(&settings);
    settings.data_dir = rig.dir;
    ck_assert_ptr_null(ledger_open(rig.loop, &settings, &err));
    ck_assert_int_eq(err.kind, ERROR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.text, rig.dir));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
    struct ledger_settings settings;
    struct error err = {0};

    ledger_settings_default(&settings);
    settings.data_dir = "/dev/null/broker";
    ck_assert_ptr_null(ledger_open(rig.loop, &settings, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/dev/null/broker"));
}
END_TEST

static TCase *cases(void)
{
    TCase *tcase = tcase_create("api");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, offsets_follow_each_other);
    tcase_add_loop_test(tcase, what_cannot_be_appended_is_named, 0,
                        (int)(sizeof refused / sizeof refused[0]));
    tcase_add_test(tcase, topics_may_be_named_by_id);
    tcase_add_test(tcase, without_acks_there_is_no_answer_and_an_error_closes);
    tcase_add_test(tcase, old_versions_are_advertised_and_refused);
    tcase_add_test(tcase, policy_always_answers_after_the_flush);
    tcase_add_test(tcase, what_was_produced_is_fetched);
    tcase_add_test(tcase, a_waiting_fetch_gets_new_data_at_once);
    tcase_add_test(tcase, a_fetch_waits_for_as_much_as_it_wants);
    tcase_add_test(tcase, a_fetch_ends_when_its_time_is_over);
    tcase_add_test(tcase, a_client_that_goes_while_it_waits_leaves_nothing);
    tcase_add_test(tcase, a_deleted_topic_ends_the_wait);
    tcase_add_test(tcase, an_offset_out_of_range_is_told_at_once);
    tcase_add_test(tcase, the_first_batch_comes_whole_and_the_limit_holds_for_the_rest);
    tcase_add_test(tcase, a_session_answers_what_changed_and_serves_everybody_in_turn);
    tcase_add_test(tcase, a_session_that_is_taken_over_ends_the_older_wait);
    tcase_add_loop_test(
        tcase, a_committed_reader_is_woken_by_the_end_of_the_transaction, 0, 2);
    tcase_add_loop_test(tcase, offsets_are_looked_up_as_kafka_does, 0,
                        (int)(sizeof looked_up / sizeof looked_up[0]));
    tcase_add_test(tcase, everything_is_there_after_a_restart);
    tcase_add_test(tcase, a_data_folder_has_one_broker);
    tcase_add_test(tcase, a_folder_that_cannot_be_made_is_named);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("api");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, cases());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
