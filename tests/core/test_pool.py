"""Connections that have ended cost no request; those that are there go from hand to hand."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection

from wxc.core import borrowing, database
from wxc.core.borrowing import Borrower
from wxc.core.config import Config
from wxc.core.database import AnySelect, Database

PID: Any = text("SELECT pg_backend_pid()")


@pytest.fixture
async def one(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    """A database with a pool of one connection, for which nobody waits for long."""
    one = _database(config, fresh_database_url, 0.2)
    yield one
    await one.close()


@pytest.fixture
async def patient(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    """The same for those who wait."""
    patient = _database(config, fresh_database_url, 3.0)
    yield patient
    await patient.close()


def _database(config: Config, url: str, wait: float) -> Database:
    changed = {"database_url": url, "database_pool_size": 1, "database_pool_wait": wait}
    return Database(config.model_copy(update=changed))


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Who has been asked whether they are still there."""
    asked: list[object] = []
    ping = AsyncAdapt_asyncpg_connection.ping

    def noted(self: AsyncAdapt_asyncpg_connection) -> None:
        asked.append(self)
        ping(self)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", noted)
    return asked


async def _read(one: Database, statement: AnySelect = PID) -> Any:
    return (await one.reader.execute(statement)).scalar_one()


async def test_who_was_used_a_moment_ago_is_not_asked_whether_they_are_there(
    one: Database, pings: list[object]
) -> None:
    assert await _read(one) == await _read(one)
    assert pings == []


async def test_a_connection_that_the_server_has_ended_is_replaced(
    one: Database, config: Config, pings: list[object]
) -> None:
    former = await _read(one)
    other = Database(config)
    await _read(other, text(f"SELECT pg_terminate_backend({former})"))  # type: ignore[arg-type]
    await other.close()
    await asyncio.sleep(0.1)  # for the news to arrive

    assert await _read(one) != former
    assert pings == []


async def test_who_was_idle_for_long_is_asked_and_replaced_when_they_do_not_answer(
    one: Database, pings: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    former = await _read(one)
    monkeypatch.setattr(database, "_TRUSTED_IDLE", -1.0)

    assert await _read(one) == former
    assert len(pings) == 1

    def silent(self: AsyncAdapt_asyncpg_connection) -> None:
        raise self.dbapi.InterfaceError("the network is down")

    monkeypatch.setattr(AsyncAdapt_asyncpg_connection, "ping", silent)
    assert await _read(one) != former


async def test_readers_in_a_rush_are_served_in_turn(patient: Database) -> None:
    served: list[int] = []

    async def read(number: int) -> None:
        await _read(patient)
        served.append(number)
        await _read(patient)  # queues anew, behind all who have waited

    await asyncio.gather(*map(read, range(20)))

    assert served == list(range(20))


@pytest.fixture
def lent(one: Database) -> list[object]:
    """What the pool has lent."""
    lent: list[object] = []
    event.listen(one.writer.sync_engine, "checkout", lambda *about: lent.append(about))
    return lent


async def test_who_has_waited_takes_over_the_connection_but_not_for_ever(
    one: Database, lent: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(_read(one) for _ in range(20)))
    assert len(lent) < 10

    lent.clear()
    monkeypatch.setattr(borrowing, "_HANDED_ON_FOR", 0.0)
    await asyncio.gather(*(_read(one) for _ in range(20)))

    assert len(lent) == 20
    assert one.connections_in_use == 0


async def test_who_writes_is_not_kept_waiting_by_readers_that_are_slow(
    patient: Database,
) -> None:
    slow: Any = text("SELECT pg_sleep(0.06)")

    async def read_on() -> None:
        while not written.is_set():
            await _read(patient, slow)

    written = asyncio.Event()
    readers = [asyncio.create_task(read_on()) for _ in range(3)]
    await asyncio.sleep(0.1)
    async with patient.transaction() as session:
        assert await session.scalar(PID)
    written.set()
    await asyncio.gather(*readers)


async def test_a_connection_on_which_something_failed_is_not_handed_on(
    one: Database, lent: list[object]
) -> None:
    missing: Any = text("SELECT missing")
    outcomes = await asyncio.gather(_read(one, missing), _read(one), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ProgrammingError, int]
    assert len(lent) == 2


async def test_what_was_handed_on_to_who_goes_away_is_given_back(
    one: Database, lent: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    borrower = cast(Borrower, one.reader)
    first, second = (asyncio.create_task(_read(one)) for _ in range(2))
    leave = borrower._leave

    async def leave_and_cancel(*about: Any) -> None:
        await leave(*about)
        second.cancel()

    monkeypatch.setattr(borrower, "_leave", leave_and_cancel)
    await asyncio.wait([first, second])

    assert first.result()
    assert second.cancelled()
    assert one.connections_in_use == 0
    monkeypatch.undo()
    assert await _read(one) == first.result()
    assert len(lent) == 2


async def test_whose_turn_does_not_come_is_refused(one: Database) -> None:
    slow = asyncio.create_task(_read(one, text("SELECT pg_sleep(0.5)")))  # type: ignore[arg-type]
    await asyncio.sleep(0.1)

    with pytest.raises(NoConnection):
        await _read(one)
    await slow


async def test_who_goes_away_or_fails_takes_no_place_along(patient: Database) -> None:
    borrower = cast(Borrower, patient.reader)
    statements = [PID, text("SELECT missing"), text("SELECT pg_sleep(0.001)")]
    readers = [asyncio.create_task(_read(patient, statements[n % 3])) for n in range(60)]
    for number, reader in enumerate(readers):
        await asyncio.sleep(0.0005)
        if number % 4 == 0:
            readers[-1 - number].cancel()  # who waits
            reader.cancel()  # who is being served, or has been
    await asyncio.wait(readers)

    gone = [reader for reader in readers if reader.cancelled()]
    served = [reader for reader in readers if not reader.cancelled() and not reader.exception()]
    assert gone
    assert served
    assert patient.connections_in_use == 0
    assert borrower._free_places == 1
    assert not borrower._queue
    assert await _read(patient)
