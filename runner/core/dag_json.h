/* SPDX-License-Identifier: MIT
 *
 * dag_json.h - a YAML value as JSON text, by the YAML 1.2 core schema.
 * Layer: core (pure). Whole numbers keep all their digits, which jansson can't.
 */
#ifndef CORE_DAG_JSON_H
#define CORE_DAG_JSON_H

#include "core/dag_yaml.h"

/*
 * JSON on one line, in the arena. What JSON does not have (.inf, .nan, hexadecimal
 * numbers above 64 bits) is a diag, and the text is "null".
 */
const char *dag_json(const struct dag_value *value, struct mem_arena *arena,
                     struct diag_list *diags);

struct text_buf;
void dag_json_append_string(struct text_buf *out, const char *text);

#endif
