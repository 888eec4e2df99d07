"""SQL for accounts and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow, Reader
from wxc.core.text import fold_identifier
from wxc.models import Session, UsedUsername, User

ME = (
    User.id,
    User.username,
    User.email,
    User.email_verified_at.isnot(None).label("email_verified"),
    User.pending_email,
    User.display_name,
    User.bio,
    User.avatar_url,
    User.home_currency,
    User.created_at,
    User.version,
)
"""The columns of `Me`, and the version of the settings."""


def alive(moment: datetime) -> ColumnElement[bool]:
    """A session that has not been revoked and has not run out; the rule in one place."""
    return and_(Session.revoked_at.is_(None), Session.idle_until > moment)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is written for a new member."""

    id: UUID
    username: str
    email: str
    password_hash: str
    display_name: str | None


class AccountReader:
    """Who there is, for those who want to come in."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def me(self, user_id: UUID) -> AnyRow | None:
        """The columns of `Me`, and the version of the settings."""
        statement = select(*ME).where(User.id == user_id, User.erase_at.is_(None))
        return (await self.reader.execute(statement)).one_or_none()

    async def by_identifier(self, identifier: str) -> AnyRow | None:
        """The account of a username or e-mail address, with `password_hash`, `suspended_at`."""
        folded = fold_identifier(identifier)
        statement = select(*ME, User.password_hash, User.suspended_at).where(
            or_(User.username_folded == folded, User.email_folded == folded)
        )
        # A username holds no @, an address does: at most one row.
        return (await self.reader.execute(statement)).one_or_none()

    async def taken(self, username: str, email: str) -> AnyRow:
        """Whether the one was ever used, and the other is in use: `(username, email)`."""
        statement = select(
            select(UsedUsername.name)
            .where(UsedUsername.name == fold_identifier(username))
            .exists(),
            select(User.id).where(User.email_folded == fold_identifier(email)).exists(),
        )
        return (await self.reader.execute(statement)).one()


class AccountRepository:
    """Writes accounts."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def claim_username(self, username: str, user_id: UUID, moment: datetime) -> bool:
        """Make the name this account's for ever; False when it is, or once was, another's.

        It comes before the account's own row is written, so that of those who want a name at
        the same moment all wait here.
        """
        statement = (
            upsert(UsedUsername)
            .values(name=fold_identifier(username), user_id=user_id, taken_at=moment)
            .on_conflict_do_update(
                index_elements=[UsedUsername.name],
                set_={"user_id": user_id},
                where=UsedUsername.user_id == user_id,
            )
            .returning(UsedUsername.name)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None

    async def add(self, account: NewAccount) -> AnyRow | None:
        """The new member as the columns of `Me`; None when the address is taken."""
        statement = (
            upsert(User)
            .values(
                id=account.id,
                username=account.username,
                username_folded=fold_identifier(account.username),
                email=account.email,
                email_folded=fold_identifier(account.email),
                password_hash=account.password_hash,
                display_name=account.display_name,
            )
            .on_conflict_do_nothing()
            .returning(*ME)
        )
        return (await self.session.execute(statement)).one_or_none()

    async def replace_password_hash(self, user_id: UUID, *, seen: str, fresh: str) -> bool:
        """Store `fresh`; False when the stored hash is no longer the one that was `seen`."""
        statement = (
            update(User)
            .where(User.id == user_id, User.password_hash == seen)
            .values(password_hash=fresh)
            .returning(User.id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none() is not None


class SessionReader:
    """Which sessions live; always asked of the writer, since the answer guards requests."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def is_live(self, session_id: UUID, moment: datetime) -> bool:
        """Whether the session exists, has not been revoked and has not run out."""
        statement = select(Session.id).where(Session.id == session_id, alive(moment))
        return (await self.reader.execute(statement)).scalar_one_or_none() is not None

    async def revoked_within(self, span: timedelta) -> Sequence[UUID]:
        """Sessions revoked during the last `span`, by the database's own clock."""
        statement = select(Session.id).where(Session.revoked_at >= func.now() - span)
        return (await self.reader.execute(statement)).scalars().all()


class SessionRepository:
    """Writes sessions."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def open(
        self,
        user_id: UUID,
        *,
        password_hash: str,
        user_agent: str | None,
        place: str | None,
        moment: datetime,
        idle: timedelta,
        lifetime: timedelta,
    ) -> UUID | None:
        """A new session's id; None when the account has changed since its hash was read."""
        row = await self.session.execute(
            select(User.id)
            .where(
                User.id == user_id,
                User.password_hash == password_hash,
                User.suspended_at.is_(None),
            )
            # FOR SHARE: a password change waits for us, or we see it.
            .with_for_update(read=True)
        )
        if row.one_or_none() is None:
            return None
        statement = (
            insert(Session)
            .values(
                user_id=user_id,
                user_agent=user_agent,
                place=place,
                created_at=moment,
                last_used_at=moment,
                idle_until=moment + min(idle, lifetime),
                expires_at=moment + lifetime,
            )
            .returning(Session.id)
        )
        return (await self.session.execute(statement)).scalar_one()

    async def refresh(
        self,
        session_id: UUID,
        generation: int,
        *,
        place: str | None,
        moment: datetime,
        idle: timedelta,
    ) -> UUID | None:
        """Raise the counter if it stands at `generation`; whose session it is, or None.

        One statement decides between any number of parallel callers.
        """
        statement = (
            update(Session)
            .where(
                Session.id == session_id,
                Session.generation == generation,
                alive(moment),
            )
            .values(
                generation=generation + 1,
                refreshed_at=moment,
                last_used_at=moment,
                place=place,
                idle_until=func.least(moment + idle, Session.expires_at),
            )
            .returning(Session.user_id)
        )
        return (await self.session.execute(statement)).scalar_one_or_none()

    async def live(self, session_id: UUID, moment: datetime) -> AnyRow | None:
        """`(user_id, generation, refreshed_at)` of a session that is alive, locked."""
        statement = (
            select(Session.user_id, Session.generation, Session.refreshed_at)
            .where(Session.id == session_id, alive(moment))
            .with_for_update()
        )
        return (await self.session.execute(statement)).one_or_none()

    async def revoke(self, session_id: UUID) -> None:
        """End the session; one that has ended keeps the time at which it did."""
        await self.session.execute(
            update(Session)
            .where(Session.id == session_id, Session.revoked_at.is_(None))
            .values(revoked_at=func.now())
        )
