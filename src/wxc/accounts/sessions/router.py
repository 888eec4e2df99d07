from typing import Annotated

from fastapi import Path, status

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser
from wxc.accounts.sessions import service
from wxc.accounts.sessions.errors import SessionNotFound
from wxc.accounts.sessions.schemas import OwnSessionPage
from wxc.core.ids import Id
from wxc.db.dependencies import Database, Session
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.moderation.audit.dependencies import CurrentActor

router = make_router("sessions", prefix="/sessions")
SessionId = Annotated[Id, Path(description="The session's id.")]


@router.get("", summary="List your sessions")
async def list_sessions(me: CurrentUser, database: Database) -> OwnSessionPage:
    """Return your active sessions, most recently used first."""
    return await service.list_sessions(database, me)


@router.delete(
    "/{session_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a session",
    responses=error_responses(SessionNotFound),
)
async def end_session(
    session_id: SessionId, me: CurrentUser, session: Session, auth: AuthTools, actor: CurrentActor
) -> None:
    """End one of your sessions immediately; it may be the current one."""
    await service.end_session(session, auth, me, session_id, actor)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT, summary="End all other sessions")
async def end_other_sessions(
    me: CurrentUser, session: Session, auth: AuthTools, actor: CurrentActor
) -> None:
    """End all of your sessions except the current one, immediately."""
    await service.end_other_sessions(session, auth, me, actor)
