"""Owners are reminded before their rates become stale."""

import asyncio

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.boards import BOARD, board
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_notification
from tests.support.fake_time import FakeTime, with_long_sessions

from wxc.core.config import Config
from wxc.models import Exchange, Notification
from wxc.worker import exchange_reminders as worker
from wxc.worker.account_deletion import AccountPurger
from wxc.worker.exchange_reminders import ExchangeReminder
from wxc.worker.periodic_task import noop


@pytest.fixture
def config(config: Config) -> Config:
    return with_long_sessions(config)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


@pytest.fixture
async def ada(member: Member, connection: AsyncConnection) -> Browser:
    await connection.execute(delete(Exchange))
    return await member("ada")


@pytest.fixture
def reminder(app: FastAPI) -> ExchangeReminder:
    return ExchangeReminder(app.state.services.database)


async def notifications_of(browser: Browser) -> list[dict[str, object]]:
    return list((await browser.get("/notifications")).json()["items"])


async def test_owner_is_reminded_once_after_four_fifths_of_the_validity(
    ada: Browser, reminder: ExchangeReminder, time: FakeTime
) -> None:
    await ada.put("/exchange", json=board(valid_for_hours=10))
    time.advance(hours=7, minutes=59)
    assert await reminder.run_once() is False
    assert await notifications_of(ada) == []

    time.advance(minutes=1)
    assert [await reminder.run_once(), await reminder.run_once()] == [True, False]

    (group,) = await notifications_of(ada)
    assert (group["type"], group["actors"], group["count"]) == ("exchange_expiring", [], 1)


async def test_confirmation_restarts_the_validity(
    ada: Browser, reminder: ExchangeReminder, time: FakeTime
) -> None:
    await ada.put("/exchange", json=BOARD)
    for confirmed in (ada.post("/exchange/confirm"), ada.put("/exchange", json=BOARD)):
        time.advance(hours=20)
        assert await reminder.run_once() is True
        await confirmed
        assert await reminder.run_once() is False
    time.advance(hours=20)

    assert await reminder.run_once() is True


ANSWERS = {
    "confirmed": ("POST", "/exchange/confirm", None),
    "repeated": ("PUT", "/exchange", BOARD),
    "replaced": ("PUT", "/exchange", board(name="Other")),
    "closed": ("DELETE", "/exchange", None),
}


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_reminder_goes_when_it_has_been_answered(
    ada: Browser,
    member: Member,
    reminder: ExchangeReminder,
    time: FakeTime,
    connection: AsyncConnection,
    answer: str,
) -> None:
    eve = await member("eve")
    for browser in (ada, eve):
        await browser.put("/exchange", json=BOARD)
    follow = await make_notification(connection, ada.id, eve.id)
    time.advance(hours=20)
    await reminder.run_once()
    assert len(await notifications_of(ada)) == 2
    method, path, body = ANSWERS[answer]

    done = await ada.request(method, path, json=body)

    assert done.is_success, done.text
    (left,) = await notifications_of(ada)
    assert left["id"] == str(follow)
    assert (await ada.get("/notifications")).json()["unread_count"] == 1
    assert [group["type"] for group in await notifications_of(eve)] == ["exchange_expiring"]


async def test_a_reminder_goes_with_the_account(
    ada: Browser,
    reminder: ExchangeReminder,
    time: FakeTime,
    connection: AsyncConnection,
    app: FastAPI,
    config: Config,
) -> None:
    await ada.put("/exchange", json=BOARD)
    time.advance(hours=20)
    await reminder.run_once()

    await ada.delete("/settings", json={"current_password": PASSWORD})
    while await AccountPurger(config, app.state.services.database).run_once():
        pass

    kept = select(func.count()).where(Notification.recipient_id == ada.id)
    assert await connection.scalar(kept) == 0


async def test_owner_who_confirms_or_closes_in_time_is_not_reminded(
    ada: Browser, reminder: ExchangeReminder, time: FakeTime
) -> None:
    await ada.put("/exchange", json=BOARD)
    time.advance(hours=19)
    await ada.post("/exchange/confirm")
    time.advance(hours=19)
    assert await reminder.run_once() is False
    await ada.delete("/exchange")
    time.advance(hours=19)

    assert await reminder.run_once() is False
    assert await notifications_of(ada) == []


async def test_job_runs_until_it_is_stopped(
    ada: Browser, reminder: ExchangeReminder, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_INTERVAL", 0.01)
    await ada.put("/exchange", json=BOARD)
    stop = asyncio.Event()
    running = asyncio.create_task(reminder.run(stop, noop))
    time.advance(hours=20)
    async with asyncio.timeout(10):
        while not await notifications_of(ada):  # noqa: ASYNC110 - waits for a row
            await asyncio.sleep(0.01)

    stop.set()
    await running

    assert len(await notifications_of(ada)) == 1
