/* SPDX-License-Identifier: MIT
 *
 * dlq_print.h - dead letters on a terminal and as JSON. Layer: cli.
 */
#ifndef CLI_DLQ_PRINT_H
#define CLI_DLQ_PRINT_H

#include "base/json.h"
#include "ops/dlq.h"

void dlq_print_groups(const struct dlq_groups *groups);
void dlq_print_letter(const char *dag, const struct dlq_letter *letter);

/* The letter with its record: partition, offset, timestamp, key, value, headers as tap
 * has them; cut_bytes -1: whole. */
json_t *dlq_print_json(const struct dlq_node *node, const struct dlq_letter *letter,
                       int64_t cut_bytes);

#endif
