/* SPDX-License-Identifier: MIT
 *
 * client.h - a client of a run: one loop that reads, calls the program, writes, commits.
 * Layer: sdk. The parts it is made of have a file each; client.c puts them together and
 * is the only one that sleeps.
 */
#ifndef SDK_CLIENT_H
#define SDK_CLIENT_H

#include "sdk/broker.h"
#include "sdk/commit.h"
#include "sdk/config.h"
#include "sdk/dead.h"
#include "sdk/emission.h"
#include "sdk/kafka_in.h"
#include "sdk/kafka_out.h"
#include "sdk/link.h"
#include "sdk/node.h"
#include "sdk/part.h"
#include "sdk/revival.h"
#include "sdk/source.h"
#include "sdk/stats.h"

enum { CLIENT_FAILED = 1, CLIENT_INTERRUPTED = 130 };

enum client_phase {
    CLIENT_RUNNING,
    CLIENT_DRAINING, /* nothing more is taken, what is in hand is finished */
    CLIENT_LEAVING,  /* committed; waits until the group has taken the partitions */
    CLIENT_OVER,
};

struct client {
    struct dagnode n;
    struct config config;
    struct link link;
    int wake_fd;   /* every librdkafka queue signals here */
    int signal_fd; /* SIGTERM */

    int64_t now_ms;  /* monotonic, as of the last client_tick */
    int64_t wall_ms;
    enum client_phase phase;
    bool leave;
    bool paused;
    bool ready;
    bool handled; /* records since the last on_commit */
    int signals;
    int64_t taken;

    struct parts parts;
    struct kafka_in in;
    struct kafka_out out;
    struct source source;
    struct commit commit;
    struct broker broker;
    struct revival revival;
    struct dead_queue dead;
    struct stats stats;
    struct emissions emissions;

    int exit_code;
    char failure[640]; /* empty: none */
};

/* Run as the runner's client on this descriptor; returns the exit code. */
int client_main(int argc, char **argv, const struct dagnode_ops *ops, int fd);

/* The first failure ends the client with its exit code, after an "error" line. */
void client_fail(struct client *client, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool client_failed(const struct client *client)
{
    return client->failure[0] != '\0';
}

/* Look at the clocks; returns the ms since the last look. */
int64_t client_tick(struct client *client);

/*
 * Sleep until something happens, at most timeout_ms, then serve the runner, delivery
 * reports and commits, but take no records: callable from wherever one has to wait.
 */
void client_serve(struct client *client, int64_t timeout_ms);

/* Say that records may come now (once). */
void client_ready(struct client *client);

/* Nothing in hand; and for idle: everything committed. */
bool client_is_at_rest(const struct client *client);
bool client_is_idle(const struct client *client);

#endif
