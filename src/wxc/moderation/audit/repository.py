from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import AuditEvent, RowId, Session, columns

Detail = Annotated[dict[str, Any], JSONB()]


class EventRow(NamedTuple):
    at: datetime
    event: str
    actor: str
    session_id: UUID | None
    address_hash: bytes | None
    request_id: str | None
    detail: dict[str, Any]


@prepared(EventRow)
def latest_events_of(user_id: UUID, *, limit: int) -> AnySelect:
    """The events of a member, newest first."""
    return (
        select(*columns(AuditEvent, EventRow))
        .where(AuditEvent.user_id == user_id)
        .order_by(AuditEvent.id.desc())
        .limit(limit)
    )


@prepared(RowId)
def insert_event(
    event_id: UUID,
    moment: datetime,
    kind: str,
    actor: str,
    user_id: UUID | None,
    session_id: UUID | None,
    address_hash: bytes | None,
    request_id: str | None,
    detail: Detail,
) -> ReturningInsert[UUID]:
    """Without `user_id`, the event belongs to the member of the session."""
    member_id = select(Session.user_id).where(Session.id == session_id).scalar_subquery()
    return (
        insert(AuditEvent)
        .values(
            id=event_id,
            at=moment,
            event=kind,
            actor=actor,
            user_id=func.coalesce(bind(user_id), member_id),
            session_id=session_id,
            address_hash=address_hash,
            request_id=request_id,
            detail=detail,
        )
        .returning(AuditEvent.id)
    )


@prepared(RowId)
def delete_oldest_events(first_id: UUID, moment: datetime, *, limit: int) -> ReturningDelete[UUID]:
    """Delete the oldest events before `moment`; `first_id` is the lowest id of that moment."""
    oldest = (
        select(AuditEvent.id)
        .where(AuditEvent.id < first_id, AuditEvent.at < moment)
        .order_by(AuditEvent.id)
        .limit(limit)
    )
    return delete(AuditEvent).where(AuditEvent.id.in_(oldest)).returning(AuditEvent.id)
