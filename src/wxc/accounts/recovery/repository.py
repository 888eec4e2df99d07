"""SQL for the effects of mailed links."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, null, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import RowId, User


class UnverifiedAccount(NamedTuple):
    """An account whose address is not verified."""

    id: UUID
    email: str


class AddressRow(NamedTuple):
    """The address in use of an account."""

    email: str


@prepared(UnverifiedAccount)
def unverified_account(user_id: UUID) -> AnySelect:
    """The account, unless its address is verified."""
    return select(User.id, User.email).where(User.id == user_id, User.email_verified_at.is_(None))


@prepared(RowId)
def update_password_by_link(
    user_id: UUID, address: str, password_hash: str
) -> ReturningUpdate[UUID]:
    """Store another hash; no row if the account has another address, or is suspended.

    Cancels a pending change of the address: an intruder may have requested it.
    """
    return (
        update(User)
        .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
        .values(password_hash=password_hash, pending_email=null())
        .returning(User.id)
    )


@prepared(AddressRow)
def lock_pending_address(user_id: UUID, address: str) -> AnySelect:
    """Lock an account whose pending address is `address`."""
    return (
        select(User.email)
        .where(User.id == user_id, User.pending_email == address, User.suspended_at.is_(None))
        .with_for_update()
    )


@prepared(RowId)
def update_address(
    user_id: UUID, address: str, folded: str, moment: datetime
) -> ReturningUpdate[UUID]:
    """Store the verified address; raises `IntegrityError` if another account has it."""
    return (
        update(User)
        .where(User.id == user_id)
        .values(email=address, email_folded=folded, email_verified_at=moment, pending_email=null())
        .returning(User.id)
    )


@prepared(RowId)
def update_verified_at(user_id: UUID, address: str, moment: datetime) -> ReturningUpdate[UUID]:
    """Mark the address as verified; no row for another address or a suspended account."""
    return (
        update(User)
        .where(User.id == user_id, User.email == address, User.suspended_at.is_(None))
        .values(email_verified_at=func.coalesce(User.email_verified_at, bind(moment)))
        .returning(User.id)
    )
