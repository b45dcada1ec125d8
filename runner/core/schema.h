/* SPDX-License-Identifier: MIT
 *
 * schema.h - the YAML language for other programs and for people: JSON Schema for editors,
 * and the table of keys of docs/dag-reference.md.
 * Layer: core (pure). Both come from dag_keys.
 */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H

/* JSON Schema (2020-12), indented; the caller frees. */
char *schema_json(void);

/* Markdown: a section for every kind of map, a line for every key; the caller frees. */
char *schema_reference(void);

#endif
