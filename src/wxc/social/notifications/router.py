from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser, MemberSlot, OwnPaging
from wxc.db.dependencies import Database, Session
from wxc.http.dependencies import LastEventId, LiveEvents
from wxc.http.openapi import event_stream
from wxc.http.routers import make_router
from wxc.http.streams import Reset, SessionEnd
from wxc.social.notifications import stream
from wxc.social.notifications.schemas import NotificationPage, ReadUpTo, UnreadCount, UnreadUpdate
from wxc.social.notifications.service import reading
from wxc.social.notifications.stream import Snapshot, StreamEvent

router = make_router("notifications", prefix="/notifications")
OnlyUnread = Annotated[
    bool, Query(alias="unread", description="Return only groups with unread notifications.")
]


@router.get("", summary="List your notifications")
async def list_notifications(
    me: CurrentUser, database: Database, page: OwnPaging, only_unread: OnlyUnread = False
) -> NotificationPage:
    """Your notifications in groups, newest first. The request marks nothing as read."""
    return await reading.list_notifications(database, me, page, only_unread=only_unread)


@router.get(
    "/stream",
    response_class=EventSourceResponse,
    summary="Stream your notifications",
    responses=event_stream(
        snapshot=UnreadCount, notification=UnreadUpdate, reset=None, reauth=None
    ),
)
async def stream_notifications(
    me: CurrentUser,
    _slot: MemberSlot,
    database: Database,
    events: LiveEvents,
    auth: AuthTools,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: a `snapshot` with the `unread_count`, then a `notification` for each
    group that is new or has grown, with the group and the `unread_count`.

    With `Last-Event-ID` the stream replays missed notifications of the last 24 hours; those of the
    last two seconds may repeat. If it cannot replay them, `reset` comes before the `snapshot`:
    reload the list. It sends `reauth` and ends when the session ends. An SSE comment line every 15
    seconds keeps the connection open. A session can have five open streams.
    """
    async for event in stream.live_notifications(database, events, auth, me, last_event_id):
        yield _server_sent_event(event)


@router.post("/read", summary="Mark notifications as read")
async def mark_read(seen: ReadUpTo, me: CurrentUser, session: Session) -> UnreadCount:
    """Mark all notifications up to the given one as read. Newer ones stay unread."""
    return await reading.mark_read(session, me, seen.up_to)


def _server_sent_event(event: StreamEvent) -> ServerSentEvent:
    """Clients resume at events that have an id."""
    match event:
        case Snapshot():
            return ServerSentEvent(data=event.count, event="snapshot", id=str(event.position))
        case UnreadUpdate():
            return ServerSentEvent(data=event, event="notification", id=str(event.group["id"]))
        case Reset():
            return ServerSentEvent(data={}, event="reset")
        case SessionEnd():
            return ServerSentEvent(data={}, event="reauth")
