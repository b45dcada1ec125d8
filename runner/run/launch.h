/* SPDX-License-Identifier: MIT
 *
 * launch.h - starts a client, and the parts of its config that "send" needs as well.
 * Layer: run.
 */
#ifndef RUN_LAUNCH_H
#define RUN_LAUNCH_H

#include "base/json.h"
#include "core/dag.h"

struct run_client;

/* The number of a client's socket in the client. */
enum { LAUNCH_FD = 3 };

/*
 * Start the client's next attempt and record it. 0: a process runs. -1: none could be
 * started, client->last_error says why.
 */
int launch_client(struct run_client *client);

/* "with" and "kafka" of a client's config (base/contract.h). The caller owns them. */
json_t *launch_settings(const struct dag_settings *settings, bool values_are_json);
json_t *launch_kafka(const struct dag *dag, const char *brokers);

/* Our environment, a node's own on top, and the number of its socket; NULL-terminated,
 * freed by launch_free_strings, which any such list may go to. */
char **launch_environment(const struct dag_node *node);
void launch_free_strings(char **strings);

#endif
