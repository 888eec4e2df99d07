"""What the driver executes by itself is what SQLAlchemy would have had executed."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    Double,
    Enum,
    Integer,
    Interval,
    Numeric,
    String,
    Uuid,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError

from wxc.core.config import Config
from wxc.core.database import UNREACHABLE, AnySelect, Database
from wxc.core.errors import Unavailable
from wxc.core.ids import new_id
from wxc.core.native import DriverConnection, NativeStatement, native_form
from wxc.core.problems import refusal_for
from wxc.core.statements import built_once
from wxc.models import Post


@pytest.fixture
async def database(config: Config, fresh_database_url: str) -> AsyncIterator[Database]:
    changed = {"database_url": fresh_database_url, "database_pool_size": 1}
    database = Database(config.model_copy(update=changed))
    yield database
    await database.close()


@built_once
def _bodies(post_id: UUID, is_there: bool) -> AnySelect:
    found = Post.id == post_id
    return select(Post.body).where(found if is_there else ~found).limit(1)


@built_once
def _kinds(amount: Decimal, name: str, values: list[UUID]) -> AnySelect:
    statement: AnySelect = select(
        type_coerce(amount, Numeric()).label("amount"),
        cast(literal("0.1"), Double()).label("double"),
        cast(literal("0.1"), Double().with_variant(Numeric(), "postgresql")).label("numeric"),
        type_coerce(func.jsonb_build_object("name", type_coerce(name, String())), JSONB()),
        cast(literal("mint"), Enum("mint", "lime", native_enum=False)).label("leaf"),
        cast(literal("1 day"), Interval()).label("span"),
        func.cardinality(type_coerce(values, ARRAY(Uuid()))),
        literal(None, JSONB()).label("nothing"),
    )
    return statement


@built_once
def _divided(divisor: int) -> AnySelect:
    statement: AnySelect = select(type_coerce(divisor, Integer()) / type_coerce(divisor, Integer()))
    return statement


@built_once
def _orphan(post_id: UUID) -> AnySelect:
    values = select(type_coerce(post_id, Uuid()), type_coerce(post_id, Uuid()), literal("x"))
    added = (
        insert(Post).from_select(["id", "author_id", "body"], values).returning(Post.id).cte("a")
    )
    statement: AnySelect = select(added)
    return statement


def _native(database: Database, statement: Any) -> Any:
    return native_form(statement, database.writer.dialect)


async def test_types_are_the_models_own(database: Database) -> None:
    statement, parameters = _kinds(Decimal("1.50"), "Ada", [new_id(), new_id()])

    async with database.writer.connect() as connection:
        expected = (await connection.execute(statement, parameters)).all()
    result = await database.reader.execute(statement, parameters)

    assert list(result.keys())[:3] == ["amount", "double", "numeric"]
    assert _typed(result.all()) == _typed(expected)
    assert expected[0][3] == {"name": "Ada"}


def _typed(rows: Any) -> list[list[tuple[type, Any]]]:
    return [[(type(value), value) for value in row] for row in rows]


async def test_what_is_built_once_has_one_native_form(database: Database) -> None:
    for _ in range(2):
        assert (await database.reader.execute(*_bodies(new_id(), is_there=True))).all() == []

    there, _ = _bodies(new_id(), is_there=True)
    others, _ = _bodies(new_id(), is_there=False)
    assert _native(database, there) is _native(database, there)
    assert _native(database, there).sql != _native(database, others).sql


async def test_what_is_made_of_a_built_statement_has_no_form_of_it(database: Database) -> None:
    statement, _ = _bodies(new_id(), is_there=True)

    assert _native(database, statement) is not None
    assert _native(database, statement.where(Post.body == "x")) is None
    assert _native(database, select(Post.body)) is None


async def test_sql_that_depends_on_values_is_refused(database: Database) -> None:
    @built_once
    def among(post_id: UUID) -> AnySelect:
        return select(Post.body).where(Post.id == post_id, Post.body.in_(["a", "b"]))

    with pytest.raises(TypeError, match="depends on values"):
        await database.reader.execute(*among(new_id()))


async def test_a_parameter_that_is_not_given_is_no_null(database: Database) -> None:
    statement, _ = _bodies(new_id(), is_there=True)

    with pytest.raises(KeyError):
        await database.reader.execute(statement, {})
    assert database.connections_in_use == 0


async def test_errors_are_those_of_sqlalchemy(database: Database) -> None:
    with pytest.raises(DBAPIError) as divided:
        await database.reader.execute(*_divided(0))
    with pytest.raises(IntegrityError) as refused:
        await database.single_write.execute(*_orphan(new_id()))

    assert getattr(divided.value.orig, "sqlstate", None) == "22012"
    assert not divided.value.connection_invalidated
    assert getattr(refused.value.orig, "sqlstate", None) == "23502"
    assert "null value" in str(refused.value)
    assert "DETAIL" not in f"{refused.value!r} {refused.value} {refused.value.orig}"


async def test_a_driver_out_of_step_is_a_database_that_is_not_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_step(self: DriverConnection, *_: object) -> None:
        self.terminate()  # as it does when the server's farewell has crossed a statement
        raise asyncpg.InternalClientError("another operation is in progress")

    before = await _pid(database)
    monkeypatch.setattr(asyncpg.Connection, "fetch", out_of_step)
    with pytest.raises(UNREACHABLE) as lost:
        await database.reader.execute(*_bodies(new_id(), is_there=True))
    monkeypatch.undo()

    assert refusal_for(lost.value) is Unavailable
    assert await _pid(database) != before
    assert database.connections_in_use == 0


async def test_so_it_is_while_a_connection_is_prepared_for_its_first_statement(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def out_of_step(*_: object, **__: object) -> None:
        raise asyncpg.InternalClientError("another operation is in progress")

    monkeypatch.setattr(asyncpg.Connection, "prepare", out_of_step)
    with pytest.raises(UNREACHABLE) as lost:
        await _pid(database)
    monkeypatch.undo()

    assert refusal_for(lost.value) is Unavailable
    assert database.connections_in_use == 0
    assert await _pid(database)


async def test_a_connection_that_ends_under_a_statement_is_lost_and_replaced(
    database: Database, config: Config
) -> None:
    statement = _slept(1.0)
    before = await _pid(database)
    reading = asyncio.create_task(database.reader.execute(*statement))
    await asyncio.sleep(0.1)
    other = Database(config)
    ended: Any = text(f"SELECT pg_terminate_backend({before})")
    await other.reader.execute(ended)
    await other.close()

    with pytest.raises(DBAPIError) as lost:
        await reading
    assert lost.value.connection_invalidated
    assert await _pid(database) != before
    assert database.connections_in_use == 0


async def test_a_connection_that_is_left_in_the_middle_serves_nobody_else(
    database: Database,
) -> None:
    before = await _pid(database)
    reading = asyncio.create_task(database.reader.execute(*_slept(1.0)))
    await asyncio.sleep(0.1)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await _pid(database) != before
    assert database.connections_in_use == 0


@built_once
def _slept(seconds: float) -> AnySelect:
    statement: AnySelect = select(func.pg_sleep(type_coerce(seconds, Double())).cast(String))
    return statement


async def _pid(database: Database) -> Any:
    pid: Any = text("SELECT pg_backend_pid()")
    return (await database.reader.execute(pid)).scalar_one()


async def test_a_column_that_changes_its_type_meanwhile_is_read_as_it_is_now(
    database: Database,
) -> None:
    before = (await database.reader.execute(*_bodies(new_id(), is_there=False))).all()
    async with database.writer.begin() as connection:
        await connection.execute(text("ALTER TABLE posts ALTER body TYPE varchar(6000)"))

    after = (await database.reader.execute(*_bodies(new_id(), is_there=False))).all()
    assert after == before != []


@pytest.mark.parametrize("size", [0, 100])
async def test_prepared_statements_are_kept_as_the_address_says(
    config: Config, fresh_database_url: str, size: int
) -> None:
    url = f"{fresh_database_url}?prepared_statement_cache_size={size}"
    changed = {"database_url": url, "database_pool_size": 1}
    one = Database(config.model_copy(update=changed))
    kept: Any = text(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%jsonb' || '_b%'"
    )
    for _ in range(3):
        await one.reader.execute(*_kinds(Decimal(1), "Ada", []))

    assert (await one.reader.execute(kept)).scalar_one() == (1 if size else 0)
    await one.close()


async def test_with_traces_sqlalchemy_executes_it_all(
    config: Config,
    fresh_database_url: str,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def unwanted(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(NativeStatement, "fetch", unwanted)
    changed = {"database_url": fresh_database_url, "tracing": True}
    traced = Database(config.model_copy(update=changed))

    assert (await traced.reader.execute(*_bodies(new_id(), is_there=True))).all() == []
    with pytest.raises(AssertionError):
        await database.reader.execute(*_bodies(new_id(), is_there=True))
    await traced.close()
