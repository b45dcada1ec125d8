#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# pipe.sh PROGRAMS CASES - run every built-in program with --pipe over its cases and
# compare byte for byte. A case is CASES/<program>/<case>.* :
#   .args        arguments after --pipe, one a line     .code  exit code (default 0)
#   .in          stdin (default: empty)                 .out, .err  what must come out
#   .data        a file "data" in the working folder    .after  the same file afterwards
# The working folder is empty but for that.
set -uo pipefail
programs=$(realpath "$1") cases=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

expect() { # what, file with the expected bytes (or none), file with the actual bytes
    local expected=$2
    [ -f "$expected" ] || expected=/dev/null
    cmp -s "$expected" "$3" && return
    echo "$name: $1 differs (- expected, + actual):"
    diff -u --label expected --label actual "$expected" "$3" | cat -v | tail -n +3
    failed=1
}

run_case() { # program, path of the case without its suffix
    local args=() code=0 expected_code=0 in=/dev/null
    [ -f "$2.args" ] && mapfile -t args <"$2.args"
    [ -f "$2.in" ] && in=$2.in
    [ -f "$2.code" ] && expected_code=$(cat "$2.code")
    rm -rf "$work/cwd" && mkdir "$work/cwd"
    [ -f "$2.data" ] && cp "$2.data" "$work/cwd/data"
    (cd "$work/cwd" && exec timeout 30 "$programs/$1" --pipe "${args[@]}") \
        <"$in" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" -eq "$expected_code" ] || {
        echo "$name: exit code $code, expected $expected_code"
        failed=1
    }
    expect stdout "$2.out" "$work/out"
    expect stderr "$2.err" "$work/err"
    [ ! -f "$2.after" ] || expect "the file data" "$2.after" "$work/cwd/data"
}

for any in "$cases"/*/*.out "$cases"/*/*.err "$cases"/*/*.after; do
    [ -f "$any" ] && echo "${any%.*}"
done | sort -u >"$work/list"
while read -r path; do
    program=$(basename "$(dirname "$path")") name=$program/$(basename "$path") failed=0
    checks=$((checks + 1))
    run_case "$program" "$path"
    failures=$((failures + failed))
done <"$work/list"
for folder in "$cases"/*/; do
    [ -x "$programs/$(basename "$folder")" ] || {
        echo "$(basename "$folder"): there is no such program"
        failures=$((failures + 1))
    }
done
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$checks" -gt 0 ] && [ "$failures" -eq 0 ]
