"""SQL for what members change about their account."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import Reader
from wxc.models import User


class OwnAccountReader:
    """What an account holds, for its owner."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def password_hash(self, user_id: UUID) -> str | None:
        """The stored hash; None when the account has gone."""
        statement = select(User.password_hash).where(User.id == user_id)
        return (await self.reader.execute(statement)).scalar_one_or_none()


class OwnAccountRepository:
    """Changes an account for its owner."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def replace_password(self, user_id: UUID, *, seen: str, fresh: str) -> str | None:
        """Store another hash; the account's address, or None when `seen` is no longer stored.

        A change of address that is under way ends: who began it may not have been the owner.
        """
        statement = (
            update(User)
            .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
            .values(password_hash=fresh, pending_email=None)
            .returning(User.email)
        )
        return (await self.session.execute(statement)).scalar_one_or_none()
