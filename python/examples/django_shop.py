"""Django and the queue in one file: an order and its message are committed together, or not at all.

    pip install blockqueue "django>=5.1"
    python django_shop.py migrate && python django_shop.py runserver
    curl -d item=tea localhost:8000/orders

The view publishes by plain SQL in Django's own transaction. Other parts of the same process may have the
queue open: `blockqueue` and Python's `sqlite3` get along on one file.
"""

from __future__ import annotations

import json
import secrets
import sys
from contextlib import suppress
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path

import blockqueue

FILE = Path("shop.db").absolute()

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(),
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    # The transactions begin with the lock that they will need.
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FILE,
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    },
)
django.setup()


def prepare() -> None:
    """The table of the shop, beside those of the queue."""
    with blockqueue.open(FILE) as queue, suppress(blockqueue.errors.TopicExistsError):
        queue.create_topic("orders", subscribers=["email"])
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS shop_order (id INTEGER PRIMARY KEY, item TEXT NOT NULL)")


def order(request: HttpRequest) -> JsonResponse:
    """Both rows, or none."""
    item = request.POST["item"]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_order (item) VALUES (%s)", [item])
        number = cursor.lastrowid
        cursor.execute(
            "INSERT INTO blockqueue_publish (topic, payload, content_type) VALUES ('orders', %s, %s)",
            [json.dumps({"order": number, "item": item}), "application/json"],
        )
        if item == "nothing":
            raise ValueError("there is nothing to order")
    return JsonResponse({"order": number})


urlpatterns = [path("orders", order)]

if __name__ == "__main__":
    if sys.argv[1:2] == ["migrate"]:
        prepare()
    else:
        execute_from_command_line(sys.argv)
