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
    summary="Stream a user's exchange",
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
    """Server-sent events: first `snapshot` with the whole exchange, then `rates` for each changed
    rate, and `confirmed` when all rates are confirmed without a change.

    `rates` is an item of the history plus its `currency`; `we_buy` and `we_sell` are null if the
    rate was removed. The change also confirms all other rates, as of its time `at`. `Last-Event-ID`
    replays the missed changes; if they are too many or more than a day old, or the id is unknown,
    `reset` comes before the snapshot instead. An SSE comment line every 15 seconds keeps the
    connection open. The stream ends when the exchange is no longer visible to you, and, after
    `reauth`, when your session ends. A session can have five streams in total; anonymous streams
    are limited by IP address.
    """
    async for event in service.board_events(database, events, auth, board, last_event_id):
        yield _sse_event(event)


def _sse_event(event: StreamEvent) -> ServerSentEvent:
    """Uses `raw_data`, because FastAPI would encode `data` with spaces."""
    match event:
        case Reset():
            return ServerSentEvent(data={}, event="reset")
        case SessionEnd():
            return ServerSentEvent(data={}, event="reauth")
    body = json_bytes(event.content).decode()
    return ServerSentEvent(raw_data=body, event=event.name, id=str(event.position))
