from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, null, select, update
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from wxc.db.prepared import bind, prepared
from wxc.models import RowId, User


class DeletedAccount(NamedTuple):
    id: UUID
    suspended_at: datetime
    """The time of the deletion."""


@prepared(RowId)
def anonymise_account(user_id: UUID, password_hash: str, moment: datetime) -> ReturningUpdate[UUID]:
    """Hide the account and clear its personal data.

    Returns no row if the account is already suspended or deleted, or its password has changed.
    """
    return (
        update(User)
        .where(
            User.id == user_id,
            User.password_hash == password_hash,
            User.suspended_at.is_(None),
        )
        .values(
            suspended_at=moment,
            erase_at=moment,
            email=null(),
            email_folded=null(),
            email_verified_at=null(),
            pending_email=null(),
            password_hash=null(),
            display_name=null(),
            bio=null(),
            avatar_url=null(),
            home_currency=null(),
        )
        .returning(User.id)
    )


@prepared(DeletedAccount)
def claim_due_account(
    moment: datetime, lease_end: datetime
) -> ReturningUpdate[UUID, datetime | None]:
    """Lease the account that has been due longest; other workers skip it until the lease ends."""
    due = (
        select(User.id)
        .where(User.erase_at <= moment)
        .order_by(User.erase_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(User)
        .where(User.id == due.c.id)
        .values(erase_at=bind(lease_end))
        .returning(User.id, User.suspended_at)
    )


@prepared(RowId)
def postpone_account(user_id: UUID, due_at: datetime) -> ReturningUpdate[UUID]:
    """Set when a worker may claim the account again."""
    return (
        update(User)
        .where(User.id == user_id, User.erase_at.isnot(None))
        .values(erase_at=due_at)
        .returning(User.id)
    )


@prepared(RowId)
def delete_account_row(user_id: UUID) -> ReturningDelete[UUID]:
    """Delete the row; the foreign keys delete the account's sessions and mails."""
    return delete(User).where(User.id == user_id, User.erase_at.isnot(None)).returning(User.id)
