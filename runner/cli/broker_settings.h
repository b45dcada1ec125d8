/* SPDX-License-Identifier: MIT
 *
 * broker_settings.h - what can be set on the embedded broker: by the file
 * $DAGRUN_HOME/broker/settings.yaml and, winning over it, by options of the command line.
 * Layer: cli. One table has every name; a file says retention_bytes, an option
 * --retention-bytes.
 */
#ifndef CLI_BROKER_SETTINGS_H
#define CLI_BROKER_SETTINGS_H

#include "base/error.h"
#include "base/mem.h"
#include "ledger/ledger.h"

/* Zero-initialise; broker_settings_clear. */
struct broker_settings {
    struct mem_arena arena; /* holds the texts of ledger */
    struct ledger_settings ledger;
};

void broker_settings_default(struct broker_settings *settings, const char *data_dir);
void broker_settings_clear(struct broker_settings *settings);

/*
 * Read the file; one that is not there is fine.
 * Errors: ERROR_INPUT with every fault, "FILE:LINE:COLUMN: …" a line each.
 */
int broker_settings_read(struct broker_settings *settings, const char *path,
                         struct error *err);

/* Does argv[*i] set something? 1 it did, 0 it is no setting, -1 and err: a bad value. */
int broker_settings_option(struct broker_settings *settings, int argc, char **argv, int *i,
                           struct error *err);

/* The options' part of a --help page. */
#define BROKER_SETTINGS_HELP                                                                   \
    "  --listen HOST:PORT        where clients connect (127.0.0.1, a port of its choice)\n"    \
    "  --advertise HOST:PORT     what clients are told instead, behind a forwarded port\n"     \
    "  --data DIR                where topics are kept ($DAGRUN_HOME/broker/data)\n"           \
    "  --auto-create-topics B    true: a topic that is asked for is made (false)\n"            \
    "  --partitions N            of topics made without a number (1)\n"                        \
    "  --rebalance-delay TIME    wait for more members of a new group (0)\n"                   \
    "  --retention TIME          of topics without retention.ms (7d); forever\n"               \
    "  --retention-bytes SIZE    of topics without retention.bytes (unlimited)\n"              \
    "  --segment-bytes SIZE      of topics without segment.bytes (1GiB)\n"                     \
    "  --fsync WHEN              interval, or always: before every answer (interval)\n"        \
    "  --fsync-interval TIME     what a power cut can cost at most (1s)\n"                     \
    "  --idle-stop TIME          end after so long without clients (10m); 0: never\n"          \
    "  --max-connections N       more wait (as many as descriptors)\n"

#endif
