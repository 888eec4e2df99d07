"""Closed connections fail no request; waiters are served in order of arrival."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from tests.db.queries import backend_ended, divided_by, pid_of, slept

from wxc.core.config import Config
from wxc.db import pool
from wxc.db.connections import Connection
from wxc.db.database import Database, split_pool_size


@pytest.fixture
async def patient(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    """One connection per handle, and a timeout that is long enough for a busy machine."""
    changed = {
        "database_url": fresh_database_url,
        "database_pool_size": 2,
        "database_pool_wait": 30.0,
    }
    patient = Database(config.model_copy(update=changed))
    yield patient
    await patient.close()


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that connections executed while they were acquired."""
    statements: list[str] = []
    execute = Connection.execute

    async def recorded(self: Connection, query: str, **options: Any) -> str:
        statements.append(query)
        return await execute(self, query, **options)

    monkeypatch.setattr(Connection, "execute", recorded)
    return statements


async def test_a_recently_used_connection_is_not_pinged(
    database: Database, pings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_IDLE_WITHOUT_PING", 3600.0)
    former = await pid_of(database)
    pings.clear()

    assert await pid_of(database) == former
    assert pings == []


async def test_a_connection_that_the_server_has_ended_is_replaced(
    database: Database, config: Config
) -> None:
    former = await pid_of(database)
    await _end(config, former)

    assert await pid_of(database) != former


async def test_an_idle_connection_is_pinged_and_replaced_if_it_does_not_respond(
    database: Database, pings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    former = await pid_of(database)
    monkeypatch.setattr(pool, "MAX_IDLE_WITHOUT_PING", -1.0)
    pings.clear()

    assert await pid_of(database) == former
    assert pings == ["SELECT 1"]

    async def silent(connection: Connection) -> bool:
        monkeypatch.undo()
        return False

    monkeypatch.setattr(pool, "_is_alive", silent)
    monkeypatch.setattr(pool, "MAX_IDLE_WITHOUT_PING", -1.0)
    assert await pid_of(database) != former


async def test_concurrent_readers_are_served_in_order_of_arrival(patient: Database) -> None:
    served: list[int] = []

    async def read(number: int) -> None:
        await pid_of(patient)
        served.append(number)
        await pid_of(patient)  # queues again, behind all waiters

    await asyncio.gather(*map(read, range(20)))

    assert served == list(range(20))


async def test_slow_readers_do_not_block_a_transaction(patient: Database) -> None:
    readers = [asyncio.create_task(patient.fetch(slept(0.1))) for _ in range(3)]
    await asyncio.sleep(0)

    async with patient.transaction() as session:
        assert await session.scalar(text("SELECT 1")) == 1

    assert not all(reader.done() for reader in readers)
    await asyncio.gather(*readers)


async def test_a_failed_statement_does_not_close_its_connection(database: Database) -> None:
    former = await pid_of(database)

    with pytest.raises(DBAPIError):
        await database.fetch(divided_by(0))

    assert await pid_of(database) == former
    assert database.connections_in_use == 0


async def test_a_cancelled_waiter_takes_no_connection(patient: Database) -> None:
    async with patient._pool.acquire():
        waiting = asyncio.create_task(patient.fetch(slept(0)))
        await asyncio.sleep(0.01)
        waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await pid_of(patient)
    assert patient.connections_in_use == 0


async def test_a_waiter_cancelled_with_a_connection_passes_it_to_the_next(
    patient: Database,
) -> None:
    pool = patient._pool
    taken = await pool.acquire_connection()
    waiting = [asyncio.create_task(pool.acquire_connection()) for _ in range(2)]
    await asyncio.sleep(0)

    await pool.release(taken, None)  # the first waiter has it now, and has not run yet
    waiting[0].cancel()

    assert await waiting[1] is taken
    assert waiting[0].cancelled()
    await pool.release(taken, None)
    assert patient.connections_in_use == 0


async def test_waiters_open_new_connections_after_a_lost_or_refused_one(
    patient: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = patient._pool
    taken = await connections.acquire_connection()
    waiting = [asyncio.create_task(connections.acquire_connection()) for _ in range(2)]
    await asyncio.sleep(0)

    async def refused(*_: object, **__: object) -> Connection:
        monkeypatch.undo()
        raise ConnectionRefusedError

    monkeypatch.setattr(pool, "connect", refused)
    taken.terminate()
    await connections.release(taken, ConnectionResetError())

    with pytest.raises(ConnectionRefusedError):
        await waiting[0]
    opened = await waiting[1]
    assert opened is not taken
    assert await opened.fetchval("SELECT 1") == 1
    await connections.release(opened, None)


async def test_a_waiter_times_out(
    patient: Database, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with patient._pool.acquire():
        short = config.model_copy(update={"database_pool_wait": 0.05})
        monkeypatch.setattr(patient._pool, "_config", short)
        with pytest.raises(NoConnection):
            await pid_of(patient)


async def test_both_pools_share_the_number_of_connections(
    config: Config, fresh_database_url: str
) -> None:
    changed = {"database_url": fresh_database_url, "database_pool_wait": 30.0}
    database = Database(config.model_copy(update=changed))

    async def write() -> None:
        async with database.transaction() as session:
            await session.fetch(slept(0.2))

    work = [asyncio.create_task(database.fetch(slept(0.2))) for _ in range(30)]
    work += [asyncio.create_task(write()) for _ in range(30)]  # type: ignore[arg-type]
    await asyncio.sleep(0.3)
    watcher = await asyncpg.connect(fresh_database_url.replace("+asyncpg", ""))
    count = await watcher.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    await watcher.close()
    await asyncio.gather(*work)

    assert count == config.database_pool_size == 12
    assert database.connections_in_use == 0
    await database.close()


@pytest.mark.parametrize(
    ("connections", "parts"), [(1, (1, 1)), (2, (1, 1)), (3, (2, 1)), (12, (8, 4)), (20, (14, 6))]
)
def test_a_third_of_the_connections_is_reserved_for_transactions(
    connections: int, parts: tuple[int, int]
) -> None:
    assert split_pool_size(connections) == parts


async def test_a_connection_closed_during_a_statement_is_replaced(
    database: Database, config: Config
) -> None:
    before = await pid_of(database)
    reading = asyncio.create_task(database.fetch(slept(5.0)))
    await asyncio.sleep(0.1)
    await _end(config, before)

    with pytest.raises(DBAPIError) as lost:
        await reading
    assert lost.value.connection_invalidated
    assert await pid_of(database) != before
    assert database.connections_in_use == 0


async def test_a_connection_with_a_cancelled_statement_is_closed(
    database: Database,
) -> None:
    before = await pid_of(database)
    reading = asyncio.create_task(database.fetch(slept(5.0)))
    await asyncio.sleep(0.1)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await pid_of(database) != before
    assert database.connections_in_use == 0


async def _end(config: Config, pid: int) -> None:
    other = Database(config)
    await other.fetch(backend_ended(pid))
    await other.close()
    await asyncio.sleep(0.1)  # until the close has arrived
