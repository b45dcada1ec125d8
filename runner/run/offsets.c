/* SPDX-License-Identifier: MIT
 *
 * offsets.c - how far every group has got, asked from the broker: the exact counts of a
 * run (they travel as metadata with each committed offset) and whether a node has reached
 * the end of its inputs.
 */
#include "base/clock.h"
#include "run/start.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_MS = 100,
    FAILED_RETRY_MS = 1000,
    ENDS_AGAIN_MS = 5000, /* while a node has not reached them */
    ACCOUNT_LIMIT_MS = 5000,
};

json_t *offsets_metadata(const char *metadata)
{
    struct error ignored = {0};
    json_t *object = metadata ? json_parse(metadata, strlen(metadata), &ignored) : NULL;

    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

bool offsets_parse_counts(const char *metadata, struct history_totals *totals)
{
    json_t *counts = offsets_metadata(metadata);

    *totals = (struct history_totals){0};
    if (counts == NULL)
        return false;
    totals->in = json_get_int(counts, "in", 0);
    totals->answered = json_get_int(counts, "answered", 0);
    totals->dropped = json_get_int(counts, "dropped", 0);
    totals->dead = json_get_int(counts, "dead", 0);
    totals->out = json_get_int(counts, "out", 0);
    json_decref(counts);
    return true;
}

/* Only replays write to a retry topic, in transactions: the last offset of each partition is
 * a marker and no record. Those of further transactions can't be told from records. */
int64_t offsets_records(const struct run_edge *edge, int64_t from, int64_t to)
{
    int64_t count = to > from ? to - from : 0;

    return count > 0 && strcmp(edge->from, DAG_RETRY_FROM) == 0 ? count - 1 : count;
}

/* Records between what is committed and the newest known end. */
int64_t offsets_backlog(const struct run_edge *edge)
{
    int64_t backlog = 0;

    for (size_t p = 0; p < edge->partition_count; p++) {
        const struct run_partition *part = &edge->partitions[p];

        backlog += offsets_records(edge, part->committed, part->end);
    }
    return backlog;
}

int64_t offsets_node_backlog(const struct run *run, size_t n)
{
    int64_t backlog = 0;

    for (size_t i = 0; i < run->nodes[n].input_count; i++)
        backlog += offsets_backlog(run->nodes[n].inputs[i]);
    return backlog;
}

int64_t offsets_taken(const struct run *run, size_t n)
{
    int64_t taken = run->nodes[n].taken;

    for (size_t c = 0; c < run->nodes[n].client_count; c++)
        taken += run->nodes[n].clients[c]->taken;
    return taken;
}

static void add(struct history_totals *sum, const struct history_totals *more, int sign)
{
    sum->in += sign * more->in;
    sum->answered += sign * more->answered;
    sum->dropped += sign * more->dropped;
    sum->dead += sign * more->dead;
    sum->out += sign * more->out;
}

static void sum_source(struct run *run, size_t n)
{
    struct run_node *node = &run->nodes[n];

    node->totals = node->done;
    for (size_t c = 0; c < node->client_count; c++) {
        const struct run_client *client = node->clients[c];

        if (client->process)
            add(&node->totals, &client->totals, 1);
    }
}

/* What the run did on a node: by its commits; a source by what its clients said. */
void offsets_sum(struct run *run, size_t n)
{
    const struct dag_node *node = &run->dag->nodes[n];
    struct history_totals sum = {0};
    int64_t taken = offsets_taken(run, n) + run->nodes[n].skipped;

    if (node->input_count == 0) {
        sum_source(run, n);
        return;
    }
    for (size_t i = 0; i < run->nodes[n].input_count; i++) {
        const struct run_edge *edge = run->nodes[n].inputs[i];

        for (size_t p = 0; p < edge->partition_count; p++) {
            add(&sum, &edge->partitions[p].now, 1);
            add(&sum, &edge->partitions[p].base, -1);
        }
    }
    /* While it runs, records in hand are taken but not in: no repeats yet. */
    if (run->rec->account_asked && taken > sum.in)
        sum.repeats = taken - sum.in;
    run->nodes[n].totals = sum;
}

static bool has_reached(const struct run *run, size_t n)
{
    const struct run_node *node = &run->nodes[n];

    for (size_t i = 0; i < node->input_count; i++) {
        const struct run_edge *edge = node->inputs[i];

        for (size_t p = 0; p < edge->partition_count; p++) {
            if (edge->partitions[p].committed < edge->partitions[p].final_end)
                return false;
        }
    }
    return true;
}

/* Partitions that were added while the run goes on are read from their beginning. */
static void grow(struct run_edge *edge, size_t count)
{
    size_t old = edge->partition_count;

    start_grow_edge(edge, count);
    for (size_t p = old; p < count; p++) {
        struct run_partition *part = &edge->partitions[p];

        part->end = part->write_start = part->start = part->committed = 0;
    }
}

static struct run_partition *find_partition(struct run *run, size_t n,
                                            const struct broker_item *item)
{
    const struct run_node *node = &run->nodes[n];

    for (size_t i = 0; i < node->input_count; i++) {
        struct run_edge *edge = node->inputs[i];

        if (strcmp(edge->topic, item->name) != 0 || item->partition < 0)
            continue;
        grow(edge, (size_t)item->partition + 1);
        return &edge->partitions[item->partition];
    }
    return NULL;
}

/* A request's answer is about one node. */
struct node_request {
    struct run *run;
    size_t node;
    bool final; /* asked after the last process was gone */
};

static struct node_request *new_request(struct run *run, size_t node)
{
    struct node_request *request = mem_alloc(sizeof *request);

    *request = (struct node_request){
        .run = run, .node = node, .final = run->rec->account_asked};
    return request;
}

static void see_committed(struct run *run, size_t n, const struct broker_item *item)
{
    struct run_partition *part = find_partition(run, n, item);
    struct history_totals now;

    if (part == NULL || item->error_code != BROKER_OK || item->offset < part->committed)
        return;
    part->committed = item->offset;
    if (part->end < item->offset)
        part->end = item->offset;
    if (offsets_parse_counts(item->metadata, &now))
        part->now = now;
}

static void account_answered(struct run *run)
{
    if (run->account_pending > 0 && --run->account_pending == 0)
        run->account_limit_ms = 0;
}

static void on_committed(void *arg, const struct broker_reply *reply)
{
    struct node_request *request = arg;
    struct run *run = request->run;
    struct run_node *node = &run->nodes[request->node];

    node->offsets_pending = false;
    for (size_t i = 0; i < reply->count; i++)
        see_committed(run, request->node, &reply->items[i]);
    if (reply->error_code != BROKER_OK)
        node->offsets_retry_ms = clock_mono_ms() + FAILED_RETRY_MS;
    offsets_sum(run, request->node);
    if (run->rec->nodes[request->node].ends_known && has_reached(run, request->node))
        run->rec->nodes[request->node].reached = true;
    if (request->final)
        account_answered(run);
    free(request);
}

static void ask_committed(struct run *run, size_t n)
{
    struct run_node *node = &run->nodes[n];

    node->offsets_pending = true;
    node->offsets_wanted = false;
    broker_group_offsets(run->broker, node->group, NULL, 0, RUN_BROKER_TIMEOUT_MS,
                         on_committed, new_request(run, n));
}

void offsets_want(struct run *run, size_t node)
{
    run->nodes[node].offsets_wanted = true;
}

/* What went wrong with a request or an item of it; NULL: nothing. */
static const char *first_error(const struct broker_reply *reply)
{
    const char *error = reply->error_code != BROKER_OK ? reply->error : NULL;

    for (size_t i = 0; i < reply->count && error == NULL; i++) {
        if (reply->items[i].error_code != BROKER_OK)
            error = reply->items[i].error;
    }
    return error;
}

/* The node's end waits for the answer: a person should know. */
static void ask_ends_again(struct run *run, size_t n, const char *why)
{
    struct run_node *node = &run->nodes[n];

    node->ends_pending = false;
    node->ends_retry_ms = clock_mono_ms() + FAILED_RETRY_MS;
    if (!broker_is_up(run->broker) || node->ends_refused || run->over)
        return; /* an absent broker is told of already */
    node->ends_refused = true;
    run_event(run, "warn", "ends", run->dag->nodes[n].name, NULL,
              "can't find the end of its input, asks every second: %s", why);
}

static void on_ends(void *arg, const struct broker_reply *reply)
{
    struct node_request *request = arg;
    struct run *run = request->run;
    struct run_node *node = &run->nodes[request->node];
    const char *error = first_error(reply);
    bool again = run->rec->nodes[request->node].ends_known;

    for (size_t i = 0; i < reply->count; i++) {
        struct run_partition *part =
            find_partition(run, request->node, &reply->items[i]);

        if (part == NULL || reply->items[i].error_code != BROKER_OK)
            continue;
        part->end = reply->items[i].offset;
        /* What came later is the next run's; what the broker has lost does not come. */
        if (!again || part->end < part->final_end)
            part->final_end = part->end;
    }
    if (error) {
        ask_ends_again(run, request->node, error);
    } else {
        node->ends_pending = false;
        node->ends_wanted = false;
        node->ends_retry_ms = clock_mono_ms() + ENDS_AGAIN_MS;
        run->rec->nodes[request->node].ends_known = true;
        offsets_want(run, request->node);
    }
    free(request);
}

/* Add a look-up of the end of every partition of an edge. Returns the moved list. */
static struct broker_position *add_ends(struct broker_position *positions, size_t *count,
                                        size_t *capacity, const struct run_edge *edge)
{
    for (size_t p = 0; p < edge->partition_count; p++) {
        positions = mem_grow(positions, *count, capacity, sizeof *positions);
        positions[(*count)++] = (struct broker_position){
            .topic = edge->topic, .partition = (int32_t)p, .offset = BROKER_LATEST};
    }
    return positions;
}

static void list_ends(struct run *run, size_t n)
{
    const struct run_node *node = &run->nodes[n];
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t i = 0; i < node->input_count; i++)
        positions = add_ends(positions, &count, &capacity, node->inputs[i]);
    broker_list_offsets(run->broker, positions, count, true, RUN_BROKER_TIMEOUT_MS, on_ends,
                        new_request(run, n));
    free(positions);
}

static void on_sizes(void *arg, const struct broker_reply *reply)
{
    struct node_request *request = arg;
    struct run *run = request->run;
    const struct run_node *node = &run->nodes[request->node];
    const char *error = first_error(reply);

    for (size_t r = 0; r < reply->count; r++) {
        const struct broker_item *item = &reply->items[r];

        for (size_t i = 0; i < node->input_count; i++) {
            if (strcmp(node->inputs[i]->topic, item->name) == 0)
                grow(node->inputs[i], (size_t)item->partitions);
        }
    }
    if (error)
        ask_ends_again(run, request->node, error);
    else
        list_ends(run, request->node);
    free(request);
}

/* First how many partitions there are by now: a writer may have used new ones. */
static void ask_ends(struct run *run, size_t n)
{
    const struct run_node *node = &run->nodes[n];
    const char **names = mem_alloc((node->input_count + 1) * sizeof *names);

    for (size_t i = 0; i < node->input_count; i++)
        names[i] = node->inputs[i]->topic;
    run->nodes[n].ends_pending = true;
    broker_describe_topics(run->broker, names, node->input_count, RUN_BROKER_TIMEOUT_MS,
                           on_sizes, new_request(run, n));
    free(names);
}

void offsets_ask_ends(struct run *run, size_t node)
{
    run->nodes[node].ends_wanted = true;
    run->nodes[node].ends_retry_ms = 0;
}

static void on_final_checkpoint(void *arg, const struct broker_reply *reply)
{
    struct run_client *client = arg;

    for (size_t i = 0; i < reply->count; i++) {
        json_t *checkpoint = offsets_metadata(reply->items[i].metadata);

        if (checkpoint && json_get_int(checkpoint, "run", -1) == client->run->number) {
            client->final_out = json_get_int(checkpoint, "out", -1);
            client->position = json_get_int(checkpoint, "position", client->position);
            client->finished = json_get_bool(checkpoint, "finished", false);
        }
        json_decref(checkpoint);
    }
    account_answered(client->run);
}

static void on_all_ends(void *arg, const struct broker_reply *reply)
{
    struct run *run = arg;

    for (size_t i = 0; i < reply->count; i++) {
        const struct broker_item *item = &reply->items[i];

        for (size_t n = 0; n < run->dag->node_count; n++) {
            struct run_partition *part = find_partition(run, n, item);

            if (part && item->error_code == BROKER_OK && item->offset > part->end)
                part->end = item->offset;
        }
    }
    run->ends_known = first_error(reply) == NULL;
    account_answered(run);
}

/* What was written, also where no reader lived to see it, or may see it yet: behind
 * somebody's open transaction. */
static void ask_all_ends(struct run *run)
{
    struct broker_position *positions = NULL;
    size_t capacity = 0;
    size_t count = 0;

    for (size_t e = 0; e < run->edge_count; e++)
        positions = add_ends(positions, &count, &capacity, &run->edges[e]);
    if (count > 0) {
        run->account_pending++;
        broker_list_offsets(run->broker, positions, count, false, ACCOUNT_LIMIT_MS,
                            on_all_ends, run);
    }
    free(positions);
}

/* All processes are gone: ask once more for everything that counts. */
void offsets_account(struct run *run)
{
    run->account_limit_ms = clock_mono_ms() + ACCOUNT_LIMIT_MS;
    ask_all_ends(run);
    for (size_t n = 0; n < run->dag->node_count; n++) {
        struct run_node *node = &run->nodes[n];

        if (node->group) {
            run->account_pending++;
            ask_committed(run, n);
            continue;
        }
        for (size_t c = 0; c < node->client_count; c++) {
            if (node->clients[c]->checkpoint_group == NULL)
                continue;
            run->account_pending++;
            broker_group_offsets(run->broker, node->clients[c]->checkpoint_group, NULL, 0,
                                 ACCOUNT_LIMIT_MS, on_final_checkpoint,
                                 node->clients[c]);
        }
    }
}

/* A killed source said less than it did; its checkpoint knows. */
static void count_source(struct run_node *node)
{
    for (size_t c = 0; c < node->client_count; c++) {
        struct run_client *client = node->clients[c];

        if (client->final_out > client->said_out)
            node->totals.out += client->final_out - client->said_out;
    }
}

static void finish_account(struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        const struct history_totals *t = &run->nodes[n].totals;

        offsets_sum(run, n);
        if (run->nodes[n].group == NULL)
            count_source(&run->nodes[n]);
        if (t->dead > 0 || (run->nodes[n].group && t->in != t->answered + t->dropped +
                                                                t->dead))
            run->rec->degraded = true;
    }
    run->rec->degraded |= loss_find(run);
    run->rec->accounted = true;
}

void offsets_tick(struct run *run, int64_t now_ms)
{
    if (run->rec->account_asked && !run->rec->accounted) {
        if (run->account_pending == 0 || now_ms >= run->account_limit_ms)
            finish_account(run);
        return;
    }
    for (size_t n = 0; n < run->dag->node_count; n++) {
        struct run_node *node = &run->nodes[n];
        bool finishing =
            run->rec->nodes[n].ends_known && !run->rec->nodes[n].reached;

        if (finishing && now_ms >= node->ends_retry_ms)
            node->ends_wanted = true;
        if (node->ends_wanted && !node->ends_pending && now_ms >= node->ends_retry_ms)
            ask_ends(run, n);
        if (node->group == NULL || node->offsets_pending || now_ms < node->offsets_retry_ms)
            continue;
        if (node->offsets_wanted || finishing) {
            ask_committed(run, n);
            node->offsets_retry_ms = now_ms + RETRY_MS;
        }
    }
}

/* When offsets_tick has something to do that no descriptor announces. */
int64_t offsets_deadline(const struct run *run)
{
    int64_t next = INT64_MAX;

    if (run->rec->account_asked && !run->rec->accounted)
        return run->account_pending == 0 ? 0 : run->account_limit_ms;
    for (size_t n = 0; n < run->dag->node_count; n++) {
        const struct run_node *node = &run->nodes[n];
        bool finishing =
            run->rec->nodes[n].ends_known && !run->rec->nodes[n].reached;

        if (node->ends_wanted && !node->ends_pending && node->ends_retry_ms < next)
            next = node->ends_retry_ms;
        if (node->group && !node->offsets_pending && (node->offsets_wanted || finishing) &&
            node->offsets_retry_ms < next)
            next = node->offsets_retry_ms;
    }
    return next;
}
