from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Update, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.dml import ReturningDelete, ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import MailState, OutboxMail, RowId, User, columns


class MailRow(NamedTuple):
    """An e-mail that a worker has claimed."""

    id: UUID
    kind: str
    user_id: UUID | None
    """None if only the address is known."""
    address: str
    attempts: int
    """Includes this attempt. If the row has a higher number, another worker has claimed it."""
    first_attempt_at: datetime
    created_at: datetime
    detail: dict[str, Any]


class BacklogRow(NamedTuple):
    has_backlog: bool


class OutboxCounts(NamedTuple):
    due: int
    oldest: datetime | None
    """The earliest due time of the due e-mails."""
    dead: int
    """The number given up since `dead_since`."""


class RecipientRow(NamedTuple):
    id: UUID
    username: str
    email: str | None
    """None for a deleted account."""
    pending_email: str | None
    email_verified_at: datetime | None
    suspended_at: datetime | None


@prepared(BacklogRow)
def outbox_backlog(due_before: datetime, dead_since: datetime) -> AnySelect:
    """One row: whether an e-mail is overdue, or was given up since `dead_since`."""
    overdue = (OutboxMail.state == MailState.WAITING) & (OutboxMail.due_at < due_before)
    has_backlog = or_(exists().where(overdue), exists().where(_is_dead(dead_since)))
    return select(has_backlog.label("has_backlog"))


@prepared(OutboxCounts)
def outbox_counts(moment: datetime, dead_since: datetime) -> AnySelect:
    """Always one row."""
    is_due = (OutboxMail.state == MailState.WAITING) & (OutboxMail.due_at <= moment)
    return select(
        select(func.count()).where(is_due).scalar_subquery().label("due"),
        select(func.min(OutboxMail.due_at)).where(is_due).scalar_subquery().label("oldest"),
        select(func.count()).where(_is_dead(dead_since)).scalar_subquery().label("dead"),
    )


@prepared(RowId)
def insert_mail(
    mail_id: UUID,
    kind: str,
    address: str,
    user_id: UUID | None,
    dedup_key: str,
    moment: datetime,
    detail: Annotated[dict[str, Any], JSONB()],
) -> ReturningInsert[UUID]:
    """No row if the key has been used."""
    return (
        insert(OutboxMail)
        .values(
            id=mail_id,
            kind=kind,
            address=address,
            user_id=user_id,
            dedup_key=dedup_key,
            state=MailState.WAITING,
            attempts=0,
            due_at=moment,
            created_at=moment,
            detail=detail,
        )
        .on_conflict_do_nothing()
        .returning(OutboxMail.id)
    )


@prepared(MailRow)
def claim_mails(
    moment: datetime, lease_end: datetime, *, limit: int
) -> ReturningUpdate[*tuple[object, ...]]:
    """Claim due e-mails until `lease_end`, and count the attempt."""
    due = (
        select(OutboxMail.id)
        .where(OutboxMail.state == MailState.WAITING, OutboxMail.due_at <= moment)
        .order_by(OutboxMail.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")  # a plain subquery may be executed, and lock rows, repeatedly
    )
    return (
        update(OutboxMail)
        .where(OutboxMail.id == due.c.id)
        .values(
            due_at=lease_end,
            attempts=OutboxMail.attempts + 1,
            first_attempt_at=func.coalesce(OutboxMail.first_attempt_at, bind(moment)),
        )
        .returning(*columns(OutboxMail, MailRow))
    )


@prepared(RowId)
def update_due_at(mail_id: UUID, attempts: int, due_at: datetime) -> ReturningUpdate[UUID]:
    """No row if another worker has claimed the e-mail since."""
    return _update_claimed(mail_id, attempts).values(due_at=due_at).returning(OutboxMail.id)


@prepared(RowId)
def update_final_state(
    mail_id: UUID, attempts: int, state: str, moment: datetime
) -> ReturningUpdate[UUID]:
    """No row if another worker has claimed the e-mail since."""
    statement = _update_claimed(mail_id, attempts)
    return statement.values(state=state, finished_at=moment).returning(OutboxMail.id)


@prepared(RowId)
def delete_mail(mail_id: UUID) -> ReturningDelete[UUID]:
    return delete(OutboxMail).where(OutboxMail.id == mail_id).returning(OutboxMail.id)


@prepared(RowId)
def delete_closed_mails(before: datetime) -> ReturningDelete[UUID]:
    return delete(OutboxMail).where(OutboxMail.finished_at < before).returning(OutboxMail.id)


@prepared(RecipientRow)
def lock_recipient_by_id(user_id: UUID) -> AnySelect:
    return _locked_recipient(User.id == user_id)


@prepared(RecipientRow)
def lock_recipient_by_address(folded: str) -> AnySelect:
    return _locked_recipient(User.email_folded == folded)


@prepared(RowId)
def other_account_with_address(folded: str, user_id: UUID) -> AnySelect:
    return select(User.id).where(User.email_folded == folded, User.id != user_id)


def _locked_recipient(condition: ColumnElement[bool]) -> AnySelect:
    return select(*columns(User, RecipientRow)).where(condition).with_for_update(key_share=True)


def _update_claimed(mail_id: UUID, attempts: int) -> Update:
    return update(OutboxMail).where(OutboxMail.id == mail_id, OutboxMail.attempts == attempts)


def _is_dead(since: datetime) -> ColumnElement[bool]:
    return (OutboxMail.state == MailState.DEAD) & (OutboxMail.finished_at > since)
