/* SPDX-License-Identifier: MIT
 *
 * messages.c - the descriptors and defaults of all messages.
 */
#define WIRE_DESCRIBE
#include "ledger/wire/messages_configs.h"
#include "ledger/wire/messages_consumer.h"
#include "ledger/wire/messages_fetch.h"
#include "ledger/wire/messages_groups.h"
#include "ledger/wire/messages_metadata.h"
#include "ledger/wire/messages_offsets.h"
#include "ledger/wire/messages_produce.h"
#include "ledger/wire/messages_topics.h"
#include "ledger/wire/messages_txn.h"
