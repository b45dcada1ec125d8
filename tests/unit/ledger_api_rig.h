/* SPDX-License-Identifier: MIT
 *
 * ledger_api_rig.h - a whole broker in this process, and clients over its socket.
 */
#ifndef LEDGER_API_RIG_H
#define LEDGER_API_RIG_H

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

static inline struct client connect_client(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)ledger_port(rig.ledger)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM, 0)};

    ck_assert_int_eq(connect(client.fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return client;
}

static inline void disconnect(struct client *client)
{
    (void)close(client->fd);
    text_buf_clear(&client->in);
}

static inline void turn(void)
{
    loop_wait(rig.loop, clock_mono_ms() + 1);
    (void)ledger_tick(rig.ledger);
}

static inline void ask(struct client *client, enum wire_key key, int16_t version,
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
static inline int look(struct client *client)
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
static inline bool receive(struct client *client, enum wire_key key, int16_t version,
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

static inline bool is_closed(struct client *client)
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

static inline void create_topic(struct client *client, const char *name)
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

static inline void delete_topic(struct client *client, const char *name)
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

static inline size_t send_put(struct client *client, const struct put *put)
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

static inline struct produce_response_partition_produce_response
put_answer(struct client *client, const struct put *put)
{
    struct produce_response response;

    (void)send_put(client, put);
    ck_assert(receive(client, WIRE_PRODUCE, put->version, LONG_MS, &response));
    ck_assert_int_eq(response.responses_count, 1);
    return response.responses[0].partition_responses[0];
}

static inline enum kafka_error put_error(struct client *client, const struct put *put)
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

static inline void send_get(struct client *client, const struct get *get)
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

static inline struct fetch_response get_answer(struct client *client,
                                               const struct get *get)
{
    struct fetch_response response;

    send_get(client, get);
    ck_assert(receive(client, WIRE_FETCH, 11, LONG_MS, &response));
    return response;
}

/* "0:81 2:0": index:bytes of the partitions in an answer, in their order. */
static inline const char *sizes(const struct fetch_response *response)
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

static inline const struct fetch_response_partition_data *
part_of(const struct fetch_response *response)
{
    ck_assert_int_ge(response->responses_count, 1);
    return &response->responses[0].partitions[0];
}

/* ---- the broker -------------------------------------------------------------------
 */

static inline void open_broker(enum ledger_fsync fsync)
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

static inline void close_broker(void)
{
    ledger_close(rig.ledger);
    loop_free(rig.loop);
}

static inline void set_up(void)
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

static inline void tear_down(void)
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

#endif
