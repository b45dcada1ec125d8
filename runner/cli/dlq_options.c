/* SPDX-License-Identifier: MIT */
#include "cli/dlq_options.h"

#include "base/text.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 20, LIMIT_MAX = 10000, RATE_MAX = 1000000 };

static int parse_number(const char *name, const char *text, int64_t max, int64_t *value)
{
    if (text_parse_int(text, value) && *value >= 0 && *value <= max)
        return 0;
    return cli_usage("dlq", "%s %s: expected a number from 0 to %lld", name, text,
                     (long long)max);
}

static int parse_time(const char *name, const char *text, int64_t *value)
{
    struct error err = {0};

    if (cli_parse_time(text, value, &err) == 0)
        return 0;
    return cli_usage("dlq", "%s: %s", name, err.text);
}

/* "100", or "100/s" as people say it. */
static int parse_rate(const char *text, int64_t *rate)
{
    size_t len = strlen(text);
    char *number = mem_strdup(text);
    bool good;

    if (len > 2 && strcmp(text + len - 2, "/s") == 0)
        number[len - 2] = '\0';
    good = text_parse_int(number, rate) && *rate > 0 && *rate <= RATE_MAX;
    free(number);
    return good ? 0
                : cli_usage("dlq", "--rate %s: expected letters a second, as in 100/s",
                            text);
}

static int parse_from(const char *text, struct dlq_options *options)
{
    char *copy = mem_strdup(text);
    char *colon = strchr(copy, ':');
    int64_t partition = 0;
    bool good;

    if (colon)
        *colon = '\0';
    good = (colon == NULL || (text_parse_int(copy, &partition) && partition >= 0 &&
                              partition <= INT32_MAX)) &&
           text_parse_int(colon ? colon + 1 : copy, &options->from_offset) &&
           options->from_offset >= 0;
    options->from_partition = (int32_t)partition;
    free(copy);
    return good ? 0 : cli_usage("dlq", "--from %s: expected PARTITION:OFFSET", text);
}

static int parse_state(const char *text, int *state)
{
    *state = -1;
    if (strcmp(text, "any") == 0)
        return 0;
    for (int i = 0; i < DLQ_STATES; i++) {
        if (strcmp(text, dlq_state_name((enum dlq_state)i)) == 0)
            *state = i;
    }
    return *state >= 0 ? 0
                       : cli_usage("dlq",
                                   "--state %s: expected open, sending, replayed, "
                                   "dropped or any",
                                   text);
}

static bool parse_flag(struct dlq_options *options, const char *word)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--all", &options->all},
                 {"--yes", &options->yes},
                 {"--json", &options->json},
                 {"--dry-run", &options->action.dry_run},
                 {"--force", &options->action.force}};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, word) == 0) {
            *flags[i].flag = true;
            return true;
        }
    }
    return false;
}

/* Options whose value is a text: taken as it is. */
static bool parse_text(struct dlq_options *options, int argc, char **argv, int *i)
{
    struct dlq_action *action = &options->action;
    const struct {
        const char *name;
        const char **text;
    } texts[] = {{"--reason", &action->selection.reason},
                 {"--failed-at", &action->selection.failed_at},
                 {"--note", &action->note},
                 {"--by", &action->by},
                 {"--brokers", &options->brokers}};

    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        const char *value = cli_option(argc, argv, i, texts[t].name);

        if (value) {
            *texts[t].text = value;
            return true;
        }
    }
    return false;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

/* "17" or "3,5,17". */
static int parse_offsets(const char *text, struct dlq_options *options)
{
    struct dlq_selection *selection = &options->action.selection;
    char *copy = mem_strdup(text);
    char *rest = copy;
    size_t capacity = selection->offset_count;
    int code = 0;

    for (char *word = strsep(&rest, ","); word && code == 0;
         word = strsep(&rest, ",")) {
        options->offsets = mem_grow(options->offsets, selection->offset_count,
                                    &capacity, sizeof *options->offsets);
        code = parse_number("--offset", word, INT64_MAX,
                            &options->offsets[selection->offset_count++]);
    }
    free(copy);
    qsort(options->offsets, selection->offset_count, sizeof *options->offsets,
          by_number);
    selection->offsets = options->offsets;
    return code;
}

static int parse_partition(const char *text, struct dlq_selection *selection)
{
    int64_t number = 0;
    int code = parse_number("--partition", text, INT32_MAX, &number);

    selection->partition = (int32_t)number;
    return code;
}

/* -1: it is none of these. */
static int parse_value(struct dlq_options *options, int argc, char **argv, int *i)
{
    struct dlq_selection *selection = &options->action.selection;
    struct error err = {0};
    const char *value;

    if ((value = cli_option(argc, argv, i, "--partition")) != NULL)
        return parse_partition(value, selection);
    if ((value = cli_option(argc, argv, i, "--offset")) != NULL)
        return parse_offsets(value, options);
    if ((value = cli_option(argc, argv, i, "--since")) != NULL)
        return parse_time("--since", value, &selection->since_ms);
    if ((value = cli_option(argc, argv, i, "--until")) != NULL)
        return parse_time("--until", value, &selection->until_ms);
    if ((value = cli_option(argc, argv, i, "--limit")) != NULL)
        return parse_number("--limit", value, LIMIT_MAX, &options->limit);
    if ((value = cli_option(argc, argv, i, "--from")) != NULL)
        return parse_from(value, options);
    if ((value = cli_option(argc, argv, i, "--state")) != NULL)
        return parse_state(value, &options->state);
    if ((value = cli_option(argc, argv, i, "--cut")) != NULL)
        return parse_number("--cut", value, INT32_MAX, &options->cut_bytes);
    if ((value = cli_option(argc, argv, i, "--rate")) != NULL)
        return parse_rate(value, &options->action.rate);
    if ((value = cli_option(argc, argv, i, "--max-replays")) != NULL)
        return parse_number("--max-replays", value, INT32_MAX,
                            &options->action.max_replays);
    if ((value = cli_option(argc, argv, i, "--param")) != NULL)
        return cli_params_add(&options->params, value, &err) == 0 ? 0 : cli_fail(&err);
    return -1;
}

/* Options of some verbs only: elsewhere they would say what is not done. */
static bool is_of_verb(enum dlq_verb verb, const char *word)
{
    enum { SHOW = 1 << DLQ_SHOW, REPLAY = 1 << DLQ_REPLAY, DROP = 1 << DLQ_DROP };
    static const struct {
        const char *name;
        unsigned verbs;
    } some[] = {{"--state", SHOW},
                {"--limit", SHOW},
                {"--from", SHOW},
                {"--cut", SHOW},
                {"--dry-run", REPLAY | DROP},
                {"--force", REPLAY | DROP},
                {"--note", REPLAY | DROP},
                {"--by", REPLAY | DROP},
                {"--rate", REPLAY},
                {"--max-replays", REPLAY},
                {"--yes", DROP}};

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        size_t len = strlen(some[i].name);

        if (strncmp(some[i].name, word, len) == 0 && strchr("=", word[len]) != NULL)
            return (some[i].verbs & 1U << verb) != 0;
    }
    return true;
}

static int parse_one(struct dlq_options *options, int argc, char **argv, int *i)
{
    int code;

    if (!is_of_verb(options->verb, argv[*i]))
        return cli_usage("dlq", "%s is no option of %s", argv[*i], argv[1]);
    if (parse_flag(options, argv[*i]) || parse_text(options, argc, argv, i))
        return 0;
    code = parse_value(options, argc, argv, i);
    if (code >= 0)
        return code;
    if (argv[*i][0] == '-')
        return cmd_unknown_option("dlq", argv[*i]);
    if (options->address)
        return cli_usage("dlq", "one DAG or DAG/NODE expected, got %s as well",
                         argv[*i]);
    options->address = argv[*i];
    return 0;
}

static int parse_verb(struct dlq_options *options, int argc, char **argv)
{
    static const char *const verbs[DLQ_VERBS] = {[DLQ_LIST] = "list",
                                                 [DLQ_SHOW] = "show",
                                                 [DLQ_REPLAY] = "replay",
                                                 [DLQ_DROP] = "drop"};

    for (int v = 0; argc > 1 && v < DLQ_VERBS; v++) {
        if (strcmp(verbs[v], argv[1]) == 0) {
            options->verb = (enum dlq_verb)v;
            options->action.replay = v == DLQ_REPLAY;
            return 0;
        }
    }
    if (argc > 1)
        return cli_usage("dlq", "list, show, replay or drop expected, not '%s'",
                         argv[1]);
    return cli_usage("dlq", "list, show, replay or drop expected");
}

int dlq_options_parse(struct dlq_options *options, int argc, char **argv)
{
    int code;

    *options = (struct dlq_options){
        .limit = LIMIT,
        .state = -1,
        .cut_bytes = -1,
        .action = {.max_replays = DLQ_MAX_REPLAYS, .selection = {.partition = -1}}};
    code = parse_verb(options, argc, argv);
    for (int i = 2; i < argc && code == 0; i++)
        code = parse_one(options, argc, argv, &i);
    /* Offsets count within a partition, and dagrun's topics of letters have one. */
    if (options->action.selection.offset_count > 0 &&
        options->action.selection.partition < 0)
        options->action.selection.partition = 0;
    return code;
}

void dlq_options_clear(struct dlq_options *options)
{
    cli_params_clear(&options->params);
    free(options->offsets);
}
