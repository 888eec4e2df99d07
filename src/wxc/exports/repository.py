"""SQL for exports: one list after the other, in batches of a keyset."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import Select, and_, cast, func, select
from sqlalchemy.orm import aliased

from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.models import (
    Base,
    Block,
    Comment,
    CommentLike,
    Exchange,
    ExchangeConfirmation,
    Follow,
    Mute,
    Notification,
    Post,
    PostLike,
    RateEvent,
    Report,
    Session,
    UsedUsername,
    User,
)
from wxc.users.visibility import known_to

Listing = tuple[Callable[[UUID], AnySelect], Any]
"""What a member's list is selected by, and the column of its order."""


def _people(table: type[Base], mine: str, other: str) -> Listing:
    """Whom an edge leads to from the column `mine`; they are named where they may be."""
    edge: Any = aliased(table)  # visibility looks at blocks by itself
    theirs = getattr(edge, other)

    def people(user_id: UUID) -> AnySelect:
        return (
            select(theirs.label("user_id"), User.username, edge.created_at)
            .select_from(edge)
            .outerjoin(User, and_(User.id == theirs, known_to(user_id)))
            .where(getattr(edge, mine) == user_id)
        )

    return people, edge.id


def _exchanges(me: UUID) -> Select[UUID]:
    return select(Exchange.id).where(Exchange.owner_id == me)


LISTINGS: Mapping[str, Listing] = {
    "usernames": (
        lambda me: select(UsedUsername.name, UsedUsername.taken_at).where(
            UsedUsername.user_id == me
        ),
        UsedUsername.name,
    ),
    "sessions": (
        lambda me: select(
            Session.id,
            Session.user_agent,
            Session.place,
            Session.created_at,
            Session.last_used_at,
            Session.revoked_at,
        ).where(Session.user_id == me),
        Session.id,
    ),
    "posts": (
        lambda me: select(
            Post.id,
            Post.body,
            Post.created_at,
            Post.edited_at,
            Post.likes_count,
            Post.comments_count,
        ).where(Post.author_id == me),
        Post.id,
    ),
    "comments": (
        lambda me: select(
            Comment.id,
            Comment.post_id,
            Comment.parent_id,
            Comment.body,
            Comment.created_at,
            Comment.edited_at,
            Comment.likes_count,
            Comment.replies_count,
        ).where(Comment.author_id == me),
        Comment.id,
    ),
    "comment_likes": (
        lambda me: select(CommentLike.comment_id, CommentLike.created_at).where(
            CommentLike.user_id == me
        ),
        CommentLike.id,
    ),
    "likes": (
        lambda me: select(PostLike.post_id, PostLike.created_at).where(PostLike.user_id == me),
        PostLike.id,
    ),
    "following": _people(Follow, "follower_id", "followed_id"),
    "followers": _people(Follow, "followed_id", "follower_id"),
    "blocks": _people(Block, "blocker_id", "blocked_id"),
    "mutes": _people(Mute, "muter_id", "muted_id"),
    "exchanges": (
        lambda me: select(
            Exchange.name,
            Exchange.base_currency,
            Exchange.description,
            Exchange.address,
            func.ST_Y(cast(Exchange.location, Geometry)).label("lat"),
            func.ST_X(cast(Exchange.location, Geometry)).label("lon"),
            Exchange.time_zone,
            Exchange.opening_hours,
            Exchange.valid_for_hours,
            Exchange.created_at,
            Exchange.updated_at,
        ).where(Exchange.owner_id == me),
        Exchange.id,
    ),
    "rate_events": (
        lambda me: select(
            RateEvent.seq,
            RateEvent.at,
            RateEvent.currency,
            RateEvent.base_currency,
            RateEvent.unit,
            RateEvent.we_buy,
            RateEvent.we_sell,
            RateEvent.min_amount,
            RateEvent.max_amount,
        ).where(RateEvent.exchange_id.in_(_exchanges(me))),
        RateEvent.seq,
    ),
    "exchange_confirmations": (
        lambda me: select(
            ExchangeConfirmation.at,
            ExchangeConfirmation.base_currency,
            ExchangeConfirmation.valid_for_hours,
        ).where(ExchangeConfirmation.exchange_id.in_(_exchanges(me))),
        ExchangeConfirmation.at,
    ),
    "reports": (
        lambda me: select(
            Report.target_type,
            Report.target_id,
            Report.reason,
            Report.detail,
            Report.created_at,
        ).where(Report.reporter_id == me),
        Report.id,
    ),
    "notifications": (
        lambda me: select(
            Notification.type,
            Notification.actor_id,
            Notification.post_id,
            Notification.comment_id,
            Notification.created_at,
            Notification.read_at,
        ).where(Notification.recipient_id == me, Notification.hidden_at.is_(None)),
        Notification.id,
    ),
}
"""The lists of an export by their names there."""


class ExportReader:
    """A member's own rows."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def batch(
        self, name: str, user_id: UUID, after: object | None, most: int
    ) -> Sequence[AnyRow]:
        """Up to `most` rows of a list beyond that key, which is their column `key`."""
        listed, key = LISTINGS[name]
        statement = listed(user_id).add_columns(key.label("key")).order_by(key).limit(most)
        if after is not None:
            statement = statement.where(key > after)
        return (await self.reader.execute(statement)).all()
