#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# sdk_pipe_test.sh COPY HELPER - programs as filters: --pipe, and how they are called wrongly.
set -uo pipefail
copy=$1 helper=$2
unset DAGRUN_FD
checks=0 failures=0

expect() { # what, expected, actual
    checks=$((checks + 1))
    [ "$2" = "$3" ] && return
    failures=$((failures + 1))
    printf '%s:\n  expected: %q\n  got:      %q\n' "$1" "$2" "$3"
}

expect "lines, an empty one and one without an end" $'a\n\nb\n0' \
    "$(printf 'a\n\nb' | "$copy" --pipe; echo $?)"
expect "no input" 0 "$(: | "$copy" --pipe; echo $?)"
expect "bytes pass through" "$(printf '\377\001x\n' | od -c)" \
    "$(printf '\377\001x\n' | "$copy" --pipe | od -c)"
expect "half a million lines" "$(seq 500000 | md5sum)" "$(seq 500000 | "$copy" --pipe | md5sum)"
expect "one in, many out, one fails, none" $'part0\npart1\npart2\nx\n1' \
    "$(printf 'many\nfail\nnone\nx\n' | "$helper" --pipe 2>/dev/null; echo $?)"
expect "a dead letter on stderr" \
    'dead letter: line 2: DECODE: asked to fail, "quoted": fail\x01' \
    "$(printf 'x\nfail\001\n' | "$helper" --pipe 2>&1 >/dev/null)"
expect "a fatal error ends it" $'x\ntwist: error: asked to die\n1' \
    "$(printf 'x\ndie\nx\n' | "$helper" --pipe 2>&1; echo $?)"
expect "a source" $'0\n1\n2\n0' "$(SDK_HELPER=source "$helper" --pipe 3; echo $?)"
expect "an unknown option" $'copy: error: unknown option \'a\': this program has none\n2' \
    "$("$copy" --pipe --with a=1 2>&1 </dev/null; echo $?)"
expect "a wrong argument" $'copy: error: takes no arguments, got 1\n2' \
    "$("$copy" --pipe -- a 2>&1 </dev/null; echo $?)"
expect "a missing argument" $'count: error: expects the arguments N [stay|slow], got 0\n2' \
    "$(SDK_HELPER=source "$helper" --pipe 2>&1; echo $?)"
expect "called without anything" 2 "$("$copy" 2>/dev/null; echo $?)"
expect "a descriptor that is none" 1 "$(DAGRUN_FD=99 "$copy" 2>/dev/null; echo $?)"
expect "a full disk" $'copy: error: stdout: No space left on device\n1' \
    "$({ echo x | "$copy" --pipe >/dev/full; } 2>&1; echo $?)"

echo "Checks: $checks, Failures: $failures"
[ "$failures" -eq 0 ]
