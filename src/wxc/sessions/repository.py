"""SQL for the sessions of one member."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.repository import alive
from wxc.core.database import AnyRow, Reader
from wxc.models import Session

MOST_LISTED = 100


class OwnSessionReader:
    """A member's sessions; asked of the writer, where a login is seen at once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def live_of(self, user_id: UUID, moment: datetime) -> Sequence[AnyRow]:
        """The sessions that are alive, the last used first."""
        statement = (
            select(
                Session.id,
                Session.created_at,
                Session.last_used_at,
                Session.user_agent,
                Session.place,
            )
            .where(_is_live(user_id, moment))
            .order_by(Session.last_used_at.desc(), Session.id.desc())
            .limit(MOST_LISTED)
        )
        return (await self.reader.execute(statement)).all()


class OwnSessionRepository:
    """Ends a member's sessions."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def revoke(self, user_id: UUID, session_id: UUID, moment: datetime) -> Sequence[UUID]:
        """End that one, if it is the member's and alive."""
        return await self._revoke(and_(_is_live(user_id, moment), Session.id == session_id))

    async def revoke_others(self, user_id: UUID, kept: UUID, moment: datetime) -> Sequence[UUID]:
        """End all but `kept`."""
        return await self._revoke(and_(_is_live(user_id, moment), Session.id != kept))

    async def revoke_all(self, user_id: UUID, moment: datetime) -> Sequence[UUID]:
        """End every one."""
        return await self._revoke(_is_live(user_id, moment))

    async def _revoke(self, which: ColumnElement[bool]) -> Sequence[UUID]:
        statement = update(Session).where(which).values(revoked_at=func.now()).returning(Session.id)
        return (await self.session.execute(statement)).scalars().all()


def _is_live(user_id: UUID, moment: datetime) -> ColumnElement[bool]:
    return and_(Session.user_id == user_id, alive(moment))
