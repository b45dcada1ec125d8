/* SPDX-License-Identifier: MIT
 *
 * dagnode.h - write a program that is a node of a dagrun graph.
 *
 * A program is a table of functions. dagnode_main() runs it: it reads records from the
 * node's input topics, calls on_record(), sends what the program emits, commits an input
 * only after all its outputs are acknowledged, and keeps what fails as dead letters.
 *
 *     static int on_record(struct dagnode *n, const struct dagnode_record *in,
 *                          void *state, struct dagnode_error *err)
 *     {
 *         return dagnode_forward(n, in, err);
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct dagnode_ops ops = {
 *             .abi = DAGNODE_ABI, .name = "copy", .doc = "Passes records on unchanged.",
 *             .on_record = on_record };
 *         return dagnode_main(argc, argv, &ops);
 *     }
 *
 * How the program can be called:
 *     by dagrun                          as a node of a graph
 *     PROGRAM --describe                 print options, arguments and docs as JSON
 *     PROGRAM --pipe [--with K=V …] […]  values from stdin, a line each, outputs to
 *                                        stdout, dead letters to stderr; no Kafka
 *
 * Threads: everything here is called from the thread that called dagnode_main(), and all
 * callbacks run on it. A callback that blocks stops its client only.
 * Memory: pointers handed to a callback are borrowed and valid until it returns.
 * Strings are UTF-8 and NUL-terminated; keys and values are bytes with a length.
 * Only libc is needed to include this. Link with: pkg-config --cflags --libs dagnode
 */
#ifndef DAGNODE_H
#define DAGNODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DAGNODE_ABI 1

/* One client: the running program. */
struct dagnode;

/* Why a callback failed. Zero-initialised by the caller; the first error stays. */
enum dagnode_error_kind {
    DAGNODE_NO_ERROR = 0,
    DAGNODE_DECODE,    /* the record is not what the program reads   → dead letter */
    DAGNODE_TRANSFORM, /* the program can't do what the record asks  → dead letter */
    DAGNODE_SINK,      /* the program could not store the record     → dead letter */
    DAGNODE_FATAL,     /* the client can't go on: it exits and is restarted; the record
                          is not lost, it is taken again */
    DAGNODE_USAGE,     /* on_start(): arguments or options don't fit each other: the
                          client exits 2 and is not restarted */
};
struct dagnode_error {
    enum dagnode_error_kind kind;
    char text[512];
};

/* Set err; for printf-like text. Returns -1, so that "return dagnode_fail(…)" reads well. */
int dagnode_fail(struct dagnode_error *err, enum dagnode_error_kind kind,
                 const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* A record as it came from the broker. */
struct dagnode_record {
    const char *key; /* NULL: none; not NUL-terminated */
    size_t key_len;
    const char *value; /* NULL: none (a Kafka tombstone); not NUL-terminated */
    size_t value_len;
    int64_t timestamp_ms; /* since 1970 UTC; -1: none */
    const char *topic;
    int32_t partition;
    int64_t offset;
    const void *internal; /* for dagnode_header() */
};

/* The last header with this name: true, and its bytes (*value may be NULL). */
bool dagnode_header(const struct dagnode_record *record, const char *name,
                    const void **value, size_t *len);

/*
 * What a program sends. Zero members mean: as the record in hand has it. So timestamp,
 * key and headers of an input pass through by themselves.
 */
struct dagnode_output {
    const void *value; /* NULL: a record without value */
    size_t value_len;
    const void *key;
    size_t key_len;
    bool replace_key;     /* take key above, NULL included, instead of the input's */
    int64_t timestamp_ms; /* 0: the input's; a source: now */
    int64_t position;     /* sources only: the source's place after this record, > 0 */
};

/*
 * Send a record to every output topic of the node; a copy is made. From on_record() the
 * outputs belong to the record in hand. From on_poll() position is what a later attempt
 * gets from dagnode_position() once the record is acknowledged.
 * A node without outputs emits into nothing: that is no error.
 * Returns 0; -1 with err (DAGNODE_FATAL) when the client must stop. It may wait until the
 * broker takes records again (back-pressure), serving events meanwhile.
 */
int dagnode_emit(struct dagnode *n, const struct dagnode_output *out,
                 struct dagnode_error *err);

/* Send the record in hand on unchanged: key, value, timestamp, headers. As dagnode_emit. */
int dagnode_forward(struct dagnode *n, const struct dagnode_record *in,
                    struct dagnode_error *err);

/* Options of "with:" as the program declares them. */
enum dagnode_type {
    DAGNODE_STRING,
    DAGNODE_INT,      /* whole number */
    DAGNODE_NUMBER,   /* number */
    DAGNODE_BOOL,
    DAGNODE_PATH,     /* file name; relative ones start at the YAML's folder */
    DAGNODE_SIZE,     /* "64KiB", given to the program in bytes */
    DAGNODE_DURATION, /* "500ms", given to the program in ms */
};
struct dagnode_option {
    const char *name; /* NULL ends the list */
    enum dagnode_type type;
    const char *fallback; /* as it would stand in YAML; NULL: none */
    const char *doc;
    bool required;
};

/* What on_poll() of a source reports. */
enum dagnode_poll {
    DAGNODE_FAILED = -1, /* err is set */
    DAGNODE_MORE = 0,    /* call again at once */
    DAGNODE_WAIT = 1,    /* nothing now: call again when the descriptor or the delay of
                            dagnode_wait_for() says so; 10 ms when it was not called */
    DAGNODE_END = 2,     /* everything is emitted: the source is finished */
};

/* The program. Members that are NULL are left out. */
struct dagnode_ops {
    int abi; /* DAGNODE_ABI */
    const char *name;
    const char *doc;       /* one line */
    const char *args_usage; /* "OPERATOR_1 OPERATOR_2 OPERATION"; NULL: takes none */
    int args_min;
    int args_max; /* -1: any number */
    const struct dagnode_option *options;
    bool any_option; /* "with:" may hold other names as well; see dagnode_option_name() */
    bool sink;       /* never emits: the node may not have outputs */

    /* Before the first record. *state is handed to all other callbacks. */
    int (*on_start)(struct dagnode *n, void **state, struct dagnode_error *err);

    /* Not a source: a record. 0: answered, with what was emitted. -1: err says why. */
    int (*on_record)(struct dagnode *n, const struct dagnode_record *in, void *state,
                     struct dagnode_error *err);

    /* A source: emit some records (aim at ≤ 1,000 a call), say what comes next. */
    enum dagnode_poll (*on_poll)(struct dagnode *n, void *state, struct dagnode_error *err);

    /*
     * Make everything handled so far durable (fsync). Called before offsets are committed
     * when records were handled since the last call. -1: nothing is committed and the
     * client stops; the records are taken again.
     */
    int (*on_commit)(struct dagnode *n, void *state, struct dagnode_error *err);

    /* At the end, after the last record, on success and on failure. Frees state. */
    void (*on_stop)(struct dagnode *n, void *state);
};

/* Run the program. Returns the exit code for main(). ops must outlive the call. */
int dagnode_main(int argc, char **argv, const struct dagnode_ops *ops);

/* The arguments after the program's name, as "args:" has them; *count of them. */
const char *const *dagnode_args(const struct dagnode *n, int *count);

/*
 * The value of a declared option: what "with:" says, else the fallback. For a name that
 * the program did not declare, or no value at all: NULL, 0 or false.
 */
const char *dagnode_option_string(const struct dagnode *n, const char *name); /* and PATH */
int64_t dagnode_option_int(const struct dagnode *n, const char *name); /* INT SIZE DURATION */
double dagnode_option_number(const struct dagnode *n, const char *name);
bool dagnode_option_bool(const struct dagnode *n, const char *name);
bool dagnode_option_given(const struct dagnode *n, const char *name); /* stands in "with:" */

/* All names that stand in "with:", in its order; NULL after the last. */
const char *dagnode_option_name(const struct dagnode *n, size_t index);
/* The value of such a name as JSON text ("\"tag\"", "5", "true"), NULL when not there. */
const char *dagnode_option_json(const struct dagnode *n, const char *name);

/* A source: where the last attempt had got to; 0 at a fresh beginning. */
int64_t dagnode_position(const struct dagnode *n);

/* A source, before it returns DAGNODE_WAIT: fd (-1: none) readable or after delay_ms. */
void dagnode_wait_for(struct dagnode *n, int fd, int64_t delay_ms);

/* Who am I: "calc", "0", "arithmetic.calc.0", the dag's name. In --pipe: the program's. */
const char *dagnode_node(const struct dagnode *n);
const char *dagnode_client(const struct dagnode *n);
const char *dagnode_client_id(const struct dagnode *n);
const char *dagnode_dag(const struct dagnode *n);

#ifdef __cplusplus
}
#endif

#endif
