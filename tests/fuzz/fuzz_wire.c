/* SPDX-License-Identifier: MIT
 *
 * fuzz_wire.c - any bytes as a message of the broker's protocol: what can be read can
 * be written, and is read again as the same value. The first byte picks the message
 * (0xff: a request with its head), the second its version; the rest is what came over
 * the wire.
 */
#include "fuzz.h"

#include "../support/wire_values.h"

#include "ledger/wire/api.h"

#include <stdlib.h>
#include <string.h>

const char *const fuzz_words[] = {"\x01",
                                  "\x02",
                                  "\x7f",
                                  "\x80\x01",
                                  "\xff",
                                  "\xff\xff",
                                  "\xff\xff\xff\xff",
                                  "\x7f\xff",
                                  "\x7f\xff\xff\xff",
                                  "\xff\xff\xff\xff\x0f",
                                  "name",
                                  NULL};

/* Fails also when assertions are compiled out. */
static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_again(const struct wire_message *m, int16_t version,
                        const void *value, struct mem_arena *arena)
{
    void *again = mem_arena_alloc(arena, m->size);
    struct wire_out first = {0}, second = {0};
    struct error err = {0};
    size_t used;

    wire_write(m, version, value, &first);
    must(wire_read_some(m, version, (const uint8_t *)text_str(&first.bytes),
                        first.bytes.len, arena, again, &used, &err) == 0);
    must(used == first.bytes.len && wire_values_same(m, version, value, again));
    wire_write(m, version, again, &second);
    must(first.bytes.len == second.bytes.len);
    must(memcmp(text_str(&first.bytes), text_str(&second.bytes), used) == 0);
    wire_out_clear(&first);
    wire_out_clear(&second);
}

static void check_message(const struct wire_message *m, int16_t version,
                          const uint8_t *data, size_t size)
{
    struct mem_arena arena = {0};
    void *value = mem_arena_alloc(&arena, m->size);
    struct error err = {0};
    size_t used;

    if (wire_read_some(m, version, data, size, &arena, value, &used, &err) == 0) {
        must(used <= size && !error_is_set(&err));
        check_again(m, version, value, &arena);
    } else {
        must(error_is_set(&err));
    }
    mem_arena_clear(&arena);
}

static void check_request(const uint8_t *data, size_t size)
{
    const struct wire_api *api;
    struct wire_header header;
    struct error err = {0};

    if (wire_header_read(data, size, &header, &err) < 0) {
        must(error_is_set(&err));
        return;
    }
    must(header.len <= size && header.client_id.len <= (int64_t)size);
    api = wire_api_find(header.key);
    if (api != NULL && header.version >= api->min_version &&
        header.version <= api->max_version)
        check_message(api->request, header.version, data + header.len,
                      size - header.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_values_message known;

    if (size < 2)
        return 0;
    if (data[0] == 0xff)
        check_request(data + 1, size - 1);
    else if (wire_values_message(data[0], &known) &&
             known.min_version + data[1] <= known.max_version)
        check_message(known.message, (int16_t)(known.min_version + data[1]), data + 2,
                      size - 2);
    return 0;
}
