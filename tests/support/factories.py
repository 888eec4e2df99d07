"""Rows for tests, inserted without the application's own statements."""

import itertools
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from wxc.core import clock
from wxc.core.ids import first_id_at, new_id
from wxc.core.text import fold_identifier
from wxc.exchange.domain.chain import GENESIS_HASH, ChainEvent, event_hash
from wxc.models import (
    AuditEvent,
    AuditKind,
    Block,
    Comment,
    CommentLike,
    Exchange,
    ExchangeConfirmation,
    ExchangeRate,
    Follow,
    Mute,
    Notification,
    NotificationType,
    Post,
    PostLike,
    RateEvent,
    Report,
    ReportReason,
    ReportTarget,
    UsedUsername,
    User,
)

PASSWORD = "correct horse battery"
_PASSWORD_HASH = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
_counter = itertools.count(1)
_EMPTY_RATE = dict.fromkeys(("we_buy", "we_sell", "min_amount", "max_amount"))
_YEN = {"currency": "JPY", "unit": 100, "we_buy": Decimal("0.8000"), "we_sell": Decimal("0.9999")}


async def make_user(
    connection: AsyncConnection, username: str | None = None, **fields: Any
) -> UUID:
    """Insert a user who can log in with `PASSWORD`; returns the id."""
    username = username or f"user_{next(_counter)}"
    values = {
        "id": new_id(),
        "username": username,
        "email": f"{username}@example.com",
        "password_hash": _PASSWORD_HASH,
        **fields,
    }
    folded = {
        f"{name}_folded": fold_identifier(values[name])
        for name in ("username", "email")
        if values[name] is not None
    }
    await connection.execute(insert(User).values(values | folded))
    await connection.execute(
        insert(UsedUsername).values(name=fold_identifier(username), user_id=values["id"])
    )
    return UUID(str(values["id"]))


async def make_post(
    connection: AsyncConnection,
    author_id: UUID,
    body: str = "hello",
    *,
    id: UUID | None = None,
    created_at: datetime | None = None,
) -> UUID:
    """Insert a post and count it; returns the id."""
    post_id = id or new_id()
    await connection.execute(
        insert(Post).values(
            id=post_id, author_id=author_id, body=body, created_at=created_at or clock.now()
        )
    )
    await connection.execute(
        update(User).where(User.id == author_id).values(posts_count=User.posts_count + 1)
    )
    return post_id


async def make_follow(connection: AsyncConnection, follower_id: UUID, followed_id: UUID) -> None:
    """Insert a follow and count it for both users."""
    await connection.execute(
        insert(Follow).values(follower_id=follower_id, followed_id=followed_id)
    )
    await connection.execute(
        update(User).where(User.id == follower_id).values(following_count=User.following_count + 1)
    )
    await connection.execute(
        update(User).where(User.id == followed_id).values(followers_count=User.followers_count + 1)
    )


async def make_block(connection: AsyncConnection, blocker_id: UUID, blocked_id: UUID) -> None:
    """Insert a block; follows between the two stay."""
    await connection.execute(insert(Block).values(blocker_id=blocker_id, blocked_id=blocked_id))


async def make_mute(connection: AsyncConnection, muter_id: UUID, muted_id: UUID) -> None:
    await connection.execute(insert(Mute).values(muter_id=muter_id, muted_id=muted_id))


async def make_like(connection: AsyncConnection, user_id: UUID, post_id: UUID) -> None:
    """Insert a like of a post and count it."""
    await connection.execute(insert(PostLike).values(user_id=user_id, post_id=post_id))
    await connection.execute(
        update(Post).where(Post.id == post_id).values(likes_count=Post.likes_count + 1)
    )


async def make_notification(
    connection: AsyncConnection,
    recipient_id: UUID,
    actor_id: UUID | None,
    type_: NotificationType = NotificationType.FOLLOW,
    **fields: Any,
) -> UUID:
    """Insert a notification, ungrouped unless a `group_id` is given; returns the id."""
    notification_id = new_id()
    values = {
        "id": notification_id,
        "recipient_id": recipient_id,
        "actor_id": actor_id,
        "type": type_,
        "subject_id": notification_id,
        "group_id": notification_id,
        **fields,
    }
    await connection.execute(insert(Notification).values(values))
    return notification_id


async def make_exchange(
    connection: AsyncConnection,
    owner_id: UUID,
    rates: Sequence[dict[str, Any]] = (),
    *,
    place: tuple[float, float] | None = None,
    **fields: Any,
) -> UUID:
    """Insert a board confirmed at `confirmed_at`, by default now, with its history; returns the id.

    A rate is `{"currency": "JPY", "unit": 100, "we_buy": Decimal("0.8950"), …}`; `place` is
    latitude and longitude.
    """
    moment = fields.get("confirmed_at") or clock.now()
    values = {
        "id": new_id(),
        "owner_id": owner_id,
        "name": "Exchange",
        "base_currency": "SGD",
        "location": place and f"SRID=4326;POINT({place[1]} {place[0]})",
        "opening_hours": [],
        "valid_for_hours": 24,
        "confirmed_at": moment,
        "updated_at": moment,
        "version": 1,
        **fields,
    }
    await connection.execute(insert(Exchange).values(values))
    await connection.execute(update(User).where(User.id == owner_id).values(has_exchange=True))
    exchange_id, base = UUID(str(values["id"])), values["base_currency"]
    terms = {"base_currency": base, "valid_for_hours": values["valid_for_hours"]}
    await connection.execute(
        insert(ExchangeConfirmation).values(exchange_id=exchange_id, at=moment, **terms)
    )
    rate_lines = [{"base_currency": base, "unit": 1, **_EMPTY_RATE, **rate} for rate in rates]
    await _make_rates(connection, exchange_id, moment, rate_lines)
    return exchange_id


async def _make_rates(
    connection: AsyncConnection,
    exchange_id: UUID,
    moment: datetime,
    rate_lines: Sequence[dict[str, Any]],
) -> None:
    """Insert the rates and their chain of events."""
    previous = GENESIS_HASH
    for seq, line in enumerate(rate_lines, 1):
        await connection.execute(
            insert(ExchangeRate).values(exchange_id=exchange_id, valid_from=moment, **line)
        )
        event = ChainEvent(exchange_id=exchange_id, seq=seq, at=moment, **line)
        previous = event_hash(previous, event)
        await connection.execute(insert(RateEvent).values(**asdict(event), hash=previous))


async def make_report(
    connection: AsyncConnection,
    reporter_id: UUID,
    target_id: UUID,
    target_type: ReportTarget = ReportTarget.USER,
    **fields: Any,
) -> UUID:
    """Insert a report, open unless `fields` close it; returns the id."""
    values = {
        "id": new_id(),
        "reporter_id": reporter_id,
        "target_type": target_type,
        "target_id": target_id,
        "reason": ReportReason.SPAM,
        **fields,
    }
    await connection.execute(insert(Report).values(values))
    return UUID(str(values["id"]))


async def make_event(
    connection: AsyncConnection, user_id: UUID, kind: AuditKind = AuditKind.LOGIN, **fields: Any
) -> UUID:
    """Insert an audit event, written at `at`; returns the id."""
    at: datetime = fields.get("at") or clock.now()
    values = {
        "id": UUID(int=first_id_at(at).int | new_id().int & (1 << 80) - 1),
        "at": at,
        "event": kind,
        "actor": "client",
        "user_id": user_id,
        "detail": {},
        **fields,
    }
    await connection.execute(insert(AuditEvent).values(values))
    return UUID(str(values["id"]))


async def make_comment(
    connection: AsyncConnection,
    author_id: UUID,
    post_id: UUID,
    parent_id: UUID | None = None,
    body: str = "hello",
    **fields: Any,
) -> UUID:
    """Insert a comment or a reply and count it; returns the id."""
    comment_id = fields.pop("id", None) or new_id()
    depth = 0
    if parent_id is not None:
        parent = update(Comment).where(Comment.id == parent_id).returning(Comment.depth)
        incremented = parent.values(
            replies_count=Comment.replies_count + 1, children_count=Comment.children_count + 1
        )
        depth = (await connection.execute(incremented)).scalar_one() + 1
    values = {"id": comment_id, "author_id": author_id, "post_id": post_id, "body": body}
    await connection.execute(
        insert(Comment).values(parent_id=parent_id, depth=depth, **values, **fields)
    )
    await connection.execute(
        update(Post).where(Post.id == post_id).values(comments_count=Post.comments_count + 1)
    )
    return comment_id


async def make_comment_like(connection: AsyncConnection, user_id: UUID, comment_id: UUID) -> None:
    """Insert a like of a comment and count it."""
    await connection.execute(insert(CommentLike).values(user_id=user_id, comment_id=comment_id))
    await connection.execute(
        update(Comment).where(Comment.id == comment_id).values(likes_count=Comment.likes_count + 1)
    )


async def make_noise(connection: AsyncConnection) -> None:
    """Insert users who interact with each other only, so that a forgotten WHERE fails a test."""
    users = [await make_user(connection, f"noise_{number}") for number in range(4)]
    for user, neighbour in itertools.pairwise([*users, users[0]]):
        post_id = await make_post(connection, user, "noise")
        await make_follow(connection, user, neighbour)
        await make_like(connection, neighbour, post_id)
        await make_notification(connection, user, neighbour)
        await make_report(connection, user, post_id, ReportTarget.POST)
        await make_event(connection, user)
        comment_id = await make_comment(connection, neighbour, post_id, body="noise")
        await make_comment(connection, user, post_id, comment_id, "noise")
        await make_comment_like(connection, user, comment_id)
        await make_exchange(connection, user, [_YEN], place=(1.28, 103.85))
    await make_block(connection, users[0], users[2])
    await make_mute(connection, users[1], users[3])
