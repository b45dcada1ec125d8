#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# reference.sh [--write] PROGRAMS PAGE - docs/programs.md tells the truth: every program
# has a section, its box is what --describe says (--write puts it there), and the commands
# of the page print what the page says.
set -euo pipefail
write=
[ "$1" != --write ] || { write=1; shift; }
programs=$(realpath "$1") page=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

box() { # program: its description in Markdown
    "$programs/$1" --describe | jq -r '
        def dash: if . == null then "–" else "`\(.)`" end;
        "\(.doc)\n\n`program: \(.name)` · \(.kind) · " +
        (if .args.usage == "" then "no arguments" else "arguments `\(.args.usage)`" end),
        (if .any_option then "\nOptions in `with:`: any name."
         elif .options == [] then "\nNo options in `with:`."
         else "\n| `with:` | type | default | |\n|---|---|---|---|",
              (.options[] | "| `\(.name)` | \(.type) | " +
               (if .required then "required" else .default | dash end) + " | \(.doc) |")
         end)'
}

# The page with every box as it should be.
while IFS= read -r line; do
    if [[ $line =~ ^'<!-- describe '([a-z]+)' -->'$ ]]; then
        printf '%s\n%s\n' "$line" "$(box "${BASH_REMATCH[1]}")"
        inside=1
    elif [ "$line" = '<!-- end -->' ]; then
        inside=
    fi
    [ -n "${inside:-}" ] || printf '%s\n' "$line"
done <"$page" >"$work/page"
[ -z "$write" ] || cp "$work/page" "$page"

checks=$((checks + 1))
diff -u --label "$page" --label "what the programs say" "$page" "$work/page" || {
    echo "failed: the page is not what --describe says; see: $0 --write"
    failures=$((failures + 1))
}
for program in "$programs"/*; do
    [ -f "$program" ] && [ -x "$program" ] || continue
    checks=$((checks + 1))
    grep -qx "<!-- describe $(basename "$program") -->" "$page" && continue
    echo "failed: $(basename "$program") has no section"
    failures=$((failures + 1))
done

# Its commands: "$ command", then the lines that come out.
mkdir "$work/cwd"
ln -s "$programs"/* "$work/cwd"
run_command() {
    [ -n "${command:-}" ] || return 0
    checks=$((checks + 1))
    (cd "$work/cwd" && bash -o pipefail -c "$command") >"$work/out" 2>&1 ||
        echo "[exit code $?]" >>"$work/out"
    diff -u --label "$command" --label "what it printed" "$work/expected" "$work/out" ||
        failures=$((failures + 1))
    command=
}
while IFS= read -r line; do
    if [ "$line" = '```console' ]; then
        in_console=1
    elif [ "$line" = '```' ]; then
        run_command
        in_console=
    elif [ -n "${in_console:-}" ] && [[ $line == '$ '* ]]; then
        run_command
        command=${line#'$ '}
        : >"$work/expected"
    elif [ -n "${in_console:-}" ]; then
        printf '%s\n' "$line" >>"$work/expected"
    fi
done <"$page"
echo "Checks: $checks, Failures: $failures, Errors: 0"
[ "$failures" -eq 0 ]
