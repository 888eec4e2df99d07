"""SQL for what operators see and do."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow, Reader
from wxc.models import User
from wxc.moderation.schemas import Account


class MemberReader:
    """Members, suspended ones among them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def find(self, user_id: UUID | None, identifier: str) -> AnyRow | None:
        """The columns of `Account`; by id, or by username or e-mail address in whatever case."""
        wanted = func.lower(identifier)
        whose = (
            User.id == user_id
            if user_id is not None
            else or_(func.lower(User.username) == wanted, func.lower(User.email) == wanted)
        )
        columns = [getattr(User, name) for name in Account.model_fields]
        # Of who has left, the row is empty: there is nobody to act upon.
        statement = select(*columns).where(whose, User.erase_at.is_(None))
        return (await self.reader.execute(statement)).one_or_none()


class MemberRepository:
    """Suspends members and lets them come back."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def suspend(self, user_id: UUID, moment: datetime) -> bool:
        """Suspend the account, its row locked from now on; False when it was suspended already."""
        statement = (
            update(User)
            .where(User.id == user_id, User.suspended_at.is_(None))
            .values(suspended_at=moment)
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def restore(self, user_id: UUID) -> bool:
        """End the suspension; False when there was none."""
        statement = (
            update(User)
            .where(User.id == user_id, User.suspended_at.isnot(None), User.erase_at.is_(None))
            .values(suspended_at=None)
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None
