"""What a request about exchanges brings along."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query

from wxc.core import clock
from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText, decimals_of
from wxc.core.errors import InvalidPart, ValidationFailed
from wxc.core.times import Moment
from wxc.exchange.history import LONGEST, USUAL, Group, Span
from wxc.exchange.quotes import Wish


def _past(
    as_of: Annotated[
        Moment | None,
        Query(description="Answer with the rates, base and states as they stood then."),
    ] = None,
) -> Moment | None:
    """A moment that has been; raises `ValidationFailed` for the future."""
    if as_of is not None and as_of > clock.now():
        raise wrong("query.as_of", "time_in_future", "The time must not be in the future.")
    return as_of


def _span(
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


def _wish(
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


def refuse_fractions(pointer: str, currency: str, amount: Decimal | None) -> None:
    """Raise `ValidationFailed` for an amount with more decimals than its currency has."""
    if amount is not None and decimals_of(amount) > currencies()[currency].minor_units:
        raise wrong(pointer, "too_many_decimals", "The currency does not have that many decimals.")


def wrong(pointer: str, code: str, message: str) -> ValidationFailed:
    """The refusal of one part of a request."""
    return ValidationFailed(errors=[InvalidPart(pointer=pointer, code=code, message=message)])


AsOf = Annotated[Moment | None, Depends(_past)]
Wanted = Annotated[Wish, Depends(_wish)]
HistorySpan = Annotated[Span, Depends(_span)]
