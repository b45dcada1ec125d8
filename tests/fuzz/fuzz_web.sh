#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# fuzz_web.sh DAGRUN FUZZ_WEB SEEDS REQUESTS [SEED] - a 'dagrun web' of its own, over the
# history of one small run, and hostile clients (fuzz_web.c). At the end the server must stop
# well, so that the sanitizers have had their say.
set -euo pipefail

dagrun=$1 fuzz_web=$2
shift 2
folder=$(mktemp -d)
export DAGRUN_HOME=$folder/home
unset DAGRUN_BROKERS
web=

clean_up() {
    [ -z "$web" ] || kill -9 "$web" 2>/dev/null || true
    "$dagrun" broker stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean_up EXIT

cat >"$folder/small.yaml" <<'YAML'
nodes:
  src: {program: producer, with: {count: 3}}
  end: {program: print, from: src}
YAML
"$dagrun" start "$folder/small.yaml" >/dev/null 2>"$folder/start" || {
    cat "$folder/start"
    exit 1
}

# What is freed is not kept for long, so that memory says whether anything grows.
ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=8 \
    "$dagrun" web >"$folder/out" 2>"$folder/err" &
web=$!
for _ in $(seq 600); do
    [ ! -s "$folder/out" ] || break
    sleep 0.1
done
port=$(sed -n 's|^http://127.0.0.1:\([0-9]*\)/#token=.*|\1|p' "$folder/out")
token=$(cat "$DAGRUN_HOME/web.token")

code=0
"$fuzz_web" "$port" "$token" "$2" "$1" "${@:3}" || code=$?
sed -n 's/^VmHWM:\s*/most memory: /p' "/proc/$web/status" || true
kill -TERM "$web" || true
wait "$web" || code=$?
web=
if [ "$code" -ne 0 ] || grep -q 'Sanitizer\|runtime error' "$folder/err"; then
    head -c 20000 "$folder/err" >&2
    exit 1
fi
