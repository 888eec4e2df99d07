import asyncio
from collections.abc import Callable, Collection

OnSuccess = Callable[[], None]
"""Called by a task after each successful round."""

_CANCEL_INTERVAL = 0.5  # seconds


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Sleep, but return early when `stop` is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def cancel_all(tasks: Collection["asyncio.Task[None]"]) -> None:
    """Cancel the tasks repeatedly until they have ended.

    A driver whose connection breaks at that moment raises its own error instead of the
    cancellation; a task that retries after errors would then never end.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=_CANCEL_INTERVAL)
