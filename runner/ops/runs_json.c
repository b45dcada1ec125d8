/* SPDX-License-Identifier: MIT
 *
 * The objects of --json and of the API. Times are UTC text; unknown is null.
 */
#include "ops/ops.h"

#include "base/clock.h"

#include <string.h>

static json_t *time_json(int64_t ms)
{
    char text[CLOCK_TEXT];

    if (ms <= 0)
        return json_null();
    clock_format_utc(ms, text);
    return json_string(text);
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *offset_json(int64_t offset)
{
    return offset < 0 ? json_null() : json_integer(offset);
}

json_t *ops_run_row_json(const struct history_run_row *run)
{
    json_t *object = json_object();

    put(object, "dag", json_text(run->dag));
    put(object, "run", json_integer(run->run));
    put(object, "state", json_text(run->state));
    put(object, "started", time_json(run->started_ms));
    put(object, "ended", time_json(run->ended_ms));
    put(object, "exit_code", offset_json(run->exit_code));
    put(object, "dead", json_integer(run->dead));
    put(object, "trigger", json_text(run->trigger));
    put(object, "yaml", json_text(run->path));
    put(object, "text", json_text(run->text));
    return object;
}

json_t *ops_runs_json(const struct ops_runs *runs)
{
    json_t *object = json_object();
    json_t *list = json_array();

    for (size_t i = 0; i < runs->list.count; i++)
        (void)json_array_append_new(list, ops_run_row_json(&runs->list.items[i]));
    put(object, "runs", list);
    put(object, "next", runs->cursor[0] ? json_string(runs->cursor) : json_null());
    return object;
}

static void put_totals(json_t *object, const struct history_totals *totals)
{
    put(object, "in", json_integer(totals->in));
    put(object, "answered", json_integer(totals->answered));
    put(object, "dropped", json_integer(totals->dropped));
    put(object, "dead", json_integer(totals->dead));
    put(object, "out", json_integer(totals->out));
    put(object, "repeats", json_integer(totals->repeats));
}

static json_t *node_json(const struct history_node *node)
{
    json_t *object = json_object();

    put(object, "node", json_text(node->node));
    put(object, "program", json_text(node->program));
    put(object, "state", json_text(node->state));
    put(object, "source", json_boolean(node->group == NULL));
    put(object, "want", json_integer(node->clients));
    put(object, "restarts", json_integer(node->restarts));
    put_totals(object, &node->totals);
    put(object, "sound", json_boolean(ops_node_is_sound(node)));
    put(object, "last_error", json_text(node->last_error));
    return object;
}

static json_t *attempt_json(const struct history_attempt *attempt)
{
    json_t *object = json_object();
    bool ended = attempt->ended_ms > 0;

    put(object, "node", json_text(attempt->node));
    put(object, "client", json_text(attempt->client));
    put(object, "attempt", json_integer(attempt->attempt));
    put(object, "pid", json_integer(attempt->pid));
    put(object, "started", time_json(attempt->started_ms));
    put(object, "ended", time_json(attempt->ended_ms));
    put(object, "exit_code",
        ended && attempt->exit_code >= 0 ? json_integer(attempt->exit_code) : json_null());
    put(object, "signal", attempt->signal ? json_integer(attempt->signal) : json_null());
    put(object, "reason", json_text(attempt->reason));
    put(object, "last_words", json_text(attempt->last_words));
    put(object, "log", json_text(attempt->log_path));
    put(object, "cpu_ms", json_integer(attempt->cpu_ms));
    put(object, "rss_bytes", json_integer(attempt->rss_bytes));
    put_totals(object, &attempt->totals);
    return object;
}

static json_t *offsets_json(const struct history_details *details, const char *edge)
{
    json_t *list = json_array();

    for (size_t i = 0; i < details->offsets_count; i++) {
        const struct history_offsets *offsets = &details->offsets[i];
        json_t *object;

        if (strcmp(offsets->edge, edge) != 0)
            continue;
        object = json_object();
        put(object, "partition", json_integer(offsets->partition));
        put(object, "written_from", offset_json(offsets->write_start));
        put(object, "written_to", offset_json(offsets->write_end));
        put(object, "read_from", offset_json(offsets->read_start));
        put(object, "read_to", offset_json(offsets->read_end));
        (void)json_array_append_new(list, object);
    }
    return list;
}

static json_t *edge_json(const struct history_details *details,
                         const struct history_edge *edge)
{
    json_t *object = json_object();

    put(object, "edge", json_text(edge->edge));
    put(object, "from", json_text(edge->from));
    put(object, "to", json_text(edge->to));
    put(object, "topic", json_text(edge->topic));
    put(object, "topic_id", json_text(edge->topic_id));
    put(object, "group", json_text(edge->group));
    put(object, "partitions", json_integer(edge->partitions));
    put(object, "offsets", offsets_json(details, edge->edge));
    return object;
}

static json_t *event_json(const struct history_event *event)
{
    json_t *object = json_object();

    put(object, "time", time_json(event->ts_ms));
    put(object, "level", json_text(event->level));
    put(object, "kind", json_text(event->kind));
    put(object, "node", json_text(event->node));
    put(object, "client", json_text(event->client));
    put(object, "text", json_text(event->text));
    return object;
}

static json_t *letters_json(const struct history_letter_group *group)
{
    json_t *object = json_object();

    put(object, "node", json_text(group->node));
    put(object, "failed_at", json_text(group->failed_at));
    put(object, "reason", json_text(group->reason));
    put(object, "count", json_integer(group->count));
    put(object, "first", time_json(group->first_ms));
    put(object, "last", time_json(group->last_ms));
    return object;
}

static json_t *head_json(const struct ops_run *run)
{
    const struct history_run_row *row = &run->details.run;
    json_t *object = ops_run_row_json(row);

    put(object, "live", json_boolean(run->live));
    put(object, "broker", json_text(row->broker));
    put(object, "host", json_text(row->host));
    put(object, "user", json_text(row->user));
    put(object, "pid", json_integer(row->pid));
    put(object, "fresh", json_boolean(row->fresh));
    put(object, "hash", json_text(row->hash));
    return object;
}

json_t *ops_run_json(const struct ops_run *run)
{
    const struct history_details *details = &run->details;
    json_t *object = head_json(run);
    json_t *nodes = json_array();
    json_t *attempts = json_array();
    json_t *edges = json_array();
    json_t *events = json_array();
    json_t *letters = json_array();

    for (size_t i = 0; i < details->node_count; i++)
        (void)json_array_append_new(nodes, node_json(&details->nodes[i]));
    for (size_t i = 0; i < details->attempt_count; i++)
        (void)json_array_append_new(attempts, attempt_json(&details->attempts[i]));
    for (size_t i = 0; i < details->edge_count; i++)
        (void)json_array_append_new(edges, edge_json(details, &details->edges[i]));
    for (size_t i = 0; i < details->event_count; i++)
        (void)json_array_append_new(events, event_json(&details->events[i]));
    for (size_t i = 0; i < details->letter_count; i++)
        (void)json_array_append_new(letters, letters_json(&details->letters[i]));
    put(object, "nodes", nodes);
    put(object, "attempts", attempts);
    put(object, "attempts_total", json_integer(details->attempts_total));
    put(object, "edges", edges);
    put(object, "events", events);
    put(object, "events_total", json_integer(details->events_total));
    put(object, "dead_letters", letters);
    put(object, "text_yaml", json_text(details->yaml));
    return object;
}
