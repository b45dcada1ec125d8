/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_broker.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "host/tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAST = 10, OPEN_MS = 10000, WAIT_MS = 500, AWAY_MS = 15000 };

struct options {
    const char *address;
    const char *brokers;
    struct tap_spec spec;
    bool has_from;
    int64_t count; /* -1: no limit */
    bool json;
    bool raw;
    struct cli_params params;
};

/* ------------------------------------------------------------------------- printing */

/* JSON text where the bytes are UTF-8, else null and base64 beside it. */
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
    return len ? text_take(&out) : mem_strdup("");
}

static void put_bytes(json_t *object, const char *name, const char *data, size_t len)
{
    json_t *text = data ? json_stringn(data, len) : json_null();
    char *encoded;
    char *key;

    if (text) {
        (void)json_object_set_new(object, name, text);
        return;
    }
    encoded = base64(data, len);
    key = mem_printf("%s_base64", name);
    (void)json_object_set_new(object, name, json_null());
    (void)json_object_set_new(object, key, json_string(encoded));
    free(encoded);
    free(key);
}

static void print_json(const struct tap_record *record)
{
    json_t *object = json_object();
    json_t *headers = json_array();
    char time[CLOCK_TEXT] = "";

    if (record->timestamp_ms >= 0)
        clock_format_utc(record->timestamp_ms, time);
    (void)json_object_set_new(object, "partition", json_integer(record->partition));
    (void)json_object_set_new(object, "offset", json_integer(record->offset));
    (void)json_object_set_new(object, "time", *time ? json_string(time) : json_null());
    put_bytes(object, "key", record->key, record->key_len);
    put_bytes(object, "value", record->value, record->value_len);
    for (size_t i = 0; i < record->header_count; i++) {
        json_t *header = json_object();

        (void)json_object_set_new(header, "name", json_text(record->headers[i].name));
        put_bytes(header, "value", record->headers[i].value, record->headers[i].len);
        (void)json_array_append_new(headers, header);
    }
    (void)json_object_set_new(object, "headers", headers);
    cli_print_json(object);
}

static void print_text(const struct tap_record *record, bool color)
{
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

static void print_record(const struct tap_record *record, const struct options *options,
                         bool color)
{
    if (options->json) {
        print_json(record);
    } else if (options->raw) {
        if (record->value)
            (void)fwrite(record->value, 1, record->value_len, stdout);
        (void)putchar('\n');
    } else {
        print_text(record, color);
    }
}

/* -------------------------------------------------------------------------- reading */

static void read_records(struct tap *tap, const struct options *options,
                         struct error *err)
{
    bool color = table_color(stdout);
    int64_t away_since_ms = clock_mono_ms();
    int64_t count = 0;

    while ((options->count < 0 || count < options->count) && !ferror(stdout)) {
        struct tap_record record;
        enum tap_result result = tap_next(tap, WAIT_MS, &record, err);

        if (result == TAP_RECORD) {
            print_record(&record, options, color);
            count++;
            away_since_ms = clock_mono_ms();
            continue;
        }
        (void)fflush(stdout); /* nothing more at the moment */
        if (result == TAP_AT_END || result == TAP_FAILED)
            break;
        if (!options->spec.follow && clock_mono_ms() - away_since_ms > AWAY_MS)
            error_set(err, ERROR_UNREACHABLE, "nothing came from the broker for %d s",
                      AWAY_MS / 1000);
        if (error_is_set(err))
            break;
    }
    (void)fflush(stdout);
}

static const struct history_known_edge *find_edge(const struct history_last *last,
                                                  const struct address *address,
                                                  struct error *err)
{
    const char **names = mem_alloc((last->edge_count + 1) * sizeof *names);
    const struct history_known_edge *found = NULL;
    const char *near;

    for (size_t i = 0; i < last->edge_count; i++) {
        names[i] = last->edges[i].edge;
        if (strcmp(names[i], address->edge) == 0)
            found = &last->edges[i];
    }
    near = text_nearest(address->edge, names, last->edge_count);
    if (found == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has no edge %s%s%s%s", address->dag,
                  address->edge, near ? " (did you mean '" : "", near ? near : "",
                  near ? "'?)" : "");
    free(names);
    return found;
}

/* "NODE:dlq": no node can have that name. */
static const char *find_dead_letters(const struct history_last *last,
                                     const struct address *address, struct error *err)
{
    char *end = mem_printf("%s.%s.dlq", address->dag, address->from);
    const char *found = NULL;

    for (size_t i = 0; i < last->topic_count && found == NULL; i++) {
        const char *topic = last->topics[i].topic;
        size_t len = strlen(topic);

        if (last->topics[i].kind == HISTORY_TOPIC_DLQ && len >= strlen(end) &&
            strcmp(topic + len - strlen(end), end) == 0) /* a prefix may stand before */
            found = topic;
    }
    if (found == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has no dead-letter topic of a node %s",
                  address->dag, address->from);
    free(end);
    return found;
}

static const char *find_topic(const struct history_last *last,
                              const struct address *address, struct error *err)
{
    const struct history_known_edge *edge;

    if (strcmp(address->to, "dlq") == 0)
        return find_dead_letters(last, address, err);
    edge = find_edge(last, address, err);
    return edge ? edge->topic : NULL;
}

static void tap_edge(const struct options *options, const struct history_last *last,
                     const struct address *address, struct error *err)
{
    const char *topic = find_topic(last, address, err);
    struct tap_spec spec = options->spec;
    struct cli_broker broker = {0};
    struct tap *tap = NULL;

    if (topic && cli_broker_find(last, address->dag, options->brokers, &options->params,
                                 &broker, err) == 0) {
        spec.topic = topic;
        tap = tap_open(&broker.config, &spec, OPEN_MS, err);
    }
    if (tap)
        read_records(tap, options, err);
    tap_close(tap);
    cli_broker_clear(&broker);
}

static int tap(const struct options *options, struct error *err)
{
    struct address address;
    struct history_last last = {0};
    struct ops *ops = cli_ops_at(options->address, &address, err);

    if (ops && address.edge == NULL)
        error_set(err, ERROR_INPUT, "an edge expected, DAG/FROM:TO, got %s",
                  options->address);
    else if (ops && ops_history(ops) == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has not run yet", address.dag);
    else if (ops && history_last_run(ops_history(ops), address.dag, &last, err) == 0)
        tap_edge(options, &last, &address, err);
    history_last_clear(&last);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

/* -------------------------------------------------------------------------- options */

static int parse_from(const char *text, struct options *options)
{
    struct error err = {0};

    options->has_from = true;
    if (strcmp(text, "beginning") == 0)
        options->spec.from = TAP_BEGINNING;
    else if (strcmp(text, "end") == 0)
        options->spec.from = TAP_END;
    else if (text_parse_int(text, &options->spec.value) && options->spec.value >= 0)
        options->spec.from = TAP_OFFSET;
    else if (cli_parse_time(text, &options->spec.value, &err) == 0)
        options->spec.from = TAP_TIME;
    else
        return cli_usage("tap", "--from %s: expected beginning, end, an offset or a time",
                         text);
    return 0;
}

static int parse_number(const char *name, const char *text, int64_t max, int64_t *value)
{
    if (text_parse_int(text, value) && *value >= 0 && *value <= max)
        return 0;
    return cli_usage("tap", "%s %s: expected a number", name, text);
}

static int parse_flag(struct options *options, const char *text)
{
    if (strcmp(text, "--json") == 0)
        options->json = true;
    else if (strcmp(text, "--raw") == 0)
        options->raw = true;
    else if (strcmp(text, "--uncommitted") == 0)
        options->spec.uncommitted = true;
    else if (strcmp(text, "-f") == 0 || strcmp(text, "--follow") == 0)
        options->spec.follow = true;
    else
        return -1;
    return 0;
}

static int parse_one(struct options *options, int argc, char **argv, int *i)
{
    struct error err = {0};
    const char *value;
    int64_t number;

    if (parse_flag(options, argv[*i]) == 0)
        return 0;
    if ((value = cli_option(argc, argv, i, "--from")) != NULL)
        return parse_from(value, options);
    if ((value = cli_option(argc, argv, i, "--count")) != NULL ||
        (value = cli_option(argc, argv, i, "-n")) != NULL)
        return parse_number("--count", value, INT64_MAX, &options->count);
    if ((value = cli_option(argc, argv, i, "--partition")) != NULL) {
        if (parse_number("--partition", value, INT32_MAX, &number) != 0)
            return 2;
        options->spec.partition = (int32_t)number;
        return 0;
    }
    if ((value = cli_option(argc, argv, i, "--brokers")) != NULL) {
        options->brokers = value;
        return 0;
    }
    if ((value = cli_option(argc, argv, i, "--param")) != NULL)
        return cli_params_add(&options->params, value, &err) == 0 ? 0 : cli_fail(&err);
    if (argv[*i][0] == '-')
        return cmd_unknown_option("tap", argv[*i]);
    if (options->address)
        return cli_usage("tap", "one EDGE expected, got %s as well", argv[*i]);
    options->address = argv[*i];
    return 0;
}

static int run(int argc, char **argv)
{
    struct options options = {.count = -1, .spec = {.partition = -1}};
    struct error err = {0};
    int code = 0;

    for (int i = 1; i < argc && code == 0; i++)
        code = parse_one(&options, argc, argv, &i);
    if (code == 0 && options.address == NULL)
        code = cli_usage("tap", "EDGE is missing");
    if (!options.has_from) {
        options.spec.from = options.spec.follow ? TAP_END : TAP_LAST;
        options.spec.value = options.count >= 0 ? options.count : LAST;
    }
    if (code == 0 && tap(&options, &err) != 0)
        code = cli_fail(&err);
    cli_params_clear(&options.params);
    return code;
}

extern const struct cmd cmd_tap;
const struct cmd cmd_tap = {
    .name = "tap",
    .usage = "tap [OPTIONS] [DAG/]FROM:TO",
    .doc = "Look at the records on an edge, leaving no trace.",
    .help = "  [DAG/]FROM:TO    the edge; the dag may be left out while only one runs\n"
            "  [DAG/]NODE:dlq   the node's dead letters, their reasons in the headers\n"
            "  --from WHERE     beginning, end, an offset (of every partition), or a time:\n"
            "                   10m (ago), 2026-11-21T13:40:00. Default: the last 10\n"
            "                   records; with -f the end\n"
            "  -n, --count N    at most N records\n"
            "  --partition P    only this one\n"
            "  -f, --follow     go on with what comes\n"
            "  --raw            only the value's bytes and a newline, as they are\n"
            "  --json           an object a record; bytes that are no text as base64\n"
            "  --uncommitted    records of open and aborted transactions, too\n"
            "  --brokers LIST   the broker, instead of the one that the dag ran on\n"
            "  --param N=V      value of ${N} in the YAML's kafka properties\n\n"
            "A line is PARTITION:OFFSET, time, key (- when it has none), value and headers.\n"
            "It joins no consumer group and commits nothing; what has been read and freed is\n"
            "not there any more.\n",
    .run = run,
};
