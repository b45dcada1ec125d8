/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli_audit.h"
#include "cli/cli_broker.h"
#include "cli/cli_ops.h"
#include "cli/cmd.h"
#include "cli/dlq_options.h"
#include "cli/dlq_print.h"
#include "host/local.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------- list */

static void list(const struct dlq *dlq, const struct dlq_options *options,
                 struct error *err)
{
    struct dlq_groups groups = {0};

    if (dlq_groups_read(dlq, &options->action.selection, &groups, err) == 0) {
        if (options->json)
            cli_print_json(dlq_groups_json(dlq, &groups));
        else if (groups.count > 0)
            dlq_print_groups(&groups);
        else
            (void)fprintf(stderr, "dagrun: no dead letters in '%s'\n", dlq->dag);
    }
    dlq_groups_clear(&groups);
}

/* ----------------------------------------------------------------------------- show */

struct showing {
    const struct dlq_options *options;
    const struct dlq *dlq;
    const struct dlq_node *node;
    json_t *letters; /* NULL: as text */
    int64_t count;
    char next[48]; /* PARTITION:OFFSET of the letter after the last shown; "": none */
};

static int show_letter(void *arg, const struct dlq_letter *letter, struct error *err)
{
    struct showing *showing = arg;
    const struct dlq_options *options = showing->options;

    (void)err;
    if (options->state >= 0 && (int)dlq_letter_state(letter) != options->state)
        return 1;
    if (showing->count == options->limit) {
        (void)snprintf(showing->next, sizeof showing->next, "%" PRId32 ":%" PRId64,
                       letter->record->partition, letter->record->offset);
        return 0;
    }
    showing->count++;
    if (showing->letters)
        (void)json_array_append_new(
            showing->letters,
            dlq_print_json(showing->node, letter, options->cut_bytes));
    else
        dlq_print_letter(showing->dlq->dag, letter);
    return 1;
}

/* Partition by partition, so that a place in one of them is a place in all. */
static void read_node(struct showing *showing, struct error *err)
{
    const struct dlq_options *options = showing->options;
    struct dlq_selection selection = options->action.selection;
    int32_t only = selection.partition;

    for (int32_t p = options->from_partition; p < showing->node->partitions; p++) {
        selection.partition = p;
        if (only >= 0 && p != only)
            continue;
        if (dlq_read(showing->dlq, showing->node, &selection,
                     p == options->from_partition ? options->from_offset : 0,
                     show_letter, showing, err) < 0 ||
            *showing->next)
            return;
    }
}

static void show(const struct dlq *dlq, const struct dlq_options *options,
                 struct error *err)
{
    struct showing showing = {.options = options, .dlq = dlq};

    if (options->action.selection.node == NULL) {
        error_set(err, ERROR_INPUT,
                  "whose letters? Say DAG/NODE; 'dagrun dlq list %s' has "
                  "the nodes",
                  dlq->dag);
        return;
    }
    showing.node = dlq_find_node(dlq, options->action.selection.node, err);
    showing.letters = options->json ? json_array() : NULL;
    if (showing.node)
        read_node(&showing, err);
    if (!error_is_set(err) && options->json)
        cli_print_json(json_pack("{s:o,s:o,s:O,s:s?}", "dag", json_text(dlq->dag),
                                 "node", json_text(showing.node->name), "letters",
                                 showing.letters, "next",
                                 *showing.next ? showing.next : NULL));
    else if (!error_is_set(err) && *showing.next)
        (void)fprintf(stderr, "dagrun: there are more; next: --from %s\n",
                      showing.next);
    else if (!error_is_set(err) && showing.count == 0)
        (void)fprintf(stderr, "dagrun: no such dead letters in '%s/%s'\n", dlq->dag,
                      showing.node->name);
    json_decref(showing.letters);
}

/* ------------------------------------------------------------------ replay and drop */

static bool is_selected(const struct dlq_options *options)
{
    const struct dlq_selection *selection = &options->action.selection;

    return options->all || selection->node || selection->reason ||
           selection->failed_at || selection->partition >= 0 ||
           selection->offset_count > 0 || selection->since_ms > 0 ||
           selection->until_ms > 0;
}

/* How many it would be. */
static int64_t count_selected(struct dlq *dlq, const struct dlq_options *options,
                              struct error *err)
{
    struct dlq_action look = options->action;
    struct dlq_result result = {0};

    look.dry_run = true;
    (void)dlq_act(dlq, &look, &result, err);
    return result.done;
}

static bool confirm_drop(struct dlq *dlq, const struct dlq_options *options,
                         struct error *err)
{
    char number[TEXT_NUMBER];
    char line[16] = "";
    int64_t count;

    if (options->yes || options->action.dry_run || options->action.replay)
        return true;
    if (!isatty(STDIN_FILENO)) {
        error_set(err, ERROR_INPUT,
                  "drop gives letters up for good: say --yes, as there is "
                  "no terminal to ask on, or --dry-run to see how many");
        return false;
    }
    count = count_selected(dlq, options, err);
    if (error_is_set(err) || count == 0)
        return !error_is_set(err);
    text_format_count(count, number);
    (void)fprintf(stderr, "Drop %s dead letter%s of %s for good? [y/N] ", number,
                  count == 1 ? "" : "s", dlq->dag);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return true;
    (void)fputs("dagrun: nothing was dropped\n", stderr);
    return false;
}

static void on_progress(void *arg, int64_t done)
{
    char number[TEXT_NUMBER];

    (void)arg;
    text_format_count(done, number);
    (void)fprintf(stderr, "\r%s", number);
    (void)fflush(stderr);
}

/* Who will take what was sent again: "run", or "start": the next one. */
static const char *taker(const struct ops *ops, const struct dlq *dlq, const char *node)
{
    struct error ignored = {0};
    json_t *status =
        ops_is_live(ops, dlq->dag) ? ops_status(ops, dlq->dag, &ignored) : NULL;
    const char *by = status ? "run" : "start";
    size_t i;
    json_t *one;

    json_array_foreach(json_object_get(status, "nodes"), i, one)
    {
        if (node && strcmp(json_get_string(one, "node", ""), node) == 0 &&
            strcmp(json_get_string(one, "state", ""), "done") == 0)
            by = "start"; /* it has finished in this run */
    }
    json_decref(status);
    return by;
}

static void tell_result(const struct ops *ops, const struct dlq *dlq,
                        const struct dlq_action *action,
                        const struct dlq_result *result)
{
    char number[TEXT_NUMBER];
    const char *many = result->done == 1 ? "" : "s";
    bool runs = action->replay &&
                strcmp(taker(ops, dlq, action->selection.node), "run") == 0;

    text_format_count(result->done, number);
    if (result->found + result->not_sent > 0)
        (void)fprintf(stderr,
                      "dagrun: of a replay that was cut off, %" PRId64
                      " letters had been sent, %" PRId64
                      " had not and are open again\n",
                      result->found, result->not_sent);
    if (action->dry_run)
        (void)fprintf(stderr, "dagrun: %s letter%s would be %s\n", number, many,
                      action->replay ? "sent again" : "dropped");
    else if (!action->replay)
        (void)fprintf(stderr, "dagrun: %s letter%s dropped\n", number, many);
    else
        (void)fprintf(stderr, "dagrun: %s letter%s sent again; the %s takes %s\n",
                      number, many, runs ? "run" : "next 'dagrun start'",
                      result->done == 1 ? "it" : "them");
    if (result->worn_out > 0)
        (void)fprintf(stderr,
                      "dagrun: %" PRId64 " letters were sent again %" PRId64
                      " times before and stay; --force sends them, too\n",
                      result->worn_out, action->max_replays);
}

/* False: the user was asked, and said no. */
static bool act(const struct ops *ops, struct dlq *dlq,
                const struct dlq_options *options, struct error *err)
{
    struct dlq_action action = options->action;
    struct dlq_result result = {0};
    json_t *object;

    if (!confirm_drop(dlq, options, err))
        return error_is_set(err);
    if (isatty(STDERR_FILENO) && !options->json)
        action.on_progress = on_progress;
    (void)dlq_act(dlq, &action, &result, err);
    if (action.on_progress && result.done > 0)
        (void)fputs("\r", stderr);
    if (options->json && !error_is_set(err)) {
        object = dlq_result_json(dlq, &action, &result);
        if (action.replay)
            (void)json_object_set_new(
                object, "taken_by",
                json_string(taker(ops, dlq, action.selection.node)));
        cli_print_json(object);
    } else if (!error_is_set(err) || result.done > 0) {
        tell_result(ops, dlq, &action, &result);
    }
    return true;
}

/* ---------------------------------------------------------------------------------- */

/* False: as act. */
static bool with_letters(const struct ops *ops, const char *dag,
                         const struct dlq_options *options, struct error *err)
{
    struct history_last last = {0};
    struct cli_broker broker = {0};
    struct dlq dlq = {0};
    bool change = options->verb >= DLQ_REPLAY && !options->action.dry_run;
    bool meant = true;

    if (ops_history(ops) == NULL)
        error_set(err, ERROR_NOT_FOUND, "'%s' has not run yet", dag);
    else if (history_last_run(ops_history(ops), dag, &last, err) == 0 &&
             cli_broker_find(&last, dag, options->brokers, &options->params, &broker,
                             err) == 0 &&
             dlq_open(&dlq, ops_home(ops), dag, &last, &broker.config, change, err) ==
                 0) {
        const char *node = options->action.selection.node;

        if (node && dlq_find_node(&dlq, node, err) == NULL)
            ; /* err says so */
        else if (options->verb == DLQ_LIST)
            list(&dlq, options, err);
        else if (options->verb == DLQ_SHOW)
            show(&dlq, options, err);
        else
            meant = act(ops, &dlq, options, err);
    }
    dlq_close(&dlq);
    cli_broker_clear(&broker);
    history_last_clear(&last);
    return meant;
}

/* Who acts, as it will stand in the letters' marks. */
static void set_by(struct dlq_options *options, char text[2 * LOCAL_TEXT])
{
    char user[LOCAL_TEXT];
    char host[LOCAL_TEXT];

    local_user_name(user);
    local_host_name(host);
    (void)snprintf(text, 2 * LOCAL_TEXT, "%s@%s", user, host);
    if (options->action.by == NULL)
        options->action.by = text;
}

static void audit(const struct dlq_options *options, const struct address *address,
                  const struct error *err)
{
    const char *reason = options->action.selection.reason;
    json_t *detail = json_object();

    if (reason)
        (void)json_object_set_new(detail, "reason", json_text(reason));
    if (options->action.note)
        (void)json_object_set_new(detail, "note", json_text(options->action.note));
    cli_audit_at(options->verb == DLQ_REPLAY ? "replay" : "drop", address, detail, err);
}

static int dlq(struct dlq_options *options, struct error *err)
{
    struct address address = {0};
    struct ops *ops = cli_ops_at(options->address, &address, err);
    char by[2 * LOCAL_TEXT];
    bool meant = true;

    set_by(options, by);
    options->action.selection.node = address.node;
    /* DAG@last is the dag, whatever its name: never a node of the one that runs. */
    if (ops && (address.edge || address.client || address.run > 0))
        error_set(err, ERROR_INPUT, "DAG or DAG/NODE expected, got %s",
                  options->address);
    else if (ops && options->verb >= DLQ_REPLAY && !is_selected(options))
        error_set(
            err, ERROR_INPUT,
            "which letters? Say DAG/NODE, --reason, --failed-at, --since, --until, "
            "--partition with --offset, or --all");
    else if (ops)
        meant = with_letters(ops, address.dag, options, err);
    if (ops && meant && options->verb >= DLQ_REPLAY && !options->action.dry_run)
        audit(options, &address, err);
    address_clear(&address);
    ops_close(ops);
    return error_is_set(err) ? -1 : 0;
}

static int run(int argc, char **argv)
{
    struct dlq_options options;
    struct error err = {0};
    int code = dlq_options_parse(&options, argc, argv);

    if (code == 0 && dlq(&options, &err) != 0)
        code = cli_fail(&err);
    dlq_options_clear(&options);
    return code;
}

extern const struct cmd cmd_dlq;
const struct cmd cmd_dlq = {
    .name = "dlq",
    .usage = "dlq list|show|replay|drop [OPTIONS] [DAG[/NODE]]",
    .doc = "Look at dead letters, send them again, or drop them.",
    .help =
        "  list DAG[/NODE]       reasons, how often, when first and last, what became "
        "of them\n"
        "  show DAG/NODE         the letters: the record as it was, and why it failed\n"
        "  replay DAG[/NODE]     send them to their node again; each letter only once\n"
        "  drop DAG[/NODE]       give them up; they stay in their topic, marked as "
        "dropped\n\n"
        "Which letters (replay and drop want DAG/NODE, one of these, or --all):\n"
        "  --all                 of all nodes, whatever the reason\n"
        "  --reason TEXT         that failed with this text, or one of list's reasons\n"
        "  --failed-at WORD      DECODE, TRANSFORM, SINK or WRITE\n"
        "  --since T             that died then or later: 2h (ago), "
        "2026-11-21T13:40:00\n"
        "  --until T             that died before\n"
        "  --partition P         of one partition of the letters' topic\n"
        "  --offset N[,N…]       these letters: the numbers that show has, 0:N\n\n"
        "  --state WORD          show only: open, sending, replayed, dropped, any "
        "(default)\n"
        "  --limit N             show at most so many, default 20\n"
        "  --from P:N            show from this letter on\n"
        "  --cut N               with show --json: keys and values cut to so many "
        "bytes\n"
        "  --dry-run             only say how many it would be\n"
        "  --rate N/s            replay not faster\n"
        "  --max-replays N       leave letters whose record was sent again so often, "
        "default\n"
        "                        5; 0: no limit\n"
        "  --force               send those, too\n"
        "  --note TEXT           why; kept with the letters\n"
        "  --by NAME             who; default: user@host\n"
        "  --yes                 drop without asking\n"
        "  --json                as JSON\n"
        "  --brokers LIST        the broker, instead of the one that the dag ran on\n"
        "  --param N=V           value of ${N} in the YAML's kafka properties\n\n"
        "A letter that is sent again goes with its key, value, timestamp and headers "
        "to the\n"
        "topic DAG.NODE.retry, which only that node reads, and is counted in its 'in' "
        "again.\n"
        "Fix what was wrong first: a record that fails again is a new letter.\n",
    .run = run,
};
