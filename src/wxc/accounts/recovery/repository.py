from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, null, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import RowId, User


class UnverifiedAccount(NamedTuple):
    id: UUID
    email: str


class AddressRow(NamedTuple):
    email: str
    is_verified: bool
    pending_email: str | None


@prepared(UnverifiedAccount)
def unverified_account(user_id: UUID) -> AnySelect:
    """No row if the address is verified."""
    return select(User.id, User.email).where(User.id == user_id, User.email_verified_at.is_(None))


@prepared(RowId)
def update_password_by_link(
    user_id: UUID, address: str, password_hash: str
) -> ReturningUpdate[UUID]:
    """Store a new hash; no row if the address has changed or the account is suspended.

    Also cancels a pending change of the address, which an intruder may have requested.
    """
    return (
        update(User)
        .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
        .values(
            password_hash=password_hash,
            password_generation=User.password_generation + 1,
            pending_email=null(),
        )
        .returning(User.id)
    )


@prepared(AddressRow)
def lock_addresses(user_id: UUID) -> AnySelect:
    """Lock the account and return its addresses; no row if it is suspended or deleted."""
    return (
        select(
            User.email,
            User.email_verified_at.isnot(None).label("is_verified"),
            User.pending_email,
        )
        .where(User.id == user_id, User.suspended_at.is_(None))
        .with_for_update()
    )


@prepared(RowId)
def clear_pending_address(user_id: UUID, address: str) -> ReturningUpdate[UUID]:
    """Cancel the change to `address`; no row if it is not pending."""
    return (
        update(User)
        .where(User.id == user_id, User.pending_email == address)
        .values(pending_email=null())
        .returning(User.id)
    )


@prepared(RowId)
def update_address(
    user_id: UUID, address: str, folded: str, moment: datetime
) -> ReturningUpdate[UUID]:
    """Replace the address with a verified one; `IntegrityError` if another account uses it."""
    return (
        update(User)
        .where(User.id == user_id)
        .values(email=address, email_folded=folded, email_verified_at=moment, pending_email=null())
        .returning(User.id)
    )


@prepared(RowId)
def update_verified_at(user_id: UUID, address: str, moment: datetime) -> ReturningUpdate[UUID]:
    """Mark the address as verified; no row if it has changed or the account is suspended."""
    return (
        update(User)
        .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
        .values(email_verified_at=func.coalesce(User.email_verified_at, bind(moment)))
        .returning(User.id)
    )
