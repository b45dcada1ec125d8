/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_broker.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/tap_options.h"
#include "cli/tap_print.h"
#include "host/tap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPEN_MS = 10000, WAIT_MS = 500, AWAY_MS = 15000 };

/* What comes out of the reading: lines at once, or one page at the end. */
struct output {
    const struct tap_options *options;
    json_t *messages; /* of a page */
    size_t bytes;
    int64_t count;
};

static void put(struct output *output, const char *topic,
                const struct tap_record *record)
{
    output->count++;
    if (output->messages)
        tap_page_add(output->messages, &output->bytes, output->options, topic, record);
    else
        tap_print(output->options, topic, record);
}

static bool has_all(const struct output *output)
{
    return output->options->count >= 0 && output->count >= output->options->count;
}

/* Nothing more at the moment: for how long has the broker been silent? */
static void look_for_broker(const struct tap *tap, const struct tap_options *options,
                            int64_t *scanned, int64_t *since_ms, struct error *err)
{
    (void)fflush(stdout);
    if (tap_scanned(tap) != *scanned || options->spec.follow)
        *since_ms = clock_mono_ms();
    *scanned = tap_scanned(tap);
    if (clock_mono_ms() - *since_ms > AWAY_MS)
        error_set(err, ERROR_UNREACHABLE, "nothing came from the broker for %d s",
                  AWAY_MS / 1000);
}

static void read_records(struct tap *tap, struct output *output, struct error *err)
{
    int64_t since_ms = clock_mono_ms();
    int64_t scanned = 0;

    while (!has_all(output) && !ferror(stdout) && !error_is_set(err)) {
        struct tap_record record;
        enum tap_result result = tap_next(tap, WAIT_MS, &record, err);

        if (result == TAP_RECORD)
            put(output, tap_topic(tap), &record);
        else if (result == TAP_NOTHING_YET)
            look_for_broker(tap, output->options, &scanned, &since_ms, err);
        else
            break;
    }
    (void)fflush(stdout);
}

/* People and those who filter learn what was looked at, and how to go on. */
static bool wants_summary(const struct tap *tap, const struct tap_options *options)
{
    if (options->spec.follow || options->page)
        return false;
    return options->filter.count > 0 || tap_limit(tap) ||
           (isatty(STDOUT_FILENO) && !options->raw);
}

static void show(struct tap *tap, const char *edge, const struct tap_options *options,
                 struct error *err)
{
    struct output output = {.options = options};

    if (options->page)
        output.messages = json_array();
    read_records(tap, &output, err);
    if (options->page && !error_is_set(err))
        cli_print_json(tap_page_json(tap, edge, output.messages, has_all(&output)));
    else
        json_decref(output.messages);
    if (!error_is_set(err) && wants_summary(tap, options))
        tap_print_summary(tap, output.count, has_all(&output));
}

static const struct history_known_edge *find_edge(const struct history_last *last,
                                                  const struct address *address,
                                                  struct error *err)
{
    const char **names = mem_alloc((last->edge_count + 1) * sizeof *names);
    const struct history_known_edge *found = NULL;

    for (size_t i = 0; i < last->edge_count; i++) {
        names[i] = last->edges[i].edge;
        if (strcmp(names[i], address->edge) == 0)
            found = &last->edges[i];
    }
    if (found == NULL) {
        error_set(err, ERROR_NOT_FOUND, "'%s' has no edge %s", address->dag,
                  address->edge);
        error_near(err, text_nearest(address->edge, names, last->edge_count));
    }
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

static void tap_edge(const struct tap_options *options, const struct history_last *last,
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
        show(tap, address->edge, options, err);
    tap_close(tap);
    cli_broker_clear(&broker);
}

static int tap(const struct tap_options *options, struct error *err)
{
    struct address address;
    struct history_last last = {0};
    struct ops *ops = cli_ops_at(options->address, &address, err);

    if (ops && address.edge == NULL)
        error_set(err, ERROR_INPUT, "an edge expected, DAG/FROM:TO, got %s",
                  options->address);
    else if (ops && address.run > 0)
        error_set(err, ERROR_INPUT,
                  "a topic has the records of all runs: leave @%" PRId64 " out, and say "
                  "--since or --from",
                  address.run);
    else if (ops && ops_history(ops) == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has not run yet", address.dag);
    else if (ops && history_last_run(ops_history(ops), address.dag, &last, err) == 0)
        tap_edge(options, &last, &address, err);
    history_last_clear(&last);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int run(int argc, char **argv)
{
    struct tap_options options;
    struct error err = {0};
    int code = tap_options_read(&options, argc, argv);

    if (code == 0 && tap(&options, &err) != 0)
        code = cli_fail(&err);
    tap_options_clear(&options);
    return code;
}

extern const struct cmd cmd_tap;
const struct cmd cmd_tap = {
    .name = "tap",
    .usage = "tap [OPTIONS] [DAG/]FROM:TO",
    .doc = "Look at the records on an edge, leaving no trace.",
    .help = tap_options_help,
    .run = run,
};
