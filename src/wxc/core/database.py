"""One engine for writing, one for reading; who commits, and what follows a COMMIT."""

from collections import namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Executable,
    Result,
    Row,
)
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core.borrowing import Borrower
from wxc.core.config import Config
from wxc.db.commits import draw_id
from wxc.db.database import Database as NewDatabase
from wxc.db.database import split
from wxc.db.errors import UNREACHABLE
from wxc.db.keyset import AnySelect, IdColumn
from wxc.db.session import Publish, after_commit, run_after_commit

# SQLAlchemy types rows by their columns; these are for those whose columns vary.
AnyRow = Row[*tuple[Any, ...]]
AnyResult = Result[*tuple[Any, ...]]
AnyEntity = Any
"""A table, an alias or a subquery: what has columns by name, each of them typed differently."""
IntColumn = ColumnElement[int] | InstrumentedAttribute[int]
__all__ = ["UNREACHABLE", "AnySelect", "IdColumn", "after_commit", "draw_id", "run_after_commit"]


def rows_of(result: Result[*tuple[Any, ...]]) -> list[AnyRow]:
    """All rows of a list, with columns that are read by name at a tenth of what a `Row`'s cost."""
    row_type = _named_tuple(tuple(result.keys()))
    return [row_type._make(row) for row in result.all()]


@lru_cache(1000)
def _named_tuple(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a class as no type describes it
    return namedtuple("Row", names)


class Reader(Protocol):
    """What a reading repository needs; writing through it does not type-check."""

    async def execute(
        self,
        statement: AnySelect | CompoundSelect[*tuple[Any, ...]],
        parameters: Mapping[str, Any] | None = None,
        /,
    ) -> Result[*tuple[Any, ...]]:
        """Run a SELECT."""
        ...


class Writer(Protocol):
    """What a repository needs that writes in one statement, in a transaction or without one."""

    async def execute(self, statement: Executable, parameters: Mapping[str, Any], /) -> AnyResult:
        """Run it."""
        ...


class SingleWrite(Writer, Protocol):
    """A `Writer` whose statements are transactions by themselves.

    When one has been executed it is committed, and when it raises nothing has happened.
    """

    async def publish(self, topics: Iterable[str]) -> None:
        """Wake those who wait for what it has written."""
        ...


class Database(NewDatabase):
    """The handles that features move away from, on the connections of sessions."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.writer = self.engine
        places = split(config.database_pool_size + config.database_pool_overflow)[1]
        self._guard = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = Borrower(
            self._guard, places, config.database_pool_wait, is_traced=config.tracing
        )

    @property
    def reader(self) -> Reader:
        """For SELECTs: nothing that is read here guards a write."""
        return self._writing

    @asynccontextmanager
    async def guarding(self) -> AsyncIterator[Reader]:
        """A connection for SELECTs on the writer: what decides whether a request may go on."""
        async with self._guard.connect() as connection:
            yield connection

    @property
    def single_write(self) -> SingleWrite:
        """For a statement that is a transaction by itself: no session, two round trips fewer."""
        return _SingleWrite(self._writing.execute, self.publish)


@dataclass(frozen=True, slots=True)
class _SingleWrite:
    """A `SingleWrite`; without anybody to publish, nobody is woken."""

    run: Callable[[Executable, Mapping[str, Any]], Awaitable[AnyResult]]
    publisher: Publish

    async def execute(self, statement: Executable, parameters: Mapping[str, Any], /) -> AnyResult:
        return await self.run(statement, parameters)

    async def publish(self, topics: Iterable[str]) -> None:
        await self.publisher(topics)
