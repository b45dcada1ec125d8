#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sdk_symbols_test.sh LIBRARY HEADER - the SDK exports what its header declares, nothing
# else, and brings neither jansson nor librdkafka into the programs that link it.
set -euo pipefail
library=$1 header=$2

exported=$(nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | sort)
declared=$(grep -oE '\bdagnode_[a-z_]+\(' "$header" | tr -d '(' | grep -vE '_fn$' |
    sort -u | while read -r name; do
        # Only what is declared at the start of a line, not what a comment mentions.
        grep -qE "^[a-z].*\b$name\(" "$header" && echo "$name"
    done)
if [ "$exported" != "$declared" ]; then
    echo "exported and declared differ (< exported, > declared):"
    diff <(echo "$exported") <(echo "$declared") || true
    exit 1
fi
if ldd "$library" | grep -E 'jansson|rdkafka'; then
    echo "the SDK must not bring these in"
    exit 1
fi
readelf -d "$library" | grep -q 'SONAME.*libdagnode.so.1' || {
    echo "no soname"
    exit 1
}
echo "Checks: $(echo "$exported" | wc -l), Failures: 0"
