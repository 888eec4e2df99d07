"""Ids must become visible soon after they are drawn, or pollers pass over them.

Lists are polled from two seconds before the last look (`keyset.SETTLE_WINDOW`): ids are drawn
before their COMMIT. A transaction that takes longer is refused with 503 `retry`.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, case, func, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.http.refusals import Retry

COMMIT_DEADLINE = timedelta(seconds=1.5)
"""How long before its COMMIT an id may be drawn; a little less than pollers look back."""


def draw_id(session: AsyncSession) -> UUID:
    """A fresh id for a row of a list; the transaction must commit within `COMMIT_DEADLINE`."""
    identifier = new_id()
    session.info.setdefault("drawn_at", clock.now())
    return identifier


def require_commit_in_time(session: AsyncSession) -> None:
    """Raise `Retry` if the session's first id was drawn too long ago."""
    drawn_at = session.info.pop("drawn_at", None)
    if drawn_at is not None and clock.now() - drawn_at > COMMIT_DEADLINE:
        raise Retry("an id was drawn too long before its COMMIT")


def require_commit_before(
    count: ColumnElement[int] | InstrumentedAttribute[int], latest: datetime
) -> ColumnElement[int]:
    """The count, for the RETURNING of a single statement that draws an id and may then wait.

    After `latest` the statement fails with SQLSTATE 40001, which is mapped to 503 `retry`.
    RETURNING is evaluated when the row is there; a SET may be evaluated before the wait.
    """
    is_in_time = func.require_commit_before(type_coerce(latest, DateTime(timezone=True)))
    return case((is_in_time, count))
