from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from wxc.models import AuditEvent


async def audit_events(
    connection: AsyncConnection, user_id: UUID | None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The events of a member, or those without a member, oldest first."""
    statement = select(AuditEvent.__table__).where(AuditEvent.user_id.is_not_distinct_from(user_id))
    return (await connection.execute(statement.order_by(AuditEvent.id))).all()


async def latest_audit_event(connection: AsyncConnection, user_id: UUID | None) -> dict[str, Any]:
    return dict((await audit_events(connection, user_id))[-1]._mapping)
