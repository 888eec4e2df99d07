"""A request repeated under its `Idempotency-Key` gets the first answer and has no effect."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from wxc.core import clock
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.answers import json_bytes
from wxc.idempotency.errors import IdempotencyInFlight, IdempotencyMismatch, Replayed
from wxc.idempotency.repository import answer_by_key, delete_answers_before, lock_key, upsert_answer

_RETENTION = timedelta(hours=24)
_PURGE_BATCH = 1000  # answers


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request with an `Idempotency-Key`."""

    user_id: UUID
    route: str
    key: str
    fingerprint: bytes
    """A keyed hash of the path and the body."""

    @property
    def lock_name(self) -> str:
        """What concurrent requests under this key contend for."""
        return f"{self.user_id} {self.route} {self.key}"


async def first_answer(session: Session, attempt: Attempt | None) -> Replayed | None:
    """The stored answer, for the caller to raise once the user may still see its subject.

    None for the first request under this key, and without a query if there is no key. Raises
    `IdempotencyInFlight` and `IdempotencyMismatch`.
    """
    if attempt is None:
        return None
    lock = await session.fetch_one(lock_key(attempt.lock_name))
    if lock is None or not lock.is_acquired:
        raise IdempotencyInFlight
    since = clock.now() - _RETENTION
    row = await session.fetch_one(answer_by_key(attempt.user_id, attempt.route, attempt.key, since))
    if row is None:
        return None
    if not compare_digest(row.fingerprint, attempt.fingerprint):
        raise IdempotencyMismatch
    return Replayed(row.subject_id, row.status, row.location, row.body)


async def keep_answer(
    session: Session,
    attempt: Attempt | None,
    answer: object,
    *,
    subject_id: UUID,
    location: str | None = None,
    post_id: UUID | None = None,
) -> None:
    """Store a 201 in the transaction of its effect.

    Deleting the post `post_id` deletes the answer too.
    """
    if attempt is None:
        return
    await session.fetch_one(
        upsert_answer(
            attempt.user_id,
            attempt.route,
            attempt.key,
            attempt.fingerprint,
            201,
            location,
            json_bytes(answer).decode(),
            subject_id,
            post_id,
            clock.now(),
        )
    )


async def purge_expired(database: Database) -> None:
    """Delete expired answers, in batches that stay within any statement's timeout."""
    deleted = _PURGE_BATCH
    while deleted == _PURGE_BATCH:
        before = clock.now() - _RETENTION
        rows = await database.primary.fetch(delete_answers_before(before, limit=_PURGE_BATCH))
        deleted = len(rows)
