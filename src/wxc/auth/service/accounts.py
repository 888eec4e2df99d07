"""Opening an account, and telling its owner about it."""

from wxc.auth.context import Auth, Principal
from wxc.auth.errors import (
    EmailTaken,
    PasswordTooCommon,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.auth.passwords import is_common
from wxc.auth.repository import AccountReader, AccountRepository, NewAccount
from wxc.auth.schemas import AuthCheck, Me, Registration
from wxc.auth.usernames import is_reserved
from wxc.core.database import AnyRow, Database, Reader
from wxc.core.limits import Throttle
from wxc.mails.service import enqueue
from wxc.models import MailKind


async def register(
    database: Database, auth: Auth, throttle: Throttle, registration: Registration
) -> Me:
    """Open an account.

    Raises `RateLimited`, `UsernameReserved`, `PasswordTooCommon` and the two `…Taken`.
    """
    await throttle.count(auth.policies.registration(throttle.network))
    if is_reserved(registration.username):
        raise UsernameReserved
    if is_common(registration.password):
        raise PasswordTooCommon
    auth.passwords.refuse_when_full()  # before any other work is done
    await _refuse_taken(database, registration)
    account = NewAccount(
        registration.username,
        registration.email,
        await auth.passwords.hash(registration.password),
        registration.display_name,
    )
    async with database.transaction() as session:
        row = await AccountRepository(session).add(account)
        if row is not None:
            await enqueue(session, MailKind.VERIFICATION, address=row.email, user_id=row.id)
    if row is None:  # a racing registration took the name or the address meanwhile
        await _refuse_taken(database, registration)
        raise UsernameTaken
    return present_me(row)


async def check(reader: Reader, auth: Auth, me: Principal) -> AuthCheck:
    """Who is signed in; raises `SessionExpired` when the account has gone meanwhile."""
    row = await AccountReader(reader).me(me.id)
    if row is None:
        raise SessionExpired
    return AuthCheck(
        authenticated=True,
        user=present_me(row),
        csrf_token=auth.tokens.csrf(me.session_id),
        access_expires_at=me.access_expires_at,
    )


async def _refuse_taken(database: Database, registration: Registration) -> None:
    async with database.guarding() as reader:
        has_name, has_email = await AccountReader(reader).taken(
            registration.username, registration.email
        )
    if has_name:
        raise UsernameTaken
    if has_email:
        raise EmailTaken


def present_me(row: AnyRow) -> Me:
    """The account that a row of its columns holds."""
    return Me(**{name: getattr(row, name) for name in Me.model_fields})
