/* SPDX-License-Identifier: MIT
 *
 * latency.h - a histogram of milliseconds with buckets that double.
 * Layer: sdk (pure).
 */
#ifndef SDK_LATENCY_H
#define SDK_LATENCY_H

#include "base/contract.h"

#include <stdint.h>

/* Bucket i counts what is below 2^i ms and not in a bucket before; the last, all the rest. */
struct latency {
    int64_t buckets[CONTRACT_LATENCY_BUCKETS];
};

void latency_add(struct latency *latency, int64_t ms);

#endif
