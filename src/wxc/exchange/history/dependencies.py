from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from wxc.core import clock
from wxc.core.currencies import CurrencyCode
from wxc.core.times import Moment
from wxc.db.dependencies import CursorParameter, Limit, scope_of
from wxc.db.keyset import DEFAULT_LIMIT, PageRequest
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE, Group, HistoryRange
from wxc.http.openapi import raises
from wxc.http.refusals.resources import InvalidCursor
from wxc.http.services import services_of


async def _history_range(
    currency: Annotated[CurrencyCode, Query(description="Foreign currency.", examples=["JPY"])],
    start: Annotated[
        Moment | None,
        Query(alias="from", description="Start, inclusive; by default 30 days before the end."),
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="End, exclusive; by default now.")
    ] = None,
    group: Annotated[
        Group, Query(description="Whether to return changes, or summaries of UTC hours or days.")
    ] = Group.EVENT,
) -> HistoryRange:
    """Raises `ValidationFailed` if the range is reversed or too long."""
    latest = end or clock.now()
    earliest = start or latest - DEFAULT_RANGE
    if earliest > latest:
        raise field_error("query.from", "time_after_end", "The start must not be after the end.")
    if latest - earliest > MAX_RANGE:
        raise field_error("query.from", "span_too_long", "Choose a range of at most 366 days.")
    return HistoryRange(currency, earliest, end, group)


class HistoryPage(NamedTuple):
    range: HistoryRange
    page: PageRequest


@raises(InvalidCursor)
async def _history_page(
    request: Request,
    span: Annotated[HistoryRange, Depends(_history_range)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: CursorParameter = None,
) -> HistoryPage:
    """The default start is fixed only if the end is given."""
    scope = scope_of(request) if span.end is None else scope_of(request, "", ("from", span.start))
    page = PageRequest(services_of(request).cursors, scope, limit, cursor)
    return HistoryPage(span, page)


RequestedPage = Annotated[HistoryPage, Depends(_history_page)]
