"""Live streams: how many there may be, and when one has to look for something new."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

from wxc.core.errors import TooManyStreams
from wxc.core.events import Events

LOOK_INTERVAL = 15.0  # seconds; what pub/sub did not tell is found by then


class StreamPlaces:
    """Bounds the streams of a session."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[UUID] = Counter()

    @contextmanager
    def place(self, session_id: UUID) -> Iterator[None]:
        """A place for one stream; raises `TooManyStreams` when all of the session's are taken."""
        if self._taken[session_id] >= self._most:
            raise TooManyStreams
        self._taken[session_id] += 1
        try:
            yield
        finally:
            self._taken[session_id] -= 1
            self._taken += Counter()  # forgets those without any


async def looks(events: Events, topics: Sequence[str]) -> AsyncGenerator[None]:
    """Yield at once, whenever one of the topics is announced, and every fifteen seconds.

    Ends when the process does.
    """
    async with events.listening(*topics) as bell:
        while not events.is_closing:
            bell.clear()
            yield
            with suppress(TimeoutError):
                await asyncio.wait_for(bell.wait(), LOOK_INTERVAL)
