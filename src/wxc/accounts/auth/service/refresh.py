from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from wxc.accounts.auth.context import Auth
from wxc.accounts.auth.errors import RefreshReused, SessionExpired
from wxc.accounts.auth.repository.accounts import account_by_id
from wxc.accounts.auth.repository.sessions import lock_live_session, update_generation
from wxc.accounts.auth.service.sessions import SessionTokens, end_session, issue_tokens
from wxc.core import clock
from wxc.db.database import Database
from wxc.db.session import Session
from wxc.http.refusals.access import CsrfFailed
from wxc.models import AuditKind
from wxc.moderation.audit import service as audit
from wxc.moderation.audit.actors import Actor

GRACE_PERIOD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A verified refresh token; its session may have ended."""

    session_id: UUID
    generation: int
    place: str | None
    """The browser's approximate location."""
    is_forged: bool
    """The CSRF token was missing or wrong."""


async def refresh(
    database: Database, auth: Auth, request: RefreshRequest, actor: Actor
) -> SessionTokens:
    """Increment the session's generation and return its new tokens.

    The previous generation is accepted for 30 s and gets the same refresh token: the request may
    come from a second tab or repeat a lost response. A newer generation is accepted: the database
    was restored from a backup. For an older one, ends the session and raises `RefreshReused` (RFC
    9700 section 4.14.2). Also raises `SessionExpired` and, for a live session, `CsrfFailed`.
    """
    moment = clock.now().replace(microsecond=0)  # JWT times are whole seconds
    async with database.transaction() as session:
        current = await _raise_generation(session, auth, request, actor, moment)
        account = await session.fetch_one(account_by_id(current[0])) if current else None
    if current is None:  # raised after COMMIT, so that the session stays ended
        raise RefreshReused
    if account is None:  # deleted since the first query
        raise SessionExpired
    return issue_tokens(auth, account, request.session_id, current[1], moment)


async def _raise_generation(
    session: Session, auth: Auth, request: RefreshRequest, actor: Actor, moment: datetime
) -> tuple[UUID, int] | None:
    """The user id and the new generation; None if the session was ended for reuse."""
    session_id, generation = request.session_id, request.generation
    update = partial(
        update_generation,
        *(session_id, generation, request.place, moment, moment + auth.idle_lifetime),
    )
    if not request.is_forged:
        owner = await session.fetch_one(update())
        if owner is not None:
            return owner.user_id, generation + 1
    row = await session.fetch_one(lock_live_session(session_id, moment))
    if row is None:
        raise SessionExpired
    if request.is_forged:
        raise CsrfFailed
    if generation == row.generation - 1 and _is_in_grace_period(row.refreshed_at, moment):
        return row.user_id, row.generation
    if generation > row.generation:
        await session.fetch_one(update(is_ahead=True))
        await audit.record(
            session,
            AuditKind.GENERATION_RESTORED,
            actor,
            user_id=row.user_id,
            session_id=session_id,
            stored=row.generation,
            presented=generation,
        )
        return row.user_id, generation + 1
    await end_session(session, auth, session_id)
    await audit.record(
        session, AuditKind.REFRESH_REUSED, actor, user_id=row.user_id, session_id=session_id
    )
    return None


def _is_in_grace_period(refreshed_at: datetime | None, moment: datetime) -> bool:
    return refreshed_at is not None and moment - refreshed_at <= GRACE_PERIOD
