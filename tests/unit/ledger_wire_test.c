/* SPDX-License-Identifier: MIT */
#include "../support/wire_values.h"

#include "ledger/wire/api.h"
#include "ledger/wire/bytes.h"
#include "ledger/wire/errors.h"
#include "ledger/wire/messages_configs.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_metadata.h"
#include "ledger/wire/messages_offsets.h"
#include "ledger/wire/messages_produce.h"
#include "ledger/wire/messages_topics.h"
#include "support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 12 };

/* Read a copy that ends exactly where the bytes end, so that ASan sees a step beyond.
 */
static int read_exact(const struct wire_message *m, int16_t version, const void *data,
                      size_t len, struct mem_arena *arena, void *out, size_t *used)
{
    struct error err = {0};
    uint8_t *copy = malloc(len ? len : 1);
    int result;

    ck_assert_ptr_nonnull(copy);
    if (len > 0)
        memcpy(copy, data, len);
    result = wire_read_some(m, version, copy, len, arena, out, used, &err);
    if ((result < 0) != error_is_set(&err))
        result = -2;
    free(copy);
    return result;
}

/* Every message in every version, several random values of each: call fn. */
typedef void each_fn(const struct wire_message *m, int16_t version, const void *value,
                     const struct wire_out *out, struct mem_arena *arena, long *wrong);

static long each_message(each_fn *fn, int rounds)
{
    struct wire_values_message known;
    uint64_t state = 42;
    long wrong = 0;

    for (size_t i = 0; wire_values_message(i, &known); i++)
        for (int16_t v = known.min_version; v <= known.max_version; v++)
            for (int round = 0; round < rounds; round++) {
                struct mem_arena arena = {0};
                struct wire_out out = {0};
                void *value = mem_arena_alloc(&arena, known.message->size);

                wire_values_random(known.message, v, &state, &arena, value);
                wire_write(known.message, v, value, &out);
                fn(known.message, v, value, &out, &arena, &wrong);
                wire_out_clear(&out);
                mem_arena_clear(&arena);
            }
    return wrong;
}

static void comes_back(const struct wire_message *m, int16_t version, const void *value,
                       const struct wire_out *out, struct mem_arena *arena, long *wrong)
{
    struct error err = {0};
    struct wire_out again = {0};
    void *read = mem_arena_alloc(arena, m->size);
    size_t used = 0;

    if (wire_read_some(m, version, (const uint8_t *)out->bytes.data, out->bytes.len,
                       arena, read, &used, &err) < 0 ||
        used != out->bytes.len || !wire_values_same(m, version, value, read))
        *wrong += 1;
    else
        wire_write(m, version, read, &again);
    if (again.bytes.len != out->bytes.len ||
        (used > 0 && memcmp(again.bytes.data, out->bytes.data, used) != 0))
        *wrong += 1;
    wire_out_clear(&again);
}

START_TEST(every_message_of_every_version_comes_back_as_it_was_written)
{
    ck_assert_int_eq(each_message(comes_back, ROUNDS), 0);
}
END_TEST

static void cut_is_refused(const struct wire_message *m, int16_t version,
                           const void *value, const struct wire_out *out,
                           struct mem_arena *arena, long *wrong)
{
    void *read = mem_arena_alloc(arena, m->size);
    size_t used;

    (void)value;
    for (size_t len = 0; len < out->bytes.len; len++)
        if (read_exact(m, version, out->bytes.data, len, arena, read, &used) != -1)
            *wrong += 1;
}

START_TEST(every_truncation_is_refused)
{
    ck_assert_int_eq(each_message(cut_is_refused, 2), 0);
}
END_TEST

static uint64_t damage_state = 7;

/* What is read from damaged bytes can be written, and that is read as the same value.
 */
static void damage_is_harmless(const struct wire_message *m, int16_t version,
                               const void *value, const struct wire_out *out,
                               struct mem_arena *arena, long *wrong)
{
    static const uint8_t bad[] = {0xff, 0x7f, 0x80, 0x00, 0x01};
    uint8_t *copy = mem_arena_alloc(arena, out->bytes.len + 1);
    void *read = mem_arena_alloc(arena, m->size);
    struct wire_out again = {0};
    struct error err = {0};
    size_t used;

    (void)value;
    if (out->bytes.len == 0)
        return;
    memcpy(copy, out->bytes.data, out->bytes.len);
    for (size_t i = 1 + wire_values_below(&damage_state, 4); i > 0; i--)
        copy[wire_values_below(&damage_state, out->bytes.len)] =
            bad[wire_values_below(&damage_state, sizeof bad)];
    if (wire_read_some(m, version, copy, out->bytes.len, arena, read, &used, &err) < 0)
        return;
    wire_write(m, version, read, &again);
    value = read;
    read = mem_arena_alloc(arena, m->size);
    if (wire_read_some(m, version, (const uint8_t *)again.bytes.data, again.bytes.len,
                       arena, read, &used, &err) < 0 ||
        !wire_values_same(m, version, value, read))
        *wrong += 1;
    wire_out_clear(&again);
}

START_TEST(damaged_bytes_are_refused_or_read_cleanly)
{
    ck_assert_int_eq(each_message(damage_is_harmless, 50), 0);
}
END_TEST

/* From "0a ff" to bytes. */
static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t len = 0;
    char *end;

    for (; *hex != '\0'; hex = end + strspn(end, " "))
        bytes[len++] = (uint8_t)strtoul(hex, &end, 16);
    return len;
}

static int read_hex(const struct wire_message *m, int16_t version, const char *hex,
                    struct mem_arena *arena, void *out)
{
    uint8_t bytes[512];
    size_t len = from_hex(hex, bytes);
    size_t used = 0;
    uint8_t *kept = mem_arena_alloc(arena, len + 1);
    struct error err = {0};

    memcpy(kept, bytes, len);
    if (wire_read_some(m, version, kept, len, arena, out, &used, &err) < 0)
        return -1;
    return used == len ? 0 : 1;
}

START_TEST(the_old_encoding_is_big_endian_with_fixed_lengths)
{
    struct mem_arena arena = {0};
    struct produce_request request;

    ck_assert_int_eq(read_hex(&produce_request_message, 3,
                              "ff ff " /* transactional id: null */
                              "00 01 " /* acks */
                              "00 00 75 30 "
                              "00 00 00 01 00 03 61 62 63 " /* one topic, abc */
                              "00 00 00 02 "
                              "00 00 00 05 00 00 00 03 01 02 03 "
                              "ff ff ff ff ff ff ff ff",
                              &arena, &request),
                     0);
    ck_assert_int_eq(request.transactional_id.len, -1);
    ck_assert_int_eq(request.acks, 1);
    ck_assert_int_eq(request.timeout_ms, 30000);
    ck_assert_int_eq(request.topic_data_count, 1);
    ck_assert(wire_string_is(request.topic_data[0].name, "abc"));
    ck_assert_int_eq(request.topic_data[0].partition_data_count, 2);
    ck_assert_int_eq(request.topic_data[0].partition_data[0].index, 5);
    ck_assert_int_eq(request.topic_data[0].partition_data[0].records.len, 3);
    ck_assert_mem_eq(request.topic_data[0].partition_data[0].records.data, "\1\2\3", 3);
    ck_assert_int_eq(request.topic_data[0].partition_data[1].index, -1);
    ck_assert_int_eq(request.topic_data[0].partition_data[1].records.len, -1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(the_compact_encoding_has_varints_and_tagged_fields)
{
    struct mem_arena arena = {0};
    struct fetch_request request;

    ck_assert_int_eq(read_hex(&fetch_request_message, 15,
                              "00 00 01 f4 00 00 00 01 00 00 10 00 01 "
                              "00 00 00 07 00 00 00 00 "
                              "01 01 01 " /* no topics, none forgotten, rack "" */
                              "03 "       /* three tagged fields */
                              "00 02 02 78 "
                              "01 0d 00 00 00 09 00 00 00 00 00 00 00 0b 00 "
                              "ac 02 03 0a 0b 0c", /* tag 300 is unknown */
                              &arena, &request),
                     0);
    ck_assert_int_eq(request.max_wait_ms, 500);
    ck_assert_int_eq(request.max_bytes, 4096);
    ck_assert_int_eq(request.isolation_level, 1);
    ck_assert_int_eq(request.session_id, 7);
    ck_assert_int_eq(request.replica_id, -1); /* not in this version: the default */
    ck_assert(wire_string_is(request.cluster_id, "x"));
    ck_assert_int_eq(request.replica_state.replica_id, 9);
    ck_assert_int_eq(request.replica_state.replica_epoch, 11);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_tagged_field_must_fill_its_size)
{
    struct mem_arena arena = {0};
    struct fetch_request request;
    const char *head = "00 00 01 f4 00 00 00 01 00 00 10 00 01 00 00 00 07 00 00 00 00 "
                       "01 01 01 01 ";
    char *longer = mem_arena_printf(&arena, "%s 00 03 02 78 00", head);
    char *shorter = mem_arena_printf(&arena, "%s 00 02 03 78 79", head);

    ck_assert_int_eq(read_hex(&fetch_request_message, 12, longer, &arena, &request),
                     -1);
    ck_assert_int_eq(read_hex(&fetch_request_message, 12, shorter, &arena, &request),
                     -1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_default_is_not_written_as_a_tagged_field)
{
    struct mem_arena arena = {0};
    struct fetch_response_partition_data *part =
        wire_array(&arena, &fetch_response_partition_data_message, 1);
    struct wire_out out = {0};

    wire_write(&fetch_response_partition_data_message, 12, part, &out);
    /* it ends with null records and no tagged field */
    ck_assert_int_eq(out.bytes.data[out.bytes.len - 1], 0);
    ck_assert_int_eq(out.bytes.len, 4 + 2 + 8 + 8 + 8 + 1 + 4 + 1 + 1);
    wire_out_clear(&out);

    part->current_leader.leader_id = 1;
    wire_write(&fetch_response_partition_data_message, 12, part, &out);
    ck_assert_mem_eq(out.bytes.data + 36,
                     "\x01\x01\x09\x00\x00\x00\x01\xff\xff\xff\xff\x00", 12);
    wire_out_clear(&out);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(an_absent_field_has_its_default)
{
    struct fetch_request request;
    struct create_topics_request create;
    struct metadata_response_metadata_response_topic topic;

    wire_defaults(&fetch_request_message, &request);
    ck_assert_int_eq(request.max_bytes, INT32_MAX);
    ck_assert_int_eq(request.session_epoch, -1);
    ck_assert_int_eq(request.cluster_id.len, -1);
    ck_assert_int_eq(request.rack_id.len, 0);
    ck_assert_int_eq(request.replica_state.replica_epoch, -1);
    wire_defaults(&create_topics_request_message, &create);
    ck_assert_int_eq(create.timeout_ms, 60000);
    wire_defaults(&metadata_response_metadata_response_topic_message, &topic);
    ck_assert_int_eq(topic.topic_authorized_operations, INT32_MIN);
    ck_assert(wire_uuid_is_zero(&topic.topic_id));
}
END_TEST

START_TEST(a_null_where_none_may_be_is_refused)
{
    struct mem_arena arena = {0};
    struct metadata_request request;

    /* no topics at all: allowed from version 1 on */
    ck_assert_int_eq(
        read_hex(&metadata_request_message, 0, "ff ff ff ff", &arena, &request), -1);
    ck_assert_int_eq(
        read_hex(&metadata_request_message, 1, "ff ff ff ff", &arena, &request), 0);
    ck_assert_int_eq(request.topics_count, -1);
    ck_assert_ptr_null(request.topics);
    /* a topic without a name: allowed from version 10 on */
    ck_assert_int_eq(read_hex(&metadata_request_message, 9, "02 00 00 01 00 00 00",
                              &arena, &request),
                     -1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(an_element_is_never_null_even_where_the_array_may_be)
{
    struct mem_arena arena = {0};
    struct describe_configs_request request;

    ck_assert_int_eq(read_hex(&describe_configs_request_message, 1,
                              "00 00 00 01 02 00 01 74 ff ff ff ff 00", &arena,
                              &request),
                     0);
    ck_assert_int_eq(request.resources[0].configuration_keys_count, -1);
    ck_assert_int_eq(read_hex(&describe_configs_request_message, 1,
                              "00 00 00 01 02 00 01 74 00 00 00 01 ff ff 00", &arena,
                              &request),
                     -1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_null_in_a_version_without_is_written_as_empty)
{
    struct mem_arena arena = {0};
    struct metadata_request request;
    struct wire_out out = {0};

    wire_defaults(&metadata_request_message, &request);
    request.topics_count = -1;
    wire_write(&metadata_request_message, 0, &request, &out);
    ck_assert_int_eq(out.bytes.len, 4);
    ck_assert_mem_eq(out.bytes.data, "\0\0\0\0", 4);
    wire_out_clear(&out);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(hostile_counts_and_lengths_are_refused)
{
    static const struct {
        const struct wire_message *m;
        int16_t version;
        const char *hex;
    } cases[] = {
        {&metadata_request_message, 1, "7f ff ff ff"},
        {&metadata_request_message, 1, "00 00 00 02 00 00 00"},
        {&metadata_request_message, 1, "00 00 00 01 7f ff 61"},
        {&metadata_request_message, 9, "ff ff ff ff 0f"}, /* 2^32 - 1 */
        {&metadata_request_message, 9, "ff ff ff ff 1f"}, /* more than 32 bits */
        {&metadata_request_message, 9, "80 80 80 80 80 00"},
        {&metadata_request_message, 9, "ff"},
        {&metadata_request_message, 9, "02 ff ff ff ff 07 61"},
        {&metadata_request_message, 9,
         "01 01 00 00 ff ff ff ff 0f"}, /* tagged fields */
        {&produce_request_message, 3,
         "ff ff 00 01 00 00 00 00 00 00 00 01 00 01 61 00 00 00 01 00 00 00 00 "
         "7f ff ff ff 00"},
    };
    struct mem_arena arena = {0};
    void *out = mem_arena_alloc(&arena, 512);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_int_eq(
            read_hex(cases[i].m, cases[i].version, cases[i].hex, &arena, out), -1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(small_elements_cannot_use_up_the_memory)
{
    struct mem_arena arena = {0};
    struct metadata_request request;
    struct error err = {0};
    size_t len = 2 * 1024 * 1024;
    uint8_t *data = calloc(1, len);

    /* a million topics with empty names, two bytes each: they would need 32 MiB */
    ck_assert_ptr_nonnull(data);
    bytes_put32(data, 1024 * 1024 - 8);
    ck_assert_int_eq(
        wire_read(&metadata_request_message, 1, data, len, &arena, &request, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "memory"));
    free(data);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_text_longer_than_the_old_encoding_can_say_is_refused)
{
    struct mem_arena arena = {0};
    struct metadata_request request;
    struct error err = {0};
    size_t len = 40000;
    uint8_t *data = calloc(1, len);
    size_t at = 1;

    ck_assert_ptr_nonnull(data);
    data[0] = 2;
    at += bytes_put_varint(data + at, 32768 + 1);
    ck_assert_int_eq(
        wire_read(&metadata_request_message, 9, data, len, &arena, &request, &err), -1);
    (void)bytes_put_varint(data + 1, 32767 + 1);
    err = (struct error){0};
    ck_assert_int_eq(
        wire_read(&metadata_request_message, 9, data, len, &arena, &request, &err), 0);
    ck_assert_int_eq(request.topics[0].name.len, 32767);
    free(data);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(a_text_too_long_for_the_wire_is_cut)
{
    struct mem_arena arena = {0};
    struct metadata_request_metadata_request_topic topic;
    struct metadata_request request;
    struct wire_out out = {0};

    wire_defaults(&metadata_request_message, &request);
    wire_defaults(&metadata_request_metadata_request_topic_message, &topic);
    topic.name = (struct wire_string){mem_arena_alloc(&arena, 70000), 70000};
    request.topics = &topic;
    request.topics_count = 1;
    wire_write(&metadata_request_message, 0, &request, &out);
    ck_assert_int_eq(out.bytes.len, 4 + 2 + 32767);
    ck_assert_mem_eq(out.bytes.data + 4, "\x7f\xff", 2);
    wire_out_clear(&out);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(varints_of_32_bits_come_back)
{
    static const uint32_t values[] = {0,     1,       127,     128,        16383,
                                      16384, 2097151, 2097152, UINT32_MAX, 1u << 31};
    uint8_t bytes[BYTES_VARINT_MAX];

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t len = bytes_put_varint(bytes, values[i]);
        uint32_t read = 0;

        ck_assert_int_eq(bytes_get_varint(bytes, len, &read), len);
        ck_assert_int_eq(read, values[i]);
        ck_assert_int_eq(bytes_get_varint(bytes, len - 1, &read), 0);
    }
}
END_TEST

static int released;

static void release(void *owner)
{
    released += owner == &released;
}

START_TEST(records_in_a_file_become_a_slice_between_the_bytes)
{
    struct mem_arena arena = {0};
    const struct wire_api *api = wire_api_find(WIRE_FETCH);
    struct fetch_response response;
    struct fetch_response_fetchable_topic_response *topic =
        wire_array(&arena, &fetch_response_fetchable_topic_response_message, 1);
    struct wire_out out = {0};

    wire_defaults(&fetch_response_message, &response);
    response.responses = topic;
    response.responses_count = 1;
    topic->topic = wire_string_of("t");
    topic->partitions = wire_array(&arena, &fetch_response_partition_data_message, 1);
    topic->partitions_count = 1;
    topic->partitions[0].records = (struct wire_records){
        .len = 1000, .fd = 5, .position = 99, .owner = &released, .release = release};
    wire_write_response(api, 4, 77, &response, &out);
    ck_assert_int_eq(out.slices_count, 1);
    ck_assert_int_eq(out.slices_bytes, 1000);
    ck_assert_int_eq(out.slices[0].at, out.bytes.len); /* records are the last field */
    ck_assert_int_eq(out.slices[0].fd, 5);
    ck_assert_int_eq(out.slices[0].position, 99);
    ck_assert_int_eq(out.slices[0].len, 1000);
    ck_assert_int_eq(bytes_get32((uint8_t *)out.bytes.data), out.bytes.len - 4 + 1000);
    ck_assert_int_eq(bytes_get32((uint8_t *)out.bytes.data + 4), 77);
    ck_assert_int_eq(bytes_get32((uint8_t *)out.bytes.data + out.bytes.len - 4), 1000);
    released = 0;
    wire_out_clear(&out);
    ck_assert_int_eq(released, 1);
    mem_arena_clear(&arena);
}
END_TEST

START_TEST(the_head_of_a_request_depends_on_the_version)
{
    const struct wire_api *api = wire_api_find(WIRE_METADATA);
    struct metadata_request request;
    struct wire_header header;
    struct error err = {0};

    wire_defaults(&metadata_request_message, &request);
    for (int16_t v = 0; v <= api->max_version; v++) {
        struct wire_out out = {0};
        const uint8_t *frame;

        wire_write_request(api, v, -5, wire_string_of(v == 3 ? NULL : "me"), &request,
                           &out);
        frame = (const uint8_t *)out.bytes.data;
        ck_assert_int_eq(bytes_get32(frame), out.bytes.len - 4);
        ck_assert_int_eq(wire_header_read(frame + 4, out.bytes.len - 4, &header, &err),
                         0);
        ck_assert_int_eq(header.key, WIRE_METADATA);
        ck_assert_int_eq(header.version, v);
        ck_assert_int_eq(header.correlation, -5);
        ck_assert(
            wire_string_equal(header.client_id, wire_string_of(v == 3 ? NULL : "me")));
        ck_assert_int_eq(header.len, 10 + (v == 3 ? 0 : 2) + (v >= 9 ? 1 : 0));
        wire_out_clear(&out);
    }
}
END_TEST

START_TEST(a_head_that_is_too_short_is_refused)
{
    uint8_t bytes[32];
    size_t len = from_hex("00 03 00 09 00 00 00 01 00 02 61 62 01 05 01 07", bytes);
    struct wire_header header;

    for (size_t i = 0; i < len; i++) {
        struct error err = {0};

        ck_assert_int_eq(wire_header_read(bytes, i, &header, &err), -1);
        ck_assert(error_is_set(&err));
    }
    ck_assert_int_eq(wire_header_read(bytes, len, &header, &(struct error){0}), 0);
    ck_assert_int_eq(header.len, len);
}
END_TEST

START_TEST(an_unknown_request_still_has_a_head)
{
    uint8_t bytes[32];
    size_t len = from_hex("7f ff 00 09 00 00 00 01 ff ff", bytes);
    struct wire_header header;
    struct error err = {0};

    ck_assert_int_eq(wire_header_read(bytes, len, &header, &err), 0);
    ck_assert_ptr_null(wire_api_find(header.key));
    ck_assert_ptr_null(wire_api_find(-1));
    ck_assert_ptr_null(wire_api_find(17)); /* SaslHandshake */
    ck_assert_int_eq(header.client_id.len, -1);
}
END_TEST

START_TEST(the_answer_to_api_versions_has_the_old_head_in_all_versions)
{
    const struct wire_api *api = wire_api_find(WIRE_API_VERSIONS);
    struct api_versions_response response;
    struct wire_out out = {0};

    wire_defaults(&api_versions_response_message, &response);
    wire_write_response(api, 3, 9, &response, &out);
    /* length, correlation, error code, no keys, throttle time, no tagged fields */
    ck_assert_int_eq(out.bytes.len, 4 + 4 + 2 + 1 + 4 + 1);
    wire_out_clear(&out);
    api = wire_api_find(WIRE_FIND_COORDINATOR);
    ck_assert(wire_api_flexible(api, 3) && !wire_api_flexible(api, 2));
}
END_TEST

START_TEST(errors_have_names_and_texts)
{
    ck_assert_str_eq(kafka_error_name(KAFKA_NONE), "NONE");
    ck_assert_str_eq(kafka_error_name(KAFKA_UNKNOWN_SERVER_ERROR),
                     "UNKNOWN_SERVER_ERROR");
    ck_assert_str_eq(kafka_error_name(KAFKA_STORAGE_ERROR), "KAFKA_STORAGE_ERROR");
    ck_assert_str_eq(kafka_error_name((enum kafka_error)9999), "UNKNOWN_SERVER_ERROR");
    for (int code = -1; code <= KAFKA_SHARE_SESSION_LIMIT_REACHED; code++) {
        ck_assert_ptr_nonnull(kafka_error_name((enum kafka_error)code));
        ck_assert_ptr_nonnull(kafka_error_text((enum kafka_error)code));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger/wire");
    TCase *tests = tcase_create("wire");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, every_message_of_every_version_comes_back_as_it_was_written);
    tcase_add_test(tests, every_truncation_is_refused);
    tcase_add_test(tests, damaged_bytes_are_refused_or_read_cleanly);
    tcase_add_test(tests, the_old_encoding_is_big_endian_with_fixed_lengths);
    tcase_add_test(tests, the_compact_encoding_has_varints_and_tagged_fields);
    tcase_add_test(tests, a_tagged_field_must_fill_its_size);
    tcase_add_test(tests, a_default_is_not_written_as_a_tagged_field);
    tcase_add_test(tests, an_absent_field_has_its_default);
    tcase_add_test(tests, a_null_where_none_may_be_is_refused);
    tcase_add_test(tests, an_element_is_never_null_even_where_the_array_may_be);
    tcase_add_test(tests, a_null_in_a_version_without_is_written_as_empty);
    tcase_add_test(tests, hostile_counts_and_lengths_are_refused);
    tcase_add_test(tests, small_elements_cannot_use_up_the_memory);
    tcase_add_test(tests, a_text_longer_than_the_old_encoding_can_say_is_refused);
    tcase_add_test(tests, a_text_too_long_for_the_wire_is_cut);
    tcase_add_test(tests, varints_of_32_bits_come_back);
    tcase_add_test(tests, records_in_a_file_become_a_slice_between_the_bytes);
    tcase_add_test(tests, the_head_of_a_request_depends_on_the_version);
    tcase_add_test(tests, a_head_that_is_too_short_is_refused);
    tcase_add_test(tests, an_unknown_request_still_has_a_head);
    tcase_add_test(tests, the_answer_to_api_versions_has_the_old_head_in_all_versions);
    tcase_add_test(tests, errors_have_names_and_texts);
    return suite_run(suite);
}
