"""What goes on in the background, and its end."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

Done = Callable[[], None]
"""What a job calls after every round that went well."""

_HOUR = 3600.0
_CANCELLATION_PATIENCE = 0.5  # seconds


class Job(Protocol):
    """Something that goes on until it is stopped; any number of processes may do it at once."""

    @property
    def name(self) -> str:
        """What logs and metrics call it."""
        ...

    async def run(self, stop: asyncio.Event, done: Done) -> None:
        """Work until `stop` is set, and end what was begun; call `done` after each good round."""
        ...


def nobody_asks() -> None:
    """What to call after a round that nobody measures."""


class Chore:
    """Something short that is done once an hour."""

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._work = work

    async def run(self, stop: asyncio.Event, done: Done) -> None:
        """Do it now and every hour, until `stop` is set."""
        while not stop.is_set():
            await self._work()
            done()
            await pause(_HOUR, stop)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait so long, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def end_all(tasks: Collection["asyncio.Task[None]"]) -> None:
    """Cancel the tasks until they have ended.

    Once is not enough: a driver whose connection breaks off at that very moment raises its own
    error in place of the cancellation, and what goes on after errors would never end.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCELLATION_PATIENCE)
