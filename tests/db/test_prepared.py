"""A prepared query has SQLAlchemy's result, compiled once per variant."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Double,
    Enum,
    Integer,
    Interval,
    Numeric,
    String,
    any_,
    cast,
    func,
    insert,
    literal,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.sql.dml import ReturningInsert
from tests.db.queries import Number, divided_by, pid_of
from tests.support.database import administer

from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.db import prepared as module
from wxc.db.connections import Connection
from wxc.db.cursors import CursorSigner
from wxc.db.database import Database
from wxc.db.errors import UNAVAILABLE_ERRORS
from wxc.db.keyset import AnySelect, PageRequest
from wxc.db.prepared import bind, prepared, prepared_outer, sql_type
from wxc.http.problems import refusal_for
from wxc.http.refusals.server import Unavailable
from wxc.models import Post, User

SIGNER = CursorSigner(b"k" * 32)


class Body(NamedTuple):
    body: str


class Kinds(NamedTuple):
    amount: Decimal
    double: float
    numeric: Decimal
    data: Any
    leaf: str
    span: timedelta
    size: int
    nothing: Any


class PostId(NamedTuple):
    id: UUID


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@prepared(Body)
def bodies(post_id: UUID, *, is_there: bool) -> AnySelect:
    found = Post.id == post_id
    return select(Post.body).where(found if is_there else ~found).limit(1)


@prepared(Kinds)
def kinds(amount: Decimal, name: str, values: Sequence[UUID]) -> AnySelect:
    return select(
        bind(amount).label("amount"),
        cast(literal("0.1"), Double()).label("double"),
        cast(literal("0.1"), Double().with_variant(Numeric(), "postgresql")).label("numeric"),
        type_coerce(func.jsonb_build_object("name", bind(name)), JSONB()).label("data"),
        cast(literal("mint"), Enum("mint", "lime", native_enum=False)).label("leaf"),
        cast(literal("1 day"), Interval()).label("span"),
        func.cardinality(bind(values)).label("size"),
        literal(None, JSONB()).label("nothing"),
    )


@prepared(PostId)
def orphan(post_id: UUID) -> AnySelect:
    values = select(bind(post_id), bind(post_id), literal("x"))
    added = (
        insert(Post)
        .from_select(["id", "author_id", "body"], values, include_defaults=False)
        .returning(Post.id)
        .cte("a")
    )
    return select(added)


async def test_values_have_the_types_of_sqlalchemy(database: Database) -> None:
    query = kinds(Decimal("1.50"), "Ada", [new_id(), new_id()])

    async with database.engine.connect() as connection:
        statement = query.compiled.statement
        expected = (await connection.execute(statement, dict(query.parameters))).one()
    row = await database.fetch_one(query)

    assert row is not None
    assert [(type(value), value) for value in row] == [(type(value), value) for value in expected]
    assert (row.data, row.nothing, row.size) == ({"name": "Ada"}, None, 2)


async def test_a_variant_is_compiled_once_and_values_are_parameters(database: Database) -> None:
    there, others = bodies(new_id(), is_there=True), bodies(new_id(), is_there=False)

    assert bodies(new_id(), is_there=True).compiled is there.compiled
    assert others.compiled is not there.compiled
    assert there.parameters != bodies(new_id(), is_there=True).parameters
    assert await database.fetch(there) == []
    assert len(await database.fetch(others)) == 1


def test_common_page_limits_choose_a_variant_and_other_limits_are_a_parameter() -> None:
    @prepared(PostId)
    def ids(author_id: UUID, *, page: PageRequest) -> AnySelect:
        return page.window(select(Post.id).where(Post.author_id == author_id), Post.id)

    author, last = new_id(), new_id()
    first = PageRequest(SIGNER, "list", 20, None)
    next_cursor = first.slice([PostId(last)] * 21, key=lambda row: row.id).next_cursor
    usual = [ids(author, page=PageRequest(SIGNER, "list", 20, next_cursor)) for _ in range(2)]
    unusual = [ids(author, page=PageRequest(SIGNER, "list", n, next_cursor)) for n in (3, 4)]

    assert ids(author, page=first).arguments == [author]
    assert usual[0].compiled is usual[1].compiled
    assert usual[0].arguments == [author, last]
    assert unusual[0].compiled is unusual[1].compiled
    assert [query.arguments for query in unusual] == [[author, last, 3], [author, last, 4]]


def test_integers_in_the_statement_are_inline_literals() -> None:
    @prepared(Number)
    def limited(offset: int, *, side: Side, many: int) -> AnySelect:
        return select((bind(offset) + many).label("number")).where(literal(side.value) == "x")

    query = limited(7, side=Side.LEFT, many=500)

    assert "500" in query.compiled.sql
    assert query.arguments == [7, "left", "x"]
    assert limited(7, side=Side.RIGHT, many=500).compiled is not query.compiled


def test_the_number_of_variants_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_VARIANTS", 2)

    @prepared(Number)
    def chosen(*, many: int) -> AnySelect:
        return select(literal(many).label("number"))

    first = chosen(many=1)
    assert chosen(many=1).compiled is first.compiled
    for many in (2, 3):
        chosen(many=many)
    assert chosen(many=1).compiled is not first.compiled


async def test_lists_are_parameters(database: Database) -> None:
    @prepared(PostId)
    def among(ids: Sequence[UUID]) -> AnySelect:
        return select(User.id).where(User.id == any_(bind(ids)))

    @prepared(PostId)
    def two_users() -> AnySelect:
        return select(User.id).limit(2)

    two = [row.id for row in await database.fetch(two_users())]
    assert {row.id for row in await database.fetch(among(two))} == set(two)
    assert await database.fetch(among([])) == []


async def test_the_empty_row_of_an_outer_join_is_none(database: Database) -> None:
    @prepared_outer(PostId)
    def ids(post_id: UUID | None) -> AnySelect:
        return select(bind(post_id).label("id"))

    assert await database.fetch(ids(None)) == [None]
    assert await database.fetch(ids(None)) == [None]
    own = new_id()
    assert await database.fetch(ids(own)) == [PostId(own)]


@pytest.mark.parametrize(
    ("hint", "type_"),
    [
        (int, Integer),
        (Annotated[int, BigInteger()], BigInteger),
        (Annotated[int | None, "a remark"], Integer),
        (Side | None, String),
        (datetime, DateTime),
        (list[bool], ARRAY),
    ],
)
def test_the_type_of_a_parameter_is_its_annotation(hint: Any, type_: type) -> None:
    assert isinstance(sql_type(hint), type_)


def test_an_annotation_without_an_sql_type_is_refused() -> None:
    with pytest.raises(TypeError, match="has no SQLAlchemy type"):
        sql_type(dict)


def test_a_row_type_that_differs_from_the_selected_columns_is_refused() -> None:
    @prepared(Body)
    def ids(post_id: UUID) -> AnySelect:
        return select(Post.id).where(Post.id == post_id)

    with pytest.raises(TypeError, match=r"selects \('id',\), its row type has \('body',\)"):
        ids(new_id())


def test_sql_that_depends_on_values_is_refused() -> None:
    @prepared(Body)
    def among(post_id: UUID) -> AnySelect:
        return select(Post.body).where(Post.id == post_id, Post.body.in_(["a", "b"]))

    with pytest.raises(TypeError, match="depends on values"):
        among(new_id())


def test_a_default_that_python_computes_for_each_execution_is_refused() -> None:
    @prepared(PostId)
    def timeless(post_id: UUID) -> ReturningInsert[UUID]:
        return insert(Post).values(id=post_id, author_id=post_id, body="x").returning(Post.id)

    with pytest.raises(TypeError, match="computes a column's default"):
        timeless(new_id())


async def test_errors_are_sqlalchemy_exceptions_and_quote_no_rows(database: Database) -> None:
    with pytest.raises(DBAPIError) as divided:
        await database.fetch(divided_by(0))
    with pytest.raises(IntegrityError) as refused:
        await database.fetch(orphan(new_id()))

    assert getattr(divided.value.orig, "sqlstate", None) == "22012"
    assert not divided.value.connection_invalidated
    assert getattr(refused.value.orig, "sqlstate", None) == "23502"
    assert "null value" in str(refused.value)
    assert "DETAIL" not in f"{refused.value!r} {refused.value} {refused.value.orig}"


async def test_a_protocol_error_of_the_driver_is_an_outage(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def protocol_error(self: Connection, *_: object) -> None:
        self.terminate()  # as when the server closes the connection during a statement
        raise asyncpg.InternalClientError("another operation is in progress")

    before = await pid_of(database)
    monkeypatch.setattr(asyncpg.Connection, "fetch", protocol_error)
    with pytest.raises(UNAVAILABLE_ERRORS) as lost:
        await database.fetch(bodies(new_id(), is_there=True))
    monkeypatch.undo()

    assert refusal_for(lost.value) is Unavailable
    assert await pid_of(database) != before
    assert database.connections_in_use == 0


async def test_a_protocol_error_while_connecting_is_an_outage(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def protocol_error(*_: object, **__: object) -> None:
        raise asyncpg.InternalClientError("another operation is in progress")

    monkeypatch.setattr(asyncpg.Connection, "execute", protocol_error)
    with pytest.raises(UNAVAILABLE_ERRORS) as lost:
        await pid_of(database)
    monkeypatch.undo()

    assert refusal_for(lost.value) is Unavailable
    assert database.connections_in_use == 0
    assert await pid_of(database)


async def test_a_column_whose_type_has_changed_is_read_with_its_new_type(
    database: Database, fresh_database_url: str
) -> None:
    before = await database.fetch(bodies(new_id(), is_there=False))
    await administer(fresh_database_url, "ALTER TABLE posts ALTER body TYPE varchar(6000)")

    after = await database.fetch(bodies(new_id(), is_there=False))
    assert after == before != []


@pytest.mark.parametrize("size", [0, 100])
async def test_the_url_sets_the_number_of_cached_prepared_statements(
    config: Config, fresh_database_url: str, size: int
) -> None:
    url = f"{fresh_database_url}?prepared_statement_cache_size={size}"
    changed = {"database_url": url, "database_pool_size": 2}
    database = Database(config.model_copy(update=changed))

    @prepared(Number)
    def cached() -> AnySelect:
        statements = func.pg_prepared_statement().table_valued("name", "statement")
        like = statements.c.statement.like("%jsonb" + "_b%")
        return select(func.count().label("number")).select_from(statements).where(like)

    for _ in range(3):
        await database.fetch(kinds(Decimal(1), "Ada", []))
    found = await database.fetch_one(cached())

    assert found is not None
    assert found.number - 1 * bool(size) <= 1
    assert (found.number > 0) is bool(size)
    await database.close()


async def test_statements_of_a_traced_request_have_a_comment(
    config: Config, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {"database_url": fresh_database_url, "tracing": True}
    traced = Database(config.model_copy(update=changed))
    sent: list[str] = []
    fetch = Connection.fetch

    async def recorded(self: Connection, query: str, *values: Any) -> Any:
        sent.append(query)
        return await fetch(self, query, *values)

    monkeypatch.setattr(Connection, "fetch", recorded)
    monkeypatch.setattr("wxc.db.database.sql_comment", lambda: "/*traceparent='00'*/ ")
    monkeypatch.setattr("wxc.db.session.sql_comment", lambda: "/*traceparent='01'*/ ")
    await pid_of(traced)
    async with traced.transaction() as session:
        await pid_of(session)
    await traced.close()

    assert sent[0].startswith("/*traceparent='00'*/ SELECT")
    assert sent[1].startswith("/*traceparent='01'*/ SELECT")
