"""Changes of a member's own account.

A change that requires the password verifies it without holding a connection and then opens a
transaction, which fails if the stored hash has changed meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.errors import (
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.accounts.auth.repository.accounts import AccountRow, account_by_id, reserve_username
from wxc.accounts.auth.schemas import Me
from wxc.accounts.auth.service.accounts import known_facts, present_me
from wxc.accounts.auth.usernames import is_reserved
from wxc.accounts.sessions.service import CredentialsChange, end_all_sessions_and_notify
from wxc.accounts.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.accounts.settings.repository import (
    lock_username,
    password_of,
    update_password,
    update_settings,
    update_username,
)
from wxc.accounts.settings.schemas import PasswordChange, Settings, UsernameChange
from wxc.core import clock
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.etags import Versioned, Versions, listed
from wxc.http.rate_limits import RateLimiter
from wxc.http.refusals.resources import PreconditionFailed
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

_YEAR = timedelta(days=365)


async def find_settings(database: Database, me: Principal) -> Versioned[Me]:
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    return _versioned(row)


async def replace_settings(
    database: Database, me: Principal, settings: Settings, versions: Versions
) -> Versioned[Me]:
    """Replace all settings; the same again change nothing. Raises `PreconditionFailed`."""
    row = await database.primary.fetch_one(
        update_settings(
            me.id,
            listed(versions),
            settings.display_name,
            settings.bio,
            settings.avatar_url,
            settings.home_currency,
        )
    )
    if row is None:
        raise SessionExpired if listed(versions) is None else PreconditionFailed
    return _versioned(row)


async def change_password(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    change: PasswordChange,
    actor: Actor,
) -> None:
    """Change the password, end all other sessions and notify the owner by mail.

    Raises `WrongPassword`, `RateLimited` and `PasswordTooCommon`.
    """
    old_hash = await confirm_password(database, auth, limiter, me, change.current_password)
    facts = await known_facts(database, me.id)
    new_hash = await auth.passwords.hash_new(change.new_password, facts, is_trusted=True)
    async with database.transaction() as session:
        account = await session.fetch_one(update_password(me.id, old_hash, new_hash))
        if account is None:
            raise WrongPassword
        credentials = CredentialsChange(
            AuditKind.PASSWORD_CHANGED, me.id, *account, kept_session_id=me.session_id
        )
        await end_all_sessions_and_notify(session, auth, credentials, actor)


async def change_username(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    change: UsernameChange,
    actor: Actor,
) -> Me:
    """Change the username; changes of upper and lower case are not limited.

    Raises `UsernameReserved`, `WrongPassword`, `UsernameTaken` and `TooManyUsernameChanges`.
    """
    if is_reserved(change.username):
        raise UsernameReserved
    old_hash = await confirm_password(database, auth, limiter, me, change.current_password)
    async with database.transaction() as session:
        account = await session.fetch_one(lock_username(me.id, old_hash))
        if account is None:
            raise WrongPassword
        if account.username == change.username:
            return present_me(*await session.fetch(account_by_id(me.id)))
        changes: Sequence[datetime] = account.username_changes
        folded = fold_identifier(change.username)
        if folded != fold_identifier(account.username):
            changes = await _reserve_username(session, auth, me.id, folded, changes)
        kind, detail = AuditKind.USERNAME_CHANGED, {"former": account.username}
        await audit.record(session, kind, actor, user_id=me.id, session_id=me.session_id, **detail)
        (row,) = await session.fetch(update_username(me.id, change.username, folded, changes))
        return present_me(row)


async def confirm_password(
    database: Database, auth: Auth, limiter: RateLimiter, me: Principal, password: str
) -> str:
    """Verify `password` and return the stored hash; raises `WrongPassword` and `RateLimited`."""
    auth.passwords.require_capacity(is_trusted=True)  # refuse before any other work
    row = await database.primary.fetch_one(password_of(me.id))
    if row is None or row.password_hash is None:
        raise SessionExpired
    old_hash = row.password_hash
    use = auth.policies.reauthentication(me.id, row.password_generation)
    await limiter.check(use)
    if not await auth.passwords.verify(password, old_hash, is_trusted=True):
        await limiter.count(use)
        raise WrongPassword
    return old_hash


async def _reserve_username(
    session: Session, auth: Auth, user_id: UUID, folded: str, changes: Sequence[datetime]
) -> Sequence[datetime]:
    """Reserve a username; returns the changes of the last year, including this one."""
    moment = clock.now()
    recent = _recent_changes(changes, auth.username_changes, moment)
    if await session.fetch_one(reserve_username(folded, user_id, moment)) is None:
        raise UsernameTaken
    return [*recent, moment]


def _recent_changes(
    changes: Sequence[datetime], max_changes: int, moment: datetime
) -> Sequence[datetime]:
    """The changes of the last year; raises `TooManyUsernameChanges` if no more are allowed."""
    recent = sorted(change for change in changes if change > moment - _YEAR)
    if len(recent) >= max_changes:
        wait = recent[-max_changes] + _YEAR - moment
        raise TooManyUsernameChanges(retry_after=ceil(wait.total_seconds()))
    return recent


def _versioned(row: AccountRow) -> Versioned[Me]:
    return Versioned(present_me(row), row.version)
