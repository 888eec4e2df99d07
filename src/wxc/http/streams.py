"""Limits on the number of live streams, and the wake-ups on which they read the database."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from wxc.core.config import Config
from wxc.core.events import Events
from wxc.http.rate_limits import network_of, site_of
from wxc.http.refusals.access import TooManyStreams
from wxc.http.refusals.server import Overloaded
from wxc.http.traffic import Traffic, Viewer

POLL_INTERVAL = 15.0  # seconds; the longest delay of a change whose event was lost


@dataclass(frozen=True, slots=True)
class Reset:
    """The missed changes are unknown: the client should reload everything."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The session has ended; nothing follows."""


class StreamLimiter:
    """Slots for the long responses of one process: live streams and exports.

    Anonymous viewers get at most half of the slots, so members always have the other half.
    Acquire a slot after authentication, since a cookie alone proves nothing, and before the first
    read from the database. Each method raises `TooManyStreams` at the viewer's own limit and
    `Overloaded` at the limit of the process.

    No lock is needed: all calls run on one event loop and do not await between check and count.
    """

    def __init__(self, config: Config, traffic: Traffic) -> None:
        self._traffic = traffic
        self._max_streams = config.streams_in_flight
        self._max_anonymous = config.streams_in_flight // 2
        self._max_per_session = config.streams_per_session
        self._max_per_address = config.streams_per_address
        self._max_per_site = config.streams_per_ipv6_site
        self._slots: Counter[str] = Counter()

    def slot(self, session_id: UUID | None, address: str) -> AbstractContextManager[None]:
        """A slot for a live stream, counted by session, or by address for an anonymous viewer."""
        if session_id is not None:
            return self._acquire("member", {f"stream {session_id}": self._max_per_session})
        limits = {network_of(address): self._max_per_address}
        site = site_of(address)
        if site is not None:
            limits[site] = self._max_per_site
        return self._acquire("anonymous", limits)

    def export_slot(self, user_id: UUID) -> AbstractContextManager[None]:
        """The member's only slot for an export; the live streams of open tabs do not count."""
        return self._acquire("member", {f"export {user_id}": 1})

    @contextmanager
    def _acquire(self, viewer: Viewer, limits: Mapping[str, int]) -> Iterator[None]:
        """Count one more slot for each key of `limits`, up to its value."""
        if any(self._slots[key] >= limit for key, limit in limits.items()):
            raise TooManyStreams
        self._refuse_when_full(viewer)
        self._slots.update(limits.keys())
        self._traffic.streams[viewer] += 1
        try:
            yield
        finally:
            self._traffic.streams[viewer] -= 1
            self._release(limits)

    def _refuse_when_full(self, viewer: Viewer) -> None:
        streams = self._traffic.streams
        if streams.total() >= self._max_streams:
            raise Overloaded
        if viewer == "anonymous" and streams[viewer] >= self._max_anonymous:
            raise Overloaded

    def _release(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._slots[key] -= 1
            if not self._slots[key]:
                del self._slots[key]  # else every address ever seen would stay in memory


async def wakeups(events: Events, topics: Sequence[str]) -> AsyncGenerator[None]:
    """Yield immediately, then after each event of a topic or after `POLL_INTERVAL` without one.

    Ends at shutdown.
    """
    async with events.listening(*topics) as event:
        while not events.is_closing:
            event.clear()
            yield
            await _wait(event)


async def _wait(event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), POLL_INTERVAL)
