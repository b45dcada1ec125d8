/* SPDX-License-Identifier: MIT
 *
 * api_names.h - small things that the handlers of topics and configs share.
 * Layer: ledger/api.
 */
#ifndef LEDGER_API_NAMES_H
#define LEDGER_API_NAMES_H

#include "base/mem.h"
#include "base/text.h"
#include "ledger/wire/wire.h"

#include <stdbool.h>
#include <stdint.h>

/* What a client may do when nobody restricts it, as bits of Kafka's AclOperation. */
enum {
    API_TOPIC_OPERATIONS = 3576,
    API_CLUSTER_OPERATIONS = 8096,
};

enum api_repeated {
    API_SINGLE, /* stands there once */
    API_FIRST,  /* the first of several */
    API_AGAIN,  /* it stood there before */
};

/* Which of these names stand there more than once; null names count as equal. */
const enum api_repeated *api_repeated_names(struct mem_arena *arena,
                                            const struct wire_string *names,
                                            int32_t count);

/* For each of these names the index of the first that is equal to it. */
const int32_t *api_first_names(struct mem_arena *arena, const struct wire_string *names,
                               int32_t count);

/* The message as a string of the arena, null when it is empty; message is cleared. */
struct wire_string api_take_message(struct mem_arena *arena, struct text_buf *message);

#endif
