/* SPDX-License-Identifier: MIT
 *
 * ledger.h - the embedded broker: a single-node log server that speaks Kafka's
 * protocol. Layer: ledger. One thread: everything happens in loop_wait's callbacks and
 * in ledger_tick. The caller owns loop and signals:
 *
 *     while (!stop)
 *         loop_wait(loop, ledger_tick(ledger));
 *
 * What is answered as written has been given to the kernel: kill -9 loses nothing. A
 * power cut loses at most the last fsync_interval_ms, nothing with LEDGER_FSYNC_ALWAYS.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/error.h"
#include "base/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct ledger;

enum ledger_fsync { LEDGER_FSYNC_INTERVAL, LEDGER_FSYNC_ALWAYS };

struct ledger_settings {
    const char *host;            /* to listen on */
    int port;                    /* 0: the kernel's choice */
    const char *advertised_host; /* what clients are told; NULL: host, or the machine's
                                  * name when that is every address */
    int advertised_port;         /* 0: the port it listens on */
    const char *data_dir;        /* made when it is missing */
    bool auto_create_topics;
    int default_partitions;
    int64_t group_initial_rebalance_delay_ms;
    int64_t retention_ms, retention_bytes, segment_bytes; /* defaults of topics */
    enum ledger_fsync fsync;
    int64_t fsync_interval_ms;
    int64_t idle_stop_ms; /* ledger_idle says true after so long without clients; 0:
                             never */
    int max_connections;  /* at most; and at most half of the descriptors */
};

void ledger_settings_default(struct ledger_settings *settings);

/*
 * Lock and open the data folder, recover it, listen. settings and its texts are copied.
 * Returns NULL and err: ERROR_CONFLICT when another process has the folder.
 */
struct ledger *ledger_open(struct loop *loop, const struct ledger_settings *settings,
                           struct error *err);

/* Answer what is in work, close the logs clean, unlock. NULL is fine. */
void ledger_close(struct ledger *ledger);

int ledger_port(const struct ledger *ledger);
const char *ledger_cluster_id(const struct ledger *ledger);
bool ledger_idle(const struct ledger *ledger);

/* Do what is due; returns the monotonic time of the next call. */
int64_t ledger_tick(struct ledger *ledger);

#endif
