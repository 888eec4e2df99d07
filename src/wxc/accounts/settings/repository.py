"""SQL for changes of a member's own account.

`old_hash` is the password hash that was verified: no row is returned if the stored hash has changed
meanwhile. A suspended account is never changed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import any_, case, not_, null, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.accounts.auth.repository.accounts import ACCOUNT_COLUMNS, AccountRow
from wxc.db.keyset import AnySelect
from wxc.db.prepared import bind, prepared
from wxc.models import User, columns

AccountUpdate = ReturningUpdate[*tuple[object, ...]]


class PasswordRow(NamedTuple):
    password_hash: str | None
    """None for a deleted account."""
    password_generation: int


class AddressRow(NamedTuple):
    email: str
    is_verified: bool


class PendingAddressRow(NamedTuple):
    email: str
    is_verified: bool
    former: str | None
    """The address that was pending before."""
    pending_email: str | None
    """None if no change is pending."""


class UsernameRow(NamedTuple):
    username: str
    username_changes: list[datetime]
    """When the username was changed; may include changes older than a year."""


@prepared(PasswordRow)
def password_of(user_id: UUID) -> AnySelect:
    return select(*columns(User, PasswordRow)).where(User.id == user_id)


@prepared(AccountRow)
def update_settings(
    user_id: UUID,
    versions: Sequence[int] | None,
    display_name: str | None,
    bio: str | None,
    avatar_url: str | None,
    home_currency: str | None,
) -> AccountUpdate:
    """Replace the settings; no row if they differ and `versions` lacks the current version.

    Equal settings keep the version.
    """
    settings = {
        User.display_name: display_name,
        User.bio: bio,
        User.avatar_url: avatar_url,
        User.home_currency: home_currency,
    }
    is_changed = or_(*(column.is_distinct_from(value) for column, value in settings.items()))
    is_expected = or_(bind(versions).is_(None), User.version == any_(bind(versions)))
    return (
        update(User)
        .where(User.id == user_id, User.suspended_at.is_(None), or_(not_(is_changed), is_expected))
        .values({**settings, User.version: User.version + case((is_changed, 1), else_=0)})
        .returning(*ACCOUNT_COLUMNS)
    )


@prepared(AddressRow)
def update_password(
    user_id: UUID, old_hash: str, new_hash: str
) -> ReturningUpdate[*tuple[object, ...]]:
    """Store a new hash and cancel a pending address, which an intruder may have requested."""
    return (
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash, User.suspended_at.is_(None))
        .values(
            password_hash=new_hash,
            password_generation=User.password_generation + 1,
            pending_email=null(),
        )
        .returning(User.email, User.email_verified_at.isnot(None).label("is_verified"))
    )


@prepared(PendingAddressRow)
def update_pending_address(
    user_id: UUID, address: str, old_hash: str
) -> ReturningUpdate[*tuple[object, ...]]:
    """Store the pending address, or clear it if `address` is the current address."""
    former = (
        select(User.id, User.pending_email.label("former"))
        .where(User.id == user_id, User.password_hash == old_hash, User.suspended_at.is_(None))
        .with_for_update()
        .cte("former")
    )
    return (
        update(User)
        .where(User.id == former.c.id)
        .values(pending_email=case((User.email == address, null()), else_=bind(address)))
        .returning(
            User.email,
            User.email_verified_at.isnot(None).label("is_verified"),
            former.c.former,
            User.pending_email,
        )
    )


@prepared(UsernameRow)
def lock_username(user_id: UUID, old_hash: str) -> AnySelect:
    """Lock the account and return its username."""
    return (
        select(User.username, User.username_changes)
        .where(User.id == user_id, User.password_hash == old_hash, User.suspended_at.is_(None))
        .with_for_update()
    )


@prepared(AccountRow)
def update_username(
    user_id: UUID, username: str, folded: str, changes: Sequence[datetime]
) -> AccountUpdate:
    """Store a new username and the times of the changes in the last year."""
    return (
        update(User)
        .where(User.id == user_id)
        .values(username=username, username_folded=folded, username_changes=changes)
        .returning(*ACCOUNT_COLUMNS)
    )
