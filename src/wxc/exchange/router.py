"""Currency exchanges."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from wxc.accounts.auth.dependencies import AuthTools, CurrentUser, MaybeUser
from wxc.db.dependencies import Database, Paging, Session
from wxc.exchange import stream
from wxc.exchange.dependencies import (
    AsOf,
    SearchPaging,
    WantedConversion,
    WantedHistory,
    WantedSearch,
    WatchedBoard,
)
from wxc.exchange.errors import AmountTooLarge, ExchangeNotFound, SearchExpired
from wxc.exchange.schemas.boards import Board
from wxc.exchange.schemas.exchanges import CurrencyPage, Exchange
from wxc.exchange.schemas.history import Confirmation, RateChange, RateHistoryPage
from wxc.exchange.schemas.quotes import HitPage, Quote
from wxc.exchange.service import history, quoting, reading, searching, writing
from wxc.http import etags
from wxc.http.answers import json_bytes
from wxc.http.dependencies import LastEventId, LiveEvents
from wxc.http.etags import IfMatch, IfNoneMatch
from wxc.http.openapi import error_responses, event_stream
from wxc.http.routers import make_router
from wxc.http.streams import Reset, SessionEnd
from wxc.social.users.dependencies import NamedUser

router = make_router("exchange")
_BEGUN: dict[int | str, dict[str, Any]] = {
    201: {"model": Exchange, "description": "There was none before.", **etags.ON_WRITE[200]}
}


@router.get("/currencies", summary="The currencies of the world")
async def list_currencies() -> CurrencyPage:
    """Every currency that a board may show, with its decimals. Cookies are ignored."""
    return reading.list_currencies()


@router.get(
    "/exchange",
    summary="Your exchange",
    response_model=Exchange,
    responses=etags.ON_READ | error_responses(ExchangeNotFound),
)
async def get_own_exchange(
    me: CurrentUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """Your board, also when it has expired and nobody else sees it."""
    found = await reading.find_own(database, me)
    return etags.conditional_response(found, if_none_match, is_signed_in=True)


@router.put(
    "/exchange",
    summary="Replace your exchange",
    responses=etags.ON_WRITE | _BEGUN,
)
async def replace_exchange(
    board: Board, response: Response, me: CurrentUser, session: Session, if_match: IfMatch
) -> Exchange:
    """Open an exchange, or replace all that its board says, at once; all rates are confirmed.

    Every line that has changed is noted in the public history. Digits are kept as you enter them.
    With `If-Match` nothing is overwritten that another of your devices has changed meanwhile.
    """
    found, is_new = await writing.replace_board(session, me, board, if_match)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return etags.with_etag(response, found)


@router.post(
    "/exchange/confirm",
    summary="Confirm your rates",
    responses=etags.ON_WRITE | error_responses(ExchangeNotFound),
)
async def confirm_exchange(response: Response, me: CurrentUser, session: Session) -> Exchange:
    """Say that all of the board still holds: it is fresh again."""
    return etags.with_etag(response, await writing.confirm_board(session, me))


@router.delete(
    "/exchange",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Close your exchange",
    responses=error_responses(ExchangeNotFound),
)
async def delete_exchange(me: CurrentUser, session: Session) -> None:
    """Delete your board with its history."""
    await writing.delete_board(session, me)


@router.get(
    "/users/{username}/exchange",
    summary="A person's exchange",
    response_model=Exchange,
    responses=etags.ON_READ | error_responses(ExchangeNotFound),
)
async def get_exchange(
    username: NamedUser,
    viewer: MaybeUser,
    as_of: AsOf,
    database: Database,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A person's board, now or as it stood at a moment. An expired one is seen by its owner only.

    Name, place and opening hours are always today's.
    """
    found = await reading.find_exchange(database, username, viewer.id if viewer else None, as_of)
    return etags.conditional_response(found, if_none_match, is_signed_in=viewer is not None)


@router.get(
    "/exchanges",
    summary="Find an exchange",
    responses=error_responses(SearchExpired),
)
async def search_exchanges(
    viewer: MaybeUser, page: SearchPaging, wanted: WantedSearch, database: Database
) -> HitPage:
    """Boards near a place (`lat`, `lon`), boards that do a conversion (`from`, `to`, `amount`), or
    both, the nearest or those where one receives most first. Without a place, the boards that have
    changed their rates last are compared: up to 500 that pay in `to`, or are paid in `from`, or
    deal in both.

    All pages go by the rates of the instant of the first one, for ten minutes. Stale rates are
    left out unless you ask for them, expired ones always. A page may be shorter than its limit.
    """
    return await searching.search(database, wanted, page, viewer.id if viewer else None)


@router.get(
    "/users/{username}/exchange/quote",
    summary="What an amount comes to",
    responses=error_responses(ExchangeNotFound, AmountTooLarge),
)
async def get_quote(
    username: NamedUser,
    viewer: MaybeUser,
    conversion: WantedConversion,
    as_of: AsOf,
    database: Database,
) -> Quote:
    """Convert `amount`, or tell what `to_amount` costs, by a person's board, now or as of a moment.

    Exact, and rounded once: what you receive down, what you pay up. What cannot be done is no
    error: `feasible` is false, and `reason` says why. An expired board offers nothing.
    """
    return await quoting.quote(database, username, viewer.id if viewer else None, conversion, as_of)


@router.get(
    "/users/{username}/exchange/history",
    summary="How a rate has moved",
    responses=error_responses(ExchangeNotFound),
)
async def list_rate_history(
    username: NamedUser, viewer: MaybeUser, wanted: WantedHistory, database: Database, page: Paging
) -> RateHistoryPage:
    """The changes of one currency's line, newest first; or the first, highest, lowest and last
    of each side for every UTC hour or day in which it changed, per base and unit.
    """
    return await history.list_history(
        database, username, viewer.id if viewer else None, wanted, page
    )


@router.get(
    "/users/{username}/exchange/stream",
    response_class=EventSourceResponse,
    summary="A person's exchange, live",
    responses=event_stream(
        snapshot=Exchange, rates=RateChange, confirmed=Confirmation, reset=None, reauth=None
    ),
)
async def stream_exchange(
    board: WatchedBoard,
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
    async for event in stream.follow(database, events, auth, board, last_event_id):
        yield _event(event)


def _event(event: stream.StreamEvent) -> ServerSentEvent:
    """The event as it is sent; `data` would be written with spaces."""
    match event:
        case Reset():
            return ServerSentEvent(data={}, event="reset")
        case SessionEnd():
            return ServerSentEvent(data={}, event="reauth")
    body = json_bytes(event.content).decode()
    return ServerSentEvent(raw_data=body, event=event.name, id=str(event.head))
