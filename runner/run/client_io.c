/* SPDX-License-Identifier: MIT
 *
 * client_io.c - what clients say and how they end, recorded as facts.
 */
#include "base/clock.h"
#include "base/contract.h"
#include "run/run_state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_EARLY = 1 }; /* how an exit code 0 counts that nobody asked for */

static bool has_name(const struct run_node *node, size_t count, const char *name)
{
    for (size_t c = 0; c < count; c++) {
        if (strcmp(node->clients[c]->name, name) == 0)
            return true;
    }
    return false;
}

/* As in the YAML; those that it does not have are numbered, past any that it lists. */
static char *name_client(const struct run *run, size_t n, size_t c)
{
    const struct dag_node *node = &run->dag->nodes[n];
    char *name = c < node->client_count ? mem_strdup(node->clients[c]) : NULL;

    for (size_t number = c; name == NULL; number++) {
        name = mem_printf("%zu", number);
        if (has_name(&run->nodes[n], c, name)) {
            free(name);
            name = NULL;
        }
    }
    return name;
}

static struct run_client *new_client(struct run *run, size_t n, size_t c)
{
    const struct dag_node *node = &run->dag->nodes[n];
    struct run_client *client = mem_alloc(sizeof *client);

    *client = (struct run_client){.run = run,
                                  .node = n,
                                  .index = c,
                                  .lag = -1,
                                  .checkpoint_run = -1,
                                  .final_out = -1,
                                  .name = name_client(run, n, c)};
    client->id = dag_client_id(run->dag, n, client->name);
    if (node->input_count == 0 && node->output_count > 0)
        client->checkpoint_group = dag_checkpoint_group(run->dag, n, client->name);
    return client;
}

void client_io_grow(struct run *run, size_t n, size_t count)
{
    struct run_node *node = &run->nodes[n];

    if (count <= node->client_count)
        return;
    node->clients = mem_resize(node->clients, count * sizeof(struct run_client *));
    for (size_t c = node->client_count; c < count; c++)
        node->clients[c] = new_client(run, n, c);
    node->client_count = count;
}

void client_io_init(struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++)
        client_io_grow(run, n, run->dag->nodes[n].client_count);
}

void client_io_rename(struct run_client *client)
{
    free(client->instance);
    client->instance = mem_printf("%s.%lld", client->id, (long long)clock_wall_ms());
}

bool client_io_is_gone(const struct run_client *client)
{
    const struct reconcile_node *node = &client->run->rec->nodes[client->node];

    return client->index >= node->wanted &&
           client_is_over(node->clients[client->index].state);
}

void client_io_close(struct run_client *client)
{
    if (client->process)
        loop_remove(client->run->loop, process_fd(client->process));
    process_free(client->process);
    client->process = NULL;
    if (client->channel)
        channel_close(client->channel);
    client->channel = NULL;
    if (client->log)
        logfile_close(client->log);
    client->log = NULL;
}

void client_io_free(struct run_client *client)
{
    client_io_close(client);
    free(client->name);
    free(client->id);
    free(client->instance);
    free(client->log_path);
    free(client->last_error);
    free(client->last_exit);
    free(client->last_words);
    free(client->checkpoint_group);
    free(client);
}

void client_io_tell(struct run_client *client, const char *what)
{
    json_t *line = json_pack("{s:s}", "type", what);

    if (client->channel)
        channel_send(client->channel, line);
    json_decref(line);
}

void client_io_tell_leave(struct run_client *client)
{
    json_t *line = json_pack("{s:s,s:b}", "type", "drain", "leave", 1);

    if (client->channel)
        channel_send(client->channel, line);
    json_decref(line);
}

static struct run_partition *find_partition(struct run_client *client, const json_t *entry)
{
    const struct run_node *node = &client->run->nodes[client->node];
    const char *topic = json_get_string(entry, "topic", "");
    int64_t partition = json_get_int(entry, "partition", -1);

    for (size_t i = 0; i < node->input_count; i++) {
        struct run_edge *edge = node->inputs[i];

        if (strcmp(edge->topic, topic) == 0 && partition >= 0 &&
            (size_t)partition < edge->partition_count)
            return &edge->partitions[partition];
    }
    return NULL;
}

static void see_partitions(struct run_client *client, const json_t *list)
{
    size_t i;
    json_t *entry;

    json_array_foreach(list, i, entry) {
        struct run_partition *part = find_partition(client, entry);
        int64_t end = json_get_int(entry, "end", -1);
        int64_t committed = json_get_int(entry, "committed", -1);

        if (part && end > part->end)
            part->end = end;
        /* The counts that go with this commit are asked from the broker; it also tells
         * of a partition that was added. */
        if (committed > (part ? part->committed : -1))
            offsets_want(client->run, client->node);
    }
}

static void see_latency(struct run_client *client, const json_t *list)
{
    struct latency now = {0};

    for (size_t i = 0; i < CONTRACT_LATENCY_BUCKETS; i++)
        now.buckets[i] = json_integer_value(json_array_get(list, i));
    latency_since(&now, &client->latency_base, &client->latency);
    client->latency_base = now;
}

/* Lines that come close together (a report asked for) make no rate of their own. */
static void see_rates(struct run_client *client, const json_t *line, int64_t now_ms)
{
    const struct history_totals *before = &client->rate_base;
    double seconds = (double)(now_ms - client->stats_ms) / 1000;

    if (client->stats_ms > 0 && seconds < 0.2)
        return;
    if (client->stats_ms > 0) {
        client->in_per_s = (double)(client->totals.in - before->in) / seconds;
        client->out_per_s = (double)(client->totals.out - before->out) / seconds;
    }
    see_latency(client, json_object_get(line, "latency"));
    client->stats_ms = now_ms;
    client->rate_base = client->totals;
}

static void remember(char **text, const char *now)
{
    char *copy = mem_strdup(now);

    free(*text);
    *text = copy;
}

void client_io_blame(struct run_client *client, const char *text)
{
    struct run_node *node = &client->run->nodes[client->node];

    remember(&node->last_error, text);
    node->error_ms = clock_mono_ms();
}

/* What no longer counts for restart.max is no trouble of the node any more. */
static void forget_error(const struct run_client *client)
{
    const struct run *run = client->run;
    struct run_node *node = &run->nodes[client->node];
    int64_t window_ms = run->dag->nodes[client->node].restart.window_ms;

    if (node->last_error == NULL || clock_mono_ms() - node->error_ms < window_ms ||
        strcmp(reconcile_node_state(run->rec, client->node),
               client_state_name(CLIENT_UP)) != 0)
        return;
    free(node->last_error);
    node->last_error = NULL;
}

static void on_stats(struct run_client *client, const json_t *line)
{
    struct run *run = client->run;
    bool was_idle = client->idle;

    client->totals = (struct history_totals){.in = json_get_int(line, "in", 0),
                                             .answered = json_get_int(line, "answered", 0),
                                             .dropped = json_get_int(line, "dropped", 0),
                                             .dead = json_get_int(line, "dead", 0),
                                             .out = json_get_int(line, "out", 0)};
    client->taken = json_get_int(line, "taken", 0);
    client->lag = json_get_int(line, "lag", -1);
    client->idle = json_get_bool(line, "idle", false);
    client->finished = json_get_bool(line, "finished", false);
    client->position = json_get_int(line, "position", client->position);
    see_rates(client, line, clock_mono_ms());
    see_partitions(client, json_object_get(line, "partitions"));
    forget_error(client);
    if (client->idle && !was_idle && run->nodes[client->node].group)
        offsets_want(run, client->node);
}

static void on_dead(struct run_client *client, const json_t *line)
{
    struct run *run = client->run;
    struct history_dead_letter letter = {
        .node = run->dag->nodes[client->node].name,
        .topic = json_get_string(line, "topic", ""),
        .partition = (int)json_get_int(line, "partition", -1),
        .offset = json_get_int(line, "offset", -1),
        .failed_at = json_get_string(line, "failed_at", ""),
        .reason = json_get_string(line, "reason", ""),
        .ts_ms = clock_wall_ms()};

    history_dead_letter(run->history, &letter);
}

static void on_message(struct run_client *client, const json_t *line)
{
    const char *type = json_get_string(line, "type", "");

    reconcile_heard(client->run->rec, client->node, client->index, clock_mono_ms());
    if (strcmp(type, "stats") == 0)
        on_stats(client, line);
    else if (strcmp(type, "dead") == 0)
        on_dead(client, line);
    else if (strcmp(type, "ready") == 0)
        reconcile_ready(client->run->rec, client->node, client->index);
    else if (strcmp(type, "error") == 0)
        remember(&client->last_error, json_get_string(line, "text", ""));
}

void client_io_on_line(void *arg, enum channel_event event, const json_t *line,
                       const char *text)
{
    struct run_client *client = arg;
    const struct dag_node *node = &client->run->dag->nodes[client->node];

    if (event == CHANNEL_LINE)
        on_message(client, line);
    else if (event == CHANNEL_MALFORMED)
        run_event(client->run, "warn", "protocol", node->name,
                  client->name, "sent a line that is no message: %s", text);
}

static void add_totals(struct run_client *client)
{
    struct run_node *node = &client->run->nodes[client->node];

    node->done.in += client->totals.in;
    node->done.answered += client->totals.answered;
    node->done.dropped += client->totals.dropped;
    node->done.dead += client->totals.dead;
    node->done.out += client->totals.out;
    node->taken += client->taken;
    client->said_out += client->totals.out;
}

/* Lines that arrived before the exit are read first: the last stats are among them. */
static void read_rest(struct run_client *client)
{
    logfile_drain(client->log);
    channel_drain(client->channel);
}

static enum client_state state_of(const struct run_client *client)
{
    return client->run->rec->nodes[client->node].clients[client->index].state;
}

/* It was told to end, or for a restart, or is a source with nothing more to make. A client
 * that somebody else ends by SIGTERM exits 0, too: that is no end of its work. */
static bool is_wanted(const struct run_client *client, const struct process_exit *end)
{
    enum client_state state = state_of(client);

    return state == CLIENT_DRAINING || state == CLIENT_TERMINATING ||
           state == CLIENT_KILLED ||
           (end->code == 0 && (client->finished || state == CLIENT_RESTARTING));
}

static void tell_exit(struct run_client *client, const struct process_exit *end,
                      bool wanted)
{
    struct run *run = client->run;
    const struct dag_node *node = &run->dag->nodes[client->node];
    char how[PROCESS_EXIT_TEXT];

    process_exit_text(end, how);
    if (!wanted && end->code == 0)
        (void)snprintf(how, sizeof how, "ended before its work was done");
    remember(&client->last_exit, how);
    if (!wanted) {
        free(client->last_words);
        client->last_words = record_last_words(client);
        client_io_blame(client, client->last_error ? client->last_error : how);
        run_event(run, "warn", "exit", node->name, client->name, "%s%s%s",
                  how, client->last_error ? ": " : "",
                  client->last_error ? client->last_error : "");
    }
    record_attempt(client, end, state_of(client) == CLIENT_HUNG ? "no sign of life" : how);
}

void client_io_on_exit(void *arg, uint32_t events)
{
    struct run_client *client = arg;
    struct process_exit end;
    bool wanted;
    int code;

    (void)events;
    loop_remove(client->run->loop, process_fd(client->process));
    if (!process_reap(client->process, &end)) {
        struct error ignored = {0};

        (void)loop_add(client->run->loop, process_fd(client->process), 1 /* EPOLLIN */,
                       client_io_on_exit, client, &ignored);
        return;
    }
    read_rest(client);
    add_totals(client);
    wanted = is_wanted(client, &end);
    code = end.signal ? 128 + end.signal : end.code;
    tell_exit(client, &end, wanted);
    client->in_per_s = 0;
    client->out_per_s = 0;
    client->latency = (struct latency){0};
    client->cpu_percent = 0;
    client->rss_bytes = 0;
    client->totals = (struct history_totals){0};
    client->taken = 0;
    client->resume_position = client->position > 0 ? client->position
                                                   : client->resume_position;
    if (client->run->rec->nodes[client->node].clients[client->index].leaving)
        client_io_rename(client);
    process_free(client->process);
    client->process = NULL;
    client_io_close(client);
    reconcile_exited(client->run->rec, client->node, client->index,
                     wanted || code != CONTRACT_EXIT_DONE ? code : EXIT_EARLY);
    offsets_sum(client->run, client->node);
    if (client->run->nodes[client->node].group)
        offsets_want(client->run, client->node);
}

/* CPU and memory of every process, for the table and the history. */
void client_io_usage(struct run *run, int64_t now_ms)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; c < run->nodes[n].client_count; c++) {
            struct run_client *client = run->nodes[n].clients[c];
            struct process_usage usage;
            double seconds = (double)(now_ms - client->usage_ms) / 1000;

            if (client->process == NULL ||
                !process_usage(process_pid(client->process), &usage))
                continue;
            if (client->usage_ms > client->started_mono_ms && seconds > 0)
                client->cpu_percent =
                    (double)(usage.cpu_ms - client->cpu_ms) / 10 / seconds;
            client->cpu_ms = usage.cpu_ms;
            client->rss_bytes = usage.rss_bytes;
            client->usage_ms = now_ms;
        }
    }
}
