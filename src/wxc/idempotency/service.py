"""A request repeated with its `Idempotency-Key` gets the first response and has no effect."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from wxc.core import clock
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.answers import json_bytes
from wxc.idempotency.errors import IdempotencyInFlight, IdempotencyMismatch, ReplayedResponse
from wxc.idempotency.repository import (
    delete_responses_before,
    lock_key,
    response_by_key,
    upsert_response,
)

_RETENTION = timedelta(hours=24)
_PURGE_BATCH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    user_id: UUID
    route: str
    key: str
    fingerprint: bytes
    """A keyed hash of the path and the body."""

    @property
    def lock_name(self) -> str:
        """The name of the advisory lock for requests with this key."""
        return f"{self.user_id} {self.route} {self.key}"


async def stored_response(
    session: Session, request: IdempotentRequest | None
) -> ReplayedResponse | None:
    """The stored response, for the caller to raise if the user can still see its subject.

    None for the first request with this key, and without a query if there is no key. Raises
    `IdempotencyInFlight` and `IdempotencyMismatch`.
    """
    if request is None:
        return None
    lock = await session.fetch_one(lock_key(request.lock_name))
    if lock is None or not lock.is_acquired:
        raise IdempotencyInFlight
    since = clock.now() - _RETENTION
    row = await session.fetch_one(
        response_by_key(request.user_id, request.route, request.key, since)
    )
    if row is None:
        return None
    if not compare_digest(row.fingerprint, request.fingerprint):
        raise IdempotencyMismatch
    return ReplayedResponse(row.subject_id, row.status, row.location, row.body)


async def store_response(
    session: Session,
    request: IdempotentRequest | None,
    response: object,
    *,
    subject_id: UUID,
    location: str | None = None,
    post_id: UUID | None = None,
) -> None:
    """Store a 201 response in the transaction of its effect.

    Deleting the post `post_id` deletes the stored response too.
    """
    if request is None:
        return
    await session.fetch_one(
        upsert_response(
            request.user_id,
            request.route,
            request.key,
            request.fingerprint,
            201,
            location,
            json_bytes(response).decode(),
            subject_id,
            post_id,
            clock.now(),
        )
    )


async def purge_expired(database: Database) -> None:
    """Delete expired responses, in batches that stay within the statement time-out."""
    deleted = _PURGE_BATCH_SIZE
    while deleted == _PURGE_BATCH_SIZE:
        before = clock.now() - _RETENTION
        rows = await database.primary.fetch(
            delete_responses_before(before, limit=_PURGE_BATCH_SIZE)
        )
        deleted = len(rows)
