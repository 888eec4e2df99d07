"""Live streams: how many there may be, and when one has to look for something new."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from wxc.core.errors import TooManyStreams
from wxc.core.events import Events

LOOK_INTERVAL = 15.0  # seconds; what pub/sub did not tell is found by then


@dataclass(frozen=True, slots=True)
class Reset:
    """What the client has missed cannot be told: it should load the whole anew."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The session has ended; nothing follows."""


class StreamPlaces:
    """Bounds the streams of one holder: a session, or whoever comes from an address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[Hashable] = Counter()

    @contextmanager
    def place(self, holder: Hashable) -> Iterator[None]:
        """A place for one stream; raises `TooManyStreams` when all of the holder's are taken."""
        if self._taken[holder] >= self._most:
            raise TooManyStreams
        self._taken[holder] += 1
        try:
            yield
        finally:
            self._taken[holder] -= 1
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
