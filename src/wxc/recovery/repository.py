"""SQL for what a mailed link does to an account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow
from wxc.core.text import fold_identifier
from wxc.models import User


class RecoveryRepository:
    """Changes accounts on behalf of who has read a mail to them."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def unverified(self, user_id: UUID) -> AnyRow | None:
        """`(id, email)` of the account, unless its address has been proven already."""
        statement = select(User.id, User.email).where(
            User.id == user_id, User.email_verified_at.is_(None)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def replace_password(self, user_id: UUID, address: str, password_hash: str) -> bool:
        """Store another hash; False when the account has another address, or is suspended.

        A change of address that is under way ends: who began it may not have been the owner.
        """
        statement = (
            update(User)
            .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
            .values(password_hash=password_hash, pending_email=None)
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def lock_changing(self, user_id: UUID, address: str) -> str | None:
        """The address in use of an account that waits for this one, locked; None for any other."""
        statement = (
            select(User.email)
            .where(User.id == user_id, User.pending_email == address, User.suspended_at.is_(None))
            .with_for_update()
        )
        return (await self.session.execute(statement)).scalar_one_or_none()

    async def replace_address(self, user_id: UUID, address: str, moment: datetime) -> bool:
        """Put the proven address in use; False when somebody else has it.

        The transaction is good for nothing then, and must be undone.
        """
        try:
            await self.session.execute(
                update(User)
                .where(User.id == user_id)
                .values(
                    email=address,
                    email_folded=fold_identifier(address),
                    email_verified_at=moment,
                    pending_email=None,
                )
            )
        except IntegrityError:
            return False
        return True

    async def verify_address(self, user_id: UUID, address: str, moment: datetime) -> bool:
        """Note that the address is proven; False when the account has another, or is suspended."""
        statement = (
            update(User)
            .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
            .values(email_verified_at=func.coalesce(User.email_verified_at, moment))
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None
