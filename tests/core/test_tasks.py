import asyncio

import pytest

from wxc.core import tasks as jobs


async def test_a_task_that_swallows_its_first_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_CANCEL_INTERVAL", 0.01)
    swallowed = asyncio.Event()

    async def swallow_once() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()  # like a driver that raises ConnectionError instead

    async def sleep() -> None:
        await asyncio.sleep(3600)

    tasks = [asyncio.create_task(swallow_once()), asyncio.create_task(sleep())]
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await jobs.cancel_all(tasks)

    assert swallowed.is_set()
    assert all(task.done() for task in tasks)


async def test_cancelling_tolerates_failed_tasks() -> None:
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)

    await jobs.cancel_all([task])

    assert isinstance(task.exception(), ValueError)
