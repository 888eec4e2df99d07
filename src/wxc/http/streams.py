"""Live streams: how many there may be, and when one has to look for something new."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from wxc.core.config import Config
from wxc.core.events import Events
from wxc.http.rate_limits import network_of, site_of
from wxc.http.refusals import Overloaded, TooManyStreams
from wxc.http.traffic import Traffic, Viewer

LOOK_INTERVAL = 15.0  # seconds; what pub/sub did not tell is found by then


@dataclass(frozen=True, slots=True)
class Reset:
    """What the client has missed cannot be told: it should load the whole anew."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The session has ended; nothing follows."""


class StreamLimiter:
    """Slots for the long answers of one process: live streams and exports.

    Anonymous viewers hold at most half of the slots, so the other half is left to members
    whatever happens. A slot is taken after authentication, since a cookie alone proves nothing,
    and before the first read from the database. Each method raises `TooManyStreams` at the
    viewer's own bound and `Overloaded` at the bound of the process.

    There is no lock: one event loop makes all calls, and none awaits between check and count.
    """

    def __init__(self, config: Config, traffic: Traffic) -> None:
        self._traffic = traffic
        self._max_streams = config.streams_in_flight
        self._max_anonymous = config.streams_in_flight // 2
        self._max_per_session = config.streams_per_session
        self._max_per_address = config.streams_per_address
        self._max_per_site = config.streams_per_ipv6_site
        self._held: Counter[str] = Counter()

    def slot(self, session_id: UUID | None, address: str) -> AbstractContextManager[None]:
        """A slot for a live stream of the session; of the address, if nobody is signed in."""
        if session_id is not None:
            return self._hold("member", {f"stream {session_id}": self._max_per_session})
        limits = {network_of(address): self._max_per_address}
        site = site_of(address)
        if site is not None:
            limits[site] = self._max_per_site
        return self._hold("anonymous", limits)

    def export_slot(self, session_id: UUID) -> AbstractContextManager[None]:
        """A slot for an export, which open tabs with live streams do not prevent."""
        return self._hold("member", {f"export {session_id}": self._max_per_session})

    @contextmanager
    def _hold(self, viewer: Viewer, limits: Mapping[str, int]) -> Iterator[None]:
        """Count one more for each key of `limits`, none of which may exceed its value."""
        if any(self._held[holder] >= limit for holder, limit in limits.items()):
            raise TooManyStreams
        self._refuse_when_full(viewer)
        self._held.update(limits.keys())
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

    def _release(self, holders: Mapping[str, int]) -> None:
        for holder in holders:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]  # else every address ever seen would stay in memory


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
