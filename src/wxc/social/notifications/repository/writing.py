from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Delete,
    String,
    TableValuedAlias,
    Update,
    Uuid,
    and_,
    any_,
    case,
    column,
    delete,
    exists,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate
from sqlalchemy.types import TypeEngine

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import Notification, NotificationType, Post, RowId, UsedUsername, User
from wxc.social.notifications.repository.visibility import is_shown
from wxc.social.users.visibility import visible_to


@dataclass(frozen=True, slots=True)
class NotificationDraft:
    recipient: UUID | str
    """A user id, or a folded username that may not exist."""
    type: NotificationType
    actor_id: UUID | None
    subject_id: UUID
    group_id: UUID | None = None
    """None for a notification that is not grouped with others."""
    post_id: UUID | None = None
    comment_id: UUID | None = None


class Recipient(NamedTuple):
    recipient_id: UUID


class RowsAffected(NamedTuple):
    rows_affected: int


_DRAFT_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "user_id": Uuid(),
    "username": String(),
    "id": Uuid(),
    "type": String(),
    "subject_id": Uuid(),
    "group_id": Uuid(),
    "post_id": Uuid(),
    "comment_id": Uuid(),
}
_COPIED_COLUMNS = tuple(name for name in _DRAFT_COLUMNS if name not in ("user_id", "username"))


@prepared(Recipient)
def insert_notifications(
    actor_id: UUID | None,
    moment: datetime,
    user_ids: Sequence[UUID | None],
    usernames: Sequence[str | None],
    ids: Sequence[UUID],
    types: Sequence[str],
    subject_ids: Sequence[UUID],
    group_ids: Sequence[UUID],
    post_ids: Sequence[UUID | None],
    comment_ids: Sequence[UUID | None],
) -> ReturningInsert[UUID]:
    """Insert the drafts of one actor, one array per column; returns the recipients.

    A recipient is a user id, or the username of a user whom the actor can see. Of several drafts
    for one recipient only the first is inserted, and none for the actor or for a recipient who has
    a notification of the same actor and subject that is not hidden.
    """
    drafts = _draft_rows(
        user_ids, usernames, ids, types, subject_ids, group_ids, post_ids, comment_ids
    )
    copied = [drafts.c[name] for name in _COPIED_COLUMNS]
    mentioned = aliased(User)
    recipient_id = func.coalesce(drafts.c.user_id, mentioned.id).label("recipient_id")
    rows = (
        select(recipient_id, bind(actor_id), bind(moment), *copied)
        .select_from(drafts)
        .outerjoin(
            mentioned,
            and_(mentioned.username_folded == drafts.c.username, visible_to(actor_id, mentioned)),
        )
        .where(
            recipient_id.isnot(None),
            recipient_id.is_distinct_from(bind(actor_id)),
            ~_is_notified(recipient_id, actor_id, drafts.c.subject_id),
        )
        .ext(distinct_on(recipient_id))
        .order_by(recipient_id, drafts.c.position)
    )
    return upsert_notifications(("recipient_id", "actor_id", "created_at", *_COPIED_COLUMNS), rows)


def _is_notified(
    recipient_id: ColumnElement[Any], actor_id: UUID | None, subject_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    existing = aliased(Notification)
    return exists().where(
        existing.actor_id == actor_id,
        existing.recipient_id == recipient_id,
        existing.subject_id == subject_id,
        existing.hidden_at.is_(None),
    )


@prepared(RowId)
def hide_comment_like(
    actor_id: UUID, recipient_id: UUID, comment_id: UUID
) -> ReturningUpdate[UUID]:
    kind = NotificationType.COMMENT_LIKE
    return hide_notifications(kind, actor_id, recipient_id, comment_id).returning(Notification.id)


@prepared(Recipient)
def withdraw_mentions(
    actor_id: UUID, subject_id: UUID, removed: Sequence[str], kept: Sequence[str]
) -> ReturningUpdate[UUID]:
    """Hide the notifications of users whose mention was edited out, by present or former username.

    The author of the post keeps the notification, as one of a comment on their post.
    """
    on_own_post = exists().where(
        Post.id == Notification.post_id, Post.author_id == Notification.recipient_id
    )
    return (
        update(Notification)
        .where(
            Notification.actor_id == actor_id,
            Notification.recipient_id.in_(_users_named(removed)),
            Notification.recipient_id.not_in(_users_named(kept)),
            Notification.type == NotificationType.MENTION,
            Notification.subject_id == subject_id,
            Notification.hidden_at.is_(None),
        )
        .values(
            type=case((on_own_post, NotificationType.POST_COMMENT), else_=Notification.type),
            hidden_at=case((on_own_post, null()), else_=func.now()),
        )
        .returning(Notification.recipient_id)
    )


@prepared(RowsAffected)
def delete_between(user_id: UUID, other_id: UUID) -> AnySelect:
    return _count_affected(
        delete(Notification).where(
            or_(
                and_(Notification.actor_id == user_id, Notification.recipient_id == other_id),
                and_(Notification.actor_id == other_id, Notification.recipient_id == user_id),
            )
        )
    )


@prepared(RowsAffected)
def delete_of_comment(comment_id: UUID) -> AnySelect:
    """For a tombstone: its row stays, so no foreign key deletes its notifications."""
    return _count_affected(delete(Notification).where(Notification.comment_id == comment_id))


@prepared(RowsAffected)
def mark_read_up_to(recipient_id: UUID, up_to: UUID) -> AnySelect:
    """Mark the visible notifications up to and including `up_to` as read."""
    return _count_affected(
        update(Notification)
        .where(
            Notification.recipient_id == recipient_id,
            Notification.id <= up_to,
            Notification.read_at.is_(None),
            is_shown(recipient_id),
        )
        .values(read_at=func.now())
    )


def upsert_notifications(columns: Sequence[str], rows: AnySelect) -> ReturningInsert[UUID]:
    """Insert the rows of a SELECT into `columns`; returns the recipients.

    A hidden notification is shown again at its old position.
    """
    return (
        insert(Notification)
        .from_select(list(columns), rows, include_defaults=False)
        .on_conflict_do_update(
            index_elements=["actor_id", "recipient_id", "type", "subject_id"],
            set_={"hidden_at": None},
        )
        .returning(Notification.recipient_id)
    )


def hide_notifications(
    kind: NotificationType,
    actor_id: UUID,
    recipient_id: UUID | ColumnElement[UUID],
    subject_id: UUID | ColumnElement[UUID],
) -> Update:
    """For an action that was undone; the row stays in case the action is repeated."""
    return (
        update(Notification)
        .where(
            Notification.actor_id == actor_id,
            Notification.recipient_id == recipient_id,
            Notification.type == kind,
            Notification.subject_id == subject_id,
        )
        .values(hidden_at=func.now())
    )


def _users_named(usernames: Sequence[str]) -> AnySelect:
    return select(UsedUsername.user_id).where(UsedUsername.name == any_(bind(usernames)))


def _draft_rows(*columns: Any) -> TableValuedAlias:  # noqa: ANN401 - arrays of several types
    """The drafts as rows, numbered by `position`."""
    typed = (column(name, type_) for name, type_ in _DRAFT_COLUMNS.items())
    rows = func.unnest(*columns).table_valued(*typed, with_ordinality="position")
    return rows.render_derived("drafts")


def _count_affected(statement: Update | Delete) -> AnySelect:
    """Return only the number of affected rows, since there may be many."""
    affected = statement.returning(Notification.id).cte("affected")
    return select(func.count().label("rows_affected")).select_from(affected)
