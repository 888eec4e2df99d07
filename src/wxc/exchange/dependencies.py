"""What a request about exchanges brings along."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query, Request

from wxc.auth.dependencies import MaybeUser, ViewerSlot
from wxc.core import clock
from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText, decimals_of
from wxc.core.dependencies import (
    CursorParameter,
    Limit,
    Transactions,
    open_cursors,
    scope_of,
)
from wxc.core.errors import InvalidCursor, InvalidPart, ValidationFailed
from wxc.core.openapi import raises
from wxc.core.times import Moment
from wxc.db.keyset import DEFAULT_LIMIT
from wxc.exchange import stream
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.history import LONGEST, USUAL, Group, Span
from wxc.exchange.quotes import Wish
from wxc.exchange.searching import (
    MOST_METRES,
    USUAL_METRES,
    Circle,
    Search,
    SearchPage,
    Sort,
)
from wxc.users.dependencies import NamedUser


async def _past(
    as_of: Annotated[
        Moment | None,
        Query(description="Answer with the rates, base and states as they stood then."),
    ] = None,
) -> Moment | None:
    """A moment that has been; raises `ValidationFailed` for the future."""
    if as_of is not None and as_of > clock.now():
        raise wrong("query.as_of", "time_in_future", "The time must not be in the future.")
    return as_of


async def _span(
    currency: Annotated[CurrencyCode, Query(description="The foreign currency.", examples=["JPY"])],
    start: Annotated[
        Moment | None,
        Query(alias="from", description="From then on; by default thirty days before `to`."),
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="Before then; by default up to now.")
    ] = None,
    group: Annotated[Group, Query(description="Single changes, or UTC hours or days.")] = (
        Group.EVENT
    ),
) -> Span:
    """What part of the history is wanted; raises `ValidationFailed` for one that is too long."""
    last = end or clock.now()
    first = start or last - USUAL
    if first > last:
        raise wrong("query.from", "time_after_end", "The beginning must not be after the end.")
    if last - first > LONGEST:
        raise wrong("query.from", "span_too_long", "At most 366 days can be read at once.")
    return Span(currency, first, end, group)


async def _wish(
    source: Annotated[
        CurrencyCode, Query(alias="from", description="What is paid.", examples=["SGD"])
    ],
    target: Annotated[
        CurrencyCode, Query(alias="to", description="What is received.", examples=["JPY"])
    ],
    amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `from` is paid.")
    ] = None,
    to_amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `to` is wanted.")
    ] = None,
) -> Wish:
    """What is to be converted; raises `ValidationFailed` unless one of the amounts is given."""
    if (amount is None) is (to_amount is None):
        raise wrong("query.amount", "one_amount", "Give either amount or to_amount.")
    refuse_fractions("query.amount", source, amount)
    refuse_fractions("query.to_amount", target, to_amount)
    return Wish(source, target, amount, to_amount)


async def _circle(
    lat: Annotated[
        float | None, Query(ge=-90, le=90, allow_inf_nan=False, description="Of the place.")
    ] = None,
    lon: Annotated[
        float | None, Query(ge=-180, le=180, allow_inf_nan=False, description="Of the place.")
    ] = None,
    radius_m: Annotated[
        float | None,
        Query(
            gt=0,
            le=MOST_METRES,
            allow_inf_nan=False,
            description="How far around it, in metres; 5,000 by default.",
        ),
    ] = None,
) -> Circle | None:
    """Where to search; raises `ValidationFailed` for half of a place."""
    if lat is None or lon is None:
        for name, value in (("lat", lat), ("lon", lon), ("radius_m", radius_m)):
            if value is not None:
                raise wrong(f"query.{name}", "place_incomplete", "A place needs lat and lon.")
        return None
    return Circle(lat, lon, radius_m or USUAL_METRES)


async def _search_wish(
    source: Annotated[CurrencyCode | None, Query(alias="from", description="What is paid.")] = None,
    target: Annotated[
        CurrencyCode | None, Query(alias="to", description="What is received.")
    ] = None,
    amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `from` is paid.")
    ] = None,
) -> Wish | None:
    """What boards are to be able to do; raises `ValidationFailed` for parts of a conversion."""
    if source is None or target is None or amount is None:
        for name, value in (("from", source), ("to", target), ("amount", amount)):
            if value is not None:
                message = "A conversion needs from, to and amount."
                raise wrong(f"query.{name}", "conversion_incomplete", message)
        return None
    if source == target:
        raise wrong("query.to", "same_currency", "The currencies must be different.")
    refuse_fractions("query.amount", source, amount)
    return Wish(source, target, amount)


async def _search(
    circle: Annotated[Circle | None, Depends(_circle)],
    wish: Annotated[Wish | None, Depends(_search_wish)],
    is_open_now: Annotated[
        bool, Query(alias="open_now", description="Only what is open at this moment.")
    ] = False,
    with_stale: Annotated[
        bool, Query(alias="include_stale", description="Also rates that are stale.")
    ] = False,
    sort: Annotated[
        Sort | None,
        Query(description="`receive` by default where a conversion is given, else `distance`."),
    ] = None,
) -> Search:
    """What is searched for; raises `ValidationFailed` for a sort without its input."""
    sort = sort or (Sort.DISTANCE if wish is None else Sort.RECEIVE)
    if sort is Sort.RECEIVE and wish is None:
        raise wrong("query.sort", "sort_without_input", "This sort needs a conversion.")
    if sort is Sort.DISTANCE and circle is None:
        raise wrong("query.sort", "sort_without_input", "This sort needs a place.")
    return Search(circle, wish, sort, is_open_now, with_stale)


@raises(InvalidCursor)
async def _search_page(
    request: Request,
    viewer: MaybeUser,
    search: Annotated[Search, Depends(_search)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> SearchPage:
    """The page that is asked for; its cursors hold for this search by this viewer only."""
    scope = scope_of(request, str(viewer.id) if viewer else "")
    return SearchPage(open_cursors(request), scope, search, limit, cursor)


@raises(ExchangeNotFound)
async def watched_board(
    username: NamedUser, viewer: MaybeUser, _slot: ViewerSlot, database: Transactions
) -> stream.Watched:
    """The board to watch; raises `UserNotFound`, `ExchangeNotFound`.

    The slot comes first: a viewer for whom there is none must not wait for the database.
    """
    return await stream.open_board(database, username, viewer)


def refuse_fractions(pointer: str, currency: str, amount: Decimal | None) -> None:
    """Raise `ValidationFailed` for an amount with more decimals than its currency has."""
    if amount is not None and decimals_of(amount) > currencies()[currency].minor_units:
        raise wrong(pointer, "too_many_decimals", "The currency does not have that many decimals.")


def wrong(pointer: str, code: str, message: str) -> ValidationFailed:
    """The refusal of one part of a request."""
    return ValidationFailed(errors=[InvalidPart(pointer=pointer, code=code, message=message)])


WatchedBoard = Annotated[stream.Watched, Depends(watched_board)]
SearchPaging = Annotated[SearchPage, Depends(_search_page)]
AsOf = Annotated[Moment | None, Depends(_past)]
Wanted = Annotated[Wish, Depends(_wish)]
HistorySpan = Annotated[Span, Depends(_span)]
