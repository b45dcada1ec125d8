/* SPDX-License-Identifier: MIT
 *
 * source.h - what the web layer asks for: given in by the cli, a fake in the tests.
 * Layer: web. Answers are JSON objects that the caller owns, the same as those of
 * --json; NULL and err when there is none. Nothing here may wait.
 */
#ifndef WEB_SOURCE_H
#define WEB_SOURCE_H

#include "base/error.h"
#include "base/json.h"

struct web_run_filter {
    const char *dag;   /* NULL: all */
    const char *state; /* NULL: all */
    int64_t since_ms;  /* 0: whenever */
    const char *after; /* the cursor of an earlier page, or NULL */
    int limit;
};

/* A piece of a log: bytes [from, from + len) of its parts, which have size bytes now. */
struct web_log_piece {
    char *data; /* the caller frees */
    size_t len;
    int64_t from;
    int64_t size;
    int64_t id; /* another one: the oldest part is gone, all bytes have other places */
};

/* A whole log, read from its begin. */
struct web_log {
    int64_t size;
    /* The next bytes; 0 when there are none, also when it became shorter than size. */
    size_t (*read)(struct web_log *log, char *bytes, size_t room);
    void (*close)(struct web_log *log);
};

/* What flowed over a run, for a chart: of a node, a client of it, an edge or all. */
struct web_samples_query {
    const char *dag;
    int64_t run;      /* 0: the last */
    const char *node; /* NULL: not said */
    const char *client;
    const char *edge;
    const char *metric; /* NULL: all */
    int64_t since_ms;   /* 0: from its begin */
    int64_t until_ms;   /* 0: to its end */
    int points;         /* 0: as many as there may be */
};

struct web_log_query {
    const char *dag;
    int64_t run;
    const char *node;
    const char *client;
    int64_t attempt;
    int64_t from; /* negative: so many bytes before the end */
    size_t limit;
};

struct web_action {
    const char *verb; /* stop pause resume restart scale */
    const char *dag;
    const char *node;   /* NULL: all */
    const char *client; /* NULL: all */
    int64_t clients;    /* of a scale */
    bool now;
    const char *by; /* who asks */
};

struct web_start {
    const char *file; /* of those in files */
    bool restart;     /* its run is stopped first, when there is one */
    bool fresh;
    bool keep;
};

/* Messages of an edge, WRITER:READER (READER may be "dlq"). Texts as dagrun tap has them;
 * NULL: not said. */
struct web_messages {
    const char *dag;
    const char *writer;
    const char *reader;
    int64_t partition; /* -1: all */
    int64_t offset;    /* -1: a page; else only this one of the partition, whole */
    int64_t limit;     /* of a page */
    const char *from;
    const char *until;
    const char *contains;
    const char *key;
    const char *header;
    const char *where;
};

/* Dead letters of a dag. Texts as dagrun dlq has them; NULL: not said. */
enum web_letters_what {
    WEB_LETTERS_GROUPS,
    WEB_LETTERS_PAGE,
    WEB_LETTERS_REPLAY,
    WEB_LETTERS_DROP,
};
struct web_letters {
    enum web_letters_what what;
    const char *dag;
    const char *node;
    const char *reason;
    const char *failed_at;
    const char *since;
    const char *until;
    const char *offsets; /* "3,17" */
    int64_t partition;   /* -1: any */
    const char *state;   /* of a page, as the next two */
    const char *from;
    int64_t limit;
    bool all; /* of an action, as the following */
    bool dry_run;
    bool force;
    const char *note;
    const char *by;
};

/* Something that was begun, for cancel. */
struct web_job;

/* Something that was done, or refused. */
struct web_deed {
    const char *who;  /* "": nobody that is known */
    const char *role; /* NULL: of nobody */
    const char *peer; /* the address */
    const char *action;
    const char *dag;    /* NULL: of none */
    const char *target; /* NULL: none */
    const char *detail; /* a JSON object as text, or NULL */
    bool ok;
    const char *text; /* the answer, or why it was refused; NULL */
};

struct web_audit_filter {
    const char *dag;   /* NULL: all */
    int64_t since_ms;  /* 0: whenever */
    const char *after; /* the cursor of an earlier page, or NULL */
    int limit;
};

/* It has been taken up, with a text to show or NULL; err is set when it was refused. text
 * is taken, also beside err. */
typedef void web_done_fn(void *arg, char *text, const struct error *err);

struct web_source {
    void *arg;
    /* Can the history be read? */
    bool (*ready)(void *arg, struct error *err);
    /* The status objects of all runs that live, an array; borrowed. */
    const json_t *(*live)(void *arg);
    json_t *(*dags)(void *arg, struct error *err);
    json_t *(*runs)(void *arg, const struct web_run_filter *filter, struct error *err);
    /* run 0: the last. */
    json_t *(*run)(void *arg, const char *dag, int64_t run, struct error *err);
    /* The last run's, live or not. */
    json_t *(*status)(void *arg, const char *dag, struct error *err);
    json_t *(*graph)(void *arg, const char *dag, int64_t run, struct error *err);
    json_t *(*samples)(void *arg, const struct web_samples_query *query,
                       struct error *err);
    /* Which logs a run has. */
    json_t *(*logs)(void *arg, const char *dag, int64_t run, struct error *err);
    int (*log)(void *arg, const struct web_log_query *query, struct web_log_piece *out,
               struct error *err);
    struct web_log *(*log_open)(void *arg, const struct web_log_query *query,
                                struct error *err);
    /* Lines with text in them; done gets a JSON text. NULL: it was called already. */
    struct web_job *(*log_search)(void *arg, const struct web_log_query *query,
                                  const char *text, int64_t limit, web_done_fn *done,
                                  void *done_arg);
    /* Calls done exactly once, now or later, unless the source is closed before.
     * Nothing of action is kept. */
    void (*act)(void *arg, const struct web_action *action, web_done_fn *done,
                void *done_arg);
    /* Record it; and what has been recorded. */
    void (*audit)(void *arg, const struct web_deed *deed);
    json_t *(*audits)(void *arg, const struct web_audit_filter *filter,
                      struct error *err);
    /* The files that may be started, and a start of one; done as above. */
    json_t *(*files)(void *arg);
    /* Is one right (JSON), or what does its graph look like (SVG)? NULL: done was called. */
    struct web_job *(*file_look)(void *arg, const char *name, bool check,
                                 web_done_fn *done, void *done_arg);
    void (*start)(void *arg, const struct web_start *start, web_done_fn *done,
                  void *done_arg);
    /* A page of messages, or one; done gets a JSON text. NULL: it was called already. */
    struct web_job *(*messages)(void *arg, const struct web_messages *query,
                                web_done_fn *done, void *done_arg);
    /* done gets a JSON text. NULL: it was called already. */
    struct web_job *(*letters)(void *arg, const struct web_letters *query,
                               web_done_fn *done, void *done_arg);
    /* End what was begun; its done is called with ERROR_INTERRUPTED. */
    void (*cancel)(void *arg, struct web_job *job);
};

#endif
