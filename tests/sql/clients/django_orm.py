"""Django: its ORM for the application's table, a cursor for the queue's views."""

import sqlite3
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": sys.argv[1],
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 10},
        }
    },
)
django.setup()

from django.db import Error, connection, models, transaction  # noqa: E402

import protocol  # noqa: E402


class App(models.Model):
    x = models.TextField(primary_key=True)

    class Meta:
        app_label = "app"
        db_table = "app"
        managed = False


atomic = None


def begin(mode):
    global atomic
    connection.ensure_connection()
    connection.transaction_mode = mode
    atomic = transaction.atomic()
    atomic.__enter__()


def end(error):
    atomic.__exit__(type(error) if error else None, error, None)


def run(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return {"rows": cursor.rowcount}


protocol.serve(
    {
        "begin": lambda: begin("IMMEDIATE"),
        "begin_deferred": lambda: begin("DEFERRED"),
        "app": lambda x: App.objects.create(x=x) and None,
        "read": lambda: {"rows": App.objects.count()},
        "publish": lambda topic, payload: run(
            "INSERT INTO blockqueue_publish (topic, payload) VALUES (%s, %s)", topic, payload.encode()
        ),
        "ack": lambda receipt: run("INSERT INTO blockqueue_ack (receipt) VALUES (%s)", receipt),
        "nack": lambda receipt, error: run(
            "INSERT INTO blockqueue_nack (receipt, error) VALUES (%s, %s)", receipt, error
        ),
        "commit": lambda: end(None),
        "rollback": lambda: end(Error("rolled back")),
        "version": lambda: {"version": sqlite3.sqlite_version},
    },
    Error,
)
