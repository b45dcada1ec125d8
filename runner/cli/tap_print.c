/* SPDX-License-Identifier: MIT */
#include "cli/tap_print.h"

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_ops.h"
#include "cli/grid.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_BYTES = 8 << 20, /* of JSON, then the rest is cut short */
    SHORT_BYTES = 256,
    SHORT_HEADERS = 32,
};

/* ----------------------------------------------------------------------------- JSON */

static char *base64(const char *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = (const unsigned char *)data;
    struct text_buf out = {0};

    for (size_t i = 0; i < len; i += 3) {
        unsigned block = (unsigned)bytes[i] << 16;
        char four[4];

        block |= i + 1 < len ? (unsigned)bytes[i + 1] << 8 : 0;
        block |= i + 2 < len ? bytes[i + 2] : 0;
        four[0] = digits[block >> 18];
        four[1] = digits[block >> 12 & 63];
        four[2] = i + 1 < len ? digits[block >> 6 & 63] : '=';
        four[3] = i + 2 < len ? digits[block & 63] : '=';
        text_append_bytes(&out, four, sizeof four);
    }
    return text_take(&out);
}

/* Where to cut, so that no character of UTF-8 is cut in two. */
static size_t cut_length(const char *data, size_t len, int64_t cut_bytes)
{
    size_t cut = (size_t)cut_bytes;

    if (cut_bytes < 0 || len <= cut)
        return len;
    for (int back = 0; back < 3 && cut > 0 && ((unsigned char)data[cut] & 0xc0) == 0x80;
         back++)
        cut--;
    return cut;
}

/* JSON text where the bytes are UTF-8, else null with base64 beside. True: it is cut */
static bool put_bytes(json_t *object, const char *name, const char *data, size_t len,
                      int64_t cut_bytes)
{
    size_t shown = data ? cut_length(data, len, cut_bytes) : 0;
    json_t *text = data ? json_stringn(data, shown) : json_null();
    char *encoded;
    char *key;

    if (text) {
        (void)json_object_set_new(object, name, text);
        return data && shown < len;
    }
    encoded = base64(data, shown);
    key = mem_printf("%s_base64", name);
    (void)json_object_set_new(object, name, json_null());
    (void)json_object_set_new(object, key, json_string(encoded));
    free(encoded);
    free(key);
    return shown < len;
}

static bool put_headers(json_t *object, const struct tap_record *record,
                        int64_t cut_bytes)
{
    json_t *headers = json_array();
    bool is_short = cut_bytes == SHORT_BYTES && record->header_count > SHORT_HEADERS;
    size_t count = is_short ? SHORT_HEADERS : record->header_count;
    bool is_cut = is_short;

    for (size_t i = 0; i < count; i++) {
        const struct tap_header *from = &record->headers[i];
        json_t *header = json_object();

        is_cut |= put_bytes(header, "name", from->name, strlen(from->name), cut_bytes);
        is_cut |= put_bytes(header, "value", from->value, from->len, cut_bytes);
        (void)json_array_append_new(headers, header);
    }
    (void)json_object_set_new(object, "headers", headers);
    return is_cut;
}

json_t *tap_record_json(const char *topic, const struct tap_record *record,
                        int64_t cut_bytes)
{
    json_t *object = json_object();
    char time[CLOCK_TEXT] = "";
    bool is_cut;

    if (record->timestamp_ms >= 0)
        clock_format_utc(record->timestamp_ms, time);
    (void)json_object_set_new(object, "topic", json_text(topic));
    (void)json_object_set_new(object, "partition", json_integer(record->partition));
    (void)json_object_set_new(object, "offset", json_integer(record->offset));
    (void)json_object_set_new(object, "timestamp",
                              *time ? json_string(time) : json_null());
    is_cut = put_bytes(object, "key", record->key, record->key_len, cut_bytes);
    is_cut |= put_bytes(object, "value", record->value, record->value_len, cut_bytes);
    is_cut |= put_headers(object, record, cut_bytes);
    if (is_cut)
        (void)json_object_set_new(object, "cut", json_true());
    (void)json_object_set_new(object, "size",
                              json_integer((json_int_t)record->value_len));
    return object;
}

void tap_page_add(json_t *messages, size_t *bytes, const struct tap_options *options,
                  const char *topic, const struct tap_record *record)
{
    int64_t cut_bytes = *bytes < PAGE_BYTES ? options->cut_bytes : SHORT_BYTES;
    json_t *object = tap_record_json(topic, record, cut_bytes);
    size_t len = json_dumpb(object, NULL, 0, JSON_COMPACT);

    if (*bytes + len > PAGE_BYTES && *bytes < PAGE_BYTES && json_array_size(messages)) {
        json_decref(object);
        object = tap_record_json(topic, record, SHORT_BYTES);
        *bytes = PAGE_BYTES; /* short ones from now on */
    }
    *bytes += len;
    (void)json_array_append_new(messages, object);
}

/* "0:12,1:98", for --from (next) or --until. */
static char *positions(const struct tap *tap, bool next)
{
    struct text_buf text = {0};

    for (size_t i = 0; i < tap_range_count(tap); i++) {
        struct tap_range range;

        tap_range(tap, i, &range);
        text_appendf(&text, "%s%" PRId32 ":%" PRId64, i ? "," : "", range.partition,
                     next ? range.next : range.before);
    }
    return text_take(&text);
}

static bool has_before(const struct tap *tap)
{
    for (size_t i = 0; i < tap_range_count(tap); i++) {
        struct tap_range range;

        tap_range(tap, i, &range);
        if (range.before > range.earliest)
            return true;
    }
    return false;
}

static json_t *ranges_json(const struct tap *tap)
{
    json_t *ranges = json_array();

    for (size_t i = 0; i < tap_range_count(tap); i++) {
        struct tap_range range;

        tap_range(tap, i, &range);
        (void)json_array_append_new(
            ranges,
            json_pack("{s:i,s:I,s:I}", "partition", (int)range.partition, "earliest",
                      (json_int_t)range.earliest, "latest", (json_int_t)range.latest));
    }
    return ranges;
}

/* What it was stopped by; NULL: it went to the end. */
static const char *stopped_by(const struct tap *tap, bool has_more)
{
    if (tap_is_complete(tap))
        return NULL;
    return has_more ? "count" : tap_limit(tap);
}

json_t *tap_page_json(const struct tap *tap, const char *edge, json_t *messages,
                      bool has_more)
{
    char *next = positions(tap, true);
    char *before = positions(tap, false);
    const char *stopped = stopped_by(tap, has_more);
    json_t *page =
        json_pack("{s:s,s:o,s:o,s:s,s:s?,s:I,s:b,s:s?,s:o}", "edge", edge, "topic",
                  json_text(tap_topic(tap)), "messages", messages, "next", next,
                  "before", has_before(tap) ? before : NULL, "scanned",
                  (json_int_t)tap_scanned(tap), "complete", tap_is_complete(tap),
                  "stopped", stopped, "partitions", ranges_json(tap));

    free(next);
    free(before);
    return page;
}

/* ---------------------------------------------------------------------------- lines */

static void print_text(const struct tap_record *record)
{
    bool color = table_color(stdout);
    const char *dim = color ? GRID_DIM : "";
    const char *off = color ? GRID_OFF : "";
    char time[CLOCK_TEXT];

    cli_time_text(record->timestamp_ms, time);
    (void)printf("%s%" PRId32 ":%" PRId64 "  %s%s  ", dim, record->partition,
                 record->offset, time, off);
    if (record->key)
        text_print_safe(stdout, record->key, record->key_len);
    else
        (void)putchar('-');
    (void)fputs("  ", stdout);
    if (record->value)
        text_print_safe(stdout, record->value, record->value_len);
    else
        (void)fputs("(no value)", stdout);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct tap_header *header = &record->headers[i];

        (void)printf("  %s", dim);
        text_print_safe(stdout, header->name, strlen(header->name));
        (void)putchar('=');
        text_print_safe(stdout, header->value ? header->value : "", header->len);
        (void)fputs(off, stdout);
    }
    (void)putchar('\n');
}

void tap_print(const struct tap_options *options, const char *topic,
               const struct tap_record *record)
{
    if (options->json) {
        cli_print_json(tap_record_json(topic, record, options->cut_bytes));
    } else if (options->raw) {
        if (record->value)
            (void)fwrite(record->value, 1, record->value_len, stdout);
        (void)putchar('\n');
    } else {
        print_text(record);
    }
}

void tap_print_summary(const struct tap *tap, int64_t count, bool has_more)
{
    const char *stopped = stopped_by(tap, has_more);
    char *next = positions(tap, true);
    char *before = positions(tap, false);
    char scanned[TEXT_NUMBER];
    char shown[TEXT_NUMBER];

    text_format_count(tap_scanned(tap), scanned);
    text_format_count(count, shown);
    (void)fprintf(stderr, "scanned %s %s, %s shown", scanned,
                  tap_scanned(tap) == 1 ? "record" : "records", shown);
    if (stopped && !has_more)
        (void)fprintf(stderr, ", stopped at the limit of %s", stopped);
    if (has_before(tap))
        (void)fprintf(stderr, "; before: --until %s", before);
    (void)fprintf(stderr, "; next: --from %s\n", next);
    free(next);
    free(before);
}
