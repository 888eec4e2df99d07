"""SQL for what members change about their account.

A change that needs the password names the hash that was `seen`, and does nothing once another is
stored. None of them touches a suspended account.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, case, null, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.accounts.auth.repository.accounts import ACCOUNT, AccountRow
from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import User

AccountUpdate = ReturningUpdate[*tuple[object, ...]]


class PasswordRow(NamedTuple):
    """The stored hash of an account."""

    password_hash: str | None
    """None for a deleted account."""


class AddressRow(NamedTuple):
    """The address in use of an account."""

    email: str


class PendingAddressRow(NamedTuple):
    """The address that an account is to have; None when no change is pending."""

    pending_email: str | None


class UsernameRow(NamedTuple):
    """A username, and when it was changed during the last year."""

    username: str
    username_changes: list[datetime]


@prepared(PasswordRow)
def password_of(user_id: UUID) -> AnySelect:
    """The stored hash."""
    return select(User.password_hash).where(User.id == user_id)


@prepared(AccountRow)
def update_settings(
    user_id: UUID,
    versions: Sequence[int] | None,
    display_name: str | None,
    bio: str | None,
    avatar_url: str | None,
    home_currency: str | None,
) -> AccountUpdate:
    """Replace the settings; no row when the version is none of `versions`, if they are given."""
    is_expected = or_(bind(versions).is_(None), User.version == any_(bind(versions)))
    return (
        update(User)
        .where(User.id == user_id, User.suspended_at.is_(None), is_expected)
        .values(
            display_name=display_name,
            bio=bio,
            avatar_url=avatar_url,
            home_currency=home_currency,
            version=User.version + 1,
        )
        .returning(*ACCOUNT)
    )


@prepared(AddressRow)
def update_password(user_id: UUID, seen: str, fresh: str) -> ReturningUpdate[str | None]:
    """Store another hash, and call off a pending change of the address.

    An intruder may have begun that change.
    """
    return (
        update(User)
        .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
        .values(password_hash=fresh, pending_email=null())
        .returning(User.email)
    )


@prepared(PendingAddressRow)
def update_pending_address(user_id: UUID, address: str, seen: str) -> ReturningUpdate[str | None]:
    """Make the address the pending one, or none where it is in use by the account already."""
    return (
        update(User)
        .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
        .values(pending_email=case((User.email == address, null()), else_=bind(address)))
        .returning(User.pending_email)
    )


@prepared(UsernameRow)
def lock_username(user_id: UUID, seen: str) -> AnySelect:
    """Lock the account."""
    return (
        select(User.username, User.username_changes)
        .where(User.id == user_id, User.password_hash == seen, User.suspended_at.is_(None))
        .with_for_update()
    )


@prepared(AccountRow)
def update_username(
    user_id: UUID, username: str, folded: str, changes: Sequence[datetime]
) -> AccountUpdate:
    """Store another username, and when it was changed during the last year."""
    return (
        update(User)
        .where(User.id == user_id)
        .values(username=username, username_folded=folded, username_changes=changes)
        .returning(*ACCOUNT)
    )
