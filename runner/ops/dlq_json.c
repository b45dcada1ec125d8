/* SPDX-License-Identifier: MIT */
#include "ops/dlq.h"

#include "base/clock.h"

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *time_json(int64_t wall_ms)
{
    char text[CLOCK_TEXT];

    if (wall_ms <= 0)
        return json_null();
    clock_format_utc(wall_ms, text);
    return json_string(text);
}

static void put_counts(json_t *object, const int64_t counts[DLQ_STATES])
{
    int64_t sum = 0;

    for (enum dlq_state state = DLQ_OPEN; state < DLQ_STATES; state++) {
        put(object, dlq_state_name(state), json_integer(counts[state]));
        sum += counts[state];
    }
    put(object, "count", json_integer(sum));
}

static json_t *group_json(const struct dlq_group *group)
{
    json_t *object = json_object();

    put(object, "node", json_text(group->node));
    put(object, "failed_at", json_text(group->failed_at));
    put(object, "reason", json_text(group->reason));
    put_counts(object, group->counts);
    put(object, "first", time_json(group->first_ms));
    put(object, "last", time_json(group->last_ms));
    return object;
}

json_t *dlq_groups_json(const struct dlq *dlq, const struct dlq_groups *groups)
{
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < groups->count; i++)
        (void)json_array_append_new(list, group_json(&groups->items[i]));
    put(object, "dag", json_text(dlq->dag));
    put_counts(object, groups->counts);
    put(object, "groups", list);
    return object;
}

json_t *dlq_letter_json(const struct dlq_letter *letter)
{
    json_t *object = json_object();
    const struct history_mark *mark = letter->mark;

    put(object, "node", json_text(letter->node));
    put(object, "state", json_string(dlq_state_name(dlq_letter_state(letter))));
    put(object, "failed_at", json_text(letter->failed_at));
    put(object, "reason", json_text(letter->reason));
    put(object, "died", time_json(letter->died_ms));
    put(object, "run", json_integer(letter->run));
    put(object, "attempt", json_integer(letter->attempt));
    put(object, "replays", json_integer(letter->replays));
    put(object, "source",
        json_pack("{s:o,s:I,s:I}", "topic", json_text(letter->topic), "partition",
                  (json_int_t)letter->partition, "offset", (json_int_t)letter->offset));
    put(object, "marked",
        mark ? json_pack("{s:o,s:o,s:o}", "at", time_json(mark->at_ms), "by",
                         json_text(mark->by), "note", json_text(mark->note))
             : json_null());
    return object;
}

json_t *dlq_result_json(const struct dlq *dlq, const struct dlq_action *action,
                        const struct dlq_result *result)
{
    json_t *object = json_object();

    put(object, "dag", json_text(dlq->dag));
    put(object, "action", json_string(action->replay ? "replay" : "drop"));
    put(object, "dry_run", json_boolean(action->dry_run));
    put(object, "selected", json_integer(result->selected));
    put(object, "done", json_integer(result->done));
    put(object, "worn_out", json_integer(result->worn_out));
    put(object, "settled_sent", json_integer(result->found));
    put(object, "settled_not_sent", json_integer(result->not_sent));
    return object;
}
