/* SPDX-License-Identifier: MIT
 *
 * launch.c - starts one client: its log, its socket, its process, its first line.
 */
#include "base/clock.h"
#include "base/contract.h"
#include "base/text.h"
#include "run/launch.h"
#include "run/run_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

extern char **environ;

json_t *launch_settings(const struct dag_settings *settings, bool values_are_json)
{
    json_t *object = json_object();

    for (size_t i = 0; i < settings->count; i++) {
        const struct dag_setting *item = &settings->items[i];
        struct error err = {0};
        json_t *value = values_are_json
                            ? json_parse(item->value, strlen(item->value), &err)
                            : json_string(item->value);

        (void)json_object_set_new(object, item->name, value);
    }
    return object;
}

json_t *launch_kafka(const struct dag *dag, const char *brokers)
{
    json_t *object = launch_settings(&dag->kafka, false);

    (void)json_object_set_new(object, "bootstrap.servers", json_string(brokers));
    return object;
}

static json_t *inputs_json(const struct run_node *node)
{
    json_t *list = json_array();

    for (size_t i = 0; i < node->input_count; i++) {
        const struct run_edge *edge = node->inputs[i];

        (void)json_array_append_new(
            list, json_pack("{s:s,s:s}", "edge", edge->id, "topic", edge->topic));
    }
    return list;
}

/* One entry a topic: edges that share it are written once. */
static json_t *outputs_json(const struct run *run, size_t node)
{
    const struct plan *plan = run->plan;
    json_t *list = json_array();

    for (size_t t = 0; t < plan->edge_topic_count; t++) {
        const struct plan_topic *topic = &plan->topics[t];
        json_t *edges;

        if (topic->writer != node)
            continue;
        edges = json_array();
        for (size_t i = 0; i < topic->edge_count; i++)
            (void)json_array_append_new(
                edges, json_string(run->dag->edges[topic->edges[i]].id));
        (void)json_array_append_new(
            list, json_pack("{s:o,s:s,s:i,s:I}", "edges", edges, "topic", topic->name,
                            "partitions",
                            (int)run->edges[topic->edges[0]].partition_count,
                            "max_record", (json_int_t)topic->max_message_bytes));
    }
    return list;
}

static int64_t max_record(const struct run *run, const struct dag_node *node)
{
    int64_t bytes = DAG_MAX_RECORD_BYTES;

    for (size_t i = 0; i < node->output_count; i++) {
        int64_t of_edge = run->dag->edges[node->outputs[i]].max_record_bytes;

        bytes = of_edge > bytes ? of_edge : bytes;
    }
    for (size_t i = 0; i < node->input_count; i++) {
        int64_t of_edge = run->dag->edges[node->inputs[i]].max_record_bytes;

        bytes = of_edge > bytes ? of_edge : bytes;
    }
    /* Dead letters carry a record and why it failed. */
    return bytes + DAG_DLQ_EXTRA_BYTES;
}

static void add_checkpoint(const struct run_client *client, json_t *config)
{
    const struct dag_node *node = &client->run->dag->nodes[client->node];

    if (client->checkpoint_group == NULL)
        return;
    (void)json_object_set_new(
        config, "checkpoint",
        json_pack("{s:s,s:s}", "group", client->checkpoint_group, "topic",
                  client->run->dag->edges[node->outputs[0]].topic));
    if (client->attempt > 1 || client->resume_position > 0)
        (void)json_object_set_new(config, "position",
                                  json_integer(client->resume_position));
}

static json_t *config_json(const struct run_client *client)
{
    const struct run *run = client->run;
    const struct dag_node *node = &run->dag->nodes[client->node];
    char *parking = dag_parking_topic(run->dag);
    json_t *config = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:I,s:i,s:s,s:o,s:o,s:s,s:b,s:b,s:o,s:o,s:I,s:s,s:s,s:i}",
        "type", "config", "dag", run->dag->name, "node", node->name, "client", client->name,
        "client_id", client->id, "run", (json_int_t)run->number, "attempt", client->attempt,
        "dir", run->dag->dir, "with", launch_settings(&node->with, true), "kafka",
        launch_kafka(run->dag, run->options->brokers), "mode", "run", "source",
        node->input_count == 0, "keep", run->options->keep, "inputs",
        inputs_json(&run->nodes[client->node]), "outputs",
        outputs_json(run, client->node), "max_record", (json_int_t)max_record(run, node),
        "dlq", run->nodes[client->node].dlq, "parking", parking, "commit_ms", RUN_COMMIT_MS);

    if (node->input_count > 0)
        (void)json_object_set_new(config, "group",
                                  json_string(run->nodes[client->node].group));
    else
        add_checkpoint(client, config);
    if (client->instance)
        (void)json_object_set_new(config, "instance", json_string(client->instance));
    free(parking);
    return config;
}

char **launch_environment(const struct dag_node *node)
{
    size_t count = 0;
    size_t n = 0;
    char **env;

    while (environ[count])
        count++;
    env = mem_alloc((count + node->env.count + 2) * sizeof *env);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(environ[i], '=');
        size_t len = equals ? (size_t)(equals - environ[i]) : 0;
        bool replaced = len == strlen(CONTRACT_ENV_FD) &&
                        strncmp(environ[i], CONTRACT_ENV_FD, len) == 0;

        for (size_t k = 0; k < node->env.count && !replaced; k++)
            replaced = strncmp(node->env.items[k].name, environ[i], len) == 0 &&
                       node->env.items[k].name[len] == '\0';
        if (!replaced)
            env[n++] = mem_strdup(environ[i]);
    }
    for (size_t k = 0; k < node->env.count; k++)
        env[n++] = mem_printf("%s=%s", node->env.items[k].name, node->env.items[k].value);
    env[n] = mem_printf("%s=%d", CONTRACT_ENV_FD, LAUNCH_FD);
    return env;
}

void launch_free_strings(char **strings)
{
    for (char **s = strings; *s; s++)
        free(*s);
    free(strings);
}

static void on_log_line(void *arg, enum logfile_stream stream, const char *text,
                        size_t len, int64_t skipped)
{
    const struct run_client *client = arg;
    const struct run_options *options = client->run->options;
    const struct dag_node *node = &client->run->dag->nodes[client->node];
    char name[2 * DAG_NAME_MAX + 2];

    if (stream != LOGFILE_STDOUT || node->output_count > 0 || options->on_line == NULL)
        return;
    (void)snprintf(name, sizeof name, "%s.%s", node->name, client->name);
    options->on_line(options->arg, name, text, len, skipped);
}

static int spawn(struct run_client *client, int child_fd, struct error *err)
{
    struct run *run = client->run;
    const struct dag_node *node = &run->dag->nodes[client->node];
    char **argv = mem_alloc((node->arg_count + 2) * sizeof *argv);
    char **env = launch_environment(node);
    struct process_spec spec = {
        .path = run->nodes[client->node].program_path,
        .argv = argv,
        .envp = env,
        .cwd = node->cwd,
        .stdin_fd = -1,
        .stdout_fd = logfile_child_fd(client->log, LOGFILE_STDOUT),
        .stderr_fd = logfile_child_fd(client->log, LOGFILE_STDERR),
        .extra_fd = child_fd,
        .extra_number = LAUNCH_FD,
    };

    argv[0] = mem_strdup(node->program);
    for (size_t i = 0; i < node->arg_count; i++)
        argv[i + 1] = mem_strdup(node->args[i]);
    client->process = process_spawn(&spec, err);
    launch_free_strings(argv);
    launch_free_strings(env);
    if (client->process == NULL)
        return -1;
    return loop_add(run->loop, process_fd(client->process), EPOLLIN, client_io_on_exit,
                    client, err);
}

static int open_parts(struct run_client *client, struct error *err)
{
    struct run *run = client->run;
    const struct dag_node *node = &run->dag->nodes[client->node];
    struct logfile_spec spec = {.on_line = on_log_line, .arg = client};
    int ours;
    int theirs;
    int result;

    free(client->log_path);
    client->log_path =
        mem_printf("%s/runs/%s@%lld/%s.%s.%d.log", run->options->home, run->dag->name,
                   (long long)run->number, node->name, client->name,
                   client->attempt);
    spec.path = client->log_path;
    client->log = logfile_open(run->loop, &spec, err);
    if (client->log == NULL || channel_pair(&ours, &theirs, err) < 0)
        return -1;
    client->channel = channel_open(run->loop, ours, client_io_on_line, client, err);
    result = client->channel ? spawn(client, theirs, err) : -1;
    (void)close(theirs);
    logfile_started(client->log);
    return result;
}

int launch_client(struct run_client *client)
{
    struct error err = {0};
    json_t *config;

    client->attempt++;
    client->started_wall_ms = clock_wall_ms();
    client->started_mono_ms = clock_mono_ms();
    client->totals = (struct history_totals){0};
    client->taken = 0;
    client->lag = -1;
    client->idle = false;
    client->finished = false;
    client->stats_ms = 0;
    client->latency_base = client->latency_sampled = (struct latency){0};
    client->cpu_ms = 0;
    free(client->last_error);
    client->last_error = NULL;
    if (open_parts(client, &err) < 0) {
        client->last_error = mem_strdup(err.text);
        client_io_close(client);
        return -1;
    }
    config = config_json(client);
    channel_send(client->channel, config);
    json_decref(config);
    if (client->run->nodes[client->node].paused)
        client_io_tell(client, "pause");
    record_attempt(client, NULL, NULL);
    return 0;
}
