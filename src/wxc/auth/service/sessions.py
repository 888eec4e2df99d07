"""Opening sessions, keeping them alive and ending them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth
from wxc.auth.devices import Device
from wxc.auth.errors import (
    AccountSuspended,
    InvalidCredentials,
    RefreshReused,
    SessionExpired,
)
from wxc.auth.repository import (
    AccountReader,
    AccountRepository,
    SessionReader,
    SessionRepository,
)
from wxc.auth.schemas import Credentials, LoggedIn
from wxc.auth.service.accounts import present_me
from wxc.core import clock
from wxc.core.database import AnyRow, Database, after_commit
from wxc.core.errors import CsrfFailed
from wxc.core.limits import Throttle
from wxc.models import AuditKind

GRACE = timedelta(seconds=30)
_ATTEMPTS = 2  # the second for who logs in while another login of theirs renews the hash


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the tokens that the cookies carry."""

    answer: LoggedIn
    access: str
    refresh: str
    device: str | None = None
    """At a login, what lets this browser be known again."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a browser brings along when somebody logs in with it."""

    actor: Actor
    user_agent: str | None
    place: str | None
    """Roughly where it is."""
    former: UUID | None
    """The session that it had before, which ends."""
    device: Device | None
    """Whose account has been used in it before."""


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """What a request for new tokens shows: a genuine refresh token, and perhaps a CSRF token."""

    session_id: UUID
    generation: int
    place: str | None
    """Roughly where it is used."""
    is_forged: bool
    """The CSRF token was missing or wrong."""


async def log_in(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    credentials: Credentials,
    visit: Visit,
) -> OpenedSession:
    """Open a session and end the former one of the same browser.

    Raises `InvalidCredentials` in the same time for an unknown account and a wrong password,
    `RateLimited` after too many of them, and `AccountSuspended` only to who knows the password.
    """
    for _ in range(_ATTEMPTS):
        account = await _authenticated(database, auth, throttle, credentials, visit)
        fresh: str = account.password_hash
        if auth.passwords.needs_rehash(fresh):
            fresh = await auth.passwords.hash(credentials.password, trusted=True)
        async with database.transaction() as session:
            opened = await _open_session(session, auth, account, fresh, visit)
        if opened is not None:
            return opened
    await _note_failure(database, auth, credentials, visit.actor, account)
    raise InvalidCredentials


async def refresh(
    database: Database, auth: Auth, claim: RefreshClaim, actor: Actor
) -> OpenedSession:
    """Raise the session's generation and hand out its tokens.

    The generation before is good for another 30 s and gets the same successor: two tabs, or an
    answer that was lost. Raises `SessionExpired`, `CsrfFailed`, and `RefreshReused` for anything
    older, after the session has been ended for good (RFC 9700 section 4.14.2).
    """
    moment = clock.now().replace(microsecond=0)  # a JWT counts in seconds
    async with database.transaction() as session:
        holder = await _raise_generation(session, auth, claim, actor, moment)
        account = await AccountReader(session).me(holder[0]) if holder else None
    if holder is None or account is None:  # only now: the end of the session is committed
        raise RefreshReused
    return _opened(auth, account, claim.session_id, holder[1], moment)


async def log_out(session: AsyncSession, auth: Auth, session_id: UUID, actor: Actor) -> None:
    """End the session everywhere before the answer; ending it twice changes nothing."""
    await _end(session, auth, session_id)
    await audit.record(session, AuditKind.SESSION_ENDED, actor, session_id=session_id)


async def is_live(database: Database, session_id: UUID) -> bool:
    """Whether the session is alive, by the database itself (for tokens that have no expiry)."""
    async with database.guarding() as reader:
        return await SessionReader(reader).is_live(session_id, clock.now())


async def _authenticated(
    database: Database,
    auth: Auth,
    throttle: Throttle,
    credentials: Credentials,
    visit: Visit,
) -> AnyRow:
    has_device = visit.device is not None  # perhaps another account's
    auth.passwords.refuse_when_full(trusted=has_device)  # before any other work is done
    async with database.guarding() as reader:
        account = await AccountReader(reader).by_identifier(credentials.identifier)
    user_id, seen = (account.id, account.password_hash) if account else (None, None)
    uses = auth.policies.login(credentials.identifier, throttle.network, user_id, visit.device)
    await throttle.check(*uses)
    is_known = visit.device is not None and visit.device.user_id == user_id
    is_right = await auth.passwords.verify(credentials.password, seen, trusted=is_known)
    if account is None or not is_right:
        await throttle.count(*uses)
        await _note_failure(database, auth, credentials, visit.actor, account)
        raise InvalidCredentials
    # While we were hashing, parallel guesses may have used the limit up: this may be one of them.
    await throttle.check(*uses)
    if account.suspended_at is not None:
        code = AccountSuspended.code()
        await audit.note(
            database, AuditKind.ACCESS_REFUSED, visit.actor, user_id=account.id, code=code
        )
        raise AccountSuspended
    return account


async def _note_failure(
    database: Database, auth: Auth, credentials: Credentials, actor: Actor, account: AnyRow | None
) -> None:
    """One row in either case, so that both take the same time; never the name that was typed."""
    await audit.note(
        database,
        AuditKind.LOGIN_FAILED,
        actor,
        user_id=account.id if account is not None else None,
        identifier=auth.fingerprints.identifier(credentials.identifier),
    )


async def _open_session(
    session: AsyncSession,
    auth: Auth,
    account: AnyRow,
    password_hash: str,
    visit: Visit,
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
        user_agent=visit.user_agent,
        place=visit.place,
        moment=moment,
        idle=auth.idle_lifetime,
        lifetime=auth.lifetime,
    )
    if session_id is None:
        return None
    former = {}
    if visit.former is not None:
        await _end(session, auth, visit.former)
        former = {"ended": str(visit.former)}
    await audit.record(
        session, AuditKind.LOGIN, visit.actor, user_id=account.id, session_id=session_id, **former
    )
    opened = _opened(auth, account, session_id, 0, moment)
    return replace(opened, device=auth.devices.cookie(account.id, visit.device, moment))


async def _end(session: AsyncSession, auth: Auth, session_id: UUID) -> None:
    await SessionRepository(session).revoke(session_id)
    after_commit(session, partial(auth.revocations.announce, [session_id]))


async def _raise_generation(
    session: AsyncSession, auth: Auth, claim: RefreshClaim, actor: Actor, moment: datetime
) -> tuple[UUID, int] | None:
    """Whose session it is and its generation now; None when a reuse has just ended it."""
    sessions = SessionRepository(session)
    if not claim.is_forged:
        user_id = await sessions.refresh(
            claim.session_id,
            claim.generation,
            place=claim.place,
            moment=moment,
            idle=auth.idle_lifetime,
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
    await _end(session, auth, claim.session_id)
    await audit.record(
        session, AuditKind.REFRESH_REUSED, actor, user_id=row.user_id, session_id=claim.session_id
    )
    return None


def _opened(
    auth: Auth, account: AnyRow, session_id: UUID, generation: int, moment: datetime
) -> OpenedSession:
    return OpenedSession(
        LoggedIn(
            user=present_me(account),
            csrf_token=auth.tokens.csrf(session_id),
            access_expires_at=moment + auth.tokens.access_lifetime,
        ),
        auth.tokens.access(account.id, session_id, moment),
        auth.tokens.refresh(session_id, generation),
    )
