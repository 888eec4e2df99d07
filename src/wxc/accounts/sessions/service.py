from dataclasses import dataclass
from functools import partial
from uuid import UUID

from wxc.accounts.auth.context import Auth, Principal
from wxc.accounts.auth.revocation import Revocations
from wxc.accounts.sessions.errors import SessionNotFound
from wxc.accounts.sessions.repository import (
    OwnSessionRow,
    live_sessions_of,
    revoke_session_of,
    revoke_sessions_of,
)
from wxc.accounts.sessions.schemas import OwnSession, OwnSessionPage
from wxc.core import clock
from wxc.core.times import rfc3339
from wxc.db.database import Database
from wxc.db.session import Session, after_commit
from wxc.mail import service as mails
from wxc.models import AuditKind, MailKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

_NOTICE_KINDS = {
    AuditKind.PASSWORD_RESET: MailKind.PASSWORD_CHANGED,
    AuditKind.PASSWORD_CHANGED: MailKind.PASSWORD_CHANGED,
    AuditKind.EMAIL_CHANGED: MailKind.EMAIL_CHANGED,
    AuditKind.EMAIL_RESTORED: MailKind.EMAIL_RESTORED,
}


async def list_sessions(database: Database, me: Principal) -> OwnSessionPage:
    rows = await database.primary.fetch(live_sessions_of(me.id, clock.now()))
    return {
        "items": [_present(row, me.session_id) for row in rows],
        "next_cursor": None,
        "prev_cursor": None,
    }


async def end_session(
    session: Session, auth: Auth, me: Principal, session_id: UUID, actor: Actor
) -> None:
    """End one of the user's sessions, possibly the current one; raises `SessionNotFound`."""
    ended = await session.fetch_one(revoke_session_of(me.id, session_id, clock.now()))
    if ended is None:
        raise SessionNotFound
    after_commit(session, partial(auth.revocations.publish, [ended.id]))
    await audit.record(
        session,
        AuditKind.SESSION_ENDED,
        actor,
        user_id=me.id,
        session_id=me.session_id,
        ended=str(session_id),
    )


async def end_other_sessions(session: Session, auth: Auth, me: Principal, actor: Actor) -> None:
    ended = await _revoke_sessions(session, auth.revocations, me.id, kept_id=me.session_id)
    if ended:
        await audit.record(
            session,
            AuditKind.SESSION_ENDED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=ended,
        )


async def end_all_sessions(
    session: Session, revocations: Revocations, user_id: UUID, *, kept_id: UUID | None = None
) -> int:
    """End all sessions except `kept_id` and invalidate mailed links; return the number ended.

    The caller must have updated the account: its row lock serialises changes of the tokens.
    """
    await mails.invalidate_links(session, user_id)
    return await _revoke_sessions(session, revocations, user_id, kept_id=kept_id)


@dataclass(frozen=True, slots=True)
class CredentialsChange:
    kind: AuditKind
    user_id: UUID
    address: str
    """Receives the notice."""
    ignores_limit: bool
    """Whether the notice is also sent above the limit of the address, as to a verified one."""
    kept_session_id: UUID | None = None
    """The session that does not end, if any."""


async def end_all_sessions_and_notify(
    session: Session, auth: Auth, change: CredentialsChange, actor: Actor
) -> None:
    """End sessions and links after a change of credentials, and notify the owner by mail."""
    user_id, kept_id = change.user_id, change.kept_session_id
    ended = await end_all_sessions(session, auth.revocations, user_id, kept_id=kept_id)
    kind = _NOTICE_KINDS[change.kind]
    await auth.outbox.enqueue(
        session, kind, address=change.address, user_id=user_id, ignores_limit=change.ignores_limit
    )
    await audit.record(
        session, change.kind, actor, user_id=user_id, session_id=kept_id, sessions_ended=ended
    )


async def _revoke_sessions(
    session: Session, revocations: Revocations, user_id: UUID, *, kept_id: UUID | None
) -> int:
    ended = await session.fetch(revoke_sessions_of(user_id, kept_id, clock.now()))
    after_commit(session, partial(revocations.publish, [row.id for row in ended]))
    return len(ended)


def _present(row: OwnSessionRow, current_id: UUID) -> OwnSession:
    return {
        "id": str(row.id),
        "created_at": rfc3339(row.created_at),
        "last_used_at": rfc3339(row.last_used_at),
        "user_agent": row.user_agent,
        "place": row.place,
        "current": row.id == current_id,
    }
