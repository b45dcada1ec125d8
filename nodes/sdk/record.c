/* SPDX-License-Identifier: MIT */
#include "sdk/record.h"

#include "base/contract.h"
#include "sdk/client.h"

#include <stdio.h>

static void send_letter(struct client *client, uint64_t tag,
                        const struct dagnode_record *record, const char *failed_at,
                        const char *reason)
{
    rd_kafka_message_t *message = (rd_kafka_message_t *)(uintptr_t)record->internal;
    struct dead_letter letter = {.original = {.value = record->value,
                                              .value_len = record->value_len,
                                              .key = record->key,
                                              .key_len = record->key_len,
                                              .timestamp_ms = record->timestamp_ms},
                                 .failed_at = failed_at,
                                 .reason = reason,
                                 .topic = record->topic,
                                 .partition = record->partition,
                                 .offset = record->offset};

    if (rd_kafka_message_detach_headers(message, &letter.headers))
        letter.headers = NULL;
    dead_letter_send(client, tag, &letter);
}

/* Is an output larger than its topic allows? Asked before the first is sent. */
static const char *find_too_large(const struct client *client,
                                  const rd_kafka_headers_t *headers)
{
    const struct kafka_out *out = &client->out;

    for (size_t i = 0; i < client->emissions.count; i++) {
        for (size_t t = 0; t < out->count; t++) {
            if (kafka_out_too_large(client, &out->topics[t], &client->emissions.list[i],
                                    headers))
                return out->topics[t].name;
        }
    }
    return NULL;
}

/* Write every output to every topic; the last takes the record's headers along. */
static rd_kafka_resp_err_t write_outputs(struct client *client, struct part *part,
                                         uint64_t sequence,
                                         const struct dagnode_record *record,
                                         rd_kafka_headers_t *headers)
{
    rd_kafka_message_t *message = (rd_kafka_message_t *)(uintptr_t)record->internal;
    struct out_write write = {.tag = part_tag(part, sequence)};
    size_t left = client->emissions.count * client->out.count;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (size_t i = 0; i < client->emissions.count; i++) {
        write.emission = client->emissions.list[i];
        for (size_t t = 0; t < client->out.count; t++) {
            write.topic = &client->out.topics[t];
            write.headers = NULL;
            if (headers && --left == 0)
                (void)rd_kafka_message_detach_headers(message, &write.headers);
            else if (headers)
                write.headers = rd_kafka_headers_copy(headers);
            code = kafka_out_write(client, &write);
            if (code) {
                if (write.headers)
                    rd_kafka_message_set_headers(message, write.headers);
                return code;
            }
            window_slot(&part->window, sequence)->pending++;
        }
    }
    return code;
}

static void send_outputs(struct client *client, struct part *part, uint64_t sequence,
                         const struct dagnode_record *record)
{
    rd_kafka_headers_t *headers = NULL;
    const char *too_large;
    rd_kafka_resp_err_t code;
    char reason[256];

    if (rd_kafka_message_headers(record->internal, &headers))
        headers = NULL;
    too_large = find_too_large(client, headers);
    code = too_large ? RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
                     : write_outputs(client, part, sequence, record, headers);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || client_failed(client))
        return;
    if (code != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        client_fail(client, CLIENT_FAILED, "write: %s", rd_kafka_err2str(code));
        return;
    }
    (void)snprintf(reason, sizeof reason, "an output is larger than topic %.180s allows",
                   too_large ? too_large : "");
    send_letter(client, part_tag(part, sequence), record, "WRITE", reason);
}

void record_handle(struct client *client, struct part *part,
                 const struct dagnode_record *record)
{
    uint64_t sequence = window_take(&part->window, record->offset);
    struct dagnode_error err; /* not all of its text is cleared: this is every record's */
    int result;

    err.kind = DAGNODE_NO_ERROR;
    err.text[0] = '\0';
    client->taken++;
    client->handled = true;
    client->n.in_hand = record;
    result = client->n.ops->on_record(&client->n, record, client->n.state, &err);
    client->n.in_hand = NULL;
    if (result < 0 && (err.kind == DAGNODE_FATAL || err.kind == DAGNODE_USAGE)) {
        client_fail(client, CLIENT_FAILED, "%s", err.text);
        emissions_reset(&client->emissions);
        return; /* unfinished, so it is taken again */
    }
    if (result < 0)
        send_letter(client, part_tag(part, sequence), record, node_error_name(err.kind),
                    err.text[0] ? err.text : "the program gave no reason");
    else if (client->emissions.count && client->out.count)
        send_outputs(client, part, sequence, record);
    emissions_reset(&client->emissions);
    if (client_failed(client))
        return;
    window_release(&part->window, sequence);
    if (record->timestamp_ms > 0)
        latency_add(&client->stats.latency, client->wall_ms - record->timestamp_ms);
}

bool dagnode_header(const struct dagnode_record *record, const char *name,
                    const void **value, size_t *len)
{
    rd_kafka_headers_t *headers;

    if (record->internal == NULL ||
        rd_kafka_message_headers(record->internal, &headers) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    return rd_kafka_header_get_last(headers, name, value, len) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
}
