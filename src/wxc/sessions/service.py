"""Looking at one's sessions and ending them, on every instance before the answer."""

from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.auth.revocation import Revocations
from wxc.core import clock
from wxc.core.database import Database, after_commit
from wxc.mails import service as mails
from wxc.models import AuditKind, MailKind
from wxc.sessions.errors import SessionNotFound
from wxc.sessions.repository import OwnSessionReader, OwnSessionRepository
from wxc.sessions.schemas import OwnSession, OwnSessionPage

_NOTICES = {
    AuditKind.PASSWORD_RESET: MailKind.PASSWORD_CHANGED,
    AuditKind.PASSWORD_CHANGED: MailKind.PASSWORD_CHANGED,
    AuditKind.EMAIL_CHANGED: MailKind.EMAIL_CHANGED,
}


async def list_sessions(database: Database, me: Principal) -> OwnSessionPage:
    """Where `me` is logged in."""
    async with database.guarding() as reader:
        rows = await OwnSessionReader(reader).live_of(me.id, clock.now())
    return OwnSessionPage(
        items=[OwnSession(**dict(row._mapping), current=row.id == me.session_id) for row in rows],
        next_cursor=None,
        prev_cursor=None,
    )


async def end_session(
    session: AsyncSession, auth: Auth, me: Principal, session_id: UUID, actor: Actor
) -> None:
    """End one of `me`'s sessions, perhaps this very one; raises `SessionNotFound`."""
    ended = await OwnSessionRepository(session).revoke(me.id, session_id, clock.now())
    if not ended:
        raise SessionNotFound
    after_commit(session, partial(auth.revocations.announce, ended))
    await audit.record(
        session,
        AuditKind.SESSION_ENDED,
        actor,
        user_id=me.id,
        session_id=me.session_id,
        ended=str(session_id),
    )


async def end_other_sessions(
    session: AsyncSession, auth: Auth, me: Principal, actor: Actor
) -> None:
    """End all of `me`'s sessions but this one."""
    ended = await _end_all(session, auth.revocations, me.id, kept=me.session_id)
    if ended:
        await audit.record(
            session,
            AuditKind.SESSION_ENDED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=ended,
        )


async def shut_out(
    session: AsyncSession, revocations: Revocations, user_id: UUID, *, kept: UUID | None = None
) -> int:
    """End what was opened with what no longer holds: all sessions, but `kept`, and mailed links.

    Says how many sessions it was. Who calls has written, and so locked, the account: whoever
    touches its tokens waits for it.
    """
    await mails.void_links(session, user_id)
    return await _end_all(session, revocations, user_id, kept=kept)


async def shut_out_and_tell(
    session: AsyncSession,
    auth: Auth,
    user_id: UUID,
    event: AuditKind,
    actor: Actor,
    *,
    address: str,
    kept: UUID | None = None,
) -> None:
    """What follows a change of what an account is opened with; the owner is told at `address`."""
    ended = await shut_out(session, auth.revocations, user_id, kept=kept)
    await mails.enqueue(session, _NOTICES[event], address=address, user_id=user_id)
    await audit.record(
        session, event, actor, user_id=user_id, session_id=kept, sessions_ended=ended
    )


async def _end_all(
    session: AsyncSession, revocations: Revocations, user_id: UUID, *, kept: UUID | None
) -> int:
    ended = await OwnSessionRepository(session).revoke_all(user_id, clock.now(), kept=kept)
    after_commit(session, partial(revocations.announce, ended))
    return len(ended)
