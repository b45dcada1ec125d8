/* SPDX-License-Identifier: MIT
 *
 * records.h - the records inside a batch: walk over them, make a batch of some of them.
 * Layer: ledger/log (pure). Only look-ups by time, compaction and what must be
 * validated record by record come here; fetching never does.
 */
#ifndef LEDGER_LOG_RECORDS_H
#define LEDGER_LOG_RECORDS_H

#include "ledger/log/batch.h"
#include "ledger/log/codec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record {
    int64_t offset;
    int64_t timestamp;  /* with LogAppendTime: the batch's */
    const uint8_t *key; /* borrowed from the walk, until it moves to another batch */
    const uint8_t *value;
    const uint8_t *headers; /* as they stand in the record: their count, then each */
    int32_t key_len;        /* -1: null */
    int32_t value_len;      /* -1: null, a tombstone */
    int32_t headers_len;
    int8_t attributes;
};

/* A walk over the records of a batch; its buffer serves one batch after the other. */
struct records {
    struct batch batch;
    const uint8_t *next, *end;
    int32_t left; /* records that the header still promises */
    struct codec_buffer unpacked;
};

/*
 * Begin with the whole batch at data (it must stay there). max_bytes bounds what it may
 * grow to when decompressed. Zero-initialise the walk before its first use.
 * KAFKA_CORRUPT_MESSAGE: broken header or compressed data, or more than max_bytes;
 * KAFKA_UNSUPPORTED_COMPRESSION_TYPE. The checksum is not looked at.
 */
enum kafka_error records_begin(struct records *walk, const uint8_t *data, size_t size,
                               size_t max_bytes);

/* 1: *out is the next record; 0: that was the last; -1: what comes is no record. */
int records_next(struct records *walk, struct record *out);

void records_clear(
    struct records *walk); /* frees the buffer; the walk may be used again */

/* A batch in the making. */
struct records_builder {
    struct batch batch;
    int64_t max_timestamp;
    int level;                  /* of compression; 0: the usual one. The caller's */
    struct codec_buffer plain;  /* header and records, uncompressed */
    struct codec_buffer packed; /* the finished batch when it is compressed */
};

/*
 * Begin a batch with model's offsets, producer, attributes and codec. Record timestamps
 * are written against model->base_timestamp. Zero-initialise before the first use.
 */
void records_build(struct records_builder *builder, const struct batch *model);

/* Add a record of the model's offsets, in order. */
void records_add(struct records_builder *builder, const struct record *record);

/*
 * The finished batch, valid until the builder is used again: sizes, count,
 * max_timestamp (of the records added; the model's when there is none or it is
 * LogAppendTime), checksum. NULL when compressing failed.
 */
const uint8_t *records_finish(struct records_builder *builder, size_t *size);

void records_builder_clear(struct records_builder *builder);

#endif
