"""Owners are told in time that their rates go stale."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.exchange.boards import BOARD, Time, board
from tests.support.browser import Browser

from wxc.models import Exchange
from wxc.worker import exchange_reminders as worker
from wxc.worker.exchange_reminders import Reminder
from wxc.worker.periodic_task import nobody_asks


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    await connection.execute(delete(Exchange))
    return await member("ada")


@pytest.fixture
def reminder(app: FastAPI) -> Reminder:
    return Reminder(app.state.services.database)


async def told(browser: Browser) -> list[dict[str, object]]:
    return list((await browser.get("/notifications")).json()["items"])


async def test_the_owner_is_told_once_when_four_fifths_of_the_time_are_over(
    ada: Browser, reminder: Reminder, time: Time
) -> None:
    await ada.put("/exchange", json=board(valid_for_hours=10))
    time.passes(hours=7, minutes=59)
    assert await reminder.work_once() is False
    assert await told(ada) == []

    time.passes(minutes=1)
    assert [await reminder.work_once(), await reminder.work_once()] == [True, False]

    (group,) = await told(ada)
    assert (group["type"], group["actors"], group["count"]) == ("exchange_expiring", [], 1)


async def test_every_confirmation_begins_anew(ada: Browser, reminder: Reminder, time: Time) -> None:
    await ada.put("/exchange", json=BOARD)
    for confirmed in (ada.post("/exchange/confirm"), ada.put("/exchange", json=BOARD)):
        time.passes(hours=20)
        assert await reminder.work_once() is True
        await confirmed
        assert await reminder.work_once() is False
    time.passes(hours=20)
    await reminder.work_once()

    assert len(await told(ada)) == 3


async def test_whoever_confirms_in_time_or_closes_is_not_told(
    ada: Browser, reminder: Reminder, time: Time
) -> None:
    await ada.put("/exchange", json=BOARD)
    time.passes(hours=19)
    await ada.post("/exchange/confirm")
    time.passes(hours=19)
    assert await reminder.work_once() is False
    await ada.delete("/exchange")
    time.passes(hours=19)

    assert await reminder.work_once() is False
    assert await told(ada) == []


async def test_the_job_goes_on_until_it_is_stopped(
    ada: Browser, reminder: Reminder, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_INTERVAL", 0.01)
    await ada.put("/exchange", json=BOARD)
    stop = asyncio.Event()
    running = asyncio.create_task(reminder.run(stop, nobody_asks))
    time.passes(hours=20)
    async with asyncio.timeout(10):
        while not await told(ada):  # noqa: ASYNC110 - what is waited for is in the database
            await asyncio.sleep(0.01)

    stop.set()
    await running

    assert len(await told(ada)) == 1
