/* SPDX-License-Identifier: MIT */
#include "core/latency.h"

static int64_t total(const struct latency *latency)
{
    int64_t sum = 0;

    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++)
        sum += latency->buckets[i];
    return sum;
}

double latency_percentile(const struct latency *latency, double share)
{
    double wanted = share * (double)total(latency);
    double below = 0;
    double low = 0;
    double high = 1;

    if (total(latency) <= 0)
        return -1;
    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++) {
        double count = (double)latency->buckets[i];

        if (count > 0 && below + count >= wanted)
            return low + (high - low) * (wanted - below) / count;
        below += count;
        low = high;
        high *= 2;
    }
    return low;
}

void latency_add(struct latency *sum, const struct latency *other)
{
    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++)
        sum->buckets[i] += other->buckets[i];
}

void latency_since(const struct latency *now, const struct latency *before,
                   struct latency *out)
{
    *out = *now;
    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++)
        out->buckets[i] -= before->buckets[i];
    for (int i = 0; i < CONTRACT_LATENCY_BUCKETS; i++) {
        if (out->buckets[i] < 0) {
            *out = *now;
            return;
        }
    }
}
