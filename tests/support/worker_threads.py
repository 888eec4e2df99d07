"""Runs code with a separate event loop, outside of the tests' event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_own_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, but in a new thread.

    A thread of the loop's pool that started while coverage was off would never be measured.
    """
    with ThreadPoolExecutor(1) as executor:
        running = asyncio.get_running_loop().run_in_executor(
            executor, lambda: call(*args, **kwargs)
        )
        return await running
