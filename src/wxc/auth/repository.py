"""SQL for accounts and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow, Reader
from wxc.models import Session, User

_ME = (
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
)


def alive(moment: datetime) -> ColumnElement[bool]:
    """A session that has not been revoked and has not run out; the rule in one place."""
    return and_(Session.revoked_at.is_(None), Session.idle_until > moment)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What is written for a new member."""

    username: str
    email: str
    password_hash: str
    display_name: str | None


class AccountReader:
    """Who there is, for those who want to come in."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def me(self, user_id: UUID) -> AnyRow | None:
        """The columns of `Me`."""
        return (await self.reader.execute(select(*_ME).where(User.id == user_id))).one_or_none()

    async def by_identifier(self, identifier: str) -> AnyRow | None:
        """The account of a username or e-mail address, with `password_hash`, `suspended_at`."""
        wanted = func.lower(identifier)
        statement = select(*_ME, User.password_hash, User.suspended_at).where(
            or_(func.lower(User.username) == wanted, func.lower(User.email) == wanted)
        )
        # A username holds no @, an address does: at most one row.
        return (await self.reader.execute(statement)).one_or_none()

    async def taken(self, username: str, email: str) -> AnyRow:
        """Whether each of the two is in use: `(username, email)`."""
        statement = select(
            select(User.id).where(func.lower(User.username) == func.lower(username)).exists(),
            select(User.id).where(func.lower(User.email) == func.lower(email)).exists(),
        )
        return (await self.reader.execute(statement)).one()


class AccountRepository:
    """Writes accounts."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add(self, account: NewAccount) -> AnyRow | None:
        """The new member as the columns of `Me`; None when a racing registration won."""
        statement = (
            upsert(User)
            .values(
                username=account.username,
                email=account.email,
                password_hash=account.password_hash,
                display_name=account.display_name,
            )
            .on_conflict_do_nothing()
            .returning(*_ME)
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
