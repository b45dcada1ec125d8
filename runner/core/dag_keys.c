/* SPDX-License-Identifier: MIT */
#include "core/dag_keys.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

static const char *const restart_choices[] = {"on-failure", "always", "never", NULL};
static const char *const delivery_choices[] = {"at_least_once", "exactly_once", NULL};

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

#define AT(type, member) .offset = offsetof(struct type, member)
#define POS(type, member) .pos_offset = offsetof(struct type, member)
#define LATER(where, key, text)                                                            \
    {.scope = (where), .name = (key), .flags = DAG_KEY_LATER | DAG_KEY_DEFAULT, .doc = (text)}

const struct dag_key dag_keys[] = {
    /* The file. */
    {.scope = DAG_SCOPE_ROOT, .name = "name", .type = DAG_TYPE_NAME,
     .fallback = "the file's name without .yaml",
     .doc = "The dag's name. Topics, consumer groups and client ids begin with it.",
     AT(dag, name)},
    {.scope = DAG_SCOPE_ROOT, .name = "kafka", .type = DAG_TYPE_SECTION,
     .inner = DAG_SCOPE_KAFKA, .doc = "The broker, and how to talk to it."},
    {.scope = DAG_SCOPE_ROOT, .name = "defaults", .type = DAG_TYPE_SECTION,
     .inner = DAG_SCOPE_DEFAULTS,
     .doc = "Settings that hold for every node or edge that does not say otherwise."},
    {.scope = DAG_SCOPE_ROOT, .name = "nodes", .type = DAG_TYPE_NODES,
     .inner = DAG_SCOPE_NODE, .flags = DAG_KEY_REQUIRED,
     .doc = "The nodes by name, in any order. 'dlq', 'retry' and 'parking' are reserved."},

    {.scope = DAG_SCOPE_KAFKA, .name = "brokers", .type = DAG_TYPE_BROKERS,
     .fallback = "--brokers, else DAGRUN_BROKERS, else embedded",
     .doc = "Where the broker is; embedded: dagrun's own one. --brokers on the command line "
            "wins over it.",
     AT(dag, brokers), POS(dag, brokers_pos)},
    {.scope = DAG_SCOPE_KAFKA, .name = "properties", .type = DAG_TYPE_KAFKA,
     .fallback = "{}",
     .doc = "Properties of librdkafka for every connection of the runner and the clients, "
            "such as security.protocol; what `debug` asks for is in the clients' logs. Names "
            "are checked at start.",
     AT(dag, kafka)},
    {.scope = DAG_SCOPE_KAFKA, .name = "prefix", .type = DAG_TYPE_PREFIX, .fallback = "\"\"",
     .doc = "Put in front of every topic and consumer group that dagrun names.",
     AT(dag, prefix)},

    {.scope = DAG_SCOPE_DEFAULTS, .name = "node", .type = DAG_TYPE_DEFAULTS,
     .inner = DAG_SCOPE_NODE,
     .doc = "Node settings for all nodes. Names in env are added to those of the node."},
    {.scope = DAG_SCOPE_DEFAULTS, .name = "edge", .type = DAG_TYPE_DEFAULTS,
     .inner = DAG_SCOPE_EDGE, .doc = "Edge settings for all edges."},

    /* A node. */
    {.scope = DAG_SCOPE_NODE, .name = "program", .type = DAG_TYPE_PROGRAM,
     .flags = DAG_KEY_REQUIRED,
     .doc = "The program that handles the records: a built-in one by its name ('dagrun "
            "programs' lists them), or a path, which starts at the YAML's folder.",
     AT(dag_node, program), POS(dag_node, program_pos)},
    {.scope = DAG_SCOPE_NODE, .name = "args", .type = DAG_TYPE_ARGS, .fallback = "[]",
     .doc = "Arguments of the program, exactly as written (007 stays 007), never through a "
            "shell.",
     AT(dag_node, args), POS(dag_node, args_pos)},
    {.scope = DAG_SCOPE_NODE, .name = "with", .type = DAG_TYPE_WITH, .fallback = "{}",
     .doc = "Options of the program. It declares their names, types and defaults; they are "
            "checked against that before anything starts. Numbers, true, false and null "
            "are YAML 1.2's; whole numbers keep all digits.",
     AT(dag_node, with)},
    {.scope = DAG_SCOPE_NODE, .name = "from", .type = DAG_TYPE_FROM, .inner = DAG_SCOPE_EDGE,
     .fallback = "none: the node is a source",
     .doc = "The nodes whose records this one reads. Every one is an edge, a topic of its "
            "own unless 'topic' says otherwise."},
    {.scope = DAG_SCOPE_NODE, .name = "clients", .type = DAG_TYPE_CLIENTS,
     .flags = DAG_KEY_DEFAULT, .fallback = "1", .range = "1 to 1000", .min = 1, .max = 1000,
     .doc = "How many processes run the program. They share its input. A number N means "
            "the ids 0 to N-1; a list names the ids.",
     AT(dag_node, clients), POS(dag_node, clients_pos)},
    {.scope = DAG_SCOPE_NODE, .name = "restart", .type = DAG_TYPE_POLICY,
     .inner = DAG_SCOPE_RESTART, .flags = DAG_KEY_DEFAULT, .fallback = "on-failure",
     .choices = restart_choices,
     .doc = "What happens when a process of the node ends. In short form only the policy, "
            "or a map with the keys of 'restart' below.",
     AT(dag_node, restart)},
    {.scope = DAG_SCOPE_NODE, .name = "stop", .type = DAG_TYPE_SECTION,
     .inner = DAG_SCOPE_STOP, .flags = DAG_KEY_DEFAULT,
     .doc = "How much time a process gets to stop.", AT(dag_node, stop)},
    {.scope = DAG_SCOPE_NODE, .name = "env", .type = DAG_TYPE_ENV, .flags = DAG_KEY_DEFAULT,
     .fallback = "{}",
     .doc = "Environment variables, added to those that dagrun was started with. Values "
            "stay exactly as written.",
     AT(dag_node, env)},
    {.scope = DAG_SCOPE_NODE, .name = "cwd", .type = DAG_TYPE_PATH, .flags = DAG_KEY_DEFAULT,
     .fallback = "the YAML's folder",
     .doc = "The folder in which the program runs. A relative one starts at the YAML's "
            "folder.",
     AT(dag_node, cwd)},
    {.scope = DAG_SCOPE_NODE, .name = "delivery", .type = DAG_TYPE_CHOICE,
     .flags = DAG_KEY_DEFAULT, .fallback = "at_least_once", .choices = delivery_choices,
     .choice_later = "exactly_once",
     .doc = "What a crash may do: at_least_once loses nothing and may repeat records.",
     AT(dag_node, delivery)},
    LATER(DAG_SCOPE_NODE, "run", "Any program over stdin and stdout, instead of 'program'."),
    LATER(DAG_SCOPE_NODE, "retry", "Trying a record again before it is a dead letter."),
    LATER(DAG_SCOPE_NODE, "timeout", "The longest time for one record."),
    LATER(DAG_SCOPE_NODE, "on_error", "dlq, stop or drop."),
    LATER(DAG_SCOPE_NODE, "concurrency", "Records in work at the same time in one process."),
    LATER(DAG_SCOPE_NODE, "order", "partition, key or none."),
    LATER(DAG_SCOPE_NODE, "batch", "Handing the program many records at once."),
    LATER(DAG_SCOPE_NODE, "scale", "Clients by backlog."),
    LATER(DAG_SCOPE_NODE, "limits", "Memory, CPU and files of a process."),
    LATER(DAG_SCOPE_NODE, "trace", "A header per record that tells its way."),

    /* An edge. */
    {.scope = DAG_SCOPE_EDGE, .name = "topic", .type = DAG_TYPE_TEXT,
     .fallback = "<prefix><dag>.<from>.<to>",
     .doc = "The Kafka topic. Edges that leave one node and name the same topic share it: "
            "it is written once and read by each; their settings must be the same.",
     AT(dag_edge, topic), POS(dag_edge, topic_pos)},
    {.scope = DAG_SCOPE_EDGE, .name = "partitions", .type = DAG_TYPE_INT,
     .flags = DAG_KEY_DEFAULT,
     .fallback = "1 when every reader of the topic has one client, else 4 times the "
                 "largest number of clients",
     .range = "1 to 10000", .min = 1, .max = 10000,
     .doc = "Partitions of the topic: the most clients of a node that can share its input. "
            "Order is kept within a partition.",
     AT(dag_edge, partitions), POS(dag_edge, partitions_pos)},
    {.scope = DAG_SCOPE_EDGE, .name = "replication", .type = DAG_TYPE_INT,
     .flags = DAG_KEY_DEFAULT, .fallback = "-1, the broker's default",
     .range = "-1 to 32767", .min = -1, .max = 32767,
     .doc = "Copies that the cluster keeps of each partition.", AT(dag_edge, replication)},
    {.scope = DAG_SCOPE_EDGE, .name = "retention", .type = DAG_TYPE_DURATION,
     .flags = DAG_KEY_DEFAULT, .fallback = "1h", .range = "0s to 36500d", .min = 0,
     .max = 36500 * DAY,
     .doc = "How long records stay after every reader has finished them. Unread records "
            "are never deleted.",
     AT(dag_edge, retention_ms)},
    {.scope = DAG_SCOPE_EDGE, .name = "max_record", .type = DAG_TYPE_SIZE,
     .flags = DAG_KEY_DEFAULT, .fallback = "2MiB", .range = "1KiB to 512MiB",
     .min = INT64_C(1) << 10, .max = INT64_C(512) << 20,
     .doc = "The largest record, with key and headers. A larger one is a dead letter of "
            "the node that wrote it.",
     AT(dag_edge, max_record_bytes)},
    LATER(DAG_SCOPE_EDGE, "when", "A condition that records on this edge fulfil."),
    LATER(DAG_SCOPE_EDGE, "max_lag", "Unread records at which the writer waits."),

    {.scope = DAG_SCOPE_RESTART, .name = "policy", .type = DAG_TYPE_CHOICE,
     .fallback = "on-failure", .choices = restart_choices,
     .doc = "on-failure: after an exit code other than 0, 2 and 100, or a signal; always: "
            "also after 0; never.",
     AT(dag_restart_policy, when)},
    {.scope = DAG_SCOPE_RESTART, .name = "max", .type = DAG_TYPE_INT, .fallback = "5",
     .range = "1 to 1000000", .min = 1, .max = 1000000,
     .doc = "Starts within 'window'; one more and the node has failed.",
     AT(dag_restart_policy, max)},
    {.scope = DAG_SCOPE_RESTART, .name = "window", .type = DAG_TYPE_DURATION,
     .fallback = "60s", .range = "1s to 30d", .min = SECOND, .max = 30 * DAY,
     .doc = "The time in which 'max' is counted.", AT(dag_restart_policy, window_ms)},
    {.scope = DAG_SCOPE_RESTART, .name = "backoff", .type = DAG_TYPE_DURATION,
     .fallback = "100ms", .range = "1ms to 1h", .min = 1, .max = HOUR,
     .doc = "The wait before the first restart. It doubles with each, with jitter.",
     AT(dag_restart_policy, backoff_ms)},
    {.scope = DAG_SCOPE_RESTART, .name = "backoff_max", .type = DAG_TYPE_DURATION,
     .fallback = "30s", .range = "1ms to 24h", .min = 1, .max = DAY,
     .doc = "The longest wait before a restart.", AT(dag_restart_policy, backoff_max_ms)},

    {.scope = DAG_SCOPE_STOP, .name = "grace", .type = DAG_TYPE_DURATION, .fallback = "10s",
     .range = "0s to 24h", .min = 0, .max = DAY,
     .doc = "From SIGTERM to SIGKILL.", AT(dag_stop_policy, grace_ms)},
    {.scope = DAG_SCOPE_STOP, .name = "drain", .type = DAG_TYPE_DURATION, .fallback = "30s",
     .range = "0s to 30d", .min = 0, .max = 30 * DAY,
     .doc = "To finish what was taken, before SIGTERM.", AT(dag_stop_policy, drain_ms)},
    {.name = NULL},
};

const struct dag_key *dag_key_find(enum dag_scope scope, const char *name)
{
    for (const struct dag_key *key = dag_keys; key->name; key++) {
        if (key->scope == scope && strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

const char *dag_key_nearest(enum dag_scope scope, const char *name)
{
    enum { MANY = 64 };
    const char *names[MANY];
    size_t count = 0;

    for (const struct dag_key *key = dag_keys; key->name && count < MANY; key++) {
        if (key->scope == scope && !(key->flags & DAG_KEY_LATER))
            names[count++] = key->name;
    }
    return text_nearest(name, names, count);
}

static void list_choices(const struct dag_key *key, char expected[DAG_EXPECTED])
{
    size_t len = 0;

    for (const char *const *choice = key->choices; *choice; choice++) {
        const char *join = choice == key->choices ? "" : choice[1] ? ", " : " or ";

        if (key->choice_later == NULL || strcmp(*choice, key->choice_later) != 0)
            len += (size_t)snprintf(expected + len, DAG_EXPECTED - len, "%s%s", join,
                                    *choice);
    }
    if (key->type == DAG_TYPE_POLICY)
        (void)snprintf(expected + len, DAG_EXPECTED - len, ", or a map of settings");
}

void dag_key_expected(const struct dag_key *key, char expected[DAG_EXPECTED])
{
    static const char *const plain[DAG_TYPES] = {
        [DAG_TYPE_TEXT] = "text",
        [DAG_TYPE_NAME] = DAG_NAME_RULE,
        [DAG_TYPE_PREFIX] = "at most 48 letters, digits, '.', '_' and '-'",
        [DAG_TYPE_BROKERS] = "HOST:PORT, several with commas between them",
        [DAG_TYPE_PROGRAM] = "the name of a built-in program, or a path with a '/'",
        [DAG_TYPE_PATH] = "a folder",
        [DAG_TYPE_ARGS] = "a list of texts, such as [5, 2, sum]",
        [DAG_TYPE_ENV] = "a map of names to texts",
        [DAG_TYPE_KAFKA] = "a map of names to texts",
        [DAG_TYPE_WITH] = "a map of option names to values",
        [DAG_TYPE_FROM] = "the name of a node, a list of names, or a map of names to edge "
                          "settings",
        [DAG_TYPE_SECTION] = "a map of settings",
        [DAG_TYPE_DEFAULTS] = "a map of settings",
        [DAG_TYPE_NODES] = "a map of node names to nodes",
    };
    const char *range = key->range ? key->range : "";

    if (key->type == DAG_TYPE_INT)
        (void)snprintf(expected, DAG_EXPECTED, "a whole number, %s", range);
    else if (key->type == DAG_TYPE_DURATION)
        (void)snprintf(expected, DAG_EXPECTED, "a duration with its unit, %s", range);
    else if (key->type == DAG_TYPE_SIZE)
        (void)snprintf(expected, DAG_EXPECTED, "a size with its unit, %s", range);
    else if (key->type == DAG_TYPE_CLIENTS)
        (void)snprintf(expected, DAG_EXPECTED, "a whole number, %s, or a list of ids",
                       range);
    else if (key->choices)
        list_choices(key, expected);
    else
        (void)snprintf(expected, DAG_EXPECTED, "%s", plain[key->type]);
}

static const struct {
    const char *name;
    const char *why;
} refused[] = {
    {"bootstrap.servers", "write kafka.brokers"},
    {"metadata.broker.list", "write kafka.brokers"},
    {"client.id", "dagrun names every client <dag>.<node>.<id>"},
    {"group.id", "dagrun names the group of a node <prefix><dag>.<node>"},
    {"group.instance.id", "dagrun gives every client its own"},
    {"group.protocol", "restarts within milliseconds need the classic protocol"},
    {"group.remote.assignor", "restarts within milliseconds need the classic protocol"},
    {"partition.assignment.strategy", "all clients of a node must agree on it"},
    {"allow.auto.create.topics", "dagrun creates topics itself, with their settings"},
    {"enable.auto.commit", "dagrun commits an input only when its outputs are safe"},
    {"auto.commit.enable", "dagrun commits an input only when its outputs are safe"},
    {"auto.commit.interval.ms", "dagrun commits by itself"},
    {"enable.auto.offset.store", "dagrun stores an offset only when its outputs are safe"},
    {"offset.store.method", "offsets are kept by the broker"},
    {"auto.offset.reset", "dagrun decides where a reader begins"},
    {"isolation.level", "counts and ends depend on read_committed"},
    {"enable.partition.eof", "dagrun decides when a partition is done"},
    {"transactional.id", "dagrun names transactions itself"},
    {"enable.idempotence", "records may not be lost or swapped by a resend"},
    {"acks", "every record must be on all replicas in sync"},
    {"request.required.acks", "every record must be on all replicas in sync"},
    {"message.max.bytes", "write max_record at the edge"},
};

const char *dag_property_refusal(const char *property)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (strcmp(refused[i].name, property) == 0)
            return refused[i].why;
    }
    return NULL;
}

const char *dag_property_refused(size_t index)
{
    return index < sizeof refused / sizeof *refused ? refused[index].name : NULL;
}

bool dag_property_is_secret(const char *property)
{
    static const char *const words[] = {"password", "secret", "ssl.key.pem",
                                        "sasl.jaas", "oauthbearer.config", "token"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strstr(property, words[i]))
            return true;
    }
    return false;
}

bool dag_is_name(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > DAG_NAME_MAX || !isalnum((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    }
    return true;
}
