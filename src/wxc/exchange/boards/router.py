"""Currencies and boards."""

from typing import Any

from fastapi import Response, status

from wxc.accounts.auth.dependencies import CurrentUser, MaybeUser
from wxc.db.dependencies import Database, Session
from wxc.exchange.boards.dependencies import AsOf
from wxc.exchange.boards.errors import ExchangeNotFound
from wxc.exchange.boards.schemas.board import Board
from wxc.exchange.boards.schemas.currencies import CurrencyPage
from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.boards.service import currencies, reading, writing
from wxc.http import etags
from wxc.http.etags import IfMatch, IfNoneMatch
from wxc.http.openapi import error_responses
from wxc.http.routers import make_router
from wxc.social.users.dependencies import PathUsername

router = make_router("exchange")
_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": Exchange, "description": "There was none before.", **etags.ON_WRITE[200]}
}


@router.get("/currencies", summary="The currencies of the world")
async def list_currencies() -> CurrencyPage:
    """Every currency that a board may show, with its decimals. Cookies are ignored."""
    return currencies.list_currencies()


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
    exchange = await reading.find_own_exchange(database, me)
    return etags.conditional_response(exchange, if_none_match, is_signed_in=True)


@router.put(
    "/exchange",
    summary="Replace your exchange",
    responses=etags.ON_WRITE | _CREATED,
)
async def replace_exchange(
    board: Board, response: Response, me: CurrentUser, session: Session, if_match: IfMatch
) -> Exchange:
    """Open an exchange, or replace all that its board says, at once; all rates are confirmed.

    Every line that has changed is noted in the public history. Digits are kept as you enter them.
    With `If-Match` nothing is overwritten that another of your devices has changed meanwhile.
    """
    exchange, is_new = await writing.replace_board(session, me, board, if_match)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return etags.with_etag(response, exchange)


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
    username: PathUsername,
    viewer: MaybeUser,
    as_of: AsOf,
    database: Database,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A person's board, now or as it stood at a moment. An expired one is seen by its owner only.

    Name, place and opening hours are always today's.
    """
    exchange = await reading.find_exchange(database, username, viewer.id if viewer else None, as_of)
    return etags.conditional_response(exchange, if_none_match, is_signed_in=viewer is not None)
