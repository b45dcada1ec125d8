/* SPDX-License-Identifier: MIT
 *
 * consumer_env.h - the catalogue and the configs, handed to consumer groups.
 * Layer: ledger/api.
 */
#ifndef LEDGER_API_CONSUMER_ENV_H
#define LEDGER_API_CONSUMER_ENV_H

#include "ledger/group/consumer.h"

struct store;
struct topics;

/* Fill everything of env; topics and store are borrowed and outlive the groups. */
void consumer_env_fill(struct consumer_env *env, struct topics *topics,
                       struct store *store);

#endif
