import re
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from wxc.accounts.auth.dependencies import MaybeUser
from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText
from wxc.db.dependencies import CursorParameter, Limit, scope_of
from wxc.db.keyset import DEFAULT_LIMIT, Order, PageRequest
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.quotes import ConversionRequest
from wxc.exchange.domain.search import (
    DEFAULT_RADIUS_METRES,
    MAX_RADIUS_METRES,
    SearchArea,
    SearchRequest,
    Sort,
)
from wxc.exchange.quotes.dependencies import reject_excess_decimals
from wxc.http.openapi import raises
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def _require_json_number(value: object) -> object:
    """Refuse `1_0`, ` 5` and `+5`, which pydantic accepts."""
    if isinstance(value, str) and not _JSON_NUMBER.fullmatch(value):
        raise PydanticCustomError("float_parsing", "Must be a number, such as -12.5.")
    return value


_Number = Annotated[float, BeforeValidator(_require_json_number)]


async def _area(
    lat: Annotated[
        _Number | None,
        Query(ge=-90, le=90, allow_inf_nan=False, description="Latitude in degrees."),
    ] = None,
    lon: Annotated[
        _Number | None,
        Query(ge=-180, le=180, allow_inf_nan=False, description="Longitude in degrees."),
    ] = None,
    radius_m: Annotated[
        _Number | None,
        Query(
            gt=0,
            le=MAX_RADIUS_METRES,
            allow_inf_nan=False,
            description="Radius around the place, in metres; 5,000 by default.",
        ),
    ] = None,
) -> SearchArea | None:
    """Raises `ValidationFailed` for an incomplete place."""
    if lat is None or lon is None:
        for name, value in (("lat", lat), ("lon", lon), ("radius_m", radius_m)):
            if value is not None:
                message = "A place needs a latitude and a longitude."
                raise field_error(f"query.{name}", "place_incomplete", message)
        return None
    return SearchArea(lat, lon, radius_m or DEFAULT_RADIUS_METRES)


async def _search_conversion(
    source: Annotated[
        CurrencyCode | None, Query(alias="from", description="Currency that the customer pays.")
    ] = None,
    target: Annotated[
        CurrencyCode | None, Query(alias="to", description="Currency that the customer receives.")
    ] = None,
    amount: Annotated[
        PositiveDecimalText | None, Query(description="Amount of `from` that the customer pays.")
    ] = None,
) -> ConversionRequest | None:
    """Raises `ValidationFailed` for an incomplete or invalid conversion."""
    if source is None or target is None or amount is None:
        for name, value in (("from", source), ("to", target), ("amount", amount)):
            if value is not None:
                message = "A conversion needs two currencies and an amount."
                raise field_error(f"query.{name}", "conversion_incomplete", message)
        return None
    if source == target:
        raise field_error("query.to", "same_currency", "Choose two different currencies.")
    reject_excess_decimals("query.amount", source, amount)
    return ConversionRequest(source, target, amount)


async def _search(
    area: Annotated[SearchArea | None, Depends(_area)],
    conversion: Annotated[ConversionRequest | None, Depends(_search_conversion)],
    is_open_now: Annotated[
        bool, Query(alias="open_now", description="Only exchanges that are open now.")
    ] = False,
    include_stale: Annotated[bool, Query(description="Include stale rates.")] = False,
    sort: Annotated[
        Sort | None,
        Query(description="`receive` by default with a conversion, otherwise `distance`."),
    ] = None,
) -> SearchRequest:
    """Raises `ValidationFailed` for a sort without its input."""
    sort = sort or (Sort.DISTANCE if conversion is None else Sort.RECEIVE)
    if sort is Sort.RECEIVE and conversion is None:
        raise field_error("query.sort", "sort_without_input", "Add a conversion to sort by amount.")
    if sort is Sort.DISTANCE and area is None:
        raise field_error("query.sort", "sort_without_input", "Add a place to sort by distance.")
    minor_units = currencies()[conversion.target].minor_units if conversion else 0
    return SearchRequest(area, conversion, sort, is_open_now, include_stale, minor_units)


class SearchPage(NamedTuple):
    search: SearchRequest
    page: PageRequest


@raises(InvalidCursor)
async def _search_page(
    request: Request,
    viewer: MaybeUser,
    search: Annotated[SearchRequest, Depends(_search)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> SearchPage:
    """The cursors of the page are valid only for this search by this viewer."""
    owner, radius = str(viewer.id) if viewer else "", search.area and search.area.radius_metres
    scope = scope_of(request, owner, ("sort", search.sort), ("radius_m", radius))
    signer = services_of(request).cursors
    return SearchPage(search, PageRequest(signer, scope, limit, cursor, order=Order.BY_RANK))


RequestedPage = Annotated[SearchPage, Depends(_search_page)]
