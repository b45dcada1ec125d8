/* SPDX-License-Identifier: MIT
 *
 * record.c - what of a run goes into the history, and when.
 */
#include "base/clock.h"
#include "host/history_audit.h"
#include "host/local.h"
#include "run/run_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_log_folder(struct run *run)
{
    char *parent = mem_printf("%s/runs", run->options->home);
    char *folder = mem_printf("%s/%s@%lld", parent, run->dag->name, (long long)run->number);
    int result = 0;

    if ((mkdir(parent, 0700) < 0 && errno != EEXIST) ||
        (mkdir(folder, 0700) < 0 && errno != EEXIST)) {
        /* As with the history: the data goes on, the logs are missed. */
        run_event(run, "warn", "log", NULL, NULL, "no folder for logs: %s: %s", folder,
                  strerror(errno));
        result = -1;
    }
    free(parent);
    free(folder);
    return result;
}

static void record_edges(struct run *run)
{
    for (size_t e = 0; e < run->edge_count; e++) {
        const struct run_edge *edge = &run->edges[e];

        history_edge(run->history,
                     &(struct history_edge){.edge = edge->id,
                                            .from = edge->from,
                                            .to = run->dag->nodes[edge->to].name,
                                            .topic = edge->topic,
                                            .topic_id = edge->topic_id,
                                            .group = edge->group,
                                            .partitions = (int)edge->partition_count});
        for (size_t p = 0; p < edge->partition_count; p++) {
            const struct run_partition *part = &edge->partitions[p];

            history_offsets(run->history,
                            &(struct history_offsets){.edge = edge->id,
                                                      .partition = (int)p,
                                                      .read_start = part->start,
                                                      .read_end = part->committed,
                                                      .write_start = part->write_start,
                                                      .write_end = part->end});
        }
    }
}

static void record_source(struct run *run, size_t n)
{
    for (size_t c = 0; c < run->nodes[n].client_count; c++) {
        const struct run_client *client = run->nodes[n].clients[c];

        history_source(run->history,
                       &(struct history_source){
                           .node = run->dag->nodes[n].name,
                           .client = client->name,
                           .group = client->checkpoint_group,
                           .hash = run->nodes[n].source_hash,
                           .position = client->position > 0 ? client->position
                                       : client->resume_position > 0
                                           ? client->resume_position
                                           : -1,
                           .finished = client->finished});
    }
}

static void record_nodes(struct run *run)
{
    for (size_t n = 0; n < run->dag->node_count; n++) {
        const struct dag_node *node = &run->dag->nodes[n];
        const struct run_node *rn = &run->nodes[n];
        int restarts = 0;

        for (size_t c = 0; c < rn->client_count; c++)
            restarts += reconcile_restarts(run->rec, n, c);
        history_node(run->history,
                     &(struct history_node){.node = node->name,
                                            .program = node->program,
                                            .group = rn->group,
                                            .state = reconcile_node_state(run->rec, n),
                                            .clients = (int)run->rec->nodes[n].wanted,
                                            .restarts = restarts,
                                            .totals = rn->totals,
                                            .last_error = rn->last_error});
        if (rn->group == NULL)
            record_source(run, n);
    }
}

static bool has_client(const struct dag *dag, const struct history_known_source *source)
{
    int n = dag_find_node(dag, source->node);

    for (size_t c = 0; n >= 0 && c < dag->nodes[n].client_count; c++) {
        if (strcmp(dag->nodes[n].clients[c], source->client) == 0)
            return dag->nodes[n].input_count == 0;
    }
    return false;
}

/* Said once: an interrupted source that the dag has no more will never go on. */
static void record_left_out(struct run *run)
{
    for (size_t i = 0; i < run->last.source_count; i++) {
        const struct history_known_source *s = &run->last.sources[i];

        if (s->finished || s->position <= 0 || has_client(run->dag, s))
            continue;
        run_event(run, "warn", "drop", s->node, s->client,
                  "was interrupted at position %lld and is gone from the YAML: the rest is "
                  "left out",
                  (long long)s->position);
        history_source(run->history, &(struct history_source){.node = s->node,
                                                              .client = s->client,
                                                              .group = s->group,
                                                              .hash = s->hash,
                                                              .position = s->position,
                                                              .finished = true});
    }
}

/* Checkpoints name their run: a number that one bears must not come again, not even after
 * the history was lost. */
static int64_t newest_checkpoint(const struct run *run)
{
    int64_t newest = 0;

    for (size_t n = 0; n < run->dag->node_count; n++) {
        for (size_t c = 0; c < run->nodes[n].client_count; c++) {
            int64_t number = run->nodes[n].clients[c]->checkpoint_run;

            newest = number > newest ? number : newest;
        }
    }
    return newest;
}

/* That somebody began it. The run's own queue writes it: nobody waits. */
static void record_deed(const struct run *run, const char *user)
{
    char *origin = mem_printf("pid %d", (int)getpid());
    char *text = mem_printf("%s@%lld", run->dag->name, (long long)run->number);
    const struct history_deed deed = {.ts_ms = run->started_wall_ms,
                                      .who = user,
                                      .origin = origin,
                                      .action = run->options->trigger,
                                      .dag = run->dag->name,
                                      .target = run->dag->path,
                                      .detail = run->options->permits.fresh
                                                    ? "{\"fresh\":true}"
                                                    : NULL,
                                      .ok = true,
                                      .text = text};

    if (!run->options->audited)
        history_audit(run->history, &deed);
    free(origin);
    free(text);
}

void record_begin(struct run *run)
{
    char host[LOCAL_TEXT];
    char user[LOCAL_TEXT];
    char boot[LOCAL_TEXT];
    char *text = dag_masked_text(run->dag);
    struct history_run row = {.dag = {.dag = run->dag->name,
                                      .path = run->dag->path,
                                      .broker = run->options->broker_name},
                              .text = text,
                              .hash = run->dag->hash,
                              .host = host,
                              .user = user,
                              .pid = getpid(),
                              .boot_id = boot,
                              .trigger = run->options->trigger,
                              .fresh = run->options->permits.fresh,
                              .started_ms = run->started_wall_ms,
                              .last_number = newest_checkpoint(run)};

    local_host_name(host);
    local_user_name(user);
    local_boot_id(boot);
    if (history_run_begin(run->history, &row, &run->number, &run->failure) < 0) {
        free(text);
        return;
    }
    free(text);
    record_deed(run, user);
    (void)make_log_folder(run);
    record_edges(run);
    record_nodes(run);
    record_left_out(run);
    if (run->left_records > run->skipped_records)
        run_event(run, "info", "resume", NULL, NULL,
                  "goes on with %lld record%s that the last run left",
                  (long long)(run->left_records - run->skipped_records),
                  run->left_records - run->skipped_records == 1 ? "" : "s");
    if (run->skipped_records > 0)
        run_event(run, "warn", "drop", NULL, NULL, "%s dropped %lld unread record%s",
                  run->options->permits.fresh ? "--fresh" : "--abandon",
                  (long long)run->skipped_records, run->skipped_records == 1 ? "" : "s");
}

/* malloc'ed; NULL: it wrote nothing. */
char *record_last_words(const struct run_client *client)
{
    const char *lines[LOGFILE_LAST];
    struct text_buf text = {0};
    size_t count = client->log ? logfile_last(client->log, lines) : 0;

    for (size_t i = 0; i < count; i++)
        text_appendf(&text, "%s%s", i ? "\n" : "", lines[i]);
    if (count == 0) {
        text_buf_clear(&text);
        return NULL;
    }
    return text_take(&text);
}

/* end NULL: it begins. */
void record_attempt(struct run_client *client, const struct process_exit *end,
                    const char *reason)
{
    const struct dag_node *node = &client->run->dag->nodes[client->node];
    char *words = end ? record_last_words(client) : NULL;
    struct history_attempt row = {
        .node = node->name,
        .client = client->name,
        .attempt = client->attempt,
        .pid = client->process ? process_pid(client->process) : 0,
        .started_ms = client->started_wall_ms,
        .ended_ms = end ? clock_wall_ms() : 0,
        .exit_code = end && end->signal == 0 ? end->code : -1,
        .signal = end ? end->signal : 0,
        .reason = reason,
        .last_words = words,
        .log_path = client->log_path,
        .cpu_ms = end ? end->user_ms + end->system_ms : client->cpu_ms,
        .rss_bytes = end ? end->max_rss_bytes : client->rss_bytes,
        .totals = client->totals};

    history_attempt(client->run->history, &row);
    free(words);
}

/* Once a second; the history itself writes only what has changed. */
void record_tick(struct run *run)
{
    if (run->rec->state != run->shown_state && !run_state_is_over(run->rec->state)) {
        run->shown_state = run->rec->state;
        history_run_state(run->history, run_state_name(run->rec->state));
    }
    record_nodes(run);
    record_edges(run);
    sample_tick(run);
    history_tick(run->history);
}

void record_end(struct run *run, int exit_code, const char *text)
{
    record_nodes(run);
    record_edges(run);
    history_run_end(run->history, run_state_name(run->rec->state), exit_code, text,
                    clock_wall_ms());
}
