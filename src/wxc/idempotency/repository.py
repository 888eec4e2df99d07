"""SQL for answers that may be asked for again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core.database import AnyRow
from wxc.models import IdempotencyKey


class IdempotencyRepository:
    """The keys of members' requests."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def lock(self, user_id: UUID, route: str, key: str) -> bool:
        """Hold the key until the transaction ends; False when another request holds it."""
        name = func.hashtextextended(f"{user_id} {route} {key}", 0)
        statement = select(func.pg_try_advisory_xact_lock(name))
        return bool((await self.session.execute(statement)).scalar_one())

    async def answer(self, user_id: UUID, route: str, key: str, since: datetime) -> AnyRow | None:
        """What was answered since then."""
        statement = select(
            IdempotencyKey.fingerprint,
            IdempotencyKey.subject_id,
            IdempotencyKey.status,
            IdempotencyKey.location,
            IdempotencyKey.body,
        ).where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.route == route,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > since,
        )
        return (await self.session.execute(statement)).one_or_none()

    async def keep(self, values: dict[str, Any]) -> None:
        """Store an answer, in place of one that is too old to be given again."""
        statement = insert(IdempotencyKey).values(values)
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=("user_id", "route", "key"),
                set_={name: statement.excluded[name] for name in values},
            )
        )

    async def purge(self, before: datetime, most: int) -> int:
        """Forget up to `most` answers from before that moment; how many there were."""
        own_key = (IdempotencyKey.user_id, IdempotencyKey.route, IdempotencyKey.key)
        old = (
            select(*own_key)
            .where(IdempotencyKey.created_at < before)
            .order_by(IdempotencyKey.created_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        statement = (
            delete(IdempotencyKey).where(tuple_(*own_key).in_(old)).returning(IdempotencyKey.key)
        )
        return len((await self.session.execute(statement)).all())
