/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_audit.h"
#include "cli/cmd.h"
#include "cli/embedded.h"
#include "cli/start_options.h"
#include "host/history.h"
#include "host/lock.h"
#include "ops/ops.h"
#include "run/run.h"
#include "run/send.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *target; /* DAG, DAG/NODE, FILE, FILE/NODE */
    const char *brokers;
    const char *from;
    const char *value;
    char **args; /* NULL-terminated tail of argv */
    struct cli_params params;
    bool no_args_meant; /* "--" and nothing behind it */
    bool quiet;
};

/*
 * Options stand before the target or right behind it. From the first other word on, or
 * behind "--", everything belongs to the program, as it is: -5 is a number.
 */
static int parse(int argc, char **argv, struct options *options)
{
    struct error err = {0};
    int i;

    for (i = 1; i < argc; i++) {
        const char *value;

        if (strcmp(argv[i], "--") == 0 && options->target) {
            options->no_args_meant = true;
            i++;
            break;
        }
        if ((value = cli_option(argc, argv, &i, "--brokers")))
            options->brokers = value;
        else if ((value = cli_option(argc, argv, &i, "--from")))
            options->from = value;
        else if ((value = cli_option(argc, argv, &i, "--value")))
            options->value = value;
        else if ((value = cli_option(argc, argv, &i, "--param"))) {
            if (cli_params_add(&options->params, value, &err) < 0)
                return cli_fail(&err);
        } else if (strcmp(argv[i], "-q") == 0 || strcmp(argv[i], "--quiet") == 0)
            options->quiet = true;
        else if (options->target)
            break;
        else if (argv[i][0] == '-')
            return cmd_unknown_option("send", argv[i]);
        else
            options->target = argv[i];
    }
    if (options->target == NULL)
        return cli_usage("send", "where to? DAG/NODE is missing");
    options->args = argv + i;
    return 0;
}

/* "x.yaml/ask" → "x.yaml" and "ask"; "arithmetic/ask" likewise; no node: NULL. */
static char *split_target(const char *target, const char **node)
{
    const char *slash = strrchr(target, '/');

    *node = NULL;
    if (access(target, F_OK) == 0 || slash == NULL)
        return mem_strdup(target);
    *node = slash + 1;
    return mem_strndup(target, (size_t)(slash - target));
}

static int unknown_node(const struct dag *dag, const char *name, struct error *err)
{
    const char **names = mem_alloc((dag->node_count + 1) * sizeof *names);

    for (size_t n = 0; n < dag->node_count; n++)
        names[n] = dag->nodes[n].name;
    error_set(err, ERROR_NOT_FOUND, "'%s' has no node %s", dag->name, name);
    error_near(err, text_nearest(name, names, dag->node_count));
    free(names);
    return -1;
}

/* The named node, or the only source. -1 and err. */
static int find_node(const struct dag *dag, const char *name, struct error *err)
{
    int found = -1;
    int sources = 0;

    if (name) {
        found = dag_find_node(dag, name);
        return found < 0 ? unknown_node(dag, name, err) : found;
    }
    for (size_t n = 0; n < dag->node_count; n++) {
        if (dag->nodes[n].input_count == 0) {
            found = (int)n;
            sources++;
        }
    }
    if (sources == 1)
        return found;
    error_set(err, ERROR_INPUT, "dag %s has %d sources: say which, as %s/NODE", dag->name,
              sources, dag->name);
    return -1;
}

static void talk(void *arg, const char *text)
{
    (void)arg;
    text_printf_safe(stderr, "dagrun: %s\n", text);
}

/* With no run alive the topics are made here, and the records wait for the next start. */
static int prepare(const struct dag *dag, const char *broker, const char *address,
                   const char *home, struct error *err)
{
    struct run_options options = {.home = home,
                                  .dag = dag,
                                  .brokers = address,
                                  .broker_name = broker,
                                  .prepare_only = true,
                                  .trigger = "send",
                                  .program_path = cli_program_path,
                                  .on_talk = talk};
    struct loop *loop = loop_new(err);
    struct run *run = loop ? run_open(loop, &options, err) : NULL;
    int code = 1;

    if (run) {
        while (!run_is_over(run)) {
            loop_wait(loop, run_deadline_ms(run));
            run_step(run);
        }
        code = run_close(run, err);
    }
    loop_free(loop);
    return code == 0 ? 0 : -1;
}

/* --value as the stdin of "lines". */
static int value_as_stdin(const char *value, struct error *err)
{
    FILE *file = tmpfile();
    int fd;

    if (file == NULL || fprintf(file, "%s\n", value) < 0 || fflush(file) != 0) {
        error_set(err, ERROR_INTERNAL, "no temporary file for --value");
        if (file)
            (void)fclose(file);
        return -1;
    }
    rewind(file);
    fd = dup(fileno(file));
    (void)fclose(file);
    return fd;
}

static void audit(const struct dag *dag, size_t node, int64_t sent,
                  const struct error *err)
{
    char *target = mem_printf("%s/%s", dag->name, dag->nodes[node].name);

    cli_audit("send", dag->name, target, json_pack("{s:I}", "records", (json_int_t)sent),
              err);
    free(target);
}

static int send_to(const struct options *options, const struct dag *dag, size_t node,
                   const char *brokers, struct error *err)
{
    bool source = dag->nodes[node].input_count == 0;
    char *program =
        cli_program_path(source ? dag->nodes[node].program : "lines", err);
    struct send_request request = {.dag = dag,
                                   .brokers = brokers,
                                   .node = node,
                                   .program = program,
                                   .args = source ? options->args : NULL,
                                   .stdin_fd = source ? -1 : STDIN_FILENO,
                                   .from = options->from};
    char text[TEXT_NUMBER];
    int64_t sent = 0;
    int64_t dead = 0;
    int result = -1;

    if (program && !source && options->value)
        request.stdin_fd = value_as_stdin(options->value, err);
    if (!error_is_set(err))
        result = send_run(&request, &sent, &dead, err);
    if (result == 0 && !options->quiet) {
        text_format_count(sent, text);
        (void)fprintf(stderr, "%s record%s sent to %s/%s\n", text, sent == 1 ? "" : "s",
                      dag->name, dag->nodes[node].name);
    }
    if (result == 0 && dead > 0)
        error_set(err, ERROR_FAILED, "%lld record%s refused: dead letters",
                  (long long)dead, dead == 1 ? " was" : "s were");
    audit(dag, node, sent, err);
    free(program);
    return result;
}

static int check_use(const struct options *options, const struct dag *dag, size_t node)
{
    bool source = dag->nodes[node].input_count == 0;

    if (source && (options->value || options->from))
        return cli_usage("send", "node %s is a source: it takes arguments, not --value",
                         dag->nodes[node].name);
    if (source && options->args[0] == NULL && !options->no_args_meant)
        return cli_usage("send",
                         "node %s is a source: what are the arguments of its program? "
                         "('--' for none)",
                         dag->nodes[node].name);
    if (!source && options->args[0])
        return cli_usage("send",
                         "node %s is no source: give records on stdin or with --value",
                         dag->nodes[node].name);
    if (options->value && strchr(options->value, '\n'))
        return cli_usage("send", "--value is one record, without line breaks");
    return 0;
}

/* Where the run that lives has its topics, whatever the environment says now. */
static char *broker_of_run(const char *home, const char *dag)
{
    struct error ignored = {0};
    char *file = mem_printf("%s/history.db", home);
    struct history *history = history_open(file, true, &ignored);
    struct history_last last = {0};
    char *broker = NULL;

    if (history && history_last_run(history, dag, &last, &ignored) == 0 && last.broker)
        broker = mem_strdup(last.broker);
    history_last_clear(&last);
    history_close(history);
    free(file);
    return broker;
}

static int send_dag(const struct options *options, const struct dag *dag, const char *name,
                    struct error *err)
{
    const char *why = NULL;
    const char *brokers = cli_brokers(dag, options->brokers, &why, err);
    int node = brokers ? find_node(dag, name, err) : -1;
    char *home = node >= 0 ? cli_home(true, err) : NULL;
    char *lock;
    char *live = NULL;
    char *address;
    pid_t pid;
    int code;

    if (home == NULL)
        return -1;
    code = check_use(options, dag, (size_t)node);
    lock = ops_lock_path(home, dag->name);
    if (lock_probe(lock, &pid) && (live = broker_of_run(home, dag->name)) != NULL &&
        options->brokers == NULL)
        brokers = live;
    address = code == 0 ? embedded_resolve(home, brokers, err) : NULL;
    if (address && (live || prepare(dag, brokers, address, home, err) == 0))
        (void)send_to(options, dag, (size_t)node, address, err);
    free(address);
    free(lock);
    free(live);
    free(home);
    return code;
}

static int run(int argc, char **argv)
{
    struct options options = {0};
    struct error err = {0};
    struct dag *dag = NULL;
    const char *node = NULL;
    char *name = NULL;
    char *path = NULL;
    int code = parse(argc, argv, &options);

    if (code != 0)
        goto done;
    name = split_target(options.target, &node);
    path = start_find_file(name, &err);
    if (path)
        dag = cli_load_dag(path, &options.params, false, &err);
    if (dag)
        code = send_dag(&options, dag, node, &err);
    if (error_is_set(&err))
        code = *err.text ? cli_fail(&err) : error_exit_code(err.kind);
done:
    dag_free(dag);
    cli_params_clear(&options.params);
    free(name);
    free(path);
    return code;
}

extern const struct cmd cmd_send;
const struct cmd cmd_send = {
    .name = "send",
    .usage = "send [OPTIONS] DAG[/SOURCE] ARG…  |  send [OPTIONS] DAG/NODE <lines",
    .doc = "Put records into a dag, running or not.",
    .help = "To a source: its program runs once with these arguments instead of its own; its\n"
            "'with' settings hold, so a producer with 'count: 1000' makes 1000 records.\n"
            "To any other node: every line of stdin becomes a record of its input.\n"
            "DAG is the name of a dag that has run, or a YAML file. With no run alive the\n"
            "topics are made and the records wait for the next start; else they go to the\n"
            "broker of the run. Options stand before the first ARG; behind -- all are ARGs.\n\n"
            "  --value TEXT          one record, instead of stdin\n"
            "  --from NODE           which of the node's inputs, when it has several\n"
            "  --brokers HOST:PORT   as for start\n"
            "  --param NAME=VALUE    as for start; repeatable\n"
            "  -q, --quiet           say nothing when all went well\n",
    .run = run,
};
