"""Notifications: who is notified of what, once; and what the recipient reads."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import cast
from uuid import UUID

from wxc.accounts.auth.context import Principal
from wxc.core import clock
from wxc.core.events import announce
from wxc.core.text import fold_identifier
from wxc.core.times import rfc3339
from wxc.db.commits import next_id
from wxc.db.handle import Handle
from wxc.db.keyset import PageRequest
from wxc.db.session import Session
from wxc.models import NotificationType
from wxc.social.notifications.repository.listing import latest_per_group
from wxc.social.notifications.repository.reading import (
    GroupActorRow,
    groups_by_latest,
    unread_groups,
)
from wxc.social.notifications.repository.writing import (
    NotificationDraft,
    delete_between,
    delete_of_comment,
    hide_comment_like,
    insert_notifications,
    update_read,
)
from wxc.social.notifications.schemas import Kind, NotificationGroup, NotificationPage, UnreadCount
from wxc.social.users.repository import Summary
from wxc.social.users.schemas import UserSummary
from wxc.social.users.service import present_summary

MAX_MENTIONS = 20
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,30})(?![\w@])", re.ASCII)


def topic_of(user_id: UUID) -> str:
    """The topic of events about a member's notifications."""
    return f"notifications:{user_id}"


def mentioned(body: str) -> list[str]:
    """The first `MAX_MENTIONS` usernames in a text, folded; not those in e-mail addresses."""
    names = (fold_identifier(match.group(1)) for match in _MENTION.finditer(body))
    return list(dict.fromkeys(names))[:MAX_MENTIONS]


async def notify(session: Session, *drafts: NotificationDraft) -> None:
    """Notify each recipient, in the transaction of the cause; of several drafts by the first.

    All drafts have the same actor, who is not notified.
    """
    wanted = [draft for draft in drafts if draft.recipient != draft.actor_id]
    if not wanted:
        return
    ids = [next_id(session) for _ in wanted]
    recipients = [draft.recipient for draft in wanted]
    added = await session.fetch(
        insert_notifications(
            wanted[0].actor_id,
            clock.now(),
            [one if isinstance(one, UUID) else None for one in recipients],
            [one if isinstance(one, str) else None for one in recipients],
            ids,
            [draft.type for draft in wanted],
            [draft.subject_id for draft in wanted],
            [draft.group_id or own for draft, own in zip(wanted, ids, strict=True)],
            [draft.post_id for draft in wanted],
            [draft.comment_id for draft in wanted],
        )
    )
    announce(session, *(topic_of(row.recipient_id) for row in added))


async def notify_of_comment_like(
    session: Session, actor_id: UUID, author_id: UUID, *, post_id: UUID, comment_id: UUID
) -> None:
    """Notify the author of a comment; likes of one comment are one group."""
    kind = NotificationType.COMMENT_LIKE
    await notify(
        session,
        NotificationDraft(author_id, kind, actor_id, comment_id, comment_id, post_id, comment_id),
    )


async def notify_of_post(session: Session, actor_id: UUID, post_id: UUID, body: str) -> None:
    """Notify the members who are mentioned in a post."""
    await notify(
        session,
        *(
            NotificationDraft(name, NotificationType.MENTION, actor_id, post_id, post_id=post_id)
            for name in mentioned(body)
        ),
    )


async def notify_of_comment(
    session: Session,
    actor_id: UUID,
    body: str,
    *,
    comment_id: UUID,
    post_id: UUID,
    post_author_id: UUID,
    parent_author_id: UUID | None,
) -> None:
    """Notify each member once: of a reply to them, else of a mention, else of their post."""
    reasons: list[tuple[UUID | str, NotificationType]] = []
    if parent_author_id is not None:
        reasons.append((parent_author_id, NotificationType.COMMENT_REPLY))
    reasons += [(name, NotificationType.MENTION) for name in mentioned(body)]
    reasons.append((post_author_id, NotificationType.POST_COMMENT))
    await notify(
        session,
        *(
            NotificationDraft(
                recipient, kind, actor_id, comment_id, post_id=post_id, comment_id=comment_id
            )
            for recipient, kind in reasons
        ),
    )


async def withdraw_comment_like(
    session: Session, actor_id: UUID, author_id: UUID, *, comment_id: UUID
) -> None:
    """Hide the notification of a like that was taken back."""
    await session.fetch_one(hide_comment_like(actor_id, author_id, comment_id))


async def forget_comment(session: Session, comment_id: UUID) -> None:
    """Delete all notifications about a comment that became a tombstone."""
    await session.fetch_one(delete_of_comment(comment_id))


async def forget_between(session: Session, one_id: UUID, other_id: UUID) -> None:
    """Delete the notifications that two members have about each other, as after a block."""
    await session.fetch_one(delete_between(one_id, other_id))


async def list_notifications(
    db: Handle, me: Principal, page: PageRequest, *, only_unread: bool
) -> NotificationPage:
    """One page of `me`'s notifications, in groups, the newest first."""
    latest = await db.fetch(latest_per_group(me.id, page=page, only_unread=only_unread))
    page_slice = page.slice(latest, key=lambda row: row.id)
    rows = await fetch_groups(db, me.id, [row.id for row in page_slice.rows])
    return {
        "items": present_groups(rows),
        "next_cursor": page_slice.next_cursor,
        "prev_cursor": page_slice.prev_cursor,
        "unread_count": rows[0].unread_count if rows else await count_unread(db, me.id),
    }


async def mark_read(session: Session, me: Principal, up_to: UUID) -> UnreadCount:
    """Mark what is shown up to that notification; nothing ever becomes unread again."""
    await session.fetch_one(update_read(me.id, up_to))
    return UnreadCount(unread_count=await count_unread(session, me.id))


async def count_unread(db: Handle, me_id: UUID) -> int:
    """How many groups are unread, up to the greatest number that is shown."""
    (row,) = await db.fetch(unread_groups(me_id))
    return row.unread_count


async def fetch_groups(
    db: Handle, me_id: UUID, latest_ids: Sequence[UUID]
) -> Sequence[GroupActorRow]:
    """The rows of these groups; without groups no statement is executed."""
    return await db.fetch(groups_by_latest(me_id, latest_ids)) if latest_ids else []


def present_groups(rows: Sequence[GroupActorRow]) -> list[NotificationGroup]:
    """The groups of the rows, in their order."""
    return [_group(list(members)) for _, members in groupby(rows, key=lambda row: row.id)]


def _group(rows: Sequence[GroupActorRow]) -> NotificationGroup:
    first = rows[0]
    return {
        "id": str(first.id),
        "type": cast(Kind, first.type),
        "count": first.members_count,
        "actors": [actor for row in rows if (actor := _actor(row))],
        "post_id": None if first.post_id is None else str(first.post_id),
        "comment_id": None if first.comment_id is None else str(first.comment_id),
        "latest_at": rfc3339(first.created_at),
        "unread": first.unread,
    }


def _actor(row: GroupActorRow) -> UserSummary | None:
    # The columns of the actor are null together.
    return None if row.user_id is None else present_summary(cast(Summary, row), row.user_id)
