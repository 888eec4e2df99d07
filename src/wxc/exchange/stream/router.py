"""The live stream of a board."""

from collections.abc import AsyncIterator

from fastapi.sse import EventSourceResponse, ServerSentEvent

from wxc.accounts.auth.dependencies import AuthTools
from wxc.db.dependencies import Database
from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.history.schemas import RateChange
from wxc.exchange.stream import service
from wxc.exchange.stream.dependencies import RequestedBoard
from wxc.exchange.stream.schemas import Confirmation
from wxc.exchange.stream.service import StreamEvent
from wxc.http.answers import json_bytes
from wxc.http.dependencies import LastEventId, LiveEvents
from wxc.http.openapi import event_stream
from wxc.http.routers import make_router
from wxc.http.streams import Reset, SessionEnd

router = make_router("exchange")


@router.get(
    "/users/{username}/exchange/stream",
    response_class=EventSourceResponse,
    summary="A person's exchange, live",
    responses=event_stream(
        snapshot=Exchange, rates=RateChange, confirmed=Confirmation, reset=None, reauth=None
    ),
)
async def stream_exchange(
    board: RequestedBoard,
    database: Database,
    events: LiveEvents,
    auth: AuthTools,
    last_event_id: LastEventId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `snapshot` with the whole board, then `rates` for each line that
    changes, and `confirmed` when the board is confirmed as it is.

    `rates` is an event of the history with its `currency`; both sides null: taken off the board.
    It confirms the whole board at its time, `at`. `Last-Event-ID` replays every change since, or
    answers with `reset` after the snapshot where those were too many or a day ago. A comment every
    15 seconds keeps the connection alive. The stream ends when the board cannot be seen any more,
    and with the session, after `reauth`. With a session it is one of the five streams that the
    session may have; without one, streams are limited by address.
    """
    async for event in service.board_events(database, events, auth, board, last_event_id):
        yield _sse_event(event)


def _sse_event(event: StreamEvent) -> ServerSentEvent:
    """The event as sent: `raw_data`, since FastAPI would encode `data` with spaces."""
    match event:
        case Reset():
            return ServerSentEvent(data={}, event="reset")
        case SessionEnd():
            return ServerSentEvent(data={}, event="reauth")
    body = json_bytes(event.content).decode()
    return ServerSentEvent(raw_data=body, event=event.name, id=str(event.position))
