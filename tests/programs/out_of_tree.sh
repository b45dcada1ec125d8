#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# out_of_tree.sh BUILD EXAMPLE [SANITIZERS] - installs dagrun into an empty prefix, builds
# the example against that alone and runs it. The built-in programs that are installed
# have to find their library as well.
set -euo pipefail
build=$(realpath "$1") example=$(realpath "$2") sanitize=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

check() { # what, command…
    checks=$((checks + 1))
    "${@:2}" && return
    echo "failed: $1"
    failures=$((failures + 1))
}

cmake --install "$build" --prefix "$work/prefix" >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
mv "$work/prefix" "$work/moved" # nothing may depend on where it was installed first
cp -r "$example" "$work/example"
rm -f "$work/example/words"
flags="-O1 -Wall -Wextra -Wpedantic -Werror"
[ -z "$sanitize" ] || flags+=" -fsanitize=$sanitize"
export PKG_CONFIG_LIBDIR=$work/empty # only what was installed is found
check "the header is C++ as well" c++ -Wall -Wextra -Werror -fsyntax-only -x c++ \
    "$work/moved/include/dagnode.h"
check "the example builds" make -s -C "$work/example" CFLAGS="$flags" \
    PKG_CONFIG_PATH="$work/moved/lib/pkgconfig"

cd "$work/example"
./words --pipe --with min=4 <input.txt >"$work/out" 2>"$work/err"
check "its words are the expected ones" \
    diff <(sort "$work/out") expected.txt
check "it says nothing else" diff /dev/null "$work/err"
check "it describes itself" \
    test "$(./words --describe | jq -r '.name, .options[0].name, .options[0].type' | xargs)" = "words min int"
code=0
./words --pipe --with min=0 </dev/null 2>"$work/err" || code=$?
check "it refuses what it can't do" test "$code" -eq 2
check "and says why" diff <(echo "words: error: min is 0, expected 1 or more") "$work/err"

programs=$work/moved/libexec/dagrun/nodes
check "installed programs run" test \
    "$("$programs/producer" --pipe 5 2 sum | "$programs/arithmetic" --pipe | "$programs/print" --pipe)" \
    = "Result of operation sum is ::: 7"
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
