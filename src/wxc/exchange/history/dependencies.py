from typing import Annotated

from fastapi import Depends, Query

from wxc.core import clock
from wxc.core.currencies import CurrencyCode
from wxc.core.times import Moment
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE, Group, HistoryRange


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


RequestedRange = Annotated[HistoryRange, Depends(_history_range)]
