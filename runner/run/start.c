/* SPDX-License-Identifier: MIT
 *
 * start.c - from the first question to the broker until clients may be started: is it
 * there, does anyone else run this dag, what did the last run leave, do topics and start
 * offsets exist. Each step sends its requests and names the next; start_step() goes on
 * when all are answered. Nothing waits.
 */
#include "base/clock.h"
#include "base/contract.h"
#include "host/local.h"
#include "run/run_state.h"

#include <stdlib.h>
#include <string.h>

enum { LEADER_POLL_MS = 50, LEADER_LIMIT_MS = 30000, GROUP_LIMIT_MS = 20000 };

static void find_cluster(struct run *run);
static void find_members(struct run *run);
static void find_topics(struct run *run);
static void find_offsets(struct run *run);
static void compare(struct run *run);
static void make_topics(struct run *run);
static void find_leaders(struct run *run);
static void check_leaders(struct run *run);
static void commit_starts(struct run *run);
static void finish_start(struct run *run);

void start_begin(struct run *run)
{
    run->next_step = find_cluster;
}

void start_step(struct run *run)
{
    run_step_fn *step = run->next_step;

    if (run->pending > 0 || step == NULL || run->failure.kind != ERROR_NONE)
        return;
    if (run->step_at_ms > clock_mono_ms())
        return;
    run->step_at_ms = 0;
    run->next_step = NULL;
    step(run);
}

/* Every done function ends with this. True when the request as a whole went wrong. */
static bool answered(struct run *run, const struct broker_reply *reply, const char *what)
{
    run->pending--;
    if (reply->error_code == BROKER_OK)
        return false;
    if (reply->error_code != BROKER_CLOSED)
        run_fail(run, ERROR_UNREACHABLE,
                 "the broker at %s did not answer (%s: %s); is it up, and is the address "
                 "right?",
                 run->options->brokers, what, reply->error);
    return true;
}

/* ------------------------------------------------------------------ is a broker there? */

static void on_cluster(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;
    const char *why = broker_last_error(run->broker);

    run->pending--;
    if (reply->error_code != BROKER_OK && reply->error_code != BROKER_CLOSED)
        run_fail(run, ERROR_UNREACHABLE,
                 "no Kafka broker answers at %s: %s; start it, or name another with "
                 "kafka.brokers, --brokers or DAGRUN_BROKERS",
                 run->options->brokers, why ? why : reply->error);
}

static void find_cluster(struct run *run)
{
    run->pending++;
    run->next_step = find_members;
    broker_describe_cluster(run->broker, RUN_BROKER_TIMEOUT_MS, on_cluster, run);
}

/* ------------------------------------------------------ does anyone else run this dag? */

static void on_members(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "describe groups"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        for (size_t m = 0; m < reply->items[i].member_count; m++) {
            const struct broker_member *member = &reply->items[i].members[m];

            /* One of this host is dead: we hold the dag's lock. */
            if (!local_is_own_address(member->host))
                run_fail(run, ERROR_CONFLICT,
                         "dag %s runs on another machine: group %s has the member %s at "
                         "%s; stop it there, or wait 10 s if that machine died",
                         run->dag->name, reply->items[i].name, member->client_id,
                         member->host);
        }
    }
}

static void find_members(struct run *run)
{
    const char **groups = mem_alloc((run->dag->node_count + 1) * sizeof *groups);
    size_t count = 0;

    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (run->nodes[n].group)
            groups[count++] = run->nodes[n].group;
    }
    run->next_step = find_topics;
    if (count > 0 && !run->prepare_only) {
        run->pending++;
        broker_describe_groups(run->broker, groups, count, RUN_BROKER_TIMEOUT_MS,
                               on_members, run);
    }
    free(groups);
}

/* --------------------------------------------------------------- which topics are there? */

static void grow_edge(struct run_edge *edge, size_t count)
{
    size_t capacity = edge->partition_count;

    if (count <= capacity)
        return;
    edge->partitions = mem_resize(edge->partitions, count * sizeof *edge->partitions);
    for (size_t p = capacity; p < count; p++)
        edge->partitions[p] = (struct run_partition){.beginning = 0,
                                                     .end = -1,
                                                     .write_start = -1,
                                                     .start = -1,
                                                     .committed = -1,
                                                     .final_end = -1};
    edge->partition_count = count;
}

static void see_topic(struct run *run, const struct broker_item *item)
{
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];

        if (strcmp(edge->topic, item->name) != 0 || item->error_code != BROKER_OK)
            continue;
        free(edge->topic_id);
        edge->topic_id = mem_strdup(item->topic_id);
        edge->existing = (size_t)item->partitions;
        grow_edge(edge, edge->existing);
    }
    for (size_t g = 0; g < run->gone_count; g++) {
        struct run_gone *gone = &run->gone[g];

        if (strcmp(gone->known->topic, item->name) != 0 || item->error_code != BROKER_OK)
            continue;
        gone->topic_there = true;
        gone->same_topic = gone->known->topic_id == NULL || item->topic_id == NULL ||
                           strcmp(gone->known->topic_id, item->topic_id) == 0;
        gone->partition_count = (size_t)item->partitions;
        free(gone->committed);
        gone->committed = mem_alloc(gone->partition_count * sizeof *gone->committed);
        for (size_t p = 0; p < gone->partition_count; p++)
            gone->committed[p] = -1;
    }
}

static void on_topics(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "describe topics"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code != BROKER_OK && item->error_code != BROKER_UNKNOWN_TOPIC)
            run_fail(run, ERROR_UNREACHABLE, "topic %s: %s", item->name, item->error);
        else
            see_topic(run, item);
    }
}

static void find_topics(struct run *run)
{
    size_t room = run->plan->topic_count + run->gone_count;
    const char **names = mem_alloc((room + 1) * sizeof *names);
    size_t count = 0;

    for (size_t t = 0; t < run->plan->edge_topic_count; t++)
        names[count++] = run->plan->topics[t].name;
    for (size_t g = 0; g < run->gone_count; g++)
        names[count++] = run->gone[g].known->topic;
    run->next_step = find_offsets;
    if (count > 0) {
        run->pending++;
        broker_describe_topics(run->broker, names, count, RUN_BROKER_TIMEOUT_MS, on_topics,
                               run);
    }
    free(names);
}

/* ------------------------------------------------------- how far was everything read? */

static void see_committed(struct run *run, const char *group,
                          const struct broker_item *item)
{
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];
        struct run_partition *p;

        if (strcmp(edge->group, group) != 0 || strcmp(edge->topic, item->name) != 0 ||
            item->partition < 0 || (size_t)item->partition >= edge->partition_count)
            continue;
        p = &edge->partitions[item->partition];
        p->committed = item->offset;
        p->given = item->offset >= 0;
        p->counts_known = offsets_parse_counts(item->metadata, &p->base);
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

/* The name of the group travels with the request. */
struct group_request {
    struct run *run;
    char *group;
};

static void on_committed(void *arg, const struct broker_reply *reply)
{
    struct group_request *request = arg;

    if (!answered(request->run, reply, "group offsets")) {
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

static void on_checkpoint(void *arg, const struct broker_reply *reply)
{
    struct run_client *client = arg;

    if (answered(client->run, reply, "checkpoint"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        struct error ignored = {0};
        const char *metadata = reply->items[i].metadata;
        json_t *checkpoint =
            metadata ? json_parse(metadata, strlen(metadata), &ignored) : NULL;

        if (checkpoint && !json_get_bool(checkpoint, "finished", true))
            client->resume_position = json_get_int(checkpoint, "position", 0);
        json_decref(checkpoint);
    }
}

static void see_end(struct run *run, const struct broker_item *item, bool beginning)
{
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];

        if (strcmp(edge->topic, item->name) != 0 || item->error_code != BROKER_OK ||
            item->partition < 0 || (size_t)item->partition >= edge->partition_count)
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

    if (answered(run, reply, "list offsets"))
        return;
    for (size_t i = 0; i < reply->count; i++)
        see_end(run, &reply->items[i], false);
}

static void on_beginnings(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "list offsets"))
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
    for (size_t e = 0; e < run->dag->edge_count; e++) {
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
        struct run_client *client = &run->nodes[n].clients[c];

        if (client->checkpoint_group == NULL)
            continue;
        run->pending++;
        broker_group_offsets(run->broker, client->checkpoint_group, NULL, 0,
                             RUN_BROKER_TIMEOUT_MS, on_checkpoint, client);
    }
}

static void find_offsets(struct run *run)
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
    const struct dag_edge *edge = &run->dag->edges[e];
    struct run_edge *re = &run->edges[e];
    const struct history_known_edge *known = known_edge(run, edge->id);
    struct plan_edge_state state = {.id = edge->id,
                                    .topic = edge->topic,
                                    .group = re->group,
                                    .topic_id_now = re->topic_id,
                                    .partitions_now = (int)re->existing,
                                    .keyed = true,
                                    .restorable = true};

    if (known && strcmp(known->topic, edge->topic) == 0) {
        state.topic_id = known->topic_id;
        if (re->existing > 0)
            restore(re, known, &state);
    }
    for (size_t p = 0; p < re->existing; p++) {
        const struct run_partition *part = &re->partitions[p];
        int64_t from = part->committed >= 0 ? part->committed : part->beginning;

        if (part->end > from)
            state.unread += part->end - from;
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

/* An edge whose topic was made anew and that the user gave up: what was committed was
 * about another topic of that name. */
static void forget_remade(struct run *run)
{
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        struct run_edge *edge = &run->edges[e];
        const struct history_known_edge *known = known_edge(run, run->dag->edges[e].id);

        if (known == NULL || known->topic_id == NULL || edge->topic_id == NULL ||
            strcmp(known->topic_id, edge->topic_id) == 0 ||
            !is_abandoned(run, known->edge))
            continue;
        for (size_t p = 0; p < edge->partition_count; p++) {
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
            run_talk(run, "edge %s of an earlier run is given up with %lld unread records "
                          "in topic %s",
                     edge, (long long)run->gone[g].unread, run->gone[g].known->topic);
        (void)history_forget(run->history, run->dag->name, edge, &ignored);
    }
}

static bool is_known_source(const struct run *run, const struct history_known_source *s)
{
    int n = dag_find_node(run->dag, s->node);

    return n >= 0 && run->dag->nodes[n].input_count == 0;
}

static size_t source_states(const struct run *run, struct plan_source_state *states)
{
    size_t count = 0;

    for (size_t i = 0; i < run->last.source_count; i++) {
        const struct history_known_source *s = &run->last.sources[i];
        int n = dag_find_node(run->dag, s->node);
        bool interrupted = !s->finished && s->position > 0;

        for (size_t c = 0; n >= 0 && c < run->nodes[n].client_count; c++) {
            if (strcmp(run->dag->nodes[n].clients[c], s->client) == 0)
                interrupted = run->nodes[n].clients[c].resume_position > 0;
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

    for (size_t e = 0; e < run->dag->edge_count; e++) {
        states[count++] = edge_state(run, e);
        run->left_records += states[count - 1].unread;
    }
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
    size_t room = run->dag->edge_count + run->gone_count;
    struct plan_edge_state *edges = mem_alloc((room + 1) * sizeof *edges);
    struct plan_source_state *sources =
        mem_alloc((run->last.source_count + 1) * sizeof *sources);
    struct plan_conflict *conflicts = NULL;
    struct plan_last last = {.edges = edges, .sources = sources, .path = run->last.path};
    size_t count;

    last.edge_count = edge_states(run, edges);
    last.source_count = source_states(run, sources);
    count = run->prepare_only ? 0
                              : plan_compare(run->plan, &last, &run->options->permits,
                                             &conflicts);
    if (count > 0) {
        refuse(run, conflicts, count);
    } else if (!run->prepare_only) {
        forget_remade(run);
        forget_abandoned(run);
    }
    plan_conflicts_free(conflicts, count);
    free(edges);
    free(sources);
    run->next_step = make_topics;
}

/* ------------------------------------------------------------------- topics are made */

static bool topic_is_there(const struct run *run, const struct plan_topic *topic)
{
    return topic->kind == PLAN_EDGE && run->edges[topic->edges[0]].existing > 0;
}

/* host/history.h has its own words for the kinds of plan.h. */
static enum history_topic_kind history_kind(enum plan_topic_kind kind)
{
    return kind == PLAN_EDGE  ? HISTORY_TOPIC_EDGE
           : kind == PLAN_DLQ ? HISTORY_TOPIC_DLQ
                              : HISTORY_TOPIC_PARKING;
}

/* A topic that dagrun made may be emptied and deleted by it: that must not be forgotten. */
static void note_created(struct run *run, const char *name)
{
    for (size_t t = 0; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];

        if (strcmp(topic->name, name) != 0)
            continue;
        history_topic(run->history,
                      &(struct history_topic){.topic = name,
                                              .kind = history_kind(topic->kind),
                                              .created = true});
        for (size_t i = 0; i < topic->edge_count; i++)
            run->edges[topic->edges[i]].created = true;
    }
}

static void on_created(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "create topics"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code == BROKER_OK)
            note_created(run, item->name);
        else if (item->error_code != BROKER_TOPIC_EXISTS)
            run_fail(run, ERROR_UNREACHABLE, "topic %s could not be created: %s",
                     item->name, item->error);
    }
}

static void on_grown(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "create partitions"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].error_code != BROKER_OK)
            run_fail(run, ERROR_UNREACHABLE, "topic %s could not get more partitions: %s",
                     reply->items[i].name, reply->items[i].error);
    }
}

static void make_topics(struct run *run)
{
    struct broker_topic *fresh = mem_alloc(run->plan->topic_count * sizeof *fresh);
    struct broker_topic *grown = mem_alloc(run->plan->topic_count * sizeof *grown);
    size_t fresh_count = 0;
    size_t grown_count = 0;

    for (size_t t = 0; t < run->plan->topic_count; t++) {
        const struct plan_topic *topic = &run->plan->topics[t];
        struct broker_topic spec = {.name = topic->name,
                                    .partitions = topic->partitions,
                                    .replication = topic->replication,
                                    .config = plan_topic_config(run->plan, t)};

        if (!topic_is_there(run, topic))
            fresh[fresh_count++] = spec;
        else if ((size_t)topic->partitions > run->edges[topic->edges[0]].existing)
            grown[grown_count++] = spec;
    }
    run->next_step = find_leaders;
    run->step_limit_ms = clock_mono_ms() + LEADER_LIMIT_MS;
    if (fresh_count > 0) {
        struct history_dag dag = {.dag = run->dag->name,
                                  .path = run->dag->path,
                                  .broker = run->options->brokers};

        if (history_dag_begin(run->history, &dag, &run->failure) < 0)
            fresh_count = 0;
    }
    if (fresh_count > 0) {
        run->pending++;
        broker_create_topics(run->broker, fresh, fresh_count, RUN_BROKER_TIMEOUT_MS,
                             on_created, run);
    }
    if (grown_count > 0) {
        run->pending++;
        broker_create_partitions(run->broker, grown, grown_count, RUN_BROKER_TIMEOUT_MS,
                                 on_grown, run);
    }
    free(fresh);
    free(grown);
}

static void on_leaders(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    if (answered(run, reply, "describe topics"))
        return;
    run->leaderless = 0;
    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        if (item->error_code == BROKER_OK && item->leaderless == 0) {
            for (size_t e = 0; e < run->dag->edge_count; e++) {
                if (strcmp(run->edges[e].topic, item->name) != 0)
                    continue;
                free(run->edges[e].topic_id);
                run->edges[e].topic_id = mem_strdup(item->topic_id);
                grow_edge(&run->edges[e], (size_t)item->partitions);
            }
        } else {
            run->leaderless++;
        }
    }
}

static void find_leaders(struct run *run)
{
    const char **names = mem_alloc((run->plan->topic_count + 1) * sizeof *names);

    for (size_t t = 0; t < run->plan->topic_count; t++)
        names[t] = run->plan->topics[t].name;
    run->next_step = check_leaders;
    if (run->plan->topic_count > 0) {
        run->pending++;
        broker_describe_topics(run->broker, names, run->plan->topic_count,
                               RUN_BROKER_TIMEOUT_MS, on_leaders, run);
    }
    free(names);
}

static void check_leaders(struct run *run)
{
    int64_t now_ms = clock_mono_ms();

    if (run->leaderless == 0) {
        run->next_step = commit_starts;
        run->step_limit_ms = now_ms + GROUP_LIMIT_MS;
        return;
    }
    if (now_ms > run->step_limit_ms) {
        run_fail(run, ERROR_UNREACHABLE, "%zu topics have no leader after %d s",
                 run->leaderless, LEADER_LIMIT_MS / 1000);
        return;
    }
    run->next_step = find_leaders;
    run->step_at_ms = now_ms + LEADER_POLL_MS;
}

/* -------------------------------------------------------------- start offsets are set */

/* What the group's offset of a partition must be before a reader starts; -1: stays. */
static int64_t wanted_start(const struct run *run, const struct run_edge *edge, size_t p)
{
    const struct run_partition *part = &edge->partitions[p];

    if (run->options->permits.fresh && !run->prepare_only && part->end > 0 &&
        part->end != part->committed)
        return part->end;
    if (part->given)
        return -1;
    return part->committed >= 0 ? part->committed : part->beginning;
}

static char *counts_text(const struct run_partition *part, int64_t skipped)
{
    return mem_printf(CONTRACT_COUNTS, (long long)part->base.in + skipped,
                      (long long)part->base.answered, (long long)part->base.dropped + skipped,
                      (long long)part->base.dead, (long long)part->base.out);
}

static void on_start_committed(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;
    bool refused = reply->error_code == BROKER_UNKNOWN_MEMBER;

    for (size_t i = 0; i < reply->count; i++)
        refused = refused || reply->items[i].error_code == BROKER_UNKNOWN_MEMBER;
    if (refused && clock_mono_ms() < run->step_limit_ms) {
        /* Members of a run that was killed: the broker drops them after 10 s. */
        run->pending--;
        run->next_step = commit_starts;
        run->step_at_ms = clock_mono_ms() + 500;
        return;
    }
    if (answered(run, reply, "commit the start offsets"))
        return;
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].error_code != BROKER_OK)
            run_fail(run, ERROR_UNREACHABLE, "start offset of %s [%d]: %s",
                     reply->items[i].name, (int)reply->items[i].partition,
                     reply->items[i].error);
    }
}

static void set_start(struct run *run, struct run_partition *part, int64_t offset,
                      int64_t *skipped)
{
    int64_t from = part->committed >= 0 ? part->committed : part->beginning;

    *skipped = run->options->permits.fresh && !run->prepare_only && offset > from
                   ? offset - from
                   : 0;
    part->start = offset;
}

/* The start offsets of one node's inputs, in one request. */
static void commit_node(struct run *run, size_t n)
{
    const struct dag_node *node = &run->dag->nodes[n];
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t i = 0; i < node->input_count; i++) {
        struct run_edge *edge = &run->edges[node->inputs[i]];

        for (size_t p = 0; p < edge->partition_count; p++) {
            struct run_partition *part = &edge->partitions[p];
            int64_t offset = wanted_start(run, edge, p);
            int64_t skipped;

            if (offset < 0)
                continue;
            set_start(run, part, offset, &skipped);
            positions = mem_grow(positions, count, &capacity, sizeof *positions);
            positions[count++] = (struct broker_position){
                .topic = edge->topic,
                .partition = (int32_t)p,
                .offset = offset,
                .metadata = counts_text(part, skipped)};
        }
    }
    if (count > 0) {
        run->pending++;
        broker_alter_group_offsets(run->broker, run->nodes[n].group, positions, count,
                                   RUN_BROKER_TIMEOUT_MS, on_start_committed, run);
    }
    for (size_t i = 0; i < count; i++)
        free((char *)positions[i].metadata);
    free(positions);
}

static void commit_starts(struct run *run)
{
    run->next_step = finish_start;
    for (size_t n = 0; n < run->dag->node_count; n++) {
        if (run->nodes[n].group)
            commit_node(run, n);
    }
}

/* ------------------------------------------------------------------------ all is there */

static void settle_partition(struct run *run, size_t node, struct run_partition *part)
{
    int64_t from = part->committed >= 0 ? part->committed : part->beginning;

    if (part->end < 0)
        part->end = 0;
    part->write_start = part->end;
    if (part->start < 0)
        part->start = from;
    if (run->options->permits.fresh && part->start > from) {
        run->skipped_records += part->start - from;
        run->nodes[node].skipped += part->start - from;
        part->now.in += part->start - from;
        part->now.dropped += part->start - from;
    }
    part->committed = part->start;
}

static void finish_start(struct run *run)
{
    for (size_t e = 0; e < run->dag->edge_count; e++) {
        for (size_t p = 0; p < run->edges[e].partition_count; p++)
            settle_partition(run, run->dag->edges[e].to, &run->edges[e].partitions[p]);
    }
    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; run->options->permits.fresh && c < run->nodes[n].client_count;
             c++)
            run->nodes[n].clients[c].resume_position = 0;
    }
    if (run->prepare_only) {
        run->over = true;
        return;
    }
    record_begin(run);
    if (run->failure.kind == ERROR_NONE)
        run->launched = true;
}
