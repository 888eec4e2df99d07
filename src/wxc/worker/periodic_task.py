import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from wxc.core.tasks import OnSuccess, pause

_HOUR = 3600.0


class Job(Protocol):
    """A background job; any number of processes may run the same job concurrently."""

    @property
    def name(self) -> str:
        """The name in logs and metrics."""

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        """Run until `stop` is set, then finish the current round; call `done` after each round."""


def noop() -> None:
    """The default for `done`: records nothing."""


class PeriodicTask:
    """Calls `work` every `interval` seconds, without a pause while it returns True."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[bool | None]], interval: float = _HOUR
    ) -> None:
        self.name = name
        self.run_once = work
        """Returns True if there is more to do."""
        self._interval = interval

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        while not stop.is_set():
            has_more = await self.run_once()
            done()
            if not has_more:
                await pause(self._interval, stop)
