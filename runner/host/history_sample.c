/* SPDX-License-Identifier: MIT
 *
 * Samples: rings of 600 seconds, 6 hours of 10 s, 7 days of 60 s for every series of a
 * dag. A slot is a row that is replaced, so nothing ever has to be deleted. The coarser
 * rings get the mean of the rates, the last backlog and the worst latencies of their span.
 */
#include "host/history_internal.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    int64_t span_ms;
    int64_t slots;
} tiers[] = {{1000, 600}, {10000, 2160}, {60000, 10080}};
enum { TIERS = sizeof tiers / sizeof *tiers };

struct sum {
    int64_t bucket;
    int64_t count;
    double in_per_s;
    double out_per_s;
    double cpu_percent;
    int64_t backlog;
    int64_t rss_bytes;
    double p50_ms; /* -1: no record yet */
    double p99_ms;
};

struct series {
    struct series *next;
    enum history_series kind;
    struct sum sums[TIERS]; /* [0] is not used: seconds are written as they come */
    char id[];
};

enum { TABLE = 256 };

struct history_samples {
    struct series *table[TABLE];
};

struct history_samples *history_samples_new(void)
{
    return mem_alloc(sizeof(struct history_samples));
}

void history_samples_free(struct history_samples *samples)
{
    for (size_t i = 0; samples && i < TABLE; i++) {
        for (struct series *next, *s = samples->table[i]; s; s = next) {
            next = s->next;
            free(s);
        }
    }
    free(samples);
}

static struct series *find(struct history_samples *samples, enum history_series kind,
                           const char *id)
{
    size_t len = strlen(id) + 1;
    size_t hash = (size_t)kind;
    struct series *series;

    for (const char *c = id; *c; c++)
        hash = hash * 31 + (unsigned char)*c;
    series = samples->table[hash % TABLE];
    while (series && (series->kind != kind || strcmp(series->id, id) != 0))
        series = series->next;
    if (series)
        return series;
    series = mem_alloc(sizeof *series + len);
    series->kind = kind;
    memcpy(series->id, id, len);
    series->next = samples->table[hash % TABLE];
    samples->table[hash % TABLE] = series;
    return series;
}

static struct history_value integer(int64_t number)
{
    return (struct history_value){.type = HISTORY_INT, .as.number = number};
}

static struct history_value real(double number)
{
    return (struct history_value){.type = HISTORY_REAL, .as.real = number};
}

static struct history_value real_or_null(double number)
{
    return number < 0 ? (struct history_value){.type = HISTORY_NULL} : real(number);
}

static void emit(struct history *history, const struct series *series, int tier,
                 const struct sum *sum)
{
    double count = (double)sum->count;
    const struct history_value values[] = {
        integer(series->kind),
        {.type = HISTORY_TEXT, .as.text = series->id},
        integer(tier),
        integer(sum->bucket % tiers[tier].slots),
        integer(history->number),
        integer(sum->bucket * tiers[tier].span_ms),
        real(sum->in_per_s / count),
        real(sum->out_per_s / count),
        integer(sum->backlog),
        real(sum->cpu_percent / count),
        integer(sum->rss_bytes),
        real_or_null(sum->p50_ms),
        real_or_null(sum->p99_ms),
    };
    struct history_row row = {.statement = HISTORY_PUT_SAMPLE,
                              .count = sizeof values / sizeof *values,
                              .values = values,
                              .class = HISTORY_SAMPLES};

    history_queue_add(history->queue, &row);
}

static void add(struct sum *sum, const struct history_sample *sample)
{
    sum->count++;
    sum->in_per_s += sample->in_per_s;
    sum->out_per_s += sample->out_per_s;
    sum->cpu_percent += sample->cpu_percent;
    sum->backlog = sample->backlog;
    sum->rss_bytes = sample->rss_bytes;
    if (sample->p50_ms > sum->p50_ms)
        sum->p50_ms = sample->p50_ms;
    if (sample->p99_ms > sum->p99_ms)
        sum->p99_ms = sample->p99_ms;
}

void history_sample(struct history *history, const struct history_sample *sample)
{
    struct series *series;

    if (!history->has_dag || sample->ts_ms < 0)
        return;
    series = find(history->samples, sample->series, sample->id);
    for (int tier = 0; tier < TIERS; tier++) {
        struct sum *sum = &series->sums[tier];
        int64_t bucket = sample->ts_ms / tiers[tier].span_ms;

        if (tier > 0 && sum->count > 0 && sum->bucket != bucket)
            emit(history, series, tier, sum);
        if (tier == 0 || sum->bucket != bucket)
            *sum = (struct sum){.bucket = bucket, .p50_ms = -1, .p99_ms = -1};
        add(sum, sample);
        if (tier == 0)
            emit(history, series, tier, sum);
    }
}
