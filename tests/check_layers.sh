#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# check_layers.sh - every #include "LAYER/…" obeys STYLE.md's rules for layers.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A may=([base]="base" [core]="core base" [host]="host base" [ledger]="ledger base"
    [run]="run core host base" [ops]="ops core host base" [web]="web base"
    [cli]="cli run core host ops web ledger base" [sdk]="sdk base"
    [wire]="wire" [store]="store" [log]="log wire" [topic]="topic log store wire"
    [group]="group store wire" [txn]="txn log store wire topic group"
    [server]="server wire" [api]="api server wire log topic group txn store")
seen=0 wrong=0
while IFS=: read -r file line text; do
    layer=$(sed -E 's|^web/.*|web|; s|^[a-z]+/([a-z]+)/.*|\1|' <<<"$file")
    used=$(sed -E 's|[^"]*"([a-z]+)/.*|\1|' <<<"$text")
    # The parts of the embedded broker are folders of their own, with rules of their own.
    if [[ "$file" == runner/ledger/*/* && "$used" = ledger ]]; then
        layer=$(sed -E 's|^runner/ledger/([a-z]+)/.*|\1|' <<<"$file")
        used=$(sed -E 's|[^"]*"ledger/([a-z]+)/.*|\1|' <<<"$text")
    fi
    seen=$((seen + 1))
    [[ " ${may[$layer]:-} " == *" $used "* ]] && continue
    echo "$file:$line: error: the layer $layer may not include $used/ (only: ${may[$layer]:-nothing})"
    wrong=$((wrong + 1))
done < <(grep -rnE --include='*.[ch]' '^#include "[a-z]+/' runner/*/ nodes/sdk web)
echo "Checks: $seen, Failures: $wrong, Errors: 0"
[ "$seen" -gt 0 ] && [ "$wrong" -eq 0 ]
