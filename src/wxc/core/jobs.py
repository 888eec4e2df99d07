"""Background jobs, and how they stop."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

Done = Callable[[], None]
"""Called by a job after each round that succeeded."""

_HOUR = 3600.0
_CANCEL_INTERVAL = 0.5  # seconds


class Job(Protocol):
    """Runs until it is stopped; any number of processes may run the same job at once."""

    @property
    def name(self) -> str:
        """Its name in logs and metrics."""
        ...

    async def run(self, stop: asyncio.Event, done: Done) -> None:
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

    async def run(self, stop: asyncio.Event, done: Done) -> None:
        """Work until `stop` is set; what has begun is finished."""
        while not stop.is_set():
            has_more = await self.work_once()
            done()
            if not has_more:
                await pause(self._interval, stop)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Sleep for that long, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def end_all(tasks: Collection["asyncio.Task[None]"]) -> None:
    """Cancel the tasks until they have ended.

    Once is not enough: a driver whose connection breaks at that moment raises its own error in
    place of the cancellation, and a task that retries after errors would never end.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_INTERVAL)
