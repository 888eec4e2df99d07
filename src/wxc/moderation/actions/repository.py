from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import ReturningUpdate

from wxc.db.keyset import AnySelect
from wxc.db.prepared import prepared
from wxc.models import RowId, User, columns


class AccountRow(NamedTuple):
    """An account that is not deleted; it may be suspended."""

    id: UUID
    username: str
    email: str
    email_verified_at: datetime | None
    pending_email: str | None
    display_name: str | None
    created_at: datetime
    suspended_at: datetime | None
    posts_count: int
    followers_count: int
    following_count: int


class DuplicateRow(NamedTuple):
    """An account that has the same folded username or e-mail address as another account."""

    kind: str
    folded: str
    user_id: UUID
    value: str


@prepared(AccountRow)
def account_by_id(user_id: UUID) -> AnySelect:
    return _account(User.id == user_id)


@prepared(AccountRow)
def account_by_identifier(folded: str) -> AnySelect:
    """The account with this folded username or e-mail address; usernames contain no `@`."""
    return _account(or_(User.username_folded == folded, User.email_folded == folded))


@prepared(DuplicateRow)
def duplicate_accounts() -> CompoundSelect[*tuple[Any, ...]]:
    return union_all(
        _accounts_sharing("username", User.username_folded, User.username),
        _accounts_sharing("email", User.email_folded, User.email),
    )


@prepared(RowId)
def suspend_account(user_id: UUID, moment: datetime) -> ReturningUpdate[UUID]:
    """Suspend the account and lock its row; no row if it is already suspended."""
    return (
        update(User)
        .where(User.id == user_id, User.suspended_at.is_(None))
        .values(suspended_at=moment)
        .returning(User.id)
    )


@prepared(RowId)
def restore_account(user_id: UUID) -> ReturningUpdate[UUID]:
    """End the suspension; no row if the account is not suspended or is deleted."""
    return (
        update(User)
        .where(User.id == user_id, User.suspended_at.isnot(None), User.erase_at.is_(None))
        .values(suspended_at=None)
        .returning(User.id)
    )


def _account(condition: ColumnElement[bool]) -> AnySelect:
    """Excludes deleted accounts, whose rows have no e-mail address any more."""
    return select(*columns(User, AccountRow)).where(condition, User.erase_at.is_(None))


def _accounts_sharing(
    kind: str, folded: InstrumentedAttribute[str | None], value: InstrumentedAttribute[Any]
) -> AnySelect:
    shared = select(folded).where(folded.isnot(None)).group_by(folded).having(func.count() > 1)
    statement: AnySelect = select(
        literal(kind).label("kind"),
        folded.label("folded"),
        User.id.label("user_id"),
        value.label("value"),
    ).where(folded.in_(shared))
    return statement
