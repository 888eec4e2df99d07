"""What the worker does again and again."""

import asyncio
from typing import Protocol


class Job(Protocol):
    """Something that goes on until it is stopped; any number of processes may do it at once."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, and end what was begun."""
        ...


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait so long, or until `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
