"""Accounts and sessions: what may happen, and what follows.

Logging in and registering open short transactions of their own: no connection is held while a
password is being hashed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.errors import (
    AccountSuspended,
    EmailTaken,
    InvalidCredentials,
    PasswordTooCommon,
    RefreshReused,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.auth.passwords import Passwords, is_common
from wxc.auth.repository import (
    AccountReader,
    AccountRepository,
    NewAccount,
    SessionReader,
    SessionRepository,
)
from wxc.auth.revocation import Revocations
from wxc.auth.schemas import AuthCheck, Credentials, LoggedIn, Me, Registration
from wxc.auth.tokens import Tokens
from wxc.auth.usernames import is_reserved
from wxc.core import clock
from wxc.core.config import Config
from wxc.core.database import AnyRow, Database, Reader, after_commit
from wxc.core.errors import CsrfFailed
from wxc.core.redis import RedisClient
from wxc.mails.service import enqueue
from wxc.models import MailKind

GRACE = timedelta(seconds=30)
_ATTEMPTS = 2  # the second for who logs in while another login of theirs renews the hash


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: known from the access token, without a look into the database."""

    id: UUID
    session_id: UUID
    access_expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the tokens that the cookies carry."""

    answer: LoggedIn
    access: str
    refresh: str


class Auth:
    """What the actions below share; one for the application's life."""

    def __init__(self, config: Config, database: Database, redis: RedisClient) -> None:
        self.tokens = Tokens(config)
        self.passwords = Passwords(config)
        self.revocations = Revocations(config, database, redis)
        self.idle_lifetime = timedelta(seconds=config.session_idle_lifetime)
        self.lifetime = timedelta(seconds=config.session_lifetime)


async def register(database: Database, auth: Auth, registration: Registration) -> Me:
    """Open an account; raises `UsernameReserved`, `PasswordTooCommon` and the two `…Taken`."""
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
    return _me(row)


async def log_in(
    database: Database,
    auth: Auth,
    credentials: Credentials,
    *,
    user_agent: str | None,
    former: UUID | None,
) -> OpenedSession:
    """Open a session and end the `former` one of the same browser.

    Raises `InvalidCredentials` in the same time for an unknown account and a wrong password,
    and `AccountSuspended` only to who knows the password.
    """
    for _ in range(_ATTEMPTS):
        account = await _authenticated(database, auth, credentials)
        fresh: str = account.password_hash
        if auth.passwords.needs_rehash(fresh):
            fresh = await auth.passwords.hash(credentials.password)
        async with database.transaction() as session:
            opened = await _open_session(session, auth, account, fresh, user_agent, former)
        if opened is not None:
            return opened
    raise InvalidCredentials


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """What a request for new tokens shows: a genuine refresh token, and perhaps a CSRF token."""

    session_id: UUID
    generation: int
    is_forged: bool
    """The CSRF token was missing or wrong."""


async def refresh(database: Database, auth: Auth, claim: RefreshClaim) -> OpenedSession:
    """Raise the session's generation and hand out its tokens.

    The generation before is good for another 30 s and gets the same successor: two tabs, or an
    answer that was lost. Raises `SessionExpired`, `CsrfFailed`, and `RefreshReused` for anything
    older, after the session has been ended for good (RFC 9700 section 4.14.2).
    """
    moment = clock.now().replace(microsecond=0)  # a JWT counts in seconds
    async with database.transaction() as session:
        holder = await _raise_generation(session, auth, claim, moment)
        account = await AccountReader(session).me(holder[0]) if holder else None
    if holder is None or account is None:  # only now: the end of the session is committed
        raise RefreshReused
    return _opened(auth, account, claim.session_id, holder[1], moment)


async def log_out(session: AsyncSession, auth: Auth, session_id: UUID) -> None:
    """End the session everywhere before the answer; ending it twice changes nothing."""
    await SessionRepository(session).revoke(session_id)
    after_commit(session, partial(auth.revocations.announce, [session_id]))


async def is_live(database: Database, session_id: UUID) -> bool:
    """Whether the session is alive, by the database itself (for tokens that have no expiry)."""
    async with database.guarding() as reader:
        return await SessionReader(reader).is_live(session_id, clock.now())


async def check(reader: Reader, auth: Auth, me: Principal) -> AuthCheck:
    """Who is signed in; raises `SessionExpired` when the account has gone meanwhile."""
    row = await AccountReader(reader).me(me.id)
    if row is None:
        raise SessionExpired
    return AuthCheck(
        authenticated=True,
        user=_me(row),
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


async def _raise_generation(
    session: AsyncSession, auth: Auth, claim: RefreshClaim, moment: datetime
) -> tuple[UUID, int] | None:
    """Whose session it is and its generation now; None when a reuse has just ended it."""
    sessions = SessionRepository(session)
    if not claim.is_forged:
        user_id = await sessions.refresh(
            claim.session_id, claim.generation, moment=moment, idle=auth.idle_lifetime
        )
        if user_id is not None:
            return user_id, claim.generation + 1
    row = await sessions.live(claim.session_id, moment)
    if row is None:
        raise SessionExpired
    if claim.is_forged:
        raise CsrfFailed
    if claim.generation == row.generation - 1 and moment - row.refreshed_at <= GRACE:
        return row.user_id, row.generation
    await log_out(session, auth, claim.session_id)
    return None


async def _authenticated(database: Database, auth: Auth, credentials: Credentials) -> AnyRow:
    auth.passwords.refuse_when_full()  # before any other work is done
    async with database.guarding() as reader:
        account = await AccountReader(reader).by_identifier(credentials.identifier)
    seen: str | None = account.password_hash if account is not None else None
    is_right = await auth.passwords.verify(credentials.password, seen)
    if account is None or not is_right:
        raise InvalidCredentials
    if account.suspended_at is not None:
        raise AccountSuspended
    return account


async def _open_session(
    session: AsyncSession,
    auth: Auth,
    account: AnyRow,
    password_hash: str,
    user_agent: str | None,
    former: UUID | None,
) -> OpenedSession | None:
    """None when the password has changed, or been hashed anew, since `account` was read."""
    seen = account.password_hash
    if password_hash != seen and not await AccountRepository(session).replace_password_hash(
        account.id, seen=seen, fresh=password_hash
    ):
        return None
    moment = clock.now().replace(microsecond=0)  # a JWT counts in seconds
    sessions = SessionRepository(session)
    session_id = await sessions.open(
        account.id,
        password_hash=password_hash,
        user_agent=user_agent,
        moment=moment,
        idle=auth.idle_lifetime,
        lifetime=auth.lifetime,
    )
    if session_id is None:
        return None
    if former is not None:
        await sessions.revoke(former)
        after_commit(session, partial(auth.revocations.announce, [former]))
    return _opened(auth, account, session_id, 0, moment)


def _opened(
    auth: Auth, account: AnyRow, session_id: UUID, generation: int, moment: datetime
) -> OpenedSession:
    return OpenedSession(
        LoggedIn(
            user=_me(account),
            csrf_token=auth.tokens.csrf(session_id),
            access_expires_at=moment + auth.tokens.access_lifetime,
        ),
        auth.tokens.access(account.id, session_id, moment),
        auth.tokens.refresh(session_id, generation),
    )


def _me(row: AnyRow) -> Me:
    return Me(**{name: getattr(row, name) for name in Me.model_fields})
