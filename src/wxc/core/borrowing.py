"""Connections for one statement each, in turn, and from hand to hand."""

import asyncio
import time
from collections import deque
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

    @property
    def is_young(self) -> bool:
        """Whether it may be handed on once more."""
        return time.monotonic() - self.since < _HANDED_ON_FOR


class Borrower:
    """Borrows a connection for each statement.

    A request that is refused before costs none, and while an answer is made of what was read,
    others have it. There is no transaction whose snapshot could be kept. In a rush they queue: the
    pool itself would lend to whoever comes at the right moment, and let others wait in vain. Who
    has waited takes over the connection of one before as it is, if it was not borrowed long ago:
    to give it back and borrow it anew costs the application more than to execute the statement.
    """

    def __init__(
        self, engine: AsyncEngine, places: int, patience: float, *, is_traced: bool
    ) -> None:
        """`patience` is in seconds; traces are SQLAlchemy's to write, who then executes it all."""
        self._engine = engine.sync_engine
        self._free_places = places  # none while anybody waits
        self._patience = patience
        self._is_traced = is_traced
        self._queue: deque[asyncio.Future[_Lent | None]] = deque()

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None, /
    ) -> Result[*tuple[Any, ...]]:
        """Run it and read all rows; raises SQLAlchemy's errors, `TimeoutError` among them."""
        native = None if self._is_traced else native_form(statement, self._engine.dialect)
        lent = await self._turn()
        try:
            if lent is None:
                lent = await greenlet_spawn(self._borrow)
            result = await _executed(lent, native, statement, parameters)
        except BaseException as error:
            await self._leave(lent, error)
            raise
        await self._leave(lent)
        return result

    async def _turn(self) -> _Lent | None:
        """Wait for a place, which may come with a connection.

        Raises SQLAlchemy's `TimeoutError` as the pool does.
        """
        if self._free_places:
            self._free_places -= 1
            return None
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[_Lent | None] = loop.create_future()
        self._queue.append(turn)
        timer = loop.call_later(self._patience, _refuse, turn, self._patience)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                await self._leave(turn.result())  # it came too late
            raise
        finally:
            timer.cancel()

    async def _leave(self, lent: _Lent | None, error: BaseException | None = None) -> None:
        """Let the next one have the place, and the connection if it may be handed on."""
        kept = None
        try:
            if lent is not None and error is None and lent.is_young and self._is_awaited():
                kept = lent
            elif lent is not None:
                await greenlet_spawn(_give_back, lent, error)
        finally:
            if self._is_awaited():
                self._queue.popleft().set_result(kept)
            else:
                self._free_places += 1

    def _is_awaited(self) -> bool:
        """Whether anybody waits; who has been refused or has gone is dropped from the front."""
        while self._queue and self._queue[0].done():
            self._queue.popleft()
        return bool(self._queue)

    def _borrow(self) -> _Lent:
        connection = self._engine.connect()
        driver = cast("DriverConnection", connection.connection.driver_connection)
        return _Lent(connection, driver, time.monotonic())


def _refuse(turn: "asyncio.Future[_Lent | None]", patience: float) -> None:
    if not turn.done():
        turn.set_exception(NoConnection(f"no connection within {patience} seconds"))


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


def _give_back(lent: _Lent, error: BaseException | None) -> None:
    """What was left in the middle of something, or has ended itself, serves nobody else."""
    if lent.driver.is_closed() or not isinstance(error, Exception | None):
        lent.connection.invalidate()
    lent.connection.close()
