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

/* A partition and where the request names it: as p of its topic t. */
struct api_once {
    int32_t t, p;
    int32_t partition;
    int32_t topic; /* out: the first of the request's topics that has this name */
    bool twice;    /* out: it was named before as well */
};

/*
 * Leave one place of each partition, the last one, as Kafka does where it makes a map
 * of the request; partitions of one topic stand together. names are those of the
 * request's topics. Returns how many places are left.
 */
int32_t api_once(struct mem_arena *arena, const struct wire_string *names,
                 int32_t names_count, struct api_once *places, int32_t count);

/* How many places from this one on are of its topic. */
int32_t api_once_topic(const struct api_once *places, int32_t count);

#endif
