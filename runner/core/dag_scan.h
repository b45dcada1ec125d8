/* SPDX-License-Identifier: MIT
 *
 * dag_scan.h - is this text fit to be given to the YAML parser?
 * Layer: core (pure). Size, UTF-8, control characters, directives: what libyaml reports
 * without a position, or takes quadratic time for.
 */
#ifndef CORE_DAG_SCAN_H
#define CORE_DAG_SCAN_H

#include "core/diag.h"

#include <stdbool.h>
#include <stddef.h>

/* One diag at most. *skip: bytes of a byte order mark at the beginning. */
bool dag_scan(const char *text, size_t len, size_t *skip, struct diag_list *diags);

#endif
