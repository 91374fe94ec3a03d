"""Python's own sqlite3 module."""

import sqlite3
import sys

import protocol

db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)


def run(sql, *values):
    return {"rows": db.execute(sql, values).rowcount}


protocol.serve(
    {
        "begin": lambda: run("BEGIN IMMEDIATE"),
        "begin_deferred": lambda: run("BEGIN DEFERRED"),
        "app": lambda x: run("INSERT INTO app (x) VALUES (?)", x),
        "read": lambda: {"rows": db.execute("SELECT count(*) FROM app").fetchone()[0]},
        "publish": lambda topic, payload: run(
            "INSERT INTO blockqueue_publish (topic, payload) VALUES (?, ?)", topic, payload.encode()
        ),
        "ack": lambda receipt: run("INSERT INTO blockqueue_ack (receipt) VALUES (?)", receipt),
        "nack": lambda receipt, error: run(
            "INSERT INTO blockqueue_nack (receipt, error) VALUES (?, ?)", receipt, error
        ),
        "commit": lambda: run("COMMIT"),
        "rollback": lambda: run("ROLLBACK"),
        "version": lambda: {"version": sqlite3.sqlite_version},
    },
    sqlite3.Error,
)
