"""Notifications are written, hidden and deleted in the transaction of their cause."""

import re
from dataclasses import dataclass
from uuid import UUID

from wxc.core import clock
from wxc.core.events import announce
from wxc.core.text import fold_identifier
from wxc.db.commits import next_id
from wxc.db.session import Session
from wxc.models import NotificationType
from wxc.social.notifications.repository.writing import (
    NotificationDraft,
    delete_between,
    delete_of_comment,
    hide_comment_like,
    insert_notifications,
)

MAX_MENTIONS = 20
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_]{3,30})(?![\w@])", re.ASCII)


def topic_of(user_id: UUID) -> str:
    return f"notifications:{user_id}"


def mentioned_usernames(body: str) -> list[str]:
    """The first `MAX_MENTIONS` usernames, folded; e-mail addresses do not count."""
    usernames = (fold_identifier(match.group(1)) for match in _MENTION.finditer(body))
    return list(dict.fromkeys(usernames))[:MAX_MENTIONS]


async def notify(session: Session, *drafts: NotificationDraft) -> None:
    """Notify each recipient once: of several drafts for one recipient the first is written.

    All drafts have the same actor, who is not notified.
    """
    drafts_for_others = [draft for draft in drafts if draft.recipient != draft.actor_id]
    if not drafts_for_others:
        return
    ids = [next_id(session) for _ in drafts_for_others]
    recipients = [draft.recipient for draft in drafts_for_others]
    rows = await session.fetch(
        insert_notifications(
            drafts_for_others[0].actor_id,
            clock.now(),
            [user if isinstance(user, UUID) else None for user in recipients],
            [user if isinstance(user, str) else None for user in recipients],
            ids,
            [draft.type for draft in drafts_for_others],
            [draft.subject_id for draft in drafts_for_others],
            [
                draft.group_id or draft_id
                for draft, draft_id in zip(drafts_for_others, ids, strict=True)
            ],
            [draft.post_id for draft in drafts_for_others],
            [draft.comment_id for draft in drafts_for_others],
        )
    )
    announce(session, *(topic_of(row.recipient_id) for row in rows))


async def notify_of_comment_like(
    session: Session, actor_id: UUID, author_id: UUID, *, post_id: UUID, comment_id: UUID
) -> None:
    """Notify the author of the comment; the likes of a comment form one group."""
    kind = NotificationType.COMMENT_LIKE
    await notify(
        session,
        NotificationDraft(author_id, kind, actor_id, comment_id, comment_id, post_id, comment_id),
    )


async def notify_of_post(session: Session, actor_id: UUID, post_id: UUID, body: str) -> None:
    """Notify the mentioned users."""
    await notify(
        session,
        *(
            NotificationDraft(
                username, NotificationType.MENTION, actor_id, post_id, post_id=post_id
            )
            for username in mentioned_usernames(body)
        ),
    )


@dataclass(frozen=True, slots=True)
class CommentContext:
    """A new comment, and the authors to notify of it."""

    comment_id: UUID
    post_id: UUID
    post_author_id: UUID
    parent_author_id: UUID | None
    """None for a comment on the post itself."""


async def notify_of_comment(
    session: Session, actor_id: UUID, body: str, context: CommentContext
) -> None:
    """Notify each user once, of the first that applies: a reply, a mention, their post."""
    reasons: list[tuple[UUID | str, NotificationType]] = []
    if context.parent_author_id is not None:
        reasons.append((context.parent_author_id, NotificationType.COMMENT_REPLY))
    reasons += [(username, NotificationType.MENTION) for username in mentioned_usernames(body)]
    reasons.append((context.post_author_id, NotificationType.POST_COMMENT))
    await notify(
        session,
        *(
            NotificationDraft(
                recipient,
                kind,
                actor_id,
                context.comment_id,
                post_id=context.post_id,
                comment_id=context.comment_id,
            )
            for recipient, kind in reasons
        ),
    )


async def hide_comment_like_notification(
    session: Session, actor_id: UUID, author_id: UUID, *, comment_id: UUID
) -> None:
    await session.fetch_one(hide_comment_like(actor_id, author_id, comment_id))


async def delete_comment_notifications(session: Session, comment_id: UUID) -> None:
    await session.fetch_one(delete_of_comment(comment_id))


async def delete_notifications_between(session: Session, user_id: UUID, other_id: UUID) -> None:
    await session.fetch_one(delete_between(user_id, other_id))
