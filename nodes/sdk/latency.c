/* SPDX-License-Identifier: MIT */
#include "sdk/latency.h"

void latency_add(struct latency *latency, int64_t ms)
{
    int bucket = ms <= 0 ? 0 : 64 - __builtin_clzll((unsigned long long)ms);

    if (bucket >= CONTRACT_LATENCY_BUCKETS)
        bucket = CONTRACT_LATENCY_BUCKETS - 1;
    latency->buckets[bucket]++;
}
