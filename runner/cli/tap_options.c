/* SPDX-License-Identifier: MIT */
#include "cli/tap_options.h"

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LAST = 10 };

const char tap_options_help[] =
    "  [DAG/]FROM:TO    the edge; the dag may be left out while only one runs\n"
    "  [DAG/]NODE:dlq   the node's dead letters, their reasons in the headers\n"
    "  --from WHERE     earliest, latest, an offset (of every partition), a time: 10m\n"
    "                   (ago), 2026-11-21T13:40:00Z, or an offset for each partition:\n"
    "                   0:120,1:98. Default: the last 10 records; with -f latest\n"
    "  --since TIME     the same with a time\n"
    "  --until WHERE    only what is before; without --from the last ones before it\n"
    "  -n, --limit N    at most N records\n"
    "  --partition P    only this one\n"
    "  -f, --follow     go on with what comes\n"
    "  --contains TEXT  only records with TEXT in key, value or headers\n"
    "  --key TEXT       only records with TEXT in the key\n"
    "  --value TEXT     only records with TEXT in the value\n"
    "  --header NAME    only records with this header; NAME=TEXT: with TEXT in it\n"
    "  --where F=VALUE  only records whose value is JSON with VALUE in its field F; a\n"
    "                   path: user.name=ann, items.0.id=7. All filters must fit, each\n"
    "                   may be repeated, case counts\n"
    "  --scan N         look at no more than N records\n"
    "  --scan-bytes SIZE  at no more than so many bytes of keys and values: 64MiB\n"
    "  --timeout TIME   for no longer than: 10s\n"
    "  --raw            only the value's bytes and a newline, as they are\n"
    "  --json           an object a record; bytes that are no text as base64\n"
    "  --page           one JSON object of all: messages, where those before and the "
    "next\n"
    "                   ones begin (for --until and --from), and how many were "
    "scanned\n"
    "  --cut SIZE       cut keys and values in JSON to so many bytes\n"
    "  --uncommitted    records of open and aborted transactions, too\n"
    "  --brokers LIST   the broker, instead of the one that the dag ran on\n"
    "  --param N=V      value of ${N} in the YAML's kafka properties\n\n"
    "A line is PARTITION:OFFSET, time, key (- when it has none), value and headers.\n"
    "It joins no consumer group and commits nothing; what has been read and freed is\n"
    "not there any more. The last records come in order of time, others partition by\n"
    "partition as the broker sends them.\n";

/* --------------------------------------------------------------------------- places */

/* "12:345" and what follows; false when it is something else. */
static bool parse_position(const char **at, struct tap_position *position)
{
    char *end;
    long long partition;

    if (!isdigit((unsigned char)**at))
        return false;
    partition = strtoll(*at, &end, 10);
    if (*end != ':' || !isdigit((unsigned char)end[1]) || partition > INT32_MAX)
        return false;
    position->partition = (int32_t)partition;
    position->offset = strtoll(end + 1, &end, 10);
    *at = end;
    return *end == ',' || *end == '\0';
}

/* "0:120,1:98". The positions are the options', freed by tap_options_clear. */
static bool parse_positions(const char *text, struct tap_point *point)
{
    struct tap_position *list = NULL;
    size_t capacity = 0;
    size_t count = 0;
    bool is_list = false;

    do {
        list = mem_grow(list, count, &capacity, sizeof *list);
        is_list = parse_position(&text, &list[count]);
        count++;
    } while (is_list && *text == ',' && text++);
    if (is_list && *text == '\0') {
        point->where = TAP_POSITIONS;
        point->positions = list;
        point->position_count = count;
        return true;
    }
    free(list);
    return false;
}

static void clear_point(struct tap_point *point)
{
    free((void *)point->positions);
    *point = (struct tap_point){0};
}

static int parse_point(const char *name, const char *text, struct tap_point *point)
{
    struct error err = {0};

    clear_point(point);
    if (strcmp(text, "earliest") == 0 || strcmp(text, "beginning") == 0)
        point->where = TAP_EARLIEST;
    else if (strcmp(text, "latest") == 0 || strcmp(text, "end") == 0)
        point->where = TAP_LATEST;
    else if (text_parse_int(text, &point->value) && point->value >= 0)
        point->where = TAP_OFFSET;
    else if (parse_positions(text, point))
        return 0;
    else if (cli_parse_time(text, &point->value, &err) == 0)
        point->where = TAP_TIME;
    else
        return cli_usage("tap",
                         "%s %s: expected earliest, latest, an offset, a time or an "
                         "offset for each partition (0:120,1:98)",
                         name, text);
    return 0;
}

/* -------------------------------------------------------------------------- options */

static int parse_number(const char *name, const char *text, int64_t min, int64_t max,
                        int64_t *value)
{
    if (text_parse_int(text, value) && *value >= min && *value <= max)
        return 0;
    return cli_usage("tap", "%s %s: expected a number%s", name, text,
                     min > 0 ? " from 1 on" : "");
}

static int parse_flag(struct tap_options *options, const char *text)
{
    if (strcmp(text, "--json") == 0)
        options->json = true;
    else if (strcmp(text, "--page") == 0)
        options->page = true;
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

static int set_since(struct tap_options *options, const char *text)
{
    struct error err = {0};

    options->has_from = true;
    clear_point(&options->spec.from);
    options->spec.from.where = TAP_TIME;
    if (cli_parse_time(text, &options->spec.from.value, &err) == 0)
        return 0;
    return cli_usage("tap", "--since: %s", err.text);
}

static int set_value(struct tap_options *options, const char *name, const char *text)
{
    int64_t number = 0;
    int code = 0;

    if (strcmp(name, "--from") == 0) {
        options->has_from = true;
        return parse_point(name, text, &options->spec.from);
    }
    if (strcmp(name, "--since") == 0)
        return set_since(options, text);
    if (strcmp(name, "--until") == 0) {
        options->has_until = true;
        return parse_point(name, text, &options->spec.until);
    }
    if (strcmp(name, "--limit") == 0 || strcmp(name, "-n") == 0 ||
        strcmp(name, "--count") == 0) /* its name before other commands had one */
        return parse_number(name, text, 0, INT64_MAX, &options->count);
    if (strcmp(name, "--scan") == 0)
        return parse_number(name, text, 1, INT64_MAX, &options->spec.scan_records);
    if (strcmp(name, "--partition") == 0) {
        code = parse_number(name, text, 0, INT32_MAX, &number);
        options->spec.partition = (int32_t)number;
    } else if (strcmp(name, "--timeout") == 0) {
        if (!text_parse_duration_ms(text, &options->spec.scan_ms) ||
            options->spec.scan_ms <= 0)
            code = cli_usage("tap", "--timeout %s: expected a time such as 10s", text);
    } else if (strcmp(name, "--brokers") == 0) {
        options->brokers = text;
    } else {
        int64_t *bytes = strcmp(name, "--cut") == 0 ? &options->cut_bytes
                                                    : &options->spec.scan_bytes;

        if (!text_parse_bytes(text, bytes) || *bytes <= 0)
            code = cli_usage("tap", "%s %s: expected a size such as 64KiB", name, text);
    }
    return code;
}

static int add_term(struct tap_options *options, enum tap_term_kind kind,
                    const char *name, const char *text)
{
    struct error err = {0};

    if (tap_filter_add(&options->filter, kind, text, &err) == 0)
        return 0;
    return cli_usage("tap", "%s: %s", name, err.text);
}

static const char *const value_names[] = {
    "--from",      "--since", "--until",      "--limit",   "-n",    "--count",
    "--partition", "--scan",  "--scan-bytes", "--timeout", "--cut", "--brokers"};
static const struct {
    const char *name;
    enum tap_term_kind kind;
} term_names[] = {{"--contains", TAP_CONTAINS},
                  {"--key", TAP_KEY},
                  {"--value", TAP_VALUE},
                  {"--header", TAP_HEADER},
                  {"--where", TAP_WHERE}};

static int parse_one(struct tap_options *options, int argc, char **argv, int *i)
{
    struct error err = {0};
    const char *value;

    if (parse_flag(options, argv[*i]) == 0)
        return 0;
    for (size_t n = 0; n < sizeof value_names / sizeof *value_names; n++) {
        if ((value = cli_option(argc, argv, i, value_names[n])) != NULL)
            return set_value(options, value_names[n], value);
    }
    for (size_t n = 0; n < sizeof term_names / sizeof *term_names; n++) {
        if ((value = cli_option(argc, argv, i, term_names[n].name)) != NULL)
            return add_term(options, term_names[n].kind, term_names[n].name, value);
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

/* Options that exclude each other. */
static int check(const struct tap_options *options)
{
    if (options->address == NULL)
        return cli_usage("tap", "EDGE is missing");
    if (options->has_until && options->spec.follow)
        return cli_usage("tap", "--until and --follow exclude each other");
    if (options->has_until && options->spec.until.where == TAP_EARLIEST)
        return cli_usage("tap", "--until earliest: nothing is before it");
    if (options->page && options->spec.follow)
        return cli_usage("tap", "--page and --follow exclude each other");
    if (options->raw && (options->json || options->page))
        return cli_usage("tap", "--raw and JSON exclude each other");
    if (!options->has_from && !options->spec.follow && options->count > TAP_LAST_MAX)
        return cli_usage("tap", "without --from at most the last %d records",
                         TAP_LAST_MAX);
    if (options->cut_bytes >= 0 && !options->json && !options->page)
        return cli_usage("tap", "--cut is for --json and --page");
    return 0;
}

/* Without --from: the last ones; or, when it follows, what comes. */
static void complete(struct tap_options *options)
{
    options->spec.wanted = options->filter.count > 0 ? tap_filter_fits : NULL;
    options->spec.wanted_arg = &options->filter;
    if (options->has_from)
        return;
    if (options->spec.follow)
        options->spec.from.where = TAP_LATEST;
    else
        options->spec.last = options->count >= 0 ? options->count : LAST;
}

int tap_options_read(struct tap_options *options, int argc, char **argv)
{
    int code = 0;

    *options =
        (struct tap_options){.count = -1, .cut_bytes = -1, .spec = {.partition = -1}};
    for (int i = 1; i < argc && code == 0; i++)
        code = parse_one(options, argc, argv, &i);
    if (code == 0)
        code = check(options);
    complete(options);
    return code;
}

void tap_options_clear(struct tap_options *options)
{
    clear_point(&options->spec.from);
    clear_point(&options->spec.until);
    cli_params_clear(&options->params);
}
