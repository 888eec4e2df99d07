from dataclasses import dataclass
from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.db.database import Database
from wxc.http.rate_limits import Hit, RateLimiter
from wxc.http.refusals.access import RateLimited
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    identifier: str
    actor: Actor
    user_id: UUID | None
    """None for an unknown account."""


async def require_quota(
    database: Database,
    auth: Auth,
    limiter: RateLimiter,
    hits: tuple[Hit, ...],
    attempt: LoginAttempt,
) -> None:
    """Raises `RateLimited`, and audits it within a limit: such a refusal costs a client nothing."""
    try:
        await limiter.check(*hits)
    except RateLimited:
        if auth.throttled_logins.allows(limiter.network):
            await _audit(database, auth, attempt, AuditKind.LOGIN_THROTTLED)
        raise


async def audit_failure(database: Database, auth: Auth, attempt: LoginAttempt) -> None:
    """Write one event, also for unknown accounts, to take the same time."""
    await _audit(database, auth, attempt, AuditKind.LOGIN_FAILED)


async def _audit(database: Database, auth: Auth, attempt: LoginAttempt, kind: AuditKind) -> None:
    identifier = auth.identifier_hasher.hash_identifier(attempt.identifier)
    await audit.record_refusal(
        database, kind, attempt.actor, user_id=attempt.user_id, identifier=identifier
    )
