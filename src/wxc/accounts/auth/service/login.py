from dataclasses import dataclass, replace
from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.devices import Device
from wxc.accounts.auth.errors import AccountSuspended, InvalidCredentials
from wxc.accounts.auth.repository.accounts import (
    AccountRow,
    LoginRow,
    lock_account_for_login,
    login_by_identifier,
    update_password_hash,
)
from wxc.accounts.auth.repository.sessions import insert_session
from wxc.accounts.auth.schemas import Credentials
from wxc.accounts.auth.service import login_notices
from wxc.accounts.auth.service.login_attempts import LoginAttempt, audit_failure, require_quota
from wxc.accounts.auth.service.sessions import SessionTokens, end_session, issue_tokens
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

_MAX_ATTEMPTS = 2  # a second attempt if a concurrent login has updated the hash


@dataclass(frozen=True, slots=True)
class LoginContext:
    actor: Actor
    user_agent: str | None
    place: str | None
    """The browser's approximate location."""
    country: str | None
    """None if it is unknown."""
    previous_session_id: UUID | None
    """The session of the browser's cookies; the login ends it."""
    device: Device | None
    """From the browser's device cookie; may name another account."""


@dataclass(frozen=True, slots=True)
class _VerifiedLogin:
    """An account whose password was right."""

    user_id: UUID
    password_hash: str
    """The stored hash that the password matches."""
    password_generation: int
    device: Device | None
    """The browser's device; None unless the account trusts it."""


async def log_in(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    credentials: Credentials,
    context: LoginContext,
) -> SessionTokens:
    """Open a session and end the browser's previous one.

    Raises `InvalidCredentials`, in the same time for an unknown account and a wrong password;
    `RateLimited` after too many failures; `AccountSuspended` only for the right password; and
    `HashingBusy`.
    """
    for _ in range(_MAX_ATTEMPTS):
        login = await _authenticate(database, auth, limiter, credentials, context)
        old_hash = new_hash = login.password_hash
        if auth.passwords.needs_rehash(old_hash):
            new_hash = await auth.passwords.hash(credentials.password, is_trusted=True)
        is_unknown = login.device is None
        is_notified = is_unknown and await login_notices.count(database, auth, login.user_id)
        async with database.transaction() as session:
            account = await _lock_account(session, login.user_id, old_hash, new_hash)
            tokens = account and await _open_session(session, auth, account, context, is_notified)
        if tokens is not None:
            return replace(tokens, device=_device_cookie(auth, login))
    attempt = LoginAttempt(credentials.identifier, context.actor, login.user_id)
    await audit_failure(database, auth, attempt)
    raise InvalidCredentials


async def _authenticate(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    credentials: Credentials,
    context: LoginContext,
) -> _VerifiedLogin:
    """Raises `InvalidCredentials`, `RateLimited`, `AccountSuspended` and `HashingBusy`."""
    has_device = context.device is not None  # perhaps of another account
    auth.passwords.require_capacity(is_trusted=has_device)  # before any query
    query = login_by_identifier(fold_identifier(credentials.identifier))
    account = await database.primary.fetch_one(query)
    user_id, stored_hash, generation = account[:3] if account else (None, None, 0)
    device = _trusted_device(context.device, account)
    hits = auth.policies.login(credentials.identifier, limiter.network, generation, device)
    attempt = LoginAttempt(credentials.identifier, context.actor, user_id)
    await require_quota(database, auth, limiter, hits, attempt)
    is_match = await auth.passwords.verify(
        credentials.password, stored_hash, is_trusted=device is not None
    )
    if account is None or stored_hash is None or not is_match:
        await limiter.count(*hits)
        await audit_failure(database, auth, attempt)
        raise InvalidCredentials
    # This may be one of many parallel guesses, which exhausted the limit during the hashing.
    await require_quota(database, auth, limiter, hits, attempt)
    await _refuse_suspended(database, account, context.actor)
    return _VerifiedLogin(account.id, stored_hash, generation, device)


def _trusted_device(device: Device | None, account: LoginRow | None) -> Device | None:
    if device is None or account is None:
        return None
    return device if device.is_trusted_by(account.id, account.password_generation) else None


def _device_cookie(auth: Auth, login: _VerifiedLogin) -> str:
    return auth.devices.cookie(login.user_id, login.password_generation, login.device, clock.now())


async def _refuse_suspended(database: Database, account: LoginRow, actor: Actor) -> None:
    if account.suspended_at is not None:
        kind, code = AuditKind.ACCESS_REFUSED, AccountSuspended.code()
        await audit.record_refusal(database, kind, actor, user_id=account.id, code=code)
        raise AccountSuspended


async def _lock_account(
    session: Session, user_id: UUID, old_hash: str, new_hash: str
) -> AccountRow | None:
    """None if the hash has changed (new password, concurrent rehash) or the user is suspended."""
    if new_hash != old_hash:
        update = update_password_hash(user_id, old_hash, new_hash)
        if await session.fetch_one(update) is None:
            return None
    return await session.fetch_one(lock_account_for_login(user_id, new_hash))


async def _open_session(
    session: Session, auth: Auth, account: AccountRow, context: LoginContext, is_notified: bool
) -> SessionTokens:
    moment = clock.now().replace(microsecond=0)  # JWT times are whole seconds
    session_id = new_id()
    await session.fetch_one(
        insert_session(
            session_id,
            account.id,
            context.user_agent,
            context.place,
            moment,
            moment + min(auth.idle_lifetime, auth.lifetime),
            moment + auth.lifetime,
        )
    )
    detail = {}
    if context.previous_session_id is not None:
        await end_session(session, auth, context.previous_session_id)
        detail = {"ended": str(context.previous_session_id)}
    await audit.record(
        session, AuditKind.LOGIN, context.actor, user_id=account.id, session_id=session_id, **detail
    )
    if is_notified:
        await login_notices.enqueue(session, account, context.user_agent, context.country)
    return issue_tokens(auth, account, session_id, 0, moment)
