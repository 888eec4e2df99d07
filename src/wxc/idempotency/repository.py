"""SQL for answers that are kept to be repeated."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import IdempotencyKey, columns

_PRIMARY_KEY = (IdempotencyKey.user_id, IdempotencyKey.route, IdempotencyKey.key)


class KeyLock(NamedTuple):
    """Whether this transaction holds the key."""

    is_acquired: bool


class StoredAnswer(NamedTuple):
    """The first answer to a request, and what was sent."""

    fingerprint: bytes
    subject_id: UUID
    status: int
    location: str | None
    body: str


class AnswerKey(NamedTuple):
    """An answer that was stored or deleted."""

    key: str


@prepared(KeyLock)
def lock_key(name: str) -> AnySelect:
    """Lock a key until the transaction ends, without waiting for another request's lock."""
    is_acquired = func.pg_try_advisory_xact_lock(func.hashtextextended(bind(name), 0))
    return select(is_acquired.label("is_acquired"))


@prepared(StoredAnswer)
def answer_by_key(user_id: UUID, route: str, key: str, since: datetime) -> AnySelect:
    """The answer that was stored after that moment."""
    return select(*columns(IdempotencyKey, StoredAnswer)).where(
        IdempotencyKey.user_id == user_id,
        IdempotencyKey.route == route,
        IdempotencyKey.key == key,
        IdempotencyKey.created_at > since,
    )


@prepared(AnswerKey)
def upsert_answer(
    user_id: UUID,
    route: str,
    key: str,
    fingerprint: bytes,
    status: int,
    location: str | None,
    body: str,
    subject_id: UUID,
    post_id: UUID | None,
    moment: datetime,
) -> ReturningInsert[str]:
    """Store an answer, in place of one that has expired."""
    values = {
        "user_id": user_id,
        "route": route,
        "key": key,
        "fingerprint": fingerprint,
        "status": status,
        "location": location,
        "body": body,
        "subject_id": subject_id,
        "post_id": post_id,
        "created_at": moment,
    }
    answer = insert(IdempotencyKey).values(values)
    return answer.on_conflict_do_update(
        index_elements=_PRIMARY_KEY,
        set_={name: answer.excluded[name] for name in values},
    ).returning(IdempotencyKey.key)


@prepared(AnswerKey)
def delete_answers_before(moment: datetime, *, limit: int) -> ReturningDelete[str]:
    """Delete up to `limit` of the oldest answers from before that moment.

    Answers that another worker is deleting are skipped.
    """
    old = (
        select(*_PRIMARY_KEY)
        .where(IdempotencyKey.created_at < moment)
        .order_by(IdempotencyKey.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (
        delete(IdempotencyKey).where(tuple_(*_PRIMARY_KEY).in_(old)).returning(IdempotencyKey.key)
    )
