from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.repository.accounts import AccountRow
from wxc.accounts.auth.repository.sessions import live_session, revoke_session
from wxc.accounts.auth.schemas import LoggedIn
from wxc.accounts.auth.service.accounts import present_me
from wxc.core import clock
from wxc.db.database import Database
from wxc.db.session import Session, after_commit
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """The response body of a login or refresh, and the values of its cookies."""

    answer: LoggedIn
    access: str
    refresh: str
    device: str | None = None
    """None after a refresh, which does not change the device cookie."""


async def log_out(session: Session, auth: Auth, session_id: UUID, actor: Actor) -> None:
    """End the session, on every instance before the response is sent."""
    await end_session(session, auth, session_id)
    await audit.record(session, AuditKind.SESSION_ENDED, actor, session_id=session_id)


async def is_live(database: Database, session_id: UUID) -> bool:
    """Reads the database, because refresh tokens carry no expiry."""
    return await database.primary.fetch_one(live_session(session_id, clock.now())) is not None


async def end_session(session: Session, auth: Auth, session_id: UUID) -> None:
    """End the session; the caller writes the audit event."""
    await session.fetch_one(revoke_session(session_id))
    after_commit(session, partial(auth.revocations.publish, [session_id]))


def issue_tokens(
    auth: Auth, account: AccountRow, session_id: UUID, generation: int, moment: datetime
) -> SessionTokens:
    return SessionTokens(
        LoggedIn(
            user=present_me(account),
            csrf_token=auth.tokens.csrf_token(session_id),
            access_expires_at=moment + auth.tokens.access_lifetime,
        ),
        auth.tokens.access_token(
            account.id, session_id, moment, is_verified=account.email_verified
        ),
        auth.tokens.refresh_token(session_id, generation),
    )
