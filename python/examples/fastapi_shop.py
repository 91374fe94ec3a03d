"""A web service that takes orders, and a worker that sends mail: FastAPI and the queue in one file.

pip install blockqueue[pydantic] fastapi uvicorn
uvicorn fastapi_shop:api &
blockqueue worker fastapi_shop:app
curl --json '{"item": "tea", "count": 2}' localhost:8000/orders
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Request
from pydantic import BaseModel, PositiveInt

from blockqueue import aio
from blockqueue.errors import TopicExistsError
from blockqueue.worker import App

QUEUE = "shop.db"


class Order(BaseModel):
    """What is ordered."""

    item: str
    count: PositiveInt


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncGenerator[None]:
    """Every process of the service opens the queue for itself, in its loop."""
    async with aio.open(QUEUE) as queue:
        with suppress(TopicExistsError):
            await queue.create_topic("orders", subscribers=["email"])
        api.state.queue = queue
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/orders", status_code=202)
async def order(order: Order, request: Request) -> dict[str, str]:
    """The order is on disk when this answers. A client that repeats its request key orders once."""
    queue: aio.Queue = request.app.state.queue
    published = await queue.publish("orders", order, idempotency_key=request.headers.get("idempotency-key"))
    return {"id": published.id}


app = App(QUEUE)


@app.subscriber("orders", "email", concurrency=10)
async def send(order: Order) -> None:
    """Validated by pydantic; what is invalid fails, and ends as a dead letter."""
    logging.getLogger("shop").info("mail about %d %s", order.count, order.item)
