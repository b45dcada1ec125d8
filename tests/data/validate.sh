#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# validate.sh DAGRUN - what `dagrun validate`, `plan` and `schema` say, and their exit codes,
# for files and programs that are right, wrong, or no files and programs at all.
set -uo pipefail
dagrun=$(realpath "$1")
dir=$(mktemp -d)
trap 'chmod -R u+rwx "$dir"; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
unset DAGRUN_BROKERS DAGRUN_NODES NAME
checks=0 failures=0

# check CODE TEXT ARG…: the exit code, and TEXT somewhere in stdout or stderr.
check() {
    local code=$1 text=$2 said got
    shift 2
    said=$("$dagrun" "$@" 2>&1 </dev/stdin)
    got=$?
    checks=$((checks + 1))
    [ "$got" = "$code" ] && [[ "$said" == *"$text"* ]] && return
    failures=$((failures + 1))
    echo "dagrun $*: expected exit code $code and '$text', found $got and:"
    echo "$said"
}

# one_line ARG…: exit code 2, exactly one line on stderr, nothing on stdout.
one_line() {
    "$dagrun" "$@" >out 2>err </dev/null
    local got=$?
    checks=$((checks + 1))
    [ $got = 2 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && return
    failures=$((failures + 1))
    echo "dagrun $*: expected exit code 2 and one line, found $got and:"
    cat out err
}

program() { # NAME SCRIPT
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}

good() { # PROGRAM: a dag of one node
    printf 'nodes: {a: {program: %s}}\n' "$1"
}

cat >good.yaml <<'YAML'
kafka: {brokers: '${NAME:-yaml:1}'}
nodes:
  a: {program: producer, args: [5, 2, sum]}
  b: {program: print, from: a}
YAML
check 0 "good.yaml: ok: 2 nodes, 1 edge" validate good.yaml
check 0 "<stdin>: ok: 2 nodes, 1 edge" validate - <good.yaml
check 0 '[{"file":"good.yaml","ok":true,"name":"good","nodes":2,"edges":1,"errors":[]}]' \
    validate --json good.yaml
check 0 "good.b.dlq" plan good.yaml
check 0 "broker: yaml:1 (kafka.brokers in the YAML)" plan good.yaml
check 0 "broker: x:2 (--brokers)" plan --brokers x:2 good.yaml
check 0 "broker: y:3 (kafka.brokers" plan --param NAME=y:3 good.yaml
good producer >bare.yaml
check 0 "broker: embedded (none is named by --brokers, in the YAML or by DAGRUN_BROKERS)" \
    plan bare.yaml
DAGRUN_BROKERS=z:4 check 0 "broker: z:4 (DAGRUN_BROKERS)" plan bare.yaml
check 0 '"address":"embedded"' plan --json bare.yaml
check 0 '"$schema"' schema
check 0 '| `clients` |' schema --format markdown

mkdir folder
: >empty.yaml
head -c 4096 /dev/urandom >junk.yaml
printf '\0\1\2' >>junk.yaml
head -c 2097152 /dev/zero | tr '\0' '#' >big.yaml
good producer >unreadable.yaml
chmod 0 unreadable.yaml
ln -s loop.yaml loop.yaml
for verb in validate plan; do
    for file in nowhere.yaml folder empty.yaml junk.yaml big.yaml loop.yaml; do
        one_line $verb $file
    done
    [ "$(id -u)" = 0 ] || one_line $verb unreadable.yaml
done
check 2 "is larger than 1 MiB" validate big.yaml
check 2 "is a folder" validate folder

check 2 "FILE is missing" validate
check 2 "unknown option '--nope'" validate --nope good.yaml
check 2 "unknown option '--jsno', did you mean '--json'?" validate --jsno good.yaml
check 2 "--brokers: the value is missing, as in --brokers LIST" plan good.yaml --brokers
check 2 "--no-programs takes no value" validate --no-programs=1 good.yaml
check 2 "no command 'vlaidate' (did you mean 'validate'?)" help vlaidate
said=$("$dagrun" schema 2>&1 >/dev/full) && said="exit code 0"
checks=$((checks + 1))
[[ $said == *"output can't be written"* ]] || {
    failures=$((failures + 1))
    echo "dagrun schema >/dev/full: found '$said'"
}
check 2 "expected NAME=VALUE" validate --param NAME good.yaml
check 2 "is given twice" validate --param NAME=1 --param NAME=2 good.yaml
check 2 'good.yaml has no ${OTHER}' validate --param OTHER=1 good.yaml
check 2 "expected json or markdown" schema --format xml
echo 'nodes: {a: {program: producer, clients: 0}}' >bad.yaml
check 2 "bad.yaml:1:41: error: node 'a': clients: expected a whole number" validate bad.yaml
check 2 '"errors":[{"line":1,"column":41,"text":"node' validate --json bad.yaml
check 2 "good.yaml: ok" validate bad.yaml good.yaml
check 2 "bad.yaml:1:41" plan bad.yaml

# Programs: not there, not executable, no programs of ours, hanging, flooding.
good prodcer >near.yaml
check 2 "near.yaml:1:22: error: node 'a': no built-in program 'prodcer' (did you mean 'producer'?)" \
    validate near.yaml
check 0 "ok: 1 node, 0 edges" validate --no-programs near.yaml
good ./gone >gone.yaml
check 2 "no program $dir/gone: No such file" validate gone.yaml
echo >plain
good ./plain >plain.yaml
check 2 "plain is not executable: chmod +x it" validate plain.yaml
good ./folder >is-folder.yaml
check 2 "is not a file" validate is-folder.yaml
program alien 'echo hello'
good ./alien >alien.yaml
check 2 "does not print what a program built with libdagnode prints" validate alien.yaml
program fails 'exit 3'
good ./fails >fails.yaml
check 2 "ended with exit code 3" validate fails.yaml
program killed 'kill -9 $$'
good ./killed >killed.yaml
check 2 "killed by SIGKILL" validate killed.yaml
program floods 'yes'
good ./floods >floods.yaml
check 2 "printed more than 1 MiB" validate floods.yaml
program old 'echo "{\"abi\": 999}"'
good ./old >old.yaml
check 2 "built for another version of libdagnode" validate old.yaml

# Built-in ones: DAGRUN_NODES first, then those of dagrun.
mkdir mine
cp "$(dirname "$dagrun")/nodes/producer" mine/own
good own >own.yaml
check 2 "no built-in program 'own'" validate own.yaml
DAGRUN_NODES=$dir/mine check 0 "ok: 1 node" validate own.yaml
DAGRUN_NODES=$dir/mine check 0 "ok: 2 nodes" validate good.yaml

# Twenty that hang take 5 s together, not one after the other; none is left behind.
program hangs "sleep 4711.$$"
{
    echo 'nodes:'
    for i in $(seq 20); do
        cp hangs hangs$i
        echo "  n$i: {program: ./hangs$i, from: n$((i - 1))}"
    done
    echo '  n0: {program: ./hangs}'
} >hang.yaml
SECONDS=0
check 2 "--describe did not end within 5 s" validate hang.yaml
checks=$((checks + 1))
if [ $SECONDS -gt 60 ] || pgrep -f "sleep 4711.$$" >/dev/null; then
    echo "hanging programs: $SECONDS s, left behind: $(pgrep -f "sleep 4711.$$" | wc -l)"
    failures=$((failures + 1))
fi

echo "$((failures == 0 ? 100 : 0))%: Checks: $checks, Failures: $failures, Errors: 0"
[ $failures = 0 ]
