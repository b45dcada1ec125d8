/* SPDX-License-Identifier: MIT
 *
 * embedded.h - the embedded broker of a state directory, as its users see it: where it
 * is, starting it when it does not run, starting it again when it dies under a run.
 * Layer: cli. The broker is a process of its own ('dagrun broker run') that belongs to no
 * run; its lock says whether it lives, its state file where it listens.
 */
#ifndef CLI_EMBEDDED_H
#define CLI_EMBEDDED_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What --brokers, kafka.brokers and the history call it. */
#define EMBEDDED_NAME "embedded"

/* What a broker that does not start writes into its log, before the error. */
#define EMBEDDED_EXIT "ends with exit code "

/* ------------------------------------------------------------------ files and state */

/* A file of the broker's folder: "lock", "log", "state.json", "settings.yaml", "data".
 * The caller frees. */
char *embedded_path(const char *home, const char *name);

/* What the broker wrote when it was ready. Zero-initialise; embedded_state_clear. */
struct embedded_state {
    pid_t pid;
    char *address;  /* host:port for clients; NULL: it was never started */
    char *listen;   /* host:port that it binds */
    char *data;     /* its data folder */
    char *version;  /* of the program that serves */
    char **flags;   /* of its command line, for the next start after a crash */
    size_t flag_count;
    int64_t started_ms; /* wall clock */
    bool ended;         /* in good order */
};
void embedded_state_read(const char *home, struct embedded_state *out);

/* On a full disk the file is written over in place: a broker must come back there, too. */
int embedded_state_write(const char *home, const struct embedded_state *state,
                         struct error *err);
void embedded_state_clear(struct embedded_state *state);

/* Bytes that its disk has for it; -1: not known. */
int64_t embedded_space(const struct embedded_state *state);

/* Does it live and serve? Fills state when it does. */
bool embedded_is_up(const char *home, struct embedded_state *state);

/*
 * Start it, unless it lives, and wait until it serves: at most 60 s, for it may have to
 * check what a crash left. flags are for 'dagrun broker run'; NULL: those of last time,
 * so that whoever needs it finds its data again, however it ended.
 * Errors: ERROR_INPUT a fault in the settings file; ERROR_FAILED with its last words.
 */
int embedded_start(const char *home, char *const *flags, size_t flag_count,
                   struct embedded_state *state, struct error *err);

/* host:port of a broker as it is named: the embedded one is started if need be, others
 * are what they are called. The caller frees. NULL and err as embedded_start. */
char *embedded_resolve(const char *home, const char *broker, struct error *err);

/* ---------------------------------------------------------------- watched by a runner */

struct embedded;
typedef void embedded_talk_fn(void *arg, const char *text);

/* Start it if need be and watch it on the loop. NULL and err when it does not start. */
struct embedded *embedded_open(struct loop *loop, const char *home,
                               embedded_talk_fn *talk, void *arg, struct error *err);
void embedded_close(struct embedded *embedded); /* the broker goes on; NULL is fine */

const char *embedded_address(const struct embedded *embedded);

/* After every loop_wait: starts it again when it has died, with a growing pause, and says
 * when it does not start or its disk is full. Returns when it wants to be called again,
 * clock_mono_ms. NULL is fine. */
int64_t embedded_step(struct embedded *embedded);

#endif
