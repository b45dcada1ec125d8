#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# demo.sh - the README's first command shows what it promises.
set -euo pipefail
cd "$(dirname "$0")/../.."

output=$(./setup --demo 2>&1) || {
    printf '%s\n' "$output"
    echo "demo: error: ./setup --demo failed"
    exit 1
}
printf '%s\n' "$output"
for word in 'Result of operation sum is ::: 7' 'arithmetic' 'succeeded'; do
    grep -qF "$word" <<<"$output" || {
        echo "demo: error: it does not show '$word'"
        exit 1
    }
done
