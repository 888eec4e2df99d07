"""Opening sessions, keeping them alive and ending them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.errors import (
    AccountSuspended,
    InvalidCredentials,
    RefreshReused,
    SessionExpired,
)
from wxc.accounts.auth.repository.accounts import (
    AccountRow,
    LoginRow,
    account_by_id,
    lock_account_for_login,
    login_by_identifier,
    update_password_hash,
)
from wxc.accounts.auth.repository.sessions import (
    insert_session,
    live_session,
    lock_live_session,
    revoke_session,
    update_generation,
)
from wxc.accounts.auth.schemas import Credentials, LoggedIn
from wxc.accounts.auth.service.accounts import present_me
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session, after_commit
from wxc.http.rate_limits import RateLimiter
from wxc.http.refusals.access import CsrfFailed
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

GRACE = timedelta(seconds=30)
_ATTEMPTS = 2  # the second is for a login while another one of the account renews the hash


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the tokens that the cookies carry."""

    answer: LoggedIn
    access: str
    refresh: str
    device: str | None = None
    """After a login, the cookie by which this browser is recognised."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of the browser that logs in."""

    actor: Actor
    user_agent: str | None
    place: str | None
    """Its approximate location."""
    former: UUID | None
    """The session that it had before, which the login ends."""
    device: Device | None
    """Which account has been used in it before."""


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """A genuine refresh token, and whether the request that shows it is forged."""

    session_id: UUID
    generation: int
    place: str | None
    """The approximate location of the browser."""
    is_forged: bool
    """The CSRF token was missing or wrong."""


async def log_in(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    credentials: Credentials,
    visit: Visit,
) -> OpenedSession:
    """Open a session and end the browser's former one.

    Raises `InvalidCredentials` after the same time for an unknown account and a wrong password,
    `RateLimited` after too many of them, and `AccountSuspended` only after the right password.
    """
    for _ in range(_ATTEMPTS):
        user_id, seen = await _authenticate(database, auth, limiter, credentials, visit)
        fresh = seen
        if auth.passwords.needs_rehash(seen):
            fresh = await auth.passwords.hash(credentials.password, trusted=True)
        async with database.transaction() as session:
            account = await _lock_account(session, user_id, seen, fresh)
            if account is not None:
                return await _open_session(session, auth, account, visit)
    await _note_failure(database, auth, credentials, visit.actor, user_id)
    raise InvalidCredentials


async def refresh(
    database: Database, auth: Auth, claim: RefreshClaim, actor: Actor
) -> OpenedSession:
    """Raise the session's generation and return its new tokens.

    The generation before is accepted for another 30 s and gets the same successor: a second tab,
    or an answer that was lost. Raises `SessionExpired`, `CsrfFailed`, and `RefreshReused` for
    anything older, after the session has been ended (RFC 9700 section 4.14.2).
    """
    moment = clock.now().replace(microsecond=0)  # a JWT counts in seconds
    async with database.transaction() as session:
        holder = await _raise_generation(session, auth, claim, actor, moment)
        account = await session.fetch_one(account_by_id(holder[0])) if holder else None
    if holder is None or account is None:  # raised here, where the end of the session is committed
        raise RefreshReused
    return _opened(auth, account, claim.session_id, holder[1], moment)


async def log_out(session: Session, auth: Auth, session_id: UUID, actor: Actor) -> None:
    """End the session on every instance before the answer; a second call changes nothing."""
    await _end(session, auth, session_id)
    await audit.record(session, AuditKind.SESSION_ENDED, actor, session_id=session_id)


async def is_live(database: Database, session_id: UUID) -> bool:
    """Whether the session is alive, by the database itself (for tokens that have no expiry)."""
    return await database.primary.fetch_one(live_session(session_id, clock.now())) is not None


async def _authenticate(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    credentials: Credentials,
    visit: Visit,
) -> tuple[UUID, str]:
    """The account of these credentials, and the stored hash that the password matches."""
    has_device = visit.device is not None  # perhaps another account's
    auth.passwords.refuse_when_full(trusted=has_device)  # before any other work is done
    query = login_by_identifier(fold_identifier(credentials.identifier))
    account = await database.primary.fetch_one(query)
    user_id, seen = (account.id, account.password_hash) if account else (None, None)
    uses = auth.policies.login(credentials.identifier, limiter.network, user_id, visit.device)
    await limiter.check(*uses)
    is_known = visit.device is not None and visit.device.user_id == user_id
    is_right = await auth.passwords.verify(credentials.password, seen, trusted=is_known)
    if account is None or seen is None or not is_right:
        await limiter.count(*uses)
        await _note_failure(database, auth, credentials, visit.actor, user_id)
        raise InvalidCredentials
    # While we were hashing, parallel guesses may have used the limit up: this may be one of them.
    await limiter.check(*uses)
    await _refuse_suspended(database, account, visit.actor)
    return account.id, seen


async def _refuse_suspended(database: Database, account: LoginRow, actor: Actor) -> None:
    if account.suspended_at is not None:
        code = AccountSuspended.code()
        await audit.note(database, AuditKind.ACCESS_REFUSED, actor, user_id=account.id, code=code)
        raise AccountSuspended


async def _note_failure(
    database: Database, auth: Auth, credentials: Credentials, actor: Actor, user_id: UUID | None
) -> None:
    """Write one event with or without an account, in the same time; never the identifier itself."""
    await audit.note(
        database,
        AuditKind.LOGIN_FAILED,
        actor,
        user_id=user_id,
        identifier=auth.fingerprints.identifier(credentials.identifier),
    )


async def _lock_account(
    session: Session, user_id: UUID, seen: str, fresh: str
) -> AccountRow | None:
    """None when the password has changed, or been hashed anew, since `seen` was read."""
    if fresh != seen:
        update = update_password_hash(user_id, seen, fresh)
        if await session.fetch_one(update) is None:
            return None
    return await session.fetch_one(lock_account_for_login(user_id, fresh))


async def _open_session(
    session: Session, auth: Auth, account: AccountRow, visit: Visit
) -> OpenedSession:
    moment = clock.now().replace(microsecond=0)  # a JWT counts in seconds
    session_id = new_id()
    await session.fetch_one(
        insert_session(
            session_id,
            account.id,
            visit.user_agent,
            visit.place,
            moment,
            moment + min(auth.idle_lifetime, auth.lifetime),
            moment + auth.lifetime,
        )
    )
    former = {}
    if visit.former is not None:
        await _end(session, auth, visit.former)
        former = {"ended": str(visit.former)}
    await audit.record(
        session, AuditKind.LOGIN, visit.actor, user_id=account.id, session_id=session_id, **former
    )
    opened = _opened(auth, account, session_id, 0, moment)
    return replace(opened, device=auth.devices.cookie(account.id, visit.device, moment))


async def _end(session: Session, auth: Auth, session_id: UUID) -> None:
    await session.fetch_one(revoke_session(session_id))
    after_commit(session, partial(auth.revocations.announce, [session_id]))


async def _raise_generation(
    session: Session, auth: Auth, claim: RefreshClaim, actor: Actor, moment: datetime
) -> tuple[UUID, int] | None:
    """Whose session it is and its generation now; None when a reuse has just ended it."""
    session_id, generation = claim.session_id, claim.generation
    if not claim.is_forged:
        idle_until = moment + auth.idle_lifetime
        raised = await session.fetch_one(
            update_generation(session_id, generation, claim.place, moment, idle_until)
        )
        if raised is not None:
            return raised.user_id, generation + 1
    row = await session.fetch_one(lock_live_session(session_id, moment))
    if row is None:
        raise SessionExpired
    if claim.is_forged:
        raise CsrfFailed
    if generation == row.generation - 1 and _is_in_grace(row.refreshed_at, moment):
        return row.user_id, row.generation
    await _end(session, auth, session_id)
    await audit.record(
        session, AuditKind.REFRESH_REUSED, actor, user_id=row.user_id, session_id=session_id
    )
    return None


def _is_in_grace(refreshed_at: datetime | None, moment: datetime) -> bool:
    return refreshed_at is not None and moment - refreshed_at <= GRACE


def _opened(
    auth: Auth, account: AccountRow, session_id: UUID, generation: int, moment: datetime
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
