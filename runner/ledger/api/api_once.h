/* SPDX-License-Identifier: MIT
 *
 * api_once.h - partitions that a request may name twice, each once. Layer: ledger/api.
 */
#ifndef LEDGER_API_ONCE_H
#define LEDGER_API_ONCE_H

#include "base/mem.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* A partition and where the request names it. */
struct api_once {
    struct wire_string topic;
    int32_t partition;
    int32_t t, p; /* indexes of the topic and of the partition in it */
    bool twice;   /* out: it was named before as well */
    int32_t at;   /* private */
};

/*
 * Leave one place of each partition, the last one, as Kafka does where it makes a map of
 * the request; partitions of one topic stand together. Returns how many are left.
 */
int32_t api_once(struct api_once *places, int32_t count);

/* How many places from this one on are of its topic. */
int32_t api_once_topic(const struct api_once *places, int32_t count);

#endif
