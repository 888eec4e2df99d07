"""A session is one transaction, regardless of its first statement."""

import asyncio
from typing import NamedTuple
from uuid import UUID

import asyncpg
import pytest
from asyncpg.transaction import Transaction
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import ReturningInsert
from tests.db.queries import divided_by, pid_of, slept
from tests.support.database import administer

from wxc.core.ids import new_id
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.db.session import after_commit
from wxc.models import UsedUsername


class Name(NamedTuple):
    name: str


@prepared(Name)
def insert_name(name: str, user_id: UUID) -> ReturningInsert[str]:
    return (
        insert(UsedUsername)
        .values(name=name, user_id=user_id, taken_at=func.now())
        .returning(UsedUsername.name)
    )


@prepared(Name)
def names_of(user_id: UUID) -> AnySelect:
    return select(UsedUsername.name).where(UsedUsername.user_id == user_id)


async def names(database: Database, user_id: UUID) -> list[str]:
    return [row.name for row in await database.fetch(names_of(user_id))]


class RefusedError(Exception):
    pass


async def test_a_rollback_undoes_a_prepared_first_statement(
    database: Database,
) -> None:
    user_id = new_id()

    async def write_and_raise() -> None:
        async with database.transaction() as session:
            await session.fetch(insert_name("one", user_id))
            assert [row.name for row in await session.fetch(names_of(user_id))] == ["one"]
            raise RefusedError

    with pytest.raises(RefusedError):
        await write_and_raise()
    assert await names(database, user_id) == []


async def test_prepared_queries_and_sqlalchemy_statements_share_the_transaction(
    database: Database,
) -> None:
    user_id = new_id()
    async with database.transaction() as session:
        await session.execute(insert(UsedUsername).values(name="one", user_id=user_id))
        await session.fetch(insert_name("two", user_id))
        found = select(UsedUsername.name).where(UsedUsername.user_id == user_id)
        assert set(await session.scalars(found)) == {"one", "two"}
        assert await names(database, user_id) == []

    assert sorted(await names(database, user_id)) == ["one", "two"]


async def test_a_session_has_no_connection_until_its_first_statement(database: Database) -> None:
    async with database.transaction() as session:
        assert database.connections_in_use == 0
        await pid_of(session)
        assert database.connections_in_use == 1

    assert database.connections_in_use == 0


async def test_after_commit_callbacks_run_only_after_a_commit(database: Database) -> None:
    seen: list[list[str]] = []
    user_id = new_id()

    async def look() -> None:
        seen.append(await names(database, user_id))

    async with database.transaction() as session:
        after_commit(session, look)
        await session.fetch(insert_name("one", user_id))
        assert seen == []
    assert seen == [["one"]]

    async def refuse() -> None:
        async with database.transaction() as session:
            after_commit(session, look)
            await session.fetch(insert_name("one", user_id))

    with pytest.raises(IntegrityError):
        await refuse()
    assert seen == [["one"]]


async def test_a_commit_refused_by_the_server_raises(
    database: Database, fresh_database_url: str
) -> None:
    user_id = new_id()
    await administer(
        fresh_database_url,
        "ALTER TABLE used_usernames ADD CONSTRAINT late UNIQUE (user_id)"
        " DEFERRABLE INITIALLY DEFERRED",
    )

    async def write_twice() -> None:
        async with database.transaction() as session:
            await session.fetch(insert_name("one", user_id))
            await session.fetch(insert_name("two", user_id))

    with pytest.raises(IntegrityError):
        await write_twice()
    assert await names(database, user_id) == []
    assert database.connections_in_use == 0


async def test_a_connection_lost_at_the_commit_is_closed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(self: Transaction) -> None:
        raise ConnectionResetError("lost")

    async def write() -> None:
        async with database.transaction() as session:
            await session.fetch(insert_name("one", user_id))
            monkeypatch.setattr(Transaction, "commit", lose)

    user_id = new_id()
    with pytest.raises(ConnectionResetError):
        await write()
    monkeypatch.undo()

    assert await names(database, user_id) == []
    async with database.transaction() as session:
        await session.fetch(insert_name("one", user_id))
    assert await names(database, user_id) == ["one"]


async def test_a_cancelled_session_rolls_back(database: Database) -> None:
    user_id = new_id()

    async def write_and_wait() -> None:
        async with database.transaction() as session:
            await session.fetch(insert_name("one", user_id))
            await session.fetch(slept(5.0))

    writing = asyncio.create_task(write_and_wait())
    await asyncio.sleep(0.2)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert database.connections_in_use == 0
    async with database.transaction() as session:
        await session.fetch(insert_name("one", user_id))
    assert await names(database, user_id) == ["one"]


async def test_errors_of_a_session_are_sqlalchemy_exceptions(database: Database) -> None:
    async def divide() -> None:
        async with database.transaction() as session:
            await session.fetch(divided_by(0))

    with pytest.raises(DBAPIError) as divided:
        await divide()

    assert getattr(divided.value.orig, "sqlstate", None) == "22012"
    assert not divided.value.connection_invalidated


async def test_a_failed_begin_is_an_outage(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(self: Transaction) -> None:
        raise asyncpg.ConnectionDoesNotExistError("lost")

    async def begin() -> None:
        async with database.transaction() as session:
            await pid_of(session)

    monkeypatch.setattr(Transaction, "start", lose)
    with pytest.raises(UNAVAILABLE_ERRORS):
        await begin()
    monkeypatch.undo()

    assert database.connections_in_use == 0
    await begin()
