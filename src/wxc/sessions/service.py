"""Looking at one's sessions and ending them, on every instance before the answer."""

from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wxc.auth.context import Auth, Principal
from wxc.core import clock
from wxc.core.database import Database, after_commit
from wxc.mails import service as mails
from wxc.models import MailKind
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


async def end_session(session: AsyncSession, auth: Auth, me: Principal, session_id: UUID) -> None:
    """End one of `me`'s sessions, perhaps this very one; raises `SessionNotFound`."""
    ended = await OwnSessionRepository(session).revoke(me.id, session_id, clock.now())
    if not ended:
        raise SessionNotFound
    after_commit(session, partial(auth.revocations.announce, ended))


async def end_other_sessions(session: AsyncSession, auth: Auth, me: Principal) -> None:
    """End all of `me`'s sessions but this one."""
    await _end_all(session, auth, me.id, kept=me.session_id)


async def shut_out(
    session: AsyncSession, auth: Auth, user_id: UUID, *, kept: UUID | None = None
) -> None:
    """End what was opened with what no longer holds: all sessions, but `kept`, and mailed links.

    Who calls has written, and so locked, the account: whoever touches its tokens waits for it.
    """
    await mails.void_links(session, user_id)
    await _end_all(session, auth, user_id, kept=kept)


async def shut_out_and_tell(
    session: AsyncSession,
    auth: Auth,
    user_id: UUID,
    notice: MailKind,
    *,
    address: str,
    kept: UUID | None = None,
) -> None:
    """What follows a change of what an account is opened with; the owner is told at `address`."""
    await shut_out(session, auth, user_id, kept=kept)
    await mails.enqueue(session, notice, address=address, user_id=user_id)


async def _end_all(session: AsyncSession, auth: Auth, user_id: UUID, *, kept: UUID | None) -> None:
    ended = await OwnSessionRepository(session).revoke_all(user_id, clock.now(), kept=kept)
    after_commit(session, partial(auth.revocations.announce, ended))
