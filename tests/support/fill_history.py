#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fill_history.py HISTORY.DB runs COUNT | graph NODES - rows as runs would leave them, for
tests and measurements of large histories and large graphs. The file must be one of dagrun's."""
import random
import sqlite3
import sys

STATES = ["succeeded"] * 90 + ["failed"] * 4 + ["degraded"] * 3 + ["stopped"] * 2 + ["interrupted"]
BEGIN_MS = 1_700_000_000_000


def dag_id(db, name):
    db.execute("INSERT OR IGNORE INTO dags(name, path, broker, last_run) VALUES(?, ?, '', 0)",
               (name, f"/dags/{name}.yaml"))
    return db.execute("SELECT id FROM dags WHERE name = ?", (name,)).fetchone()[0]


def add_run(db, dag, number, state, started_ms):
    cursor = db.execute(
        "INSERT INTO runs(dag_id, number, state, path, broker, host, user, pid, trigger, fresh,"
        " started_ms, alive_ms, ended_ms, exit_code) VALUES(?, ?, ?, '/dags/x.yaml', 'embedded',"
        " 'box', 'me', 1, 'start', 0, ?, ?, ?, ?)",
        (dag, number, state, started_ms, started_ms + 5000, started_ms + 5000,
         0 if state == "succeeded" else 1))
    return cursor.lastrowid


def add_node(db, run, name, source, state="done"):
    db.execute("INSERT INTO nodes(run_id, node, program, consumer_group, state, clients,"
               " restarts, in_count, answered, dropped, dead, out_count, repeats)"
               " VALUES(?, ?, 'copy', ?, ?, 1, 0, 10, 10, 0, 0, 10, 0)",
               (run, name, None if source else f"g.{name}", state))


def add_runs(db, count):
    """Of 50 dags, a minute apart, three nodes and a process each."""
    dags = [dag_id(db, f"batch{i:02}") for i in range(50)]
    for i in range(count):
        run = add_run(db, dags[i % 50], i // 50 + 1, random.choice(STATES), BEGIN_MS + i * 60000)
        for name in ("src", "work", "out"):
            add_node(db, run, name, name == "src")
        db.execute("INSERT INTO attempts(run_id, node, client, attempt, pid, started_ms, ended_ms,"
                   " exit_code) VALUES(?, 'work', '0', 1, 1, ?, ?, 0)",
                   (run, BEGIN_MS + i * 60000, BEGIN_MS + i * 60000 + 5000))
    for i, dag in enumerate(dags):
        db.execute("UPDATE dags SET last_run = ? WHERE id = ?", ((count - i + 49) // 50, dag))


def add_graph(db, nodes):
    """big@1: a tree of three children a node, and every tenth node reads a second one."""
    dag = dag_id(db, "big")
    run = add_run(db, dag, 1, "succeeded", BEGIN_MS)
    db.execute("UPDATE dags SET last_run = 1 WHERE id = ?", (dag,))
    for i in range(nodes):
        add_node(db, run, f"n{i}", i == 0)
        for parent in {(i - 1) // 3, (i - 1) // 5 if i % 10 == 0 else (i - 1) // 3} if i else ():
            db.execute("INSERT INTO edges(run_id, edge, from_node, to_node, topic, partitions)"
                       " VALUES(?, ?, ?, ?, ?, 1)",
                       (run, f"n{parent}:n{i}", f"n{parent}", f"n{i}", f"big.n{parent}.n{i}"))


def main(path, what, count):
    random.seed(1)
    db = sqlite3.connect(path, timeout=30)
    with db:
        {"runs": add_runs, "graph": add_graph}[what](db, int(count))
    db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
