"""Parameters of requests about the history."""

from typing import Annotated

from fastapi import Depends, Query

from wxc.core import clock
from wxc.core.currencies import CurrencyCode
from wxc.core.times import Moment
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.history import DEFAULT_RANGE, MAX_RANGE, Group, HistoryRange


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
    """The requested part; raises `ValidationFailed` if it is reversed or too long."""
    latest = end or clock.now()
    earliest = start or latest - DEFAULT_RANGE
    if earliest > latest:
        raise field_error(
            "query.from", "time_after_end", "The beginning must not be after the end."
        )
    if latest - earliest > MAX_RANGE:
        raise field_error("query.from", "span_too_long", "At most 366 days can be read at once.")
    return HistoryRange(currency, earliest, end, group)


RequestedRange = Annotated[HistoryRange, Depends(_history_range)]
