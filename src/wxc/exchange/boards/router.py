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
    201: {"model": Exchange, "description": "The exchange was created.", **etags.ON_WRITE[200]}
}


@router.get("/currencies", summary="List currencies")
async def list_currencies() -> CurrencyPage:
    """Returns every currency that an exchange can quote. Cookies are ignored."""
    return currencies.list_currencies()


@router.get(
    "/exchange",
    summary="Get your exchange",
    response_model=Exchange,
    responses=etags.ON_READ | error_responses(ExchangeNotFound),
)
async def get_own_exchange(
    me: CurrentUser, database: Database, if_none_match: IfNoneMatch = None
) -> Response:
    """Returns your exchange, even if it has expired and is hidden from other users."""
    exchange = await reading.find_own_exchange(database, me)
    return etags.conditional_response(exchange, if_none_match, is_signed_in=True)


@router.put(
    "/exchange",
    summary="Create or replace your exchange",
    responses=etags.ON_WRITE | _CREATED,
)
async def replace_exchange(
    board: Board, response: Response, me: CurrentUser, session: Session, if_match: IfMatch
) -> Exchange:
    """Creates your exchange or replaces all of its fields, and confirms all rates.

    Every changed rate is recorded in the public history. Numbers keep the digits that you send.
    Send `If-Match` to avoid overwriting changes from another device.
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
    """Confirms that all rates are still valid, which makes them fresh again."""
    return etags.with_etag(response, await writing.confirm_board(session, me))


@router.delete(
    "/exchange",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Delete your exchange",
    responses=error_responses(ExchangeNotFound),
)
async def delete_exchange(me: CurrentUser, session: Session) -> None:
    """Deletes your exchange and its history."""
    await writing.delete_board(session, me)


@router.get(
    "/users/{username}/exchange",
    summary="Get a user's exchange",
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
    """Returns a user's exchange, current or as of a past time.

    `as_of` applies to the rates, base currency and validity; all other fields are current. Only the
    owner can read an exchange that has expired.
    """
    exchange = await reading.find_exchange(database, username, viewer.id if viewer else None, as_of)
    return etags.conditional_response(exchange, if_none_match, is_signed_in=viewer is not None)
