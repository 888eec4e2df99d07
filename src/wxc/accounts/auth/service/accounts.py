from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.errors import (
    EmailTaken,
    SessionExpired,
    UsernameReserved,
    UsernameTaken,
)
from wxc.accounts.auth.repository.accounts import (
    AccountRow,
    account_by_id,
    insert_account,
    reserve_username,
    taken_identifiers,
)
from wxc.accounts.auth.schemas import AuthCheck, Me, Registration
from wxc.accounts.auth.usernames import is_reserved
from wxc.core import clock
from wxc.core.ids import new_id
from wxc.core.text import fold_identifier
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.rate_limits import RateLimiter
from wxc.models import AuditKind, MailKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor


async def register(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    registration: Registration,
    actor: Actor,
) -> Me:
    """Create an account and send a verification mail.

    Raises `RateLimited`, `UsernameReserved`, `HashingBusy`, `UsernameTaken`, `EmailTaken` and
    `PasswordTooCommon`.
    """
    await limiter.count(auth.policies.registration(limiter.network))
    if is_reserved(registration.username):
        raise UsernameReserved
    auth.passwords.require_capacity()  # before any query
    await _require_available(database, registration)
    facts = (registration.username, registration.email, registration.display_name)
    password_hash = await auth.passwords.hash_new(registration.password, facts)
    async with database.transaction() as session:
        row = await _insert_account(session, registration, password_hash)
        await audit.record(session, AuditKind.REGISTERED, actor, user_id=row.id)
        await auth.outbox.enqueue(session, MailKind.VERIFICATION, address=row.email, user_id=row.id)
    return present_me(row)


async def check_auth(database: Database, auth: Auth, me: Principal) -> AuthCheck:
    """Raises `SessionExpired` if the account has been deleted."""
    row = await database.primary.fetch_one(account_by_id(me.id))
    if row is None:
        raise SessionExpired
    return AuthCheck(
        authenticated=True,
        user=present_me(row),
        csrf_token=auth.tokens.csrf_token(me.session_id),
        access_expires_at=me.access_expires_at,
    )


async def known_facts(database: Database, user_id: UUID) -> tuple[str | None, ...]:
    """What others know of the owner, which makes a password guessable; empty if deleted."""
    row = await database.primary.fetch_one(account_by_id(user_id))
    return (row.username, row.email, row.display_name) if row else ()


def present_me(row: AccountRow) -> Me:
    return Me.model_validate(row, from_attributes=True)


async def _require_available(database: Database, registration: Registration) -> None:
    username, email = fold_identifier(registration.username), fold_identifier(registration.email)
    (taken,) = await database.primary.fetch(taken_identifiers(username, email))
    if taken.username:
        raise UsernameTaken
    if taken.email:
        raise EmailTaken


async def _insert_account(
    session: Session, registration: Registration, password_hash: str
) -> AccountRow:
    """Raises `UsernameTaken` or `EmailTaken` if a concurrent registration came first."""
    user_id, moment = new_id(), clock.now()
    folded = fold_identifier(registration.username)
    if await session.fetch_one(reserve_username(folded, user_id, moment)) is None:
        raise UsernameTaken
    row = await session.fetch_one(
        insert_account(
            user_id,
            registration.username,
            folded,
            registration.email,
            fold_identifier(registration.email),
            password_hash,
            registration.display_name,
            moment,
        )
    )
    if row is None:
        raise EmailTaken
    return row
