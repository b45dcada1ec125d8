/* SPDX-License-Identifier: MIT */
#include "run/send.h"

#include "base/contract.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/channel.h"
#include "host/process.h"
#include "run/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct sender {
    struct process *process;
    struct channel *channel;
    struct process_exit end;
    bool ended;
    int64_t sent;
    int64_t dead;
    char reason[512];
};

static void on_line(void *arg, enum channel_event event, const json_t *line,
                    const char *text)
{
    struct sender *sender = arg;
    const char *type = event == CHANNEL_LINE ? json_get_string(line, "type", "") : "";

    (void)text;
    if (strcmp(type, "stats") == 0) {
        sender->sent = json_get_int(line, "out", sender->sent);
        sender->dead = json_get_int(line, "dead", sender->dead);
    } else if (strcmp(type, "error") == 0) {
        (void)snprintf(sender->reason, sizeof sender->reason, "%s",
                       json_get_string(line, "text", ""));
    } else if (strcmp(type, "dead") == 0) {
        text_printf_safe(stderr, "dagrun: dead letter: %s\n",
                      json_get_string(line, "reason", ""));
    }
}

static void on_ended(void *arg, uint32_t events)
{
    struct sender *sender = arg;

    (void)events;
    sender->ended = process_reap(sender->process, &sender->end);
    channel_drain(sender->channel);
}

/* The edge that stdin goes into. NULL and err. */
static const struct dag_edge *find_input(const struct send_request *request,
                                         struct error *err)
{
    const struct dag_node *node = &request->dag->nodes[request->node];

    for (size_t i = 0; i < node->input_count; i++) {
        const struct dag_edge *edge = &request->dag->edges[node->inputs[i]];

        if (request->from ? strcmp(request->dag->nodes[edge->from].name, request->from) == 0
                          : node->input_count == 1)
            return edge;
    }
    if (request->from)
        error_set(err, ERROR_INPUT, "node %s does not read from %s", node->name,
                  request->from);
    else
        error_set(err, ERROR_INPUT, "node %s has %zu inputs: say which with --from NODE",
                  node->name, node->input_count);
    return NULL;
}

static void add_output(const struct dag_edge *edge, json_t *outputs)
{
    size_t i;
    json_t *other;

    json_array_foreach(outputs, i, other) {
        if (strcmp(json_get_string(other, "topic", ""), edge->topic) == 0)
            return;
    }
    (void)json_array_append_new(outputs,
                                json_pack("{s:[s],s:s,s:i,s:I}", "edges", edge->id, "topic",
                                          edge->topic, "partitions", edge->partitions,
                                          "max_record",
                                          (json_int_t)edge->max_record_bytes));
}

static json_t *outputs_of(const struct send_request *request, struct error *err)
{
    const struct dag_node *node = &request->dag->nodes[request->node];
    json_t *outputs = json_array();

    if (request->stdin_fd >= 0) {
        const struct dag_edge *edge = find_input(request, err);

        if (edge)
            add_output(edge, outputs);
        return outputs;
    }
    for (size_t i = 0; i < node->output_count; i++)
        add_output(&request->dag->edges[node->outputs[i]], outputs);
    return outputs;
}

static json_t *config_of(const struct send_request *request, json_t *outputs)
{
    const struct dag_node *node = &request->dag->nodes[request->node];
    char *dlq = dag_dlq_topic(request->dag, request->node);
    char *parking = dag_parking_topic(request->dag);
    char *id = mem_printf("%s.%s.send-%d", request->dag->name, node->name, (int)getpid());
    int64_t max_record = DAG_MAX_RECORD_BYTES;
    json_t *config;

    for (size_t i = 0; i < node->output_count && request->stdin_fd < 0; i++) {
        int64_t bytes = request->dag->edges[node->outputs[i]].max_record_bytes;

        max_record = bytes > max_record ? bytes : max_record;
    }
    config = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:s,s:o,s:o,s:s,s:b,s:b,s:[],s:o,s:I,s:s,s:s,s:i}",
        "type", "config", "dag", request->dag->name, "node", node->name, "client", "send",
        "client_id", id, "run", 0, "attempt", 1, "dir", request->dag->dir, "with",
        request->stdin_fd >= 0 ? json_object() : launch_settings(&node->with, true),
        "kafka", launch_kafka(request->dag, request->brokers), "mode", "send", "source", 1,
        "keep", 0, "inputs", "outputs", outputs, "max_record",
        (json_int_t)(max_record + DAG_DLQ_EXTRA_BYTES), "dlq", dlq, "parking", parking,
        "commit_ms", 200);
    free(dlq);
    free(parking);
    free(id);
    return config;
}

static struct process *start(const struct send_request *request, int child_fd,
                             struct error *err)
{
    const struct dag_node *node = &request->dag->nodes[request->node];
    char **env = launch_environment(node);
    size_t count = 0;
    char **argv;
    struct process_spec spec = {.path = request->program,
                                .envp = env,
                                .cwd = node->cwd,
                                .stdin_fd = request->stdin_fd,
                                .stdout_fd = -1,
                                .stderr_fd = -1,
                                .extra_fd = child_fd,
                                .extra_number = LAUNCH_FD};
    struct process *process;

    while (request->args && request->args[count])
        count++;
    argv = mem_alloc((count + 2) * sizeof *argv);
    argv[0] = mem_strdup(request->program);
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = mem_strdup(request->args[i]);
    spec.argv = argv;
    process = process_spawn(&spec, err);
    launch_free_strings(argv);
    launch_free_strings(env);
    return process;
}

static int follow(struct loop *loop, struct sender *sender, const json_t *config,
                  struct error *err)
{
    char how[PROCESS_EXIT_TEXT];
    enum error_kind kind;

    if (loop_add(loop, process_fd(sender->process), EPOLLIN, on_ended, sender, err) < 0)
        return -1;
    channel_send(sender->channel, config);
    while (!sender->ended)
        loop_wait(loop, INT64_MAX);
    if (sender->end.code == 0)
        return 0;
    process_exit_text(&sender->end, how);
    kind = sender->end.code == CONTRACT_EXIT_USAGE ? ERROR_INPUT : ERROR_FAILED;
    if (*sender->reason == '\0') /* nor could it say how far it had got */
        error_set(err, kind, "%s; at least %" PRId64 " of its records are written", how,
                  sender->sent);
    else if (sender->sent > 0)
        error_set(err, kind, "%s; %" PRId64 " record%s sent before that, none after",
                  sender->reason, sender->sent, sender->sent == 1 ? " was" : "s were");
    else
        error_set(err, kind, "%s", sender->reason);
    return -1;
}

int send_run(const struct send_request *request, int64_t *sent, int64_t *dead,
             struct error *err)
{
    struct sender sender = {0};
    struct loop *loop = loop_new(err);
    json_t *config = config_of(request, outputs_of(request, err));
    int ours;
    int theirs;
    int result = -1;

    if (loop == NULL || error_is_set(err) || channel_pair(&ours, &theirs, err) < 0)
        goto done;
    sender.channel = channel_open(loop, ours, on_line, &sender, err);
    sender.process = sender.channel ? start(request, theirs, err) : NULL;
    (void)close(theirs);
    if (sender.process)
        result = follow(loop, &sender, config, err);
    *sent = sender.sent;
    *dead = sender.dead;
done:
    process_free(sender.process);
    channel_close(sender.channel);
    json_decref(config);
    loop_free(loop);
    return result;
}
