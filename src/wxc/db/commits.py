"""Commits rows soon after their ids are generated, because pollers would skip later ones.

A poll starts two seconds before the previous one (`keyset.SETTLE_WINDOW`), since ids are generated
before COMMIT. A transaction that takes longer is refused with 503 `retry`.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, case, func, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core import clock
from wxc.core.ids import new_id
from wxc.http.refusals.server import Retry

COMMIT_DEADLINE = timedelta(seconds=1.5)
"""The maximum age of an id at COMMIT; slightly less than `SETTLE_WINDOW`."""


def next_id(session: AsyncSession) -> UUID:
    """A new id for a row of a polled list; the transaction must commit within `COMMIT_DEADLINE`."""
    identifier = new_id()
    session.info.setdefault("first_id_at", clock.now())
    return identifier


def require_commit_in_time(session: AsyncSession) -> None:
    """Raise `Retry` if the session's first id is older than `COMMIT_DEADLINE`."""
    first_id_at = session.info.pop("first_id_at", None)
    if first_id_at is not None and clock.now() - first_id_at > COMMIT_DEADLINE:
        raise Retry("an id was generated too long before its COMMIT")


def require_commit_before(
    count: ColumnElement[int] | InstrumentedAttribute[int], latest: datetime
) -> ColumnElement[int]:
    """Return `count` from RETURNING; fail the statement if it is later than `latest`.

    For single statements, which may wait for a lock after their id was generated. The failure has
    SQLSTATE 40001, mapped to 503 `retry`. SET, unlike RETURNING, may be evaluated before the wait.
    """
    is_in_time = func.require_commit_before(type_coerce(latest, DateTime(timezone=True)))
    return case((is_in_time, count))
