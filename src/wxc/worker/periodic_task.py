"""Background jobs of `wxc worker`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from wxc.core.tasks import OnSuccess, pause

_HOUR = 3600.0


class Job(Protocol):
    """Runs until it is stopped; any number of processes may run the same job at once."""

    @property
    def name(self) -> str:
        """Its name in logs and metrics."""
        ...

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        """Work until `stop` is set and finish what was begun; call `done` after each round."""
        ...


def nobody_asks() -> None:
    """For a job whose rounds are not measured."""


class PeriodicTask:
    """Something short that is done every `interval` seconds, and at once while there is more."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[bool | None]], interval: float = _HOUR
    ) -> None:
        self.name = name
        self.work_once = work
        """Does it, and returns True if there is more to do."""
        self._interval = interval

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        """Work until `stop` is set; what has begun is finished."""
        while not stop.is_set():
            has_more = await self.work_once()
            done()
            if not has_more:
                await pause(self._interval, stop)
