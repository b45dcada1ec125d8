/* SPDX-License-Identifier: MIT
 *
 * socket_broker.h - a broker as a process of its own, and a client that waits for
 * answers.
 */
#ifndef TESTS_SOCKET_BROKER_H
#define TESTS_SOCKET_BROKER_H

#include "ledger/wire/api.h"

#include <sys/types.h>

struct socket_broker {
    const char *program; /* tests/support/ledger_main */
    char *data_dir;
    char *log_path; /* its stderr, sanitizer reports too */
    pid_t pid;      /* 0: does not run */
    int port;
};

/* 0, or -1 after a line on stderr. */
int socket_broker_start(struct socket_broker *broker);
bool socket_broker_lives(struct socket_broker *broker);
/* The most memory that it ever had in use. */
int64_t socket_broker_peak_bytes(const struct socket_broker *broker);
/* SIGTERM; 0 when it ended by itself with exit code 0 within a minute. */
int socket_broker_stop(struct socket_broker *broker);
void socket_broker_kill(struct socket_broker *broker);

/* A connected socket, or -1. */
int socket_connect(int port);

/*
 * Send a request in the version given and wait for its answer (30 s). response is
 * filled, its parts lie in arena. 0, or -1 after a line on stderr.
 */
int socket_call(int fd, enum wire_key key, int16_t version, const void *request,
                struct mem_arena *arena, void *response);

#endif
