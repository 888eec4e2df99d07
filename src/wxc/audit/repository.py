"""SQL for the audit trail."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit.actors import Actor
from wxc.core.database import AnyRow, Reader
from wxc.core.ids import first_id_at
from wxc.models import AuditEvent, AuditKind, Session


class AuditReader:
    """What the trail says."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def latest_of(self, user_id: UUID, most: int) -> Sequence[AnyRow]:
        """A member's events, newest first."""
        statement = (
            select(
                AuditEvent.at,
                AuditEvent.event,
                AuditEvent.actor,
                AuditEvent.session_id,
                AuditEvent.address_hash,
                AuditEvent.request_id,
                AuditEvent.detail,
            )
            .where(AuditEvent.user_id == user_id)
            .order_by(AuditEvent.id.desc())
            .limit(most)
        )
        return (await self.reader.execute(statement)).all()


class AuditRepository:
    """Writes the trail."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(
        self,
        kind: AuditKind,
        actor: Actor,
        *,
        user_id: UUID | None,
        session_id: UUID | None,
        detail: Mapping[str, Any],
    ) -> None:
        """One event; where only the session is known, its member is looked up."""
        of_session = select(Session.user_id).where(Session.id == session_id).scalar_subquery()
        await self.session.execute(
            insert(AuditEvent).values(
                event=kind,
                actor=actor.name,
                user_id=of_session if user_id is None and session_id is not None else user_id,
                session_id=session_id,
                address_hash=actor.address_hash,
                request_id=actor.request_id,
                detail=detail,
            )
        )

    async def remove_before(self, moment: datetime, most: int) -> int:
        """Forget the oldest events, as far as they are older than that; how many it were."""
        oldest = (
            select(AuditEvent.id)
            .where(AuditEvent.id < first_id_at(moment), AuditEvent.at < moment)
            .order_by(AuditEvent.id)
            .limit(most)
        )
        statement = delete(AuditEvent).where(AuditEvent.id.in_(oldest)).returning(AuditEvent.id)
        return len((await self.session.execute(statement)).all())
