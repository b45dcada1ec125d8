/* SPDX-License-Identifier: MIT */
#include "cli/dlq_print.h"

#include "base/contract.h"
#include "base/text.h"
#include "cli/cli_ops.h"
#include "cli/grid.h"
#include "cli/table.h"
#include "cli/tap_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct grid_column columns[] = {
    {"NODE", 0, false, false},   {"OPEN", 9, true, false},
    {"SENDING", 3, true, true},  {"REPLAYED", 4, true, false},
    {"DROPPED", 3, true, false}, {"FIRST", 1, false, false},
    {"LAST", 2, false, false},   {"AT", 5, false, false},
    {"REASON", 0, false, false}, {NULL, 0, false, false},
};

void dlq_print_groups(const struct dlq_groups *groups)
{
    struct grid *grid = grid_new(columns);

    for (size_t i = 0; i < groups->count; i++) {
        const struct dlq_group *group = &groups->items[i];
        char first[CLOCK_TEXT];
        char last[CLOCK_TEXT];

        cli_time_text(group->first_ms, first);
        cli_time_text(group->last_ms, last);
        grid_text(grid, "", group->node);
        grid_count(grid, group->counts[DLQ_OPEN] ? GRID_YELLOW : "",
                   group->counts[DLQ_OPEN]);
        if (group->counts[DLQ_SENDING] > 0)
            grid_count(grid, GRID_CYAN, group->counts[DLQ_SENDING]);
        else
            grid_text(grid, "", NULL);
        grid_count(grid, "", group->counts[DLQ_REPLAYED]);
        grid_count(grid, "", group->counts[DLQ_DROPPED]);
        grid_text(grid, "", first);
        grid_text(grid, "", last);
        grid_text(grid, "", group->failed_at);
        grid_text(grid, "", group->reason);
    }
    grid_print(grid, stdout, 0, table_color(stdout));
    grid_free(grid);
}

static void print_bytes(const char *name, const char *data, size_t len)
{
    (void)printf("  %-9s", name);
    if (data)
        text_print_safe(stdout, data, len);
    else
        (void)putchar('-');
    (void)putchar('\n');
}

static void print_text(const char *text)
{
    text_print_safe(stdout, text, strlen(text));
}

static void print_story(const char *dag, const struct dlq_letter *letter)
{
    const struct history_mark *mark = letter->mark;
    char time[CLOCK_TEXT];

    cli_time_text(letter->died_ms, time);
    (void)printf("  died     %s, in ", time);
    print_text(dag);
    (void)printf("@%" PRId64 ", attempt %" PRId64 "\n  from     ", letter->run,
                 letter->attempt);
    print_text(letter->topic);
    (void)printf(" %" PRId64 ":%" PRId64 "\n", letter->partition, letter->offset);
    if (letter->replays > 0)
        (void)printf("  before   sent again %" PRId64 " time%s\n", letter->replays,
                     letter->replays == 1 ? "" : "s");
    if (mark == NULL)
        return;
    cli_time_text(mark->at_ms, time);
    (void)printf("  %-9s%s by ", dlq_state_name(dlq_letter_state(letter)), time);
    print_text(mark->by ? mark->by : "?");
    if (mark->note) {
        (void)fputs(": ", stdout);
        print_text(mark->note);
    }
    (void)putchar('\n');
}

static bool is_ours(const struct tap_header *header)
{
    return strncmp(header->name, CONTRACT_HEADER_PREFIX,
                   strlen(CONTRACT_HEADER_PREFIX)) == 0;
}

void dlq_print_letter(const char *dag, const struct dlq_letter *letter)
{
    const struct tap_record *record = letter->record;
    bool color = table_color(stdout);

    (void)fputs(color ? GRID_BOLD : "", stdout);
    print_text(letter->node);
    (void)printf(" %" PRId32 ":%" PRId64 "%s  %s  ", record->partition, record->offset,
                 color ? GRID_OFF : "", dlq_state_name(dlq_letter_state(letter)));
    print_text(letter->failed_at);
    (void)fputs("  ", stdout);
    print_text(letter->reason);
    (void)putchar('\n');
    print_story(dag, letter);
    print_bytes("key", record->key, record->key_len);
    print_bytes("value", record->value, record->value_len);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct tap_header *header = &record->headers[i];

        if (is_ours(header))
            continue;
        (void)fputs("  header  ", stdout);
        print_text(header->name);
        (void)putchar('=');
        text_print_safe(stdout, header->value ? header->value : "", header->len);
        (void)putchar('\n');
    }
}

json_t *dlq_print_json(const struct dlq_node *node, const struct dlq_letter *letter,
                       int64_t cut_bytes)
{
    json_t *object = dlq_letter_json(letter);
    json_t *record = tap_record_json(node->topic, letter->record, cut_bytes);

    (void)json_object_update(object, record);
    json_decref(record);
    return object;
}
