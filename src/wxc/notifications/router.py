"""What others did that concerns a member."""

from typing import Annotated

from fastapi import APIRouter, Query

from wxc.auth.dependencies import CurrentUser, OwnPaging
from wxc.auth.errors import NotAuthenticated, SessionExpired
from wxc.core.dependencies import ReadSession, Session
from wxc.core.openapi import documented
from wxc.notifications import service
from wxc.notifications.schemas import NotificationPage, ReadUpTo, UnreadCount

router = APIRouter(prefix="/notifications", tags=["notifications"])
OnlyUnread = Annotated[
    bool, Query(alias="unread", description="Only groups that hold something unread.")
]


@router.get(
    "", summary="Your notifications", responses=documented(NotAuthenticated, SessionExpired)
)
async def list_notifications(
    me: CurrentUser, reader: ReadSession, page: OwnPaging, only_unread: OnlyUnread = False
) -> NotificationPage:
    """What others did that concerns you, the newest first. Reading it marks nothing as read."""
    return await service.list_notifications(reader, me, page, only_unread=only_unread)


@router.post(
    "/read",
    summary="Mark notifications as read",
    responses=documented(NotAuthenticated, SessionExpired),
)
async def mark_read(seen: ReadUpTo, me: CurrentUser, session: Session) -> UnreadCount:
    """Mark as read what you have been shown; what arrived meanwhile stays unread."""
    return await service.mark_read(session, me, seen.up_to)
