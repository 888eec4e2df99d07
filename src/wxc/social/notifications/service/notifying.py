"""Notifications are written, hidden and deleted in the transaction of their cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from wxc.core import clock
from wxc.core.events import announce
from wxc.db.commits import next_id
from wxc.db.session import Session
from wxc.models import NotificationType
from wxc.social.notifications.mentions import mentioned_usernames
from wxc.social.notifications.repository.writing import (
    NotificationDraft,
    delete_between,
    delete_of_comment,
    hide_comment_like,
    insert_notifications,
    withdraw_mentions,
)


def topic_of(user_id: UUID) -> str:
    return f"notifications:{user_id}"


async def notify(session: Session, *drafts: NotificationDraft) -> None:
    """Notify each recipient once: of several drafts for one recipient the first is written.

    All drafts have the same actor, who is not notified. A recipient who already sees a notification
    of the same actor and subject does not get another one.
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
    await _notify_mentioned(session, actor_id, mentioned_usernames(body), post_id)


async def notify_of_edit(
    session: Session,
    actor_id: UUID,
    old_body: str,
    body: str,
    post_id: UUID,
    comment_id: UUID | None = None,
) -> None:
    """Notify users whose mention is new, and withdraw the notifications of removed mentions."""
    before, now = mentioned_usernames(old_body), mentioned_usernames(body)
    removed = [username for username in before if username not in now]
    if removed:
        subject_id = comment_id or post_id
        await session.fetch(withdraw_mentions(actor_id, subject_id, removed, now))
    added = [username for username in now if username not in before]
    await _notify_mentioned(session, actor_id, added, post_id, comment_id)


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


async def _notify_mentioned(
    session: Session,
    actor_id: UUID,
    usernames: Sequence[str],
    post_id: UUID,
    comment_id: UUID | None = None,
) -> None:
    subject_id = comment_id or post_id
    await notify(
        session,
        *(
            NotificationDraft(
                username,
                NotificationType.MENTION,
                actor_id,
                subject_id,
                post_id=post_id,
                comment_id=comment_id,
            )
            for username in usernames
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
