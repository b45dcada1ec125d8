/* SPDX-License-Identifier: MIT
 *
 * latency.h - what a node's latency buckets say: how long records took, in
 * milliseconds. Layer: core (pure). Bucket i counts what took less than 2^i ms and not
 * less than 2^(i-1).
 */
#ifndef CORE_LATENCY_H
#define CORE_LATENCY_H

#include "base/contract.h"

#include <stdint.h>

struct latency {
    int64_t buckets[CONTRACT_LATENCY_BUCKETS];
};

/*
 * The time that the share of all records (0.5, 0.99) did not exceed, as if those of one
 * bucket were spread evenly over it; -1: there are no records.
 */
double latency_percentile(const struct latency *latency, double share);

void latency_add(struct latency *sum, const struct latency *other);

/* What came to now since before; all of now when a count fell: a new process counts. */
void latency_since(const struct latency *now, const struct latency *before,
                   struct latency *out);

#endif
