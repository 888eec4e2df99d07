"""SQL for what members change about their account."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.repository import ME
from wxc.core.database import AnyRow, Reader
from wxc.core.text import fold_identifier
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
    """Changes an account for its owner, while it stands.

    What needed the password names the hash that was `seen`, and does nothing when that is no
    longer stored.
    """

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def replace_settings(
        self, user_id: UUID, values: Mapping[str, Any], versions: frozenset[int] | None
    ) -> AnyRow | None:
        """The columns of `Me` after the change; None when the version is none of `versions`."""
        statement = (
            update(User)
            .where(User.id == user_id, User.suspended_at.is_(None))
            .values(**values, version=User.version + 1)
            .returning(*ME)
        )
        if versions is not None:
            statement = statement.where(User.version.in_(versions))
        return (await self.session.execute(statement)).one_or_none()

    async def replace_password(self, user_id: UUID, *, seen: str, fresh: str) -> str | None:
        """Store another hash; the account's address.

        A change of address that is under way ends: who began it may not have been the owner.
        """
        statement = (
            update(User)
            .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
            .values(password_hash=fresh, pending_email=None)
            .returning(User.email)
        )
        return (await self.session.execute(statement)).scalar_one_or_none()

    async def expect_address(self, user_id: UUID, address: str, *, seen: str) -> AnyRow | None:
        """`(pending_email,)` from now on: the address, or none where it is in use already."""
        statement = (
            update(User)
            .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
            .values(pending_email=case((User.email == address, null()), else_=address))
            .returning(User.pending_email)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def lock(self, user_id: UUID, *, seen: str) -> AnyRow | None:
        """`(username, username_changes)`, locked."""
        statement = (
            select(User.username, User.username_changes)
            .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
            .with_for_update()
        )
        return (await self.session.execute(statement)).one_or_none()

    async def rename(self, user_id: UUID, username: str, changes: Sequence[datetime]) -> AnyRow:
        """The columns of `Me` under the new name; `changes` is when it was changed lately."""
        statement = (
            update(User)
            .where(User.id == user_id)
            .values(
                username=username,
                username_folded=fold_identifier(username),
                username_changes=changes,
            )
            .returning(*ME)
        )
        return (await self.session.execute(statement)).one()
