/* SPDX-License-Identifier: MIT
 *
 * pattern.h - regular expressions of subscriptions. Layer: ledger/group.
 * Kafka takes RE2; PCRE2 stands in for it, with a limit on the steps of one match, so
 * that no pattern stalls the loop: a match that reaches the limit is none.
 */
#ifndef LEDGER_GROUP_PATTERN_H
#define LEDGER_GROUP_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct pattern;

/*
 * Compile; NULL when it is no pattern, then why says what is wrong and where.
 */
enum { PATTERN_WHY = 256 };
struct pattern *pattern_new(const char *text, size_t len, char why[PATTERN_WHY]);
void pattern_free(struct pattern *pattern);

/* Does the whole name match? */
bool pattern_matches(struct pattern *pattern, const char *name);

#endif
