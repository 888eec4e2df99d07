"""Notifications: who is told of what, once; and what the recipient makes of it."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Principal
from wxc.core import clock
from wxc.core.database import AnyRow, Reader
from wxc.core.events import announce
from wxc.core.plain import Plain
from wxc.core.text import fold_identifier
from wxc.core.times import rfc3339
from wxc.db.keyset import PageRequest
from wxc.models import NotificationType
from wxc.notifications.repository import (
    NotificationReader,
    NotificationRepository,
    Occasion,
)
from wxc.notifications.schemas import NotificationGroup, NotificationPage, UnreadCount
from wxc.users.service import summary_values

MOST_MENTIONS = 20
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,30})(?![\w@])", re.ASCII)


def topic_of(user_id: UUID) -> str:
    """Where those who wait for a member's notifications listen."""
    return f"notifications:{user_id}"


def mentioned(body: str) -> list[str]:
    """The usernames in a text, in lower case, the first twenty; not those in addresses."""
    names = (fold_identifier(match.group(1)) for match in _MENTION.finditer(body))
    return list(dict.fromkeys(names))[:MOST_MENTIONS]


async def notify(session: AsyncSession, *occasions: Occasion) -> None:
    """Tell each recipient, in the transaction of the cause; of several occasions the first.

    Who acts is the same in all of them, and is not told of it.
    """
    wanted = [one for one in occasions if one.recipient != one.actor_id]
    if wanted:
        told = await NotificationRepository(session).add(wanted, clock.now())
        announce(session, *(topic_of(recipient_id) for recipient_id in told))


async def notify_of_like(
    session: AsyncSession,
    actor_id: UUID,
    author_id: UUID,
    *,
    post_id: UUID,
    comment_id: UUID,
) -> None:
    """Likes of one comment are one group; those of posts are told where they are written."""
    await notify(
        session,
        Occasion(
            author_id,
            NotificationType.COMMENT_LIKE,
            actor_id,
            comment_id,
            comment_id,
            post_id,
            comment_id,
        ),
    )


async def notify_of_post(session: AsyncSession, actor_id: UUID, post_id: UUID, body: str) -> None:
    """Who is mentioned in a post."""
    await notify(
        session,
        *(
            Occasion(name, NotificationType.MENTION, actor_id, post_id, post_id=post_id)
            for name in mentioned(body)
        ),
    )


async def notify_of_comment(
    session: AsyncSession,
    actor_id: UUID,
    body: str,
    *,
    comment_id: UUID,
    post_id: UUID,
    post_author_id: UUID,
    parent_author_id: UUID | None,
) -> None:
    """Each is told once of a comment: of a reply to them, else of a mention, else of their post."""
    reasons: list[tuple[UUID | str, NotificationType]] = []
    if parent_author_id is not None:
        reasons.append((parent_author_id, NotificationType.COMMENT_REPLY))
    reasons += [(name, NotificationType.MENTION) for name in mentioned(body)]
    reasons.append((post_author_id, NotificationType.POST_COMMENT))
    await notify(
        session,
        *(
            Occasion(who, why, actor_id, comment_id, post_id=post_id, comment_id=comment_id)
            for who, why in reasons
        ),
    )


async def withdraw_like(
    session: AsyncSession,
    actor_id: UUID,
    author_id: UUID,
    *,
    comment_id: UUID,
) -> None:
    """The like of a comment was undone."""
    await NotificationRepository(session).hide(
        NotificationType.COMMENT_LIKE,
        actor_id=actor_id,
        recipient_id=author_id,
        subject_id=comment_id,
    )


async def forget_comment(session: AsyncSession, comment_id: UUID) -> None:
    """Nobody is told of a comment whose words are gone."""
    await NotificationRepository(session).remove_of_comment(comment_id)


async def forget_between(session: AsyncSession, one_id: UUID, other_id: UUID) -> None:
    """Neither of the two is told of the other any more, as after a block."""
    await NotificationRepository(session).remove_between(one_id, other_id)


async def list_notifications(
    reader: Reader, me: Principal, page: PageRequest, *, only_unread: bool
) -> Plain[NotificationPage]:
    """One page of `me`'s notifications, in groups, the newest first."""
    notifications = NotificationReader(reader)
    heads = await notifications.heads(me.id, page, only_unread=only_unread)
    cut = page.cut(heads, key=lambda head: head)
    rows = await notifications.groups(me.id, cut.rows)
    return Plain(
        items=_groups(rows),
        next_cursor=cut.next_cursor,
        prev_cursor=cut.prev_cursor,
        unread_count=rows[0].unread_count,
    )


async def mark_read(session: AsyncSession, me: Principal, up_to: UUID) -> UnreadCount:
    """Mark what is shown up to that notification; what is read never becomes unread."""
    await NotificationRepository(session).mark_read(me.id, up_to)
    return UnreadCount(unread_count=await NotificationReader(session).unread_count(me.id))


def present(rows: Sequence[AnyRow]) -> list[NotificationGroup]:
    """The groups that rows of `NotificationReader.groups` hold, in their order."""
    return [NotificationGroup.model_validate(group) for group in _groups(rows)]


def _groups(rows: Sequence[AnyRow]) -> list[dict[str, Any]]:
    there = (row for row in rows if row.id is not None)
    return [_group(list(members)) for _, members in groupby(there, key=lambda row: row.id)]


def _group(rows: list[AnyRow]) -> dict[str, Any]:
    """What `NotificationGroup` says."""
    head = rows[0]
    return {
        "id": str(head.id),
        "type": head.type,
        "count": head.count,
        "actors": [summary_values(row, row.user_id) for row in rows if row.user_id is not None],
        "post_id": None if head.post_id is None else str(head.post_id),
        "comment_id": None if head.comment_id is None else str(head.comment_id),
        "latest_at": rfc3339(head.created_at),
        "unread": head.unread,
    }
