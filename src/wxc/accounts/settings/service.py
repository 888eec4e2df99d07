"""Changes to one's own account.

What needs the password reads, hashes without a connection, and then opens a transaction; it does
nothing when the password was changed meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.errors import (
    PasswordTooCommon,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.accounts.auth.passwords import is_common
from wxc.accounts.auth.repository.accounts import AccountRow, account_by_id, insert_username
from wxc.accounts.auth.schemas import Me
from wxc.accounts.auth.service.accounts import present_me
from wxc.accounts.auth.usernames import is_reserved
from wxc.accounts.sessions.service import shut_out_and_tell
from wxc.accounts.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.accounts.settings.repository import (
    lock_username,
    password_of,
    update_password,
    update_pending_address,
    update_settings,
    update_username,
)
from wxc.accounts.settings.schemas import EmailChange, PasswordChange, Settings, UsernameChange
from wxc.core import clock
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.http.etags import Versioned, Versions
from wxc.http.rate_limits import RateLimiter
from wxc.http.refusals.resources import PreconditionFailed
from wxc.mail import service as mails
from wxc.mail.schemas import MailAccepted
from wxc.models import AuditKind, MailKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

_YEAR = timedelta(days=365)


async def find_settings(database: Database, me: Principal) -> Versioned[Me]:
    """The account of `me`, from the primary: a change is seen at once."""
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    return _versioned(row)


async def replace_settings(
    database: Database, me: Principal, settings: Settings, versions: Versions
) -> Versioned[Me]:
    """Replace all settings; raises `PreconditionFailed`."""
    row = await database.primary.fetch_one(
        update_settings(
            me.id,
            None if versions is None else list(versions),
            settings.display_name,
            settings.bio,
            settings.avatar_url,
            settings.home_currency,
        )
    )
    if row is None:
        raise SessionExpired if versions is None else PreconditionFailed
    return _versioned(row)


async def change_password(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    change: PasswordChange,
    actor: Actor,
) -> None:
    """Change the password, end every other session and notify the owner by mail.

    Raises `PasswordTooCommon`, `WrongPassword` and `RateLimited`.
    """
    if is_common(change.new_password):
        raise PasswordTooCommon
    seen = await confirm_password(database, auth, limiter, me, change.current_password)
    fresh = await auth.passwords.hash(change.new_password, trusted=True)
    async with database.transaction() as session:
        account = await session.fetch_one(update_password(me.id, seen, fresh))
        if account is None:
            raise WrongPassword
        await shut_out_and_tell(
            session,
            auth,
            me.id,
            AuditKind.PASSWORD_CHANGED,
            actor,
            address=account.email,
            kept=me.session_id,
        )


async def change_email(
    database: Database, auth: Auth, limiter: RateLimiter, me: Principal, change: EmailChange
) -> MailAccepted:
    """Have a link sent to another address, which is in use once the link has been followed.

    The address in use calls off a pending change. Raises `WrongPassword` and `RateLimited`.
    Whether another account has the address is left to the worker, which sends no mail then; nor
    is one sent beyond the recipient's limit. The answer is the same.
    """
    seen = await confirm_password(database, auth, limiter, me, change.current_password)
    async with database.transaction() as session:
        account = await session.fetch_one(update_pending_address(me.id, change.email, seen))
        if account is None:
            raise WrongPassword
        await mails.void_links(session, me.id, MailKind.EMAIL_CHANGE)
        if account.pending_email is None:
            return MailAccepted(status="accepted")
        if await limiter.count_silently(auth.policies.mail_to(change.email)):
            await mails.enqueue(session, MailKind.EMAIL_CHANGE, address=change.email, user_id=me.id)
    return MailAccepted(status="accepted")


async def change_username(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    me: Principal,
    change: UsernameChange,
    actor: Actor,
) -> Me:
    """Change the username, a few times a year; the case of its letters at any time.

    Raises `UsernameReserved`, `WrongPassword`, `UsernameTaken` and `TooManyUsernameChanges`.
    """
    if is_reserved(change.username):
        raise UsernameReserved
    seen = await confirm_password(database, auth, limiter, me, change.current_password)
    async with database.transaction() as session:
        account = await session.fetch_one(lock_username(me.id, seen))
        if account is None:
            raise WrongPassword
        changes: Sequence[datetime] = account.username_changes
        folded = fold_identifier(change.username)
        if folded != fold_identifier(account.username):
            moment = clock.now()
            changes = [*_within_limit(changes, auth.username_changes, moment), moment]
            if await session.fetch_one(insert_username(folded, me.id, moment)) is None:
                raise UsernameTaken
        await audit.record(
            session,
            AuditKind.USERNAME_CHANGED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            former=account.username,
        )
        (row,) = await session.fetch(update_username(me.id, change.username, folded, changes))
        return present_me(row)


async def confirm_password(
    database: Database, auth: Auth, limiter: RateLimiter, me: Principal, password: str
) -> str:
    """The stored hash, which `password` matches; raises `WrongPassword` and `RateLimited`."""
    auth.passwords.refuse_when_full(trusted=True)  # before any other work is done
    row = await database.primary.fetch_one(password_of(me.id))
    if row is None or row.password_hash is None:
        raise SessionExpired
    seen = row.password_hash
    use = auth.policies.reauthentication(me.id)
    await limiter.check(use)
    if not await auth.passwords.verify(password, seen, trusted=True):
        await limiter.count(use)
        raise WrongPassword
    return seen


def _within_limit(changes: Sequence[datetime], most: int, moment: datetime) -> Sequence[datetime]:
    """The changes of the last year; raises `TooManyUsernameChanges` until one more may be made."""
    recent = sorted(change for change in changes if change > moment - _YEAR)
    if len(recent) >= most:
        wait = recent[-most] + _YEAR - moment
        raise TooManyUsernameChanges(retry_after=ceil(wait.total_seconds()))
    return recent


def _versioned(row: AccountRow) -> Versioned[Me]:
    return Versioned(present_me(row), row.version)
