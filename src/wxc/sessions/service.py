"""Looking at one's sessions and ending them, on every instance before the answer."""

from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.audit import service as audit
from wxc.audit.actors import Actor
from wxc.auth.context import Auth, Principal
from wxc.core import clock
from wxc.core.database import Database, after_commit
from wxc.models import AuditKind
from wxc.sessions.errors import SessionNotFound
from wxc.sessions.repository import OwnSessionReader, OwnSessionRepository
from wxc.sessions.schemas import OwnSession, OwnSessionPage


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
    ended = await OwnSessionRepository(session).revoke_others(me.id, me.session_id, clock.now())
    after_commit(session, partial(auth.revocations.announce, ended))
    if ended:
        await audit.record(
            session,
            AuditKind.SESSION_ENDED,
            actor,
            user_id=me.id,
            session_id=me.session_id,
            sessions_ended=len(ended),
        )
