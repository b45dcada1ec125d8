/* SPDX-License-Identifier: MIT
 *
 * consumer_store.h - a consumer group's entries in the store. Layer: ledger/group; only
 * for the files consumer*.c. Puts belong to the batch that is open; they cannot fail by
 * themselves.
 * Keys: 'c', the kind, the group id (its length first), the member id.
 */
#ifndef LEDGER_GROUP_CONSUMER_STORE_H
#define LEDGER_GROUP_CONSUMER_STORE_H

#include "ledger/group/consumer_group.h"

enum consumer_kind {
    CONSUMER_KIND_GROUP = 'g',  /* epochs and hash; no member id */
    CONSUMER_KIND_FACTS = 'm',  /* what a member said of itself */
    CONSUMER_KIND_PLACE = 'p',  /* where it is */
    CONSUMER_KIND_TARGET = 't', /* where it shall come to */
};

void consumer_store_put(const struct consumer_group *group, enum consumer_kind kind,
                        const char *member_id, const struct text_buf *value);
void consumer_store_put_group(const struct consumer_group *group, int32_t epoch,
                              int32_t target_epoch, uint64_t hash);
/* The whole group, all its members. */
void consumer_store_all(const struct consumer_group *group);
void consumer_store_remove_member(const struct consumer_group *group,
                                  const char *member_id);

#endif
