# Generated from _operations/letters.py by tools/generate_aio.py: edit that file.

"""Dead letters, and what went wrong with a delivery."""

from __future__ import annotations

from collections.abc import Sequence

from .._models import DeadLetter, Failure, Filter, Page
from .._waiting_aio import Waiting


class Letters(Waiting):
    """What a queue can do with what failed."""

    __slots__ = ()

    async def dead_letters(
        self, topic: str, subscriber: str, *, limit: int | None = None, after: str | None = None
    ) -> Page[DeadLetter]:
        """The dead letters of a subscriber, oldest first."""
        return await self._wait(self._native.dead_letters(topic, subscriber, limit, after))

    async def redrive(
        self,
        topic: str,
        subscriber: str,
        *,
        ids: Sequence[str] | None = None,
        limit: int | None = None,
        filter: Filter | None = None,
        to: str | None = None,
        rate: float | None = None,
        dry_run: bool = False,
    ) -> int:
        """Gives dead letters all their attempts again; the answer is how many.

        Those of these message ids, or the oldest ``limit``, or all; with a ``filter``, only those whose
        headers match. ``to`` publishes them to another topic instead; ``rate`` lets at most so many a second
        fall due; a dry run only counts.
        """
        return await self._wait(
            self._native.redrive(topic, subscriber, ids, limit, filter, to, rate, dry_run)
        )

    async def purge_dead_letters(
        self,
        topic: str,
        subscriber: str,
        *,
        ids: Sequence[str] | None = None,
        limit: int | None = None,
        filter: Filter | None = None,
        dry_run: bool = False,
    ) -> int:
        """Deletes dead letters, chosen as in :meth:`redrive`; the answer is how many."""
        return await self._wait(
            self._native.purge_dead_letters(topic, subscriber, ids, limit, filter, dry_run)
        )

    async def failures(
        self,
        topic: str,
        subscriber: str,
        message_id: str,
        *,
        limit: int | None = None,
        after: str | None = None,
    ) -> Page[Failure]:
        """What went wrong with a delivery so far, oldest first."""
        return await self._wait(self._native.failures(topic, subscriber, message_id, limit, after))
