/* SPDX-License-Identifier: MIT
 *
 * start_last.c - how far everything was read, and whether that fits the dag as it is now.
 */
#include "run/start.h"

#include <stdlib.h>
#include <string.h>

static void compare(struct run *run);

/* ------------------------------------------------------- how far was everything read? */

static void see_committed(struct run *run, const char *group,
                          const struct broker_item *item)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];
        struct run_partition *p;

        if (strcmp(edge->group, group) != 0 || strcmp(edge->topic, item->name) != 0 ||
            item->partition < 0 || (size_t)item->partition >= edge->partition_count)
            continue;
        p = &edge->partitions[item->partition];
        p->committed = item->offset;
        p->given = item->offset >= 0;
        (void)offsets_parse_counts(item->metadata, &p->base);
        p->now = p->base;
    }
    for (size_t g = 0; g < run->gone_count; g++) {
        struct run_gone *gone = &run->gone[g];

        if (strcmp(gone->known->group, group) == 0 &&
            strcmp(gone->known->topic, item->name) == 0 && item->partition >= 0 &&
            (size_t)item->partition < gone->partition_count)
            gone->committed[item->partition] = item->offset;
    }
}

/* An offset that the broker did not tell must not pass for one that is not there. */
static bool all_known(struct run *run, const struct broker_reply *reply, const char *what)
{
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code == BROKER_OK)
            continue;
        run_fail(run, ERROR_UNREACHABLE, "%s of %s [%d]: %s", what, item->name,
                 (int)item->partition, item->error);
        return false;
    }
    return true;
}

/* The name of the group travels with the request. */
struct group_request {
    struct run *run;
    char *group;
};

static void on_committed(void *arg, const struct broker_reply *reply)
{
    struct group_request *request = arg;

    if (!start_answered(request->run, reply, "group offsets") &&
        all_known(request->run, reply, "committed offset")) {
        for (size_t i = 0; i < reply->count; i++)
            see_committed(request->run, request->group, &reply->items[i]);
    }
    free(request->group);
    free(request);
}

static void ask_committed(struct run *run, const char *group)
{
    struct group_request *request = mem_alloc(sizeof *request);

    *request = (struct group_request){.run = run, .group = mem_strdup(group)};
    run->pending++;
    broker_group_offsets(run->broker, group, NULL, 0, RUN_BROKER_TIMEOUT_MS, on_committed,
                         request);
}

/* One for each topic that was the source's first output: the newest run's counts. */
static void on_checkpoint(void *arg, const struct broker_reply *reply)
{
    struct run_client *client = arg;

    if (start_answered(client->run, reply, "checkpoint") ||
        !all_known(client->run, reply, "checkpoint"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        json_t *checkpoint = offsets_metadata(reply->items[i].metadata);
        int64_t number = checkpoint ? json_get_int(checkpoint, "run", 0) : -1;

        if (number > client->checkpoint_run) {
            client->checkpoint_run = number;
            client->resume_position = json_get_bool(checkpoint, "finished", true)
                                          ? 0
                                          : json_get_int(checkpoint, "position", 0);
        }
        json_decref(checkpoint);
    }
}

static void see_end(struct run *run, const struct broker_item *item, bool beginning)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];

        if (strcmp(edge->topic, item->name) != 0 || item->partition < 0 ||
            (size_t)item->partition >= edge->partition_count)
            continue;
        if (beginning)
            edge->partitions[item->partition].beginning = item->offset;
        else
            edge->partitions[item->partition].end = item->offset;
    }
    for (size_t g = 0; g < run->gone_count && !beginning; g++) {
        struct run_gone *gone = &run->gone[g];
        int64_t committed;

        if (strcmp(gone->known->topic, item->name) != 0 || item->partition < 0 ||
            (size_t)item->partition >= gone->partition_count)
            continue;
        committed = gone->committed[item->partition];
        if (item->offset > committed)
            gone->unread += item->offset - (committed > 0 ? committed : 0);
    }
}

static void on_ends(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "list offsets") || !all_known(run, reply, "end"))
        return;
    for (size_t i = 0; i < reply->count; i++)
        see_end(run, &reply->items[i], false);
}

static void on_beginnings(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (start_answered(run, reply, "list offsets") || !all_known(run, reply, "beginning"))
        return;
    for (size_t i = 0; i < reply->count; i++)
        see_end(run, &reply->items[i], true);
}

/* Positions of every partition that is there, of the dag's edges and of those gone. */
static struct broker_position *existing_positions(const struct run *run, size_t *count,
                                                  bool gone_too)
{
    struct broker_position *list = NULL;
    size_t capacity = 0;

    *count = 0;
    for (size_t e = 0; e < run->edge_count; e++) {
        for (size_t p = 0; p < run->edges[e].existing; p++) {
            list = mem_grow(list, *count, &capacity, sizeof *list);
            list[(*count)++] = (struct broker_position){.topic = run->edges[e].topic,
                                                        .partition = (int32_t)p};
        }
    }
    for (size_t g = 0; g < run->gone_count && gone_too; g++) {
        for (size_t p = 0; p < run->gone[g].partition_count; p++) {
            list = mem_grow(list, *count, &capacity, sizeof *list);
            list[(*count)++] = (struct broker_position){
                .topic = run->gone[g].known->topic, .partition = (int32_t)p};
        }
    }
    return list;
}

static void ask_ends(struct run *run)
{
    size_t count;
    struct broker_position *positions = existing_positions(run, &count, true);

    run->next_step = compare;
    for (size_t i = 0; i < count; i++)
        positions[i].offset = BROKER_LATEST;
    if (count > 0) {
        run->pending++;
        broker_list_offsets(run->broker, positions, count, true, RUN_BROKER_TIMEOUT_MS,
                            on_ends, run);
    }
    free(positions);
    positions = existing_positions(run, &count, false);
    for (size_t i = 0; i < count; i++)
        positions[i].offset = BROKER_EARLIEST;
    if (count > 0) {
        run->pending++;
        broker_list_offsets(run->broker, positions, count, true, RUN_BROKER_TIMEOUT_MS,
                            on_beginnings, run);
    }
    free(positions);
}

static void ask_checkpoints(struct run *run, size_t n)
{
    for (size_t c = 0; c < run->nodes[n].client_count; c++) {
        struct run_client *client = run->nodes[n].clients[c];

        if (client->checkpoint_group == NULL)
            continue;
        run->pending++;
        broker_group_offsets(run->broker, client->checkpoint_group, NULL, 0,
                             RUN_BROKER_TIMEOUT_MS, on_checkpoint, client);
    }
}

void start_find_offsets(struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (run->nodes[n].group)
            ask_committed(run, run->nodes[n].group);
        else
            ask_checkpoints(run, n);
    }
    for (size_t g = 0; g < run->gone_count; g++) {
        const char *group = run->gone[g].known->group;
        bool asked = false;

        for (size_t n = 0; n < run->dag->node_count && !asked; n++)
            asked = run->nodes[n].group && strcmp(run->nodes[n].group, group) == 0;
        if (!asked)
            ask_committed(run, group);
    }
    run->next_step = ask_ends;
}

/* ----------------------------------------------------- does it fit what the last run left? */

static const struct history_known_edge *known_edge(const struct run *run, const char *id)
{
    for (size_t i = 0; i < run->last.edge_count; i++) {
        if (strcmp(run->last.edges[i].edge, id) == 0)
            return &run->last.edges[i];
    }
    return NULL;
}

/* Kafka forgets the offsets of a group that is empty for long; the history remembers. */
static void restore(struct run_edge *edge, const struct history_known_edge *known,
                    struct plan_edge_state *state)
{
    for (size_t p = 0; p < edge->existing && p < (size_t)known->partitions; p++) {
        struct run_partition *part = &edge->partitions[p];

        if (part->committed >= 0)
            continue;
        state->offsets_missing = true;
        if (known->committed[p] < 0) {
            state->restorable = false;
            continue;
        }
        part->committed = known->committed[p];
        if (part->committed > part->end)
            state->restorable = false;
    }
}

static struct plan_edge_state edge_state(struct run *run, size_t e)
{
    struct run_edge *edge = &run->edges[e];
    const struct history_known_edge *known = known_edge(run, edge->id);
    struct plan_edge_state state = {.id = edge->id,
                                    .topic = edge->topic,
                                    .group = edge->group,
                                    .topic_id_now = edge->topic_id,
                                    .partitions_now = (int)edge->existing,
                                    .keyed = true,
                                    .restorable = true};

    if (known && strcmp(known->topic, edge->topic) == 0) {
        state.topic_id = known->topic_id;
        if (edge->existing > 0)
            restore(edge, known, &state);
    }
    for (size_t p = 0; p < edge->existing; p++) {
        const struct run_partition *part = &edge->partitions[p];
        int64_t from = part->committed >= 0 ? part->committed : part->beginning;

        if (part->end > from)
            state.unread += part->end - from;
        run->left_records += offsets_records(edge, from, part->end);
    }
    return state;
}

static bool is_abandoned(const struct run *run, const char *edge)
{
    const struct plan_permits *permits = &run->options->permits;

    for (size_t i = 0; i < permits->abandon_count; i++) {
        if (strcmp(permits->abandon[i], edge) == 0)
            return true;
    }
    return permits->fresh;
}

/* What is unread on an edge that has moved is on its old topic. */
bool start_gives_up(const struct run *run, const struct run_edge *edge)
{
    const struct history_known_edge *known;

    if (run->options->permits.fresh || !is_abandoned(run, edge->id))
        return run->options->permits.fresh;
    known = known_edge(run, edge->id);
    return known == NULL || strcmp(known->topic, edge->topic) == 0;
}

/* A broker forgets a group's offsets with their topic; if it has not yet, they show it. */
static bool fits_topic(const struct run_partition *part)
{
    return part->given && part->committed >= part->beginning &&
           part->committed <= part->end;
}

/* An edge whose topic was made anew and that the user gave up: what was committed was
 * about another topic of that name. Not so on the way back from another broker, where the
 * history has the other's topic and this one knows how far its own was read. */
static void forget_remade(struct run *run)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];
        const struct history_known_edge *known = known_edge(run, edge->id);

        if (known == NULL || known->topic_id == NULL || edge->topic_id == NULL ||
            strcmp(known->topic_id, edge->topic_id) == 0 ||
            !start_gives_up(run, edge))
            continue;
        for (size_t p = 0; p < edge->partition_count; p++) {
            if (fits_topic(&edge->partitions[p]))
                continue;
            edge->partitions[p].committed = -1;
            edge->partitions[p].given = false;
            edge->partitions[p].base = (struct history_totals){0};
            edge->partitions[p].now = (struct history_totals){0};
        }
    }
}

/* Edges given up are not asked about again. */
static void forget_abandoned(struct run *run)
{
    struct error ignored = {0};

    for (size_t g = 0; g < run->gone_count; g++) {
        const char *edge = run->gone[g].known->edge;

        if (!is_abandoned(run, edge) && run->gone[g].unread > 0)
            continue;
        if (run->gone[g].unread > 0)
            run_talk(run, "edge %s of an earlier run is given up with %lld unread record%s "
                          "in topic %s",
                     edge, (long long)run->gone[g].unread,
                     run->gone[g].unread == 1 ? "" : "s", run->gone[g].known->topic);
        (void)history_forget(run->history, run->dag->name, edge, &ignored);
    }
}

static bool is_known_source(const struct run *run, const struct history_known_source *s)
{
    int n = dag_find_node(run->dag, s->node);

    return n >= 0 && run->dag->nodes[n].input_count == 0;
}

/* Kafka forgets checkpoints, too, when nothing is committed for long. */
static void restore_checkpoints(struct run *run)
{
    for (size_t i = 0; i < run->last.source_count; i++) {
        const struct history_known_source *s = &run->last.sources[i];
        int n = dag_find_node(run->dag, s->node);

        for (size_t c = 0; n >= 0 && c < run->nodes[n].client_count; c++) {
            struct run_client *client = run->nodes[n].clients[c];

            if (strcmp(client->name, s->client) == 0 &&
                client->checkpoint_group && client->checkpoint_run < 0 && !s->finished &&
                s->position > 0)
                client->resume_position = s->position;
        }
    }
}

static size_t source_states(const struct run *run, struct plan_source_state *states)
{
    size_t count = 0;

    for (size_t i = 0; i < run->last.source_count; i++) {
        const struct history_known_source *s = &run->last.sources[i];
        int n = dag_find_node(run->dag, s->node);
        bool interrupted = !s->finished && s->position > 0;

        for (size_t c = 0; n >= 0 && c < run->nodes[n].client_count; c++) {
            const struct run_client *client = run->nodes[n].clients[c];

            if (strcmp(client->name, s->client) == 0)
                interrupted = client->resume_position > 0;
        }
        if (is_known_source(run, s))
            states[count++] = (struct plan_source_state){.node = s->node,
                                                         .interrupted = interrupted,
                                                         .hash = s->hash,
                                                         .position = s->position};
    }
    return count;
}

static size_t edge_states(struct run *run, struct plan_edge_state *states)
{
    size_t count = 0;

    for (size_t e = 0; e < run->edge_count; e++)
        states[count++] = edge_state(run, e);
    for (size_t g = 0; g < run->gone_count; g++) {
        const struct run_gone *gone = &run->gone[g];

        states[count++] = (struct plan_edge_state){
            .id = gone->known->edge,
            .topic = gone->known->topic,
            .topic_id = gone->known->topic_id,
            .topic_id_now = gone->topic_there ? gone->known->topic_id : NULL,
            .group = gone->known->group,
            .unread = gone->topic_there && gone->same_topic ? gone->unread : 0,
            .partitions_now = (int)gone->partition_count,
            .restorable = true};
    }
    return count;
}

/* One line a conflict; all of them are the start's error. */
static void refuse(struct run *run, const struct plan_conflict *conflicts, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        run_talk(run, "conflict: %s", conflicts[i].text);
    run_fail(run, ERROR_CONFLICT, "%s", conflicts[count - 1].text);
}

static void compare(struct run *run)
{
    size_t room = run->edge_count + run->gone_count;
    struct plan_edge_state *edges = mem_alloc((room + 1) * sizeof *edges);
    struct plan_source_state *sources =
        mem_alloc((run->last.source_count + 1) * sizeof *sources);
    struct plan_conflict *conflicts = NULL;
    struct plan_last last = {.edges = edges, .sources = sources, .path = run->last.path};
    size_t count;

    if (run->last.broker && strcmp(run->last.broker, run->options->broker_name) != 0)
        last.broker = run->last.broker;
    restore_checkpoints(run);
    last.edge_count = edge_states(run, edges);
    last.source_count = source_states(run, sources);
    if (run->prepare_only) /* it skips nothing: only the name must be this dag's */
        last.edge_count = last.source_count = 0;
    count = plan_compare(run->plan, &last, &run->options->permits, &conflicts);
    if (count > 0) {
        refuse(run, conflicts, count);
    } else if (!run->prepare_only) {
        forget_remade(run);
        forget_abandoned(run);
    }
    plan_conflicts_free(conflicts, count);
    free(edges);
    free(sources);
    run->next_step = start_make_topics;
}
