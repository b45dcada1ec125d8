/* SPDX-License-Identifier: MIT
 *
 * dlq_letter.c - what one dead letter says of itself, and whether it is meant. Pure.
 */
#include "ops/dlq.h"

#include "base/contract.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

/* The last one counts: the SDK puts its own behind those of the record. NULL: none. */
static const struct tap_header *find_header(const struct tap_record *record,
                                            const char *name)
{
    for (size_t i = record->header_count; i > 0; i--) {
        if (strcmp(record->headers[i - 1].name, name) == 0)
            return &record->headers[i - 1];
    }
    return NULL;
}

static const char *text_of(const struct tap_record *record, const char *name,
                           struct mem_arena *arena)
{
    const struct tap_header *header = find_header(record, name);

    return header && header->value
               ? mem_arena_strndup(arena, header->value, header->len)
               : "";
}

static int64_t number_of(const struct tap_record *record, const char *name,
                         int64_t fallback)
{
    const struct tap_header *header = find_header(record, name);
    char text[24] = "";
    int64_t number;

    if (header == NULL || header->value == NULL || header->len >= sizeof text)
        return fallback;
    memcpy(text, header->value, header->len);
    return text_parse_int(text, &number) ? number : fallback;
}

/* Headers go along with what a node makes of a record: only of this topic they count.
 */
static int64_t replays_of(const struct tap_record *record, const char *topic)
{
    const struct tap_header *header = find_header(record, CONTRACT_HEADER_REPLAY);
    size_t len = strlen(topic);

    if (header == NULL || header->value == NULL || header->len <= len ||
        memcmp(header->value, topic, len) != 0 || header->value[len] != '/')
        return 0;
    return number_of(record, CONTRACT_HEADER_REPLAYS, 1);
}

struct history_mark *dlq_find_mark(const struct history_mark_list *marks,
                                   int64_t partition, int64_t offset)
{
    size_t low = 0;
    size_t high = marks->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct history_mark *mark = &marks->items[middle];

        if (mark->partition == partition && mark->offset == offset)
            return mark;
        if (mark->partition < partition ||
            (mark->partition == partition && mark->offset < offset))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void dlq_letter_read(struct dlq_letter *letter, const struct dlq_node *node,
                     const struct tap_record *record, struct mem_arena *arena)
{
    *letter = (struct dlq_letter){
        .record = record,
        .node = node->name,
        .reason = text_of(record, CONTRACT_HEADER_REASON, arena),
        .failed_at = text_of(record, CONTRACT_HEADER_FAILED_AT, arena),
        .topic = text_of(record, CONTRACT_HEADER_TOPIC, arena),
        .partition = number_of(record, CONTRACT_HEADER_PARTITION, -1),
        .offset = number_of(record, CONTRACT_HEADER_OFFSET, -1),
        .run = number_of(record, CONTRACT_HEADER_RUN, 0),
        .attempt = number_of(record, CONTRACT_HEADER_ATTEMPT, 0),
        /* Letters of before this header was written: their record's time. */
        .died_ms = number_of(record, CONTRACT_HEADER_TIME, record->timestamp_ms),
        .replays = replays_of(record, node->topic),
        .mark = dlq_find_mark(&node->marks, record->partition, record->offset)};

    if (letter->mark && letter->mark->state == HISTORY_MARK_NONE)
        letter->mark = NULL;
}

/* Copy what is quoted as "…"; returns the place behind it, or NULL when it does not
 * end. */
static const char *skip_quoted(struct text_buf *out, const char *at)
{
    const char *end = at + 1;

    while (*end && *end != *at)
        end += *end == '\\' && end[1] ? 2 : 1;
    if (*end == '\0')
        return NULL;
    text_append_bytes(out, at, 1);
    text_append(out, "…");
    text_append_bytes(out, at, 1);
    return end + 1;
}

/* An apostrophe inside a word ("can't") opens nothing. */
static bool opens_quote(const char *reason, const char *at)
{
    return *at == '"' ||
           (*at == '\'' && (at == reason || !isalnum((unsigned char)at[-1])));
}

char *dlq_pattern(struct mem_arena *arena, const char *reason)
{
    struct text_buf out = {0};
    const char *at = reason;
    char *pattern;

    while (*at) {
        bool in_word = at > reason && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
        const char *behind = opens_quote(reason, at) ? skip_quoted(&out, at) : NULL;

        if (behind) {
            at = behind;
        } else if (isdigit((unsigned char)*at) && !in_word) {
            text_append(&out, "#");
            at += strspn(at, "0123456789");
        } else {
            text_append_bytes(&out, at++, 1);
        }
    }
    pattern = mem_arena_strdup(arena, text_str(&out));
    text_buf_clear(&out);
    return pattern;
}

static bool has_reason(const char *wanted, const char *reason)
{
    struct mem_arena arena = {0};
    bool same =
        strcmp(wanted, reason) == 0 || strcmp(wanted, dlq_pattern(&arena, reason)) == 0;

    mem_arena_clear(&arena);
    return same;
}

static bool has_offset(const struct dlq_selection *selection, int64_t offset)
{
    size_t low = 0;
    size_t high = selection->offset_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (selection->offsets[middle] == offset)
            return true;
        if (selection->offsets[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return selection->offset_count == 0;
}

bool dlq_selects(const struct dlq_selection *selection, const struct dlq_letter *letter)
{
    if (selection->node && strcmp(selection->node, letter->node) != 0)
        return false;
    if (selection->partition >= 0 && selection->partition != letter->record->partition)
        return false;
    if (!has_offset(selection, letter->record->offset))
        return false;
    if (selection->since_ms > 0 && letter->died_ms < selection->since_ms)
        return false;
    if (selection->until_ms > 0 && letter->died_ms >= selection->until_ms)
        return false;
    if (selection->failed_at && strcmp(selection->failed_at, letter->failed_at) != 0)
        return false;
    return selection->reason == NULL || has_reason(selection->reason, letter->reason);
}

enum dlq_state dlq_letter_state(const struct dlq_letter *letter)
{
    switch (letter->mark ? letter->mark->state : HISTORY_MARK_NONE) {
    case HISTORY_MARK_SENDING:
        return DLQ_SENDING;
    case HISTORY_MARK_REPLAYED:
        return DLQ_REPLAYED;
    case HISTORY_MARK_DROPPED:
        return DLQ_DROPPED;
    case HISTORY_MARK_NONE:
        break;
    }
    return DLQ_OPEN;
}

const char *dlq_state_name(enum dlq_state state)
{
    static const char *const names[DLQ_STATES] = {[DLQ_OPEN] = "open",
                                                  [DLQ_SENDING] = "sending",
                                                  [DLQ_REPLAYED] = "replayed",
                                                  [DLQ_DROPPED] = "dropped"};

    return names[state];
}
