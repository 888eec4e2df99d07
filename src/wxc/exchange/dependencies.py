"""The parameters of requests about exchanges."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query, Request

from wxc.accounts.auth.dependencies import MaybeUser, ViewerSlot
from wxc.core import clock
from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText, fraction_digits
from wxc.core.times import Moment
from wxc.db.dependencies import CursorParameter, Database, Limit, scope_of
from wxc.db.keyset import DEFAULT_LIMIT, Order, PageRequest
from wxc.exchange import stream
from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE, Group, HistoryRange
from wxc.exchange.domain.quotes import ConversionRequest
from wxc.exchange.errors import ExchangeNotFound
from wxc.exchange.search_area import DEFAULT_METRES, MAX_METRES, Search, SearchArea, Sort
from wxc.http.openapi import raises
from wxc.http.problem_schemas import InvalidPart
from wxc.http.refusals.requests import ValidationFailed
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of
from wxc.social.users.dependencies import NamedUser


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


async def _history_range(
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
) -> HistoryRange:
    """What part of the history is wanted; raises `ValidationFailed` for one that is too long."""
    last = end or clock.now()
    first = start or last - DEFAULT_RANGE
    if first > last:
        raise wrong("query.from", "time_after_end", "The beginning must not be after the end.")
    if last - first > MAX_RANGE:
        raise wrong("query.from", "span_too_long", "At most 366 days can be read at once.")
    return HistoryRange(currency, first, end, group)


async def _conversion(
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
) -> ConversionRequest:
    """What is to be converted; raises `ValidationFailed` unless one of the amounts is given."""
    if (amount is None) is (to_amount is None):
        raise wrong("query.amount", "one_amount", "Give either amount or to_amount.")
    refuse_fractions("query.amount", source, amount)
    refuse_fractions("query.to_amount", target, to_amount)
    return ConversionRequest(source, target, amount, to_amount)


async def _area(
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
            le=MAX_METRES,
            allow_inf_nan=False,
            description="How far around it, in metres; 5,000 by default.",
        ),
    ] = None,
) -> SearchArea | None:
    """Where to search; raises `ValidationFailed` for half of a place."""
    if lat is None or lon is None:
        for name, value in (("lat", lat), ("lon", lon), ("radius_m", radius_m)):
            if value is not None:
                raise wrong(f"query.{name}", "place_incomplete", "A place needs lat and lon.")
        return None
    return SearchArea(lat, lon, radius_m or DEFAULT_METRES)


async def _search_conversion(
    source: Annotated[CurrencyCode | None, Query(alias="from", description="What is paid.")] = None,
    target: Annotated[
        CurrencyCode | None, Query(alias="to", description="What is received.")
    ] = None,
    amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `from` is paid.")
    ] = None,
) -> ConversionRequest | None:
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
    return ConversionRequest(source, target, amount)


async def _search(
    area: Annotated[SearchArea | None, Depends(_area)],
    conversion: Annotated[ConversionRequest | None, Depends(_search_conversion)],
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
    sort = sort or (Sort.DISTANCE if conversion is None else Sort.RECEIVE)
    if sort is Sort.RECEIVE and conversion is None:
        raise wrong("query.sort", "sort_without_input", "This sort needs a conversion.")
    if sort is Sort.DISTANCE and area is None:
        raise wrong("query.sort", "sort_without_input", "This sort needs a place.")
    minor_units = currencies()[conversion.target].minor_units if conversion else 0
    return Search(area, conversion, sort, is_open_now, with_stale, minor_units)


@raises(InvalidCursor)
async def _search_page(
    request: Request,
    viewer: MaybeUser,
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> PageRequest:
    """The requested page; its cursors are valid for this search by this viewer only."""
    scope = scope_of(request, str(viewer.id) if viewer else "")
    return PageRequest(services_of(request).cursors, scope, limit, cursor, order=Order.BY_RANK)


@raises(ExchangeNotFound)
async def watched_board(
    username: NamedUser, viewer: MaybeUser, _slot: ViewerSlot, database: Database
) -> stream.Watched:
    """The board to watch; raises `UserNotFound`, `ExchangeNotFound`.

    The slot comes first: a viewer for whom there is none must not wait for the database.
    """
    return await stream.open_board(database, username, viewer)


def refuse_fractions(pointer: str, currency: str, amount: Decimal | None) -> None:
    """Raise `ValidationFailed` for an amount with more decimals than its currency has."""
    if amount is not None and fraction_digits(amount) > currencies()[currency].minor_units:
        raise wrong(pointer, "too_many_decimals", "The currency does not have that many decimals.")


def wrong(pointer: str, code: str, message: str) -> ValidationFailed:
    """The refusal of one part of a request."""
    return ValidationFailed(errors=[InvalidPart(pointer=pointer, code=code, message=message)])


WatchedBoard = Annotated[stream.Watched, Depends(watched_board)]
WantedSearch = Annotated[Search, Depends(_search)]
SearchPaging = Annotated[PageRequest, Depends(_search_page)]
AsOf = Annotated[Moment | None, Depends(_past)]
WantedConversion = Annotated[ConversionRequest, Depends(_conversion)]
WantedHistory = Annotated[HistoryRange, Depends(_history_range)]
