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
    is_acquired: bool


class StoredResponse(NamedTuple):
    fingerprint: bytes
    subject_id: UUID
    status: int
    location: str | None
    body: str


class ResponseKey(NamedTuple):
    key: str


@prepared(KeyLock)
def lock_key(name: str) -> AnySelect:
    """Lock a key until the transaction ends; does not wait if it is locked."""
    is_acquired = func.pg_try_advisory_xact_lock(func.hashtextextended(bind(name), 0))
    return select(is_acquired.label("is_acquired"))


@prepared(StoredResponse)
def response_by_key(user_id: UUID, route: str, key: str, since: datetime) -> AnySelect:
    return select(*columns(IdempotencyKey, StoredResponse)).where(
        IdempotencyKey.user_id == user_id,
        IdempotencyKey.route == route,
        IdempotencyKey.key == key,
        IdempotencyKey.created_at > since,
    )


@prepared(ResponseKey)
def upsert_response(
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
    """Store a response, replacing one that has expired."""
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
    response = insert(IdempotencyKey).values(values)
    return response.on_conflict_do_update(
        index_elements=_PRIMARY_KEY,
        set_={name: response.excluded[name] for name in values},
    ).returning(IdempotencyKey.key)


@prepared(ResponseKey)
def delete_responses_before(moment: datetime, *, limit: int) -> ReturningDelete[str]:
    """Delete up to `limit` of the oldest responses from before `moment`.

    Responses that another worker is deleting are skipped.
    """
    expired = (
        select(*_PRIMARY_KEY)
        .where(IdempotencyKey.created_at < moment)
        .order_by(IdempotencyKey.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (
        delete(IdempotencyKey)
        .where(tuple_(*_PRIMARY_KEY).in_(expired))
        .returning(IdempotencyKey.key)
    )
