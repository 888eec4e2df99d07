from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.accounts.auth.repository.sessions import is_alive
from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import RowId, Session, columns

MAX_SESSIONS = 100


class OwnSessionRow(NamedTuple):
    id: UUID
    created_at: datetime
    last_used_at: datetime
    user_agent: str | None
    place: str | None


@prepared(OwnSessionRow)
def live_sessions_of(user_id: UUID, moment: datetime) -> AnySelect:
    """Up to `MAX_SESSIONS` live sessions, most recently used first."""
    return (
        select(*columns(Session, OwnSessionRow))
        .where(_is_live(user_id, moment))
        .order_by(Session.last_used_at.desc(), Session.id.desc())
        .limit(MAX_SESSIONS)
    )


@prepared(RowId)
def revoke_session_of(user_id: UUID, session_id: UUID, moment: datetime) -> ReturningUpdate[UUID]:
    """End the session; no row unless it is live and belongs to the user."""
    return _revoke(and_(_is_live(user_id, moment), Session.id == session_id))


@prepared(RowId)
def revoke_sessions_of(
    user_id: UUID, kept_id: UUID | None, moment: datetime
) -> ReturningUpdate[UUID]:
    """End all live sessions of the user except `kept_id`."""
    return _revoke(and_(_is_live(user_id, moment), Session.id.is_distinct_from(kept_id)))


def _revoke(condition: ColumnElement[bool]) -> ReturningUpdate[UUID]:
    return update(Session).where(condition).values(revoked_at=func.now()).returning(Session.id)


def _is_live(user_id: UUID, moment: datetime) -> ColumnElement[bool]:
    return and_(Session.user_id == user_id, is_alive(moment))
