"""Tasks of the background end when they must."""

import asyncio

import pytest

from wxc.core import tasks as jobs


async def test_a_task_that_takes_a_cancellation_for_an_error_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "_CANCEL_INTERVAL", 0.01)
    swallowed = asyncio.Event()

    async def go_on() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()  # as a driver does that raises ConnectionError instead

    async def obey() -> None:
        await asyncio.sleep(3600)

    tasks = [asyncio.create_task(go_on()), asyncio.create_task(obey())]
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
