"""What is built once is compiled once, and found again without a look at all of it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from wxc.core.compiled import _MOST_FORMS, _OwnCache, compiled_apart
from wxc.core.config import Config
from wxc.core.database import AnySelect, Database
from wxc.core.ids import new_id
from wxc.core.statements import built_once
from wxc.models import Post


@pytest.fixture
async def database(config: Config) -> AsyncIterator[Database]:
    database = Database(config)
    yield database
    await database.close()


@built_once
def _bodies(post_id: UUID, is_there: bool) -> AnySelect:
    found = Post.id == post_id
    return select(Post.body).where(found if is_there else ~found).limit(1)


def _dialect(driver: Any) -> Any:
    """One that SQLAlchemy has not typed."""
    return driver.dialect()


def _compiled(statement: AnySelect) -> dict[Any, Any]:
    cache: dict[Any, Any] = compiled_apart(statement)["compiled_cache"]
    return cache


async def test_what_is_built_once_is_compiled_once(database: Database) -> None:
    for _ in range(3):
        assert (await database.reader.execute(*_bodies(new_id(), is_there=True))).all() == []

    there, _ = _bodies(new_id(), is_there=True)
    assert len(_compiled(there)) == 1


async def test_each_shape_is_compiled_by_itself(database: Database) -> None:
    there, parameters = _bodies(new_id(), is_there=True)
    others, _ = _bodies(new_id(), is_there=False)

    assert (await database.reader.execute(others, parameters)).all() != []  # there is noise
    assert (await database.reader.execute(there, parameters)).all() == []


def test_another_dialect_or_other_parameters_are_compiled_anew() -> None:
    statement, parameters = _bodies(new_id(), is_there=True)
    ours, other = _dialect(postgresql.asyncpg), _dialect(postgresql.psycopg)
    cache = _OwnCache()

    for dialect in (ours, ours, other):
        for names in (list(parameters), []):
            statement._compile_w_cache(dialect, compiled_cache=cache, column_keys=names)

    assert len(cache) == 4


def test_engines_that_come_and_go_leave_nothing_behind_for_ever() -> None:
    statement, parameters = _bodies(new_id(), is_there=True)
    cache = _OwnCache()

    for _ in range(3 * _MOST_FORMS):
        dialect = _dialect(postgresql.asyncpg)
        statement._compile_w_cache(dialect, compiled_cache=cache, column_keys=list(parameters))

    assert 0 < len(cache) <= _MOST_FORMS


def test_what_is_made_of_a_built_statement_is_another_one() -> None:
    statement, _ = _bodies(new_id(), is_there=True)

    assert compiled_apart(statement) != {}
    assert compiled_apart(statement.where(Post.body == "x")) == {}


def test_a_statement_of_one_time_has_no_cache_of_its_own() -> None:
    assert compiled_apart(select(Post.body)) == {}
