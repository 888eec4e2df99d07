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
from wxc.accounts.auth.service.sessions import SessionTokens, end_session, issue_tokens
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import Hit, RateLimiter
from wxc.http.refusals.access import RateLimited
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
    previous_session_id: UUID | None
    """The session of the browser's cookies; the login ends it."""
    device: Device | None
    """From the browser's device cookie; may name another account."""


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
        user_id, old_hash = await _authenticate(database, auth, limiter, credentials, context)
        new_hash = old_hash
        if auth.passwords.needs_rehash(old_hash):
            new_hash = await auth.passwords.hash(credentials.password, is_trusted=True)
        async with database.transaction() as session:
            account = await _lock_account(session, user_id, old_hash, new_hash)
            tokens = await _open_session(session, auth, account, context) if account else None
        if tokens is not None:
            return tokens
    await _audit_failure(database, auth, credentials, context.actor, user_id)
    raise InvalidCredentials


async def _authenticate(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    credentials: Credentials,
    context: LoginContext,
) -> tuple[UUID, str]:
    """The user id, and the stored hash that the password matches."""
    has_device = context.device is not None  # perhaps of another account
    auth.passwords.require_capacity(is_trusted=has_device)  # before any query
    query = login_by_identifier(fold_identifier(credentials.identifier))
    account = await database.primary.fetch_one(query)
    user_id, stored_hash = (account.id, account.password_hash) if account else (None, None)
    audited = _LoginAttempt(credentials, context.actor, user_id)
    hits = auth.policies.login(credentials.identifier, limiter.network, user_id, context.device)
    await _require_quota(database, auth, limiter, hits, audited)
    is_known_device = context.device is not None and context.device.user_id == user_id
    is_match = await auth.passwords.verify(
        credentials.password, stored_hash, is_trusted=is_known_device
    )
    if account is None or stored_hash is None or not is_match:
        await limiter.count(*hits)
        await _audit_failure(database, auth, credentials, context.actor, user_id)
        raise InvalidCredentials
    # This may be one of many parallel guesses, which exhausted the limit during the hashing.
    await _require_quota(database, auth, limiter, hits, audited)
    await _refuse_suspended(database, account, context.actor)
    return account.id, stored_hash


@dataclass(frozen=True, slots=True)
class _LoginAttempt:
    credentials: Credentials
    actor: Actor
    user_id: UUID | None


async def _require_quota(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    hits: tuple[Hit, ...],
    attempt: _LoginAttempt,
) -> None:
    """Raises `RateLimited`, and audits it within a limit: such a refusal costs a client nothing."""
    try:
        await limiter.check(*hits)
    except RateLimited:
        if auth.throttled_logins.allows(limiter.network):
            await audit.record_refusal(
                database,
                AuditKind.LOGIN_THROTTLED,
                attempt.actor,
                user_id=attempt.user_id,
                identifier=auth.identifier_hasher.hash_identifier(attempt.credentials.identifier),
            )
        raise


async def _refuse_suspended(database: Database, account: LoginRow, actor: Actor) -> None:
    if account.suspended_at is not None:
        kind, code = AuditKind.ACCESS_REFUSED, AccountSuspended.code()
        await audit.record_refusal(database, kind, actor, user_id=account.id, code=code)
        raise AccountSuspended


async def _audit_failure(
    database: Database, auth: Auth, credentials: Credentials, actor: Actor, user_id: UUID | None
) -> None:
    """Write one event, also for unknown accounts, to take the same time; hash the identifier."""
    await audit.record_refusal(
        database,
        AuditKind.LOGIN_FAILED,
        actor,
        user_id=user_id,
        identifier=auth.identifier_hasher.hash_identifier(credentials.identifier),
    )


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
    session: Session, auth: Auth, account: AccountRow, context: LoginContext
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
    tokens = issue_tokens(auth, account, session_id, 0, moment)
    return replace(tokens, device=auth.devices.cookie(account.id, context.device, moment))
