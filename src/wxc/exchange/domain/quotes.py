"""What a board makes of an amount: exact rationals, and one rounding at the end.

Nothing here reads or writes anything; a browser computes the same from the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import NamedTuple

from wxc.core.currencies import currencies
from wxc.core.decimals import MAX_INTEGER_DIGITS

SIGNIFICANT_DIGITS = 10
_SIGNIFICANT = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)
_FIRST_TOO_LARGE = 10**MAX_INTEGER_DIGITS


class Side(StrEnum):
    """Which column of the board a leg reads."""

    WE_BUY = "we_buy"
    WE_SELL = "we_sell"


class Mode(StrEnum):
    """Which way the one rounding goes."""

    DOWN = "down"
    """What the customer receives."""
    UP = "up"
    """What the customer pays."""


class Reason(StrEnum):
    """Why a conversion cannot be done."""

    NOT_OFFERED = "not_offered"
    BELOW_MIN = "below_min"
    ABOVE_MAX = "above_max"
    TOO_SMALL = "too_small"


class TooLarge(Exception):  # noqa: N818 - a fact
    """The result has more digits before its point than an amount may have."""


class Rate(NamedTuple):
    """One line of a board, per `unit` of the foreign currency, in the base currency."""

    currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None


class Leg(NamedTuple):
    """One foreign currency that changes hands."""

    rate: Rate
    side: Side

    @property
    def number(self) -> Decimal:
        """What the board says, per unit."""
        return (self.rate.we_buy if self.side is Side.WE_BUY else self.rate.we_sell) or Decimal()

    @property
    def price(self) -> tuple[int, int]:
        """Of one of the foreign currency, in the base currency: numerator and denominator."""
        numerator, denominator = self.number.as_integer_ratio()
        return numerator, denominator * self.rate.unit


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """A conversion: exactly one of the two amounts is given."""

    source: str
    target: str
    from_amount: Decimal | None = None
    to_amount: Decimal | None = None


class Outcome(NamedTuple):
    """The outcome of a conversion; the computed amount is None where a reason is against it."""

    from_amount: Decimal | None
    to_amount: Decimal | None
    reason: Reason | None
    effective_rate: Decimal | None
    """`to` per `from`, before rounding; None for what is not offered."""
    legs: tuple[Leg, ...]
    mode: Mode
    increment: Decimal


def convert(base: str, rates: Mapping[str, Rate], conversion: ConversionRequest) -> Outcome:
    """Do the conversion by the board's rates; raises `TooLarge`.

    Rationals are pairs of whole numbers here: `Fraction` reduces them after each step, which
    takes longer than all the rest.
    """
    legs = _legs(base, rates, conversion)
    if legs is None:
        return not_offered(conversion)
    mode, increment = _rounding(conversion)
    top, bottom = _factor(legs)
    if conversion.to_amount is None:
        given = conversion.from_amount or Decimal()
        number, parts = given.as_integer_ratio()
        amounts = given, _rounded(number * top, parts * bottom, increment, mode)
    else:
        number, parts = conversion.to_amount.as_integer_ratio()
        amounts = _rounded(number * bottom, parts * top, increment, mode), conversion.to_amount
    reason = _reason_against(legs, conversion, *amounts)
    shown = amounts if reason is None else (conversion.from_amount, conversion.to_amount)
    return Outcome(*shown, reason, _significant(top, bottom), legs, mode, increment)


def not_offered(conversion: ConversionRequest) -> Outcome:
    """The outcome where the board does not offer the conversion."""
    amounts = (conversion.from_amount, conversion.to_amount)
    return Outcome(*amounts, Reason.NOT_OFFERED, None, (), *_rounding(conversion))


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of the currency, by ISO 4217: `0.01` of most."""
    return Decimal(1).scaleb(-currencies()[currency].minor_units)


def _rounding(conversion: ConversionRequest) -> tuple[Mode, Decimal]:
    """Which way the amount that is computed is rounded, and to a multiple of what."""
    if conversion.to_amount is None:
        return Mode.DOWN, smallest_unit(conversion.target)
    return Mode.UP, smallest_unit(conversion.source)


def _legs(
    base: str, rates: Mapping[str, Rate], conversion: ConversionRequest
) -> tuple[Leg, ...] | None:
    """The board's lines that the conversion goes by; None where one is missing."""
    if conversion.source == conversion.target:
        return ()
    sides = ((conversion.source, Side.WE_BUY), (conversion.target, Side.WE_SELL))
    legs = []
    for currency, side in sides:
        if currency == base:
            continue
        rate = rates.get(currency)
        if rate is None or getattr(rate, side) is None:
            return None
        legs.append(Leg(rate, side))
    return tuple(legs)


def _factor(legs: tuple[Leg, ...]) -> tuple[int, int]:
    """`to` per `from`: numerator and denominator."""
    top = bottom = 1
    for leg in legs:
        numerator, denominator = leg.price
        if leg.side is Side.WE_SELL:
            numerator, denominator = denominator, numerator
        top, bottom = top * numerator, bottom * denominator
    return top, bottom


def _significant(top: int, bottom: int) -> Decimal:
    """The quotient to ten significant digits, half-even, trailing zeros among them."""
    quotient = _SIGNIFICANT.divide(Decimal(top), Decimal(bottom))
    return quotient.quantize(
        Decimal(1).scaleb(quotient.adjusted() - SIGNIFICANT_DIGITS + 1), context=_SIGNIFICANT
    )


def _rounded(top: int, bottom: int, increment: Decimal, mode: Mode) -> Decimal:
    """The quotient to a multiple of `increment`, one over a power of ten."""
    top *= increment.as_integer_ratio()[1]
    steps = top // bottom if mode is Mode.DOWN else -(-top // bottom)
    if steps * increment >= _FIRST_TOO_LARGE:
        raise TooLarge
    return steps * increment


def _reason_against(
    legs: tuple[Leg, ...], conversion: ConversionRequest, from_amount: Decimal, to_amount: Decimal
) -> Reason | None:
    amounts = {conversion.source: from_amount, conversion.target: to_amount}
    limits = [(amounts[leg.rate.currency], leg.rate) for leg in legs]
    if any(rate.min_amount is not None and amount < rate.min_amount for amount, rate in limits):
        return Reason.BELOW_MIN
    if any(rate.max_amount is not None and amount > rate.max_amount for amount, rate in limits):
        return Reason.ABOVE_MAX
    return None if to_amount else Reason.TOO_SMALL
