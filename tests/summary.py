#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Adds up the checks in ctest's JUnit files and prints the closing line.

A program that reports its own checks counts with them (libcheck's "Checks: N, Failures: …",
unittest's "Ran N tests"); any other test counts as one. A test that was skipped or did not
run counts as failed.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree

FIXTURES = ("kafka/start", "kafka/destroy", "conformance/build", "conformance/start",
            "conformance/stop")


def counts(output):
    """(passed, failed) of one program's output; None when it reports nothing."""
    passed = failed = 0
    found = False
    for match in re.finditer(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", output):
        checks, failures, errors = map(int, match.groups())
        failed += failures + errors
        passed += checks - failures - errors
        found = True
    for match in re.finditer(r"^Ran (\d+) tests? in", output, re.M):
        ran = int(match.group(1))
        tail = output[match.end():]
        bad = sum(int(n) for n in re.findall(
            r"(?:failures|errors|skipped|expected failures|unexpected successes)=(\d+)",
            tail.split("Ran ")[0]))
        failed += bad
        passed += max(0, ran - bad)
        found = True
    return (passed, failed) if found else None


def main():
    passed = failed = 0
    for path in sys.argv[1:]:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = case.get("name")
            ok = case.get("status") == "run"
            if ok and name in FIXTURES:
                continue
            output = case.findtext("system-out") or ""
            good, bad = counts(output) or (1 if ok else 0, 0)
            if not ok and bad == 0:
                bad = 1
            if bad:
                print(f"failed: {path.rsplit('/', 1)[-1][:-4]}: {name} ({case.get('status')})")
            passed += good
            failed += bad
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 0 else 1


sys.exit(main())
