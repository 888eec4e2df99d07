"""Changing one's own account: what may happen, and what follows.

What needs the password opens short transactions of its own: no connection is held while we are
hashing, and a password that changes meanwhile has the last word.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.auth.errors import PasswordTooCommon, SessionExpired, UsernameReserved, UsernameTaken
from wxc.auth.passwords import is_common
from wxc.auth.repository import AccountReader, AccountRepository
from wxc.auth.schemas import Me
from wxc.auth.service import present_me
from wxc.auth.usernames import is_reserved
from wxc.core import clock
from wxc.core.database import AnyRow, Database
from wxc.core.errors import PreconditionFailed
from wxc.core.etags import Versioned, Versions
from wxc.core.limits import Throttle
from wxc.core.text import fold_identifier
from wxc.mails import service as mails
from wxc.mails.schemas import MailAccepted
from wxc.models import AuditKind, MailKind
from wxc.sessions.service import shut_out_and_tell
from wxc.settings.errors import TooManyUsernameChanges, WrongPassword
from wxc.settings.repository import OwnAccountReader, OwnAccountRepository
from wxc.settings.schemas import EmailChange, PasswordChange, Settings, UsernameChange

_YEAR = timedelta(days=365)


async def find_settings(database: Database, me: Principal) -> Versioned[Me]:
    """The account of `me`, as the writer has it: what one has just changed is seen at once."""
    async with database.guarding() as reader:
        row = await AccountReader(reader).me(me.id)
    if row is None:
        raise SessionExpired
    return _versioned(row)


async def replace_settings(
    session: AsyncSession, me: Principal, settings: Settings, versions: Versions
) -> Versioned[Me]:
    """Put `settings` in place of what there was; raises `PreconditionFailed`."""
    row = await OwnAccountRepository(session).replace_settings(
        me.id, settings.model_dump(), versions
    )
    if row is None:
        raise SessionExpired if versions is None else PreconditionFailed
    return _versioned(row)


async def change_password(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    me: Principal,
    change: PasswordChange,
    actor: Actor,
) -> None:
    """Choose another password; every session but this one ends, and the owner is told by mail.

    Raises `PasswordTooCommon`, `WrongPassword` and `RateLimited`.
    """
    if is_common(change.new_password):
        raise PasswordTooCommon
    seen = await confirm_password(database, auth, throttle, me, change.current_password)
    fresh = await auth.passwords.hash(change.new_password, trusted=True)
    async with database.transaction() as session:
        address = await OwnAccountRepository(session).replace_password(
            me.id, seen=seen, fresh=fresh
        )
        if address is None:
            raise WrongPassword
        await shut_out_and_tell(
            session,
            auth,
            me.id,
            AuditKind.PASSWORD_CHANGED,
            actor,
            address=address,
            kept=me.session_id,
        )


async def change_email(
    database: Database, auth: Auth, throttle: Throttle, me: Principal, change: EmailChange
) -> MailAccepted:
    """Have a link sent to another address, which takes effect when it is used.

    The address in use ends a change that is under way. Raises `WrongPassword` and `RateLimited`.
    Nobody here looks whether the address is somebody else's: the worker does, and sends nothing
    then. Beyond the recipient's limit none is sent either.
    """
    seen = await confirm_password(database, auth, throttle, me, change.current_password)
    async with database.transaction() as session:
        account = await OwnAccountRepository(session).expect_address(me.id, change.email, seen=seen)
        if account is None:
            raise WrongPassword
        await mails.void_links(session, me.id, MailKind.EMAIL_CHANGE)
        if account.pending_email is None:
            return MailAccepted(status="accepted")
        if await throttle.count_silently(auth.policies.mail_to(change.email)):
            await mails.enqueue(session, MailKind.EMAIL_CHANGE, address=change.email, user_id=me.id)
    return MailAccepted(status="accepted")


async def change_username(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    me: Principal,
    change: UsernameChange,
    actor: Actor,
) -> Me:
    """Choose another username, a few times a year; letters may change their case at any time.

    Raises `UsernameReserved`, `WrongPassword`, `UsernameTaken` and `TooManyUsernameChanges`.
    """
    if is_reserved(change.username):
        raise UsernameReserved
    seen = await confirm_password(database, auth, throttle, me, change.current_password)
    async with database.transaction() as session:
        accounts = OwnAccountRepository(session)
        account = await accounts.lock(me.id, seen=seen)
        if account is None:
            raise WrongPassword
        changes: Sequence[datetime] = account.username_changes
        if fold_identifier(change.username) != fold_identifier(account.username):
            moment = clock.now()
            changes = [*_within_limit(changes, auth.username_changes, moment), moment]
            if not await AccountRepository(session).claim_username(change.username, me.id, moment):
                raise UsernameTaken
        await audit.record(
            session,
            AuditKind.USERNAME_CHANGED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            former=account.username,
        )
        return present_me(await accounts.rename(me.id, change.username, changes))


async def confirm_password(
    database: Database, auth: Auth, throttle: Throttle, me: Principal, password: str
) -> str:
    """The stored hash, which is that of `password`; raises `WrongPassword` and `RateLimited`."""
    auth.passwords.refuse_when_full(trusted=True)  # before any other work is done
    async with database.guarding() as reader:
        seen = await OwnAccountReader(reader).password_hash(me.id)
    if seen is None:
        raise SessionExpired
    use = auth.policies.reauthentication(me.id)
    await throttle.check(use)
    if not await auth.passwords.verify(password, seen, trusted=True):
        await throttle.count(use)
        raise WrongPassword
    return seen


def _within_limit(changes: Sequence[datetime], most: int, moment: datetime) -> Sequence[datetime]:
    """The changes of the last year; raises `TooManyUsernameChanges` until one more may be made."""
    recent = sorted(change for change in changes if change > moment - _YEAR)
    if len(recent) >= most:
        wait = recent[-most] + _YEAR - moment
        raise TooManyUsernameChanges(retry_after=ceil(wait.total_seconds()))
    return recent


def _versioned(row: AnyRow) -> Versioned[Me]:
    return Versioned(present_me(row), row.version)
