"""Connections for one statement each, in turn, and from hand to hand."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Executable, Result
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from wxc.core import logging as logs
from wxc.core.native import DriverConnection, NativeStatement, native_form

# Seconds for which readers hand a connection on among them. Who waits at the pool itself, as
# transactions do, gets none of those meanwhile: let that be no longer than the readers wait.
_HANDED_ON_FOR = 0.05


@dataclass(frozen=True, slots=True)
class _Lent:
    """A connection of the pool, since when it is lent, and what the driver calls it."""

    connection: Connection
    driver: DriverConnection
    since: float


class Borrower:
    """Borrows a connection for each statement.

    A request that is refused before costs none, and while an answer is made of what was read,
    others have it. There is no transaction whose snapshot could be kept. In a rush they queue: the
    pool itself would lend to whoever comes at the right moment, and let others wait in vain. Who
    has waited takes over the connection of one before as it is, if it was not borrowed long ago:
    to give it back and borrow it anew costs the application as much as to execute a statement.
    """

    def __init__(
        self, engine: AsyncEngine, places: int, patience: float, *, is_traced: bool
    ) -> None:
        """`patience` is in seconds; traces are SQLAlchemy's to write, who then executes it all."""
        self._engine = engine.sync_engine
        self._places = asyncio.Semaphore(places)
        self._patience = patience
        self._is_traced = is_traced
        self._waiting = 0
        self._handed_on: list[_Lent] = []  # no more of them than there are who wait

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[*tuple[Any, ...]]:
        """Run it and read all rows; raises SQLAlchemy's errors, `TimeoutError` among them."""
        native = None if self._is_traced else native_form(statement, self._engine.dialect)
        await self._wait()
        try:
            lent = self._handed_on.pop() if self._handed_on else await greenlet_spawn(self._borrow)
            try:
                result = await _executed(lent, native, statement, parameters)
            except BaseException as error:
                await greenlet_spawn(_end, lent, error)
                raise
            is_young = time.monotonic() - lent.since < _HANDED_ON_FOR
            if is_young and len(self._handed_on) < self._waiting:
                self._handed_on.append(lent)
            else:
                await greenlet_spawn(lent.connection.close)
            return result
        finally:
            self._places.release()

    async def _wait(self) -> None:
        """Until it is one's turn; raises SQLAlchemy's `TimeoutError` as the pool does."""
        if not self._places.locked():
            await self._places.acquire()
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except BaseException as error:
            self._waiting -= 1
            await greenlet_spawn(self._give_back)
            if isinstance(error, TimeoutError):
                raise NoConnection(f"no connection within {self._patience} seconds") from None
            raise
        self._waiting -= 1

    def _give_back(self) -> None:
        """What has been handed on to one who does not wait any more."""
        while len(self._handed_on) > self._waiting:
            self._handed_on.pop().connection.close()

    def _borrow(self) -> _Lent:
        connection = self._engine.connect()
        driver = cast("DriverConnection", connection.connection.driver_connection)
        return _Lent(connection, driver, time.monotonic())


async def _executed(
    lent: _Lent,
    native: NativeStatement | None,
    statement: Executable,
    parameters: Mapping[str, Any] | None,
) -> Result[*tuple[Any, ...]]:
    if native is None:
        return await greenlet_spawn(lent.connection.execute, statement, parameters)
    logs.count_statement()
    return await native.fetch(lent.driver, parameters or {})


def _end(lent: _Lent, error: BaseException) -> None:
    """What was left in the middle of something, or has ended itself, serves nobody else."""
    if lent.driver.is_closed() or not isinstance(error, Exception):
        lent.connection.invalidate()
    lent.connection.close()
