"""SQL for what operators see and do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.core.text import fold_identifier
from wxc.models import User
from wxc.moderation.schemas import Account


class MemberReader:
    """Members, suspended ones among them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def duplicates(self) -> Sequence[AnyRow]:
        """`(kind, folded, user_id, value)` of accounts that share a folded identifier."""
        shared = union_all(
            *(
                _shared(kind, folded, value)
                for kind, folded, value in (
                    ("username", User.username_folded, User.username),
                    ("email", User.email_folded, User.email),
                )
            )
        )
        return (await self.reader.execute(shared)).all()

    async def find(self, user_id: UUID | None, identifier: str) -> AnyRow | None:
        """The columns of `Account`; by id, or by username or e-mail address in whatever case."""
        folded = fold_identifier(identifier)
        whose = (
            User.id == user_id
            if user_id is not None
            else or_(User.username_folded == folded, User.email_folded == folded)
        )
        columns = [getattr(User, name) for name in Account.model_fields]
        # Of who has left, the row is empty: there is nobody to act upon.
        statement = select(*columns).where(whose, User.erase_at.is_(None))
        return (await self.reader.execute(statement)).one_or_none()


def _shared(
    kind: str, folded: InstrumentedAttribute[str | None], value: InstrumentedAttribute[Any]
) -> AnySelect:
    several = select(folded).where(folded.isnot(None)).group_by(folded).having(func.count() > 1)
    statement: AnySelect = select(
        literal(kind).label("kind"), folded.label("folded"), User.id, value.label("value")
    ).where(folded.in_(several))
    return statement


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
