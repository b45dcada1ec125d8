#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs what a document shows: every fenced block marked "sh", in order and in one folder,
and "dagrun validate" on every block marked "yaml" that is a whole dag.

    run_docs.py FILE.md       DAGRUN names the built dagrun; its runs are on the embedded broker

Blocks marked "console" are for people only: they change the machine, or never end.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def run(command, folder, env):
    done = subprocess.run(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180,
                          check=False)
    return done.returncode, done.stdout


def check(kind, text, folder, env):
    if kind == "sh":
        return run(["bash", "-euo", "pipefail", "-c", text], folder, env)
    path = os.path.join(folder, "dags", "block.yaml")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    for program in re.findall(r"program: (\./[\w./-]+)", text):  # the reader's own ones
        stand_in = os.path.join(folder, "dags", program)
        os.makedirs(os.path.dirname(stand_in), exist_ok=True)
        if not os.path.exists(stand_in):
            os.symlink(os.path.join(os.path.dirname(env["DAGRUN"]), "nodes", "copy"), stand_in)
    return run(["dagrun", "validate", path], folder, env)


def wanted(kind, text):
    return kind == "sh" or (kind == "yaml" and re.search(r"^nodes:", text, re.M))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = file.read()
    checks = failures = 0
    with tempfile.TemporaryDirectory(prefix="dagrun-docs-") as top:
        folder = os.path.join(top, "dagrun")
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("build", ".git", "out"))
        build = os.path.dirname(os.environ["DAGRUN"])
        env = dict(os.environ, DAGRUN_HOME=os.path.join(top, "home"), NO_COLOR="1",
                   PATH=build + ":" + os.environ["PATH"])
        for match in FENCE.finditer(document):
            kind, text = match.groups()
            if not wanted(kind, text):
                continue
            checks += 1
            code, output = check(kind, text, folder, env)
            if code != 0:
                failures += 1
                line = document.count("\n", 0, match.start()) + 1
                print(f"{sys.argv[1]}:{line}: error: exit {code}\n{text}---\n{output}")
        subprocess.run(["dagrun", "broker", "stop"], env=env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document):
        checks += 1
        if not os.path.exists(os.path.join(os.path.dirname(sys.argv[1]), link)):
            failures += 1
            print(f"{sys.argv[1]}: error: the link {link} leads nowhere")
    print(f"Checks: {checks}, Failures: {failures}, Errors: 0")
    return 1 if failures else 0


sys.exit(main())
