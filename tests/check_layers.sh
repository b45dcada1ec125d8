#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# check_layers.sh - every #include "LAYER/…" obeys STYLE.md's rules for layers.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A may=([base]="base" [core]="core base" [host]="host base" [ledger]="ledger base"
    [run]="run core host base" [ops]="ops core host base" [web]="web base"
    [cli]="cli run core host ops web ledger base" [sdk]="sdk base")
seen=0 wrong=0
while IFS=: read -r file line text; do
    layer=$(basename "$(dirname "$file")")
    used=$(sed 's/[^"]*"\([a-z]*\)\/.*/\1/' <<<"$text")
    seen=$((seen + 1))
    [[ " ${may[$layer]:-} " == *" $used "* ]] && continue
    echo "$file:$line: error: the layer $layer may not include $used/ (only: ${may[$layer]:-nothing})"
    wrong=$((wrong + 1))
done < <(grep -nE '^#include "[a-z]+/' runner/*/*.[ch] nodes/sdk/*.[ch])
echo "Checks: $seen, Failures: $wrong, Errors: 0"
[ "$seen" -gt 0 ] && [ "$wrong" -eq 0 ]
