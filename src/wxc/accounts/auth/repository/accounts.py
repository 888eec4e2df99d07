from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import RowId, Session, UsedUsername, User, columns

ACCOUNT_COLUMNS = (
    User.id,
    User.username,
    User.email,
    User.email_verified_at.isnot(None).label("email_verified"),
    User.pending_email,
    User.display_name,
    User.bio,
    User.avatar_url,
    User.home_currency,
    User.created_at,
    User.version,
)


class AccountRow(NamedTuple):
    """An account as its owner sees it; the fields follow `ACCOUNT_COLUMNS`."""

    id: UUID
    username: str
    email: str
    email_verified: bool
    pending_email: str | None
    display_name: str | None
    bio: str | None
    avatar_url: str | None
    home_currency: str | None
    created_at: datetime
    version: int
    """The version of the settings, compared with `If-Match`."""


class LoginRow(NamedTuple):
    id: UUID
    password_hash: str | None
    """None for a deleted account."""
    password_generation: int
    suspended_at: datetime | None


class AddressRow(NamedTuple):
    email: str


class TakenIdentifiers(NamedTuple):
    username: bool
    """An account, possibly a deleted one, has or had the name."""
    email: bool


class UsernameRow(NamedTuple):
    name: str


@prepared(AccountRow)
def account_by_id(user_id: UUID) -> AnySelect:
    """No row if the account is deleted."""
    return select(*ACCOUNT_COLUMNS).where(User.id == user_id, User.erase_at.is_(None))


@prepared(LoginRow)
def login_by_identifier(folded: str) -> AnySelect:
    """At most one row: an e-mail address contains an @, a username does not."""
    return select(*columns(User, LoginRow)).where(
        or_(User.username_folded == folded, User.email_folded == folded)
    )


@prepared(AddressRow)
def address_after_first_login(user_id: UUID) -> AnySelect:
    """The owner's address; no row before the first login."""
    has_session = select(Session.id).where(Session.user_id == user_id).exists()
    return select(User.email).where(User.id == user_id, has_session)


@prepared(TakenIdentifiers)
def taken_identifiers(username: str, email: str) -> AnySelect:
    """One row; both arguments are folded."""
    has_name = select(UsedUsername.name).where(UsedUsername.name == username).exists()
    has_email = select(User.id).where(User.email_folded == email).exists()
    return select(has_name.label("username"), has_email.label("email"))


@prepared(UsernameRow)
def reserve_username(name: str, user_id: UUID, moment: datetime) -> ReturningInsert[str]:
    """Reserve the folded name permanently; no row if another account has or had it.

    Runs before the account's own row is written, so that concurrent requests for a name wait here.
    """
    return (
        insert(UsedUsername)
        .values(name=name, user_id=user_id, taken_at=moment)
        .on_conflict_do_update(
            index_elements=[UsedUsername.name],
            set_={"user_id": user_id},
            where=UsedUsername.user_id == user_id,
        )
        .returning(UsedUsername.name)
    )


@prepared(AccountRow)
def insert_account(
    user_id: UUID,
    username: str,
    username_folded: str,
    email: str,
    email_folded: str,
    password_hash: str,
    display_name: str | None,
    moment: datetime,
) -> ReturningInsert[*tuple[object, ...]]:
    """Insert an account; no row if the address is taken."""
    values: dict[str, Any] = {
        "id": user_id,
        "username": username,
        "username_folded": username_folded,
        "email": email,
        "email_folded": email_folded,
        "password_hash": password_hash,
        "display_name": display_name,
        "created_at": moment,
    }
    return (
        insert(User)
        # The database sets the defaults of the counters.
        .from_select(list(values), select(*values.values()), include_defaults=False)
        .on_conflict_do_nothing()
        .returning(*ACCOUNT_COLUMNS)
    )


@prepared(RowId)
def update_password_hash(user_id: UUID, old_hash: str, new_hash: str) -> ReturningUpdate[UUID]:
    """Store `new_hash`; no row if the stored hash is no longer `old_hash`."""
    return (
        update(User)
        .where(User.id == user_id, User.password_hash == old_hash)
        .values(password_hash=new_hash)
        .returning(User.id)
    )


@prepared(AccountRow)
def lock_account_for_login(user_id: UUID, password_hash: str) -> AnySelect:
    """Lock the account if it still has that hash and is not suspended.

    FOR SHARE: a concurrent password change waits for the login, or the login sees it.
    """
    return (
        select(*ACCOUNT_COLUMNS)
        .where(
            User.id == user_id,
            User.password_hash == password_hash,
            User.suspended_at.is_(None),
        )
        .with_for_update(read=True)
    )
