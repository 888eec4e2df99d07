"""SQL that writes notifications."""

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
    column,
    delete,
    func,
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
from wxc.models import Notification, NotificationType, RowId, User
from wxc.social.notifications.repository.visibility import is_shown
from wxc.social.users.visibility import visible_to


@dataclass(frozen=True, slots=True)
class NotificationDraft:
    """A notification to write for one recipient."""

    recipient: UUID | str
    """An id, or a folded username that may not exist."""
    type: NotificationType
    actor_id: UUID | None
    subject_id: UUID
    group_id: UUID | None = None
    """None for a notification that is a group of its own."""
    post_id: UUID | None = None
    comment_id: UUID | None = None


class Recipient(NamedTuple):
    """A member with a new notification."""

    recipient_id: UUID


class RowsAffected(NamedTuple):
    """How many notifications were updated or deleted."""

    rows_affected: int


_DRAFT: Mapping[str, TypeEngine[Any]] = {
    "user_id": Uuid(),
    "username": String(),
    "id": Uuid(),
    "type": String(),
    "subject_id": Uuid(),
    "group_id": Uuid(),
    "post_id": Uuid(),
    "comment_id": Uuid(),
}
_COPIED = tuple(name for name in _DRAFT if name not in ("user_id", "username"))


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
    """Write drafts of one actor, given by column; returns the recipients.

    A recipient is a user id or a username, which is looked up among the members whom the actor can
    see. Of several drafts for one recipient the first is written; none is for the actor.
    """
    drafts = _drafts(user_ids, usernames, ids, types, subject_ids, group_ids, post_ids, comment_ids)
    named = aliased(User)
    recipient_id = func.coalesce(drafts.c.user_id, named.id).label("recipient_id")
    rows = (
        select(recipient_id, bind(actor_id), bind(moment), *(drafts.c[name] for name in _COPIED))
        .select_from(drafts)
        .outerjoin(
            named, and_(named.username_folded == drafts.c.username, visible_to(actor_id, named))
        )
        .where(recipient_id.isnot(None), recipient_id.is_distinct_from(bind(actor_id)))
        .ext(distinct_on(recipient_id))
        .order_by(recipient_id, drafts.c.place)
    )
    return upsert_notifications(("recipient_id", "actor_id", "created_at", *_COPIED), rows)


@prepared(RowId)
def hide_comment_like(
    actor_id: UUID, recipient_id: UUID, comment_id: UUID
) -> ReturningUpdate[UUID]:
    """Hide the notification of a comment's like that was taken back."""
    kind = NotificationType.COMMENT_LIKE
    return hide_notifications(kind, actor_id, recipient_id, comment_id).returning(Notification.id)


@prepared(RowsAffected)
def delete_between(one_id: UUID, other_id: UUID) -> AnySelect:
    """Delete every notification that either member has about the other."""
    return _counting(
        delete(Notification).where(
            or_(
                and_(Notification.actor_id == one_id, Notification.recipient_id == other_id),
                and_(Notification.actor_id == other_id, Notification.recipient_id == one_id),
            )
        )
    )


@prepared(RowsAffected)
def delete_of_comment(comment_id: UUID) -> AnySelect:
    """Delete every notification about a comment whose row stays."""
    return _counting(delete(Notification).where(Notification.comment_id == comment_id))


@prepared(RowsAffected)
def update_read(me_id: UUID, up_to: UUID) -> AnySelect:
    """Mark as read what is shown now, up to and including the notification `up_to`."""
    return _counting(
        update(Notification)
        .where(
            Notification.recipient_id == me_id,
            Notification.id <= up_to,
            Notification.read_at.is_(None),
            is_shown(me_id),
        )
        .values(read_at=func.now())
    )


def upsert_notifications(columns: Sequence[str], rows: AnySelect) -> ReturningInsert[UUID]:
    """An INSERT of the rows of a SELECT, whose columns are named; it returns the recipients.

    A notification that was hidden is shown again at its old place.
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
    """An UPDATE for an act that was undone: the row stays, in case the act is repeated."""
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


def _drafts(*columns: Any) -> TableValuedAlias:  # noqa: ANN401 - arrays of several types
    """The drafts as rows; `place` is their order."""
    typed = (column(*one) for one in _DRAFT.items())
    rows = func.unnest(*columns).table_valued(*typed, with_ordinality="place")
    return rows.render_derived("drafts")


def _counting(statement: Update | Delete) -> AnySelect:
    """The statement as one that returns how many rows it affects, which may be very many."""
    affected = statement.returning(Notification.id).cte("affected")
    return select(func.count().label("rows_affected")).select_from(affected)
