from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import RowId, Session


class SessionOwner(NamedTuple):
    user_id: UUID


class SessionState(NamedTuple):
    user_id: UUID
    generation: int
    refreshed_at: datetime | None


def is_alive(moment: datetime) -> ColumnElement[bool]:
    """Neither revoked nor expired; `idle_until` is never later than `expires_at`."""
    return and_(Session.revoked_at.is_(None), Session.idle_until > moment)


@prepared(RowId)
def live_session(session_id: UUID, moment: datetime) -> AnySelect:
    return select(Session.id).where(Session.id == session_id, is_alive(moment))


@prepared(SessionState)
def lock_live_session(session_id: UUID, moment: datetime) -> AnySelect:
    return (
        select(Session.user_id, Session.generation, Session.refreshed_at)
        .where(Session.id == session_id, is_alive(moment))
        .with_for_update()
    )


@prepared(RowId)
def sessions_revoked_within(span: timedelta) -> AnySelect:
    """Sessions revoked during the last `span`, by the database's clock."""
    return select(Session.id).where(Session.revoked_at >= func.now() - bind(span))


@prepared(RowId)
def insert_session(
    session_id: UUID,
    user_id: UUID,
    user_agent: str | None,
    place: str | None,
    moment: datetime,
    idle_until: datetime,
    expires_at: datetime,
) -> ReturningInsert[UUID]:
    return (
        insert(Session)
        .values(
            id=session_id,
            user_id=user_id,
            generation=0,
            user_agent=user_agent,
            place=place,
            created_at=moment,
            last_used_at=moment,
            idle_until=idle_until,
            expires_at=expires_at,
        )
        .returning(Session.id)
    )


@prepared(SessionOwner)
def update_generation(
    session_id: UUID,
    generation: int,
    place: str | None,
    moment: datetime,
    idle_until: datetime,
    *,
    is_ahead: bool = False,
) -> ReturningUpdate[UUID]:
    """Move to the generation after `generation`; no row unless the session is live and at it.

    With `is_ahead`, the session must be at an earlier generation. One statement, so that only one
    of several concurrent refreshes succeeds.
    """
    stored = Session.generation < generation if is_ahead else Session.generation == generation
    return (
        update(Session)
        .where(Session.id == session_id, stored, is_alive(moment))
        .values(
            generation=bind(generation) + 1,
            refreshed_at=moment,
            last_used_at=moment,
            place=place,
            idle_until=func.least(idle_until, Session.expires_at),
        )
        .returning(Session.user_id)
    )


@prepared(RowId)
def revoke_session(session_id: UUID) -> ReturningUpdate[UUID]:
    """End the session; no row and no change if it was revoked before."""
    return (
        update(Session)
        .where(Session.id == session_id, Session.revoked_at.is_(None))
        .values(revoked_at=func.now())
        .returning(Session.id)
    )
