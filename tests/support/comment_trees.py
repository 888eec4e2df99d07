"""What has an event loop of its own, run beside that of the tests."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_a_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `asyncio.to_thread`, in a thread of its own.

    One of the loop's threads might have begun while coverage was not measured, and would then
    never be.
    """
    with ThreadPoolExecutor(1) as executor:
        running = asyncio.get_running_loop().run_in_executor(
            executor, lambda: call(*args, **kwargs)
        )
        return await running
