"""What a member's request did is told again when they repeat it, and not done again."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.core import clock
from wxc.core.database import Database
from wxc.http.answers import written
from wxc.idempotency.errors import IdempotencyInFlight, IdempotencyMismatch, Replayed
from wxc.idempotency.repository import IdempotencyRepository

KEPT = timedelta(hours=24)
_STEP = 1000  # answers that are removed at once


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request under a key; the fingerprint tells it from every other."""

    user_id: UUID
    route: str
    key: str
    fingerprint: bytes


async def first_answer(session: AsyncSession, attempt: Attempt | None) -> Replayed | None:
    """The answer to raise again, once the member may still see its subject; None the first time.

    Without a key nothing is asked. Raises `IdempotencyInFlight` and `IdempotencyMismatch`.
    """
    if attempt is None:
        return None
    keys = IdempotencyRepository(session)
    if not await keys.lock(attempt.user_id, attempt.route, attempt.key):
        raise IdempotencyInFlight
    since = clock.now() - KEPT
    row = await keys.answer(attempt.user_id, attempt.route, attempt.key, since)
    if row is None:
        return None
    if not compare_digest(row.fingerprint, attempt.fingerprint):
        raise IdempotencyMismatch
    return Replayed(row.subject_id, row.status, row.location, row.body)


async def keep_answer(
    session: AsyncSession,
    attempt: Attempt | None,
    answer: object,
    *,
    subject_id: UUID,
    location: str | None = None,
    post_id: UUID | None = None,
) -> None:
    """Store the 201 about `subject_id` with its effect; `post_id` takes it along when it goes."""
    if attempt is None:
        return
    values = {
        "user_id": attempt.user_id,
        "route": attempt.route,
        "key": attempt.key,
        "fingerprint": attempt.fingerprint,
        "status": 201,
        "location": location,
        "body": written(answer).decode(),
        "subject_id": subject_id,
        "post_id": post_id,
        "created_at": clock.now(),
    }
    await IdempotencyRepository(session).keep(values)


async def forget(database: Database) -> None:
    """Remove the answers that are not given again any more, in short steps."""
    removed = _STEP
    while removed == _STEP:
        async with database.transaction() as session:
            removed = await IdempotencyRepository(session).purge(clock.now() - KEPT, _STEP)
