/* SPDX-License-Identifier: MIT */
#include "sdk/revival.h"

#include "base/mem.h"
#include "sdk/client.h"

#include <stdlib.h>

enum { AGAIN_MS = 5000, LONG_MS = 60000 };

static void add_brokers(rd_kafka_t *rk)
{
    static const char name[] = "bootstrap.servers";
    const rd_kafka_conf_t *conf = rd_kafka_conf(rk);
    size_t len = 0;
    char *servers;

    if (rd_kafka_conf_get(conf, name, NULL, &len) != RD_KAFKA_CONF_OK || len == 0)
        return;
    servers = mem_alloc(len + 1);
    if (rd_kafka_conf_get(conf, name, servers, &len) == RD_KAFKA_CONF_OK)
        (void)rd_kafka_brokers_add(rk, servers);
    free(servers);
}

void revival_begin(struct client *client)
{
    struct revival *revival = &client->revival;

    if (!revival->wanted)
        revival->next_ms = client->now_ms + AGAIN_MS;
    revival->wanted = true;
    revival->back_ms = 0;
}

void revival_step(struct client *client)
{
    rd_kafka_t *handles[] = {client->out.rk, client->out.strict, client->in.rk,
                             client->commit.rk, client->dead.reader};
    struct revival *revival = &client->revival;
    int64_t now_ms = client->now_ms;

    if (!revival->wanted || now_ms < revival->next_ms || client->phase == CLIENT_OVER)
        return;
    revival->next_ms = now_ms + AGAIN_MS;
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
        if (handles[i])
            add_brokers(handles[i]);
    }
    if (!client->broker.reachable)
        revival->back_ms = 0;
    else if (revival->back_ms == 0)
        revival->back_ms = now_ms;
    else if (now_ms - revival->back_ms > LONG_MS)
        revival->wanted = false;
}
