from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar, cast
from uuid import UUID

from wxc.accounts.export.repository import account, exchange, people, posts
from wxc.accounts.export.schemas.account import (
    ExportedNotification,
    ExportedReport,
    ExportedSession,
    ExportedUsername,
)
from wxc.accounts.export.schemas.exchange import (
    ExportedConfirmation,
    ExportedExchange,
    ExportedRateEvent,
)
from wxc.accounts.export.schemas.people import ExportedPerson
from wxc.accounts.export.schemas.posts import (
    ExportedComment,
    ExportedCommentLike,
    ExportedLike,
    ExportedPost,
)
from wxc.core.decimals import decimal_text_or_none
from wxc.core.times import rfc3339, rfc3339_or_none
from wxc.db.prepared import PreparedQuery

Row = TypeVar("Row", bound=tuple[Any, ...])
Key = TypeVar("Key", contravariant=True)
_FIRST_ID = UUID(int=0)


class BatchQuery(Protocol[Row, Key]):
    """A prepared query of a list; the last column of its rows is named `key`."""

    def __call__(self, user_id: UUID, after: Key, /, *, limit: int) -> PreparedQuery[Row]:
        """Up to `limit` rows of an account whose key is greater than `after`, ordered by key."""
        ...


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row, Key]):
    batch: BatchQuery[Row, Key]
    start: Key
    """Less than all keys."""
    present: Callable[[Row], Mapping[str, Any]]


def _username(row: account.UsernameRow) -> ExportedUsername:
    return {"name": row.name, "taken_at": rfc3339(row.taken_at)}


def _session(row: account.SessionRow) -> ExportedSession:
    return {
        "id": str(row.id),
        "user_agent": row.user_agent,
        "place": row.place,
        "created_at": rfc3339(row.created_at),
        "last_used_at": rfc3339(row.last_used_at),
        "revoked_at": rfc3339_or_none(row.revoked_at),
    }


def _post(row: posts.PostRow) -> ExportedPost:
    return {
        "id": str(row.id),
        "body": row.body,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_none(row.edited_at),
        "likes_count": row.likes_count,
        "comments_count": row.comments_count,
    }


def _comment(row: posts.CommentRow) -> ExportedComment:
    return {
        "id": str(row.id),
        "post_id": str(row.post_id),
        "parent_id": _id_or_null(row.parent_id),
        "body": row.body,
        "created_at": rfc3339(row.created_at),
        "edited_at": rfc3339_or_none(row.edited_at),
        "likes_count": row.likes_count,
        "replies_count": row.replies_count,
    }


def _comment_like(row: posts.CommentLikeRow) -> ExportedCommentLike:
    return {"comment_id": str(row.comment_id), "created_at": rfc3339(row.created_at)}


def _like(row: posts.LikeRow) -> ExportedLike:
    return {"post_id": str(row.post_id), "created_at": rfc3339(row.created_at)}


def _person(row: people.PersonRow) -> ExportedPerson:
    return {
        "user_id": str(row.user_id),
        "username": row.username,
        "created_at": rfc3339(row.created_at),
    }


def _exchange(row: exchange.ExchangeRow) -> ExportedExchange:
    return {
        "name": row.name,
        "base_currency": row.base_currency,
        "description": row.description,
        "address": row.address,
        "lat": row.lat,
        "lon": row.lon,
        "time_zone": row.time_zone,
        "opening_hours": row.opening_hours,
        "valid_for_hours": row.valid_for_hours,
        "created_at": rfc3339(row.created_at),
        "updated_at": rfc3339(row.updated_at),
    }


def _rate_event(row: exchange.RateEventRow) -> ExportedRateEvent:
    return {
        "seq": row.seq,
        "at": rfc3339(row.at),
        "currency": row.currency,
        "base_currency": row.base_currency,
        "unit": row.unit,
        "we_buy": decimal_text_or_none(row.we_buy),
        "we_sell": decimal_text_or_none(row.we_sell),
        "min_amount": decimal_text_or_none(row.min_amount),
        "max_amount": decimal_text_or_none(row.max_amount),
    }


def _confirmation(row: exchange.ConfirmationRow) -> ExportedConfirmation:
    return {
        "at": rfc3339(row.at),
        "base_currency": row.base_currency,
        "valid_for_hours": row.valid_for_hours,
    }


def _report(row: account.ReportRow) -> ExportedReport:
    return {
        "target_type": cast(Any, row.target_type),  # a CHECK constraint restricts the values
        "target_id": str(row.target_id),
        "reason": cast(Any, row.reason),
        "detail": row.detail,
        "created_at": rfc3339(row.created_at),
    }


def _notification(row: account.NotificationRow) -> ExportedNotification:
    return {
        "type": cast(Any, row.type),
        "actor_id": _id_or_null(row.actor_id),
        "post_id": _id_or_null(row.post_id),
        "comment_id": _id_or_null(row.comment_id),
        "created_at": rfc3339(row.created_at),
        "read_at": rfc3339_or_none(row.read_at),
    }


def _id_or_null(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


LISTINGS: Mapping[str, Listing[Any, Any]] = {
    "usernames": Listing(account.usernames, "", _username),
    "sessions": Listing(account.sessions, _FIRST_ID, _session),
    "posts": Listing(posts.posts, _FIRST_ID, _post),
    "comments": Listing(posts.comments, _FIRST_ID, _comment),
    "comment_likes": Listing(posts.comment_likes, _FIRST_ID, _comment_like),
    "likes": Listing(posts.likes, _FIRST_ID, _like),
    "following": Listing(people.following, _FIRST_ID, _person),
    "followers": Listing(people.followers, _FIRST_ID, _person),
    "blocks": Listing(people.blocks, _FIRST_ID, _person),
    "mutes": Listing(people.mutes, _FIRST_ID, _person),
    "exchanges": Listing(exchange.exchanges, _FIRST_ID, _exchange),
    "rate_events": Listing(exchange.rate_events, 0, _rate_event),
    "exchange_confirmations": Listing(
        exchange.exchange_confirmations, datetime.fromtimestamp(0, UTC), _confirmation
    ),
    "reports": Listing(account.reports, _FIRST_ID, _report),
    "notifications": Listing(account.notifications, _FIRST_ID, _notification),
}
"""The lists of an export by field name, in the order of the document."""
