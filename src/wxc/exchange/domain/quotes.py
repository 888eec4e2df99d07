"""Conversions by the rates of a board: exact rational arithmetic, rounded once at the end.

Clients can recompute the result from the rates of the board.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import NamedTuple

from wxc.core.currencies import currencies
from wxc.core.decimals import MAX_INTEGER_DIGITS

SIGNIFICANT_DIGITS = 10
_TEN_DIGITS = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)
_AMOUNT_BOUND = 10**MAX_INTEGER_DIGITS


class Side(StrEnum):
    """The rate that a leg uses: the buying or the selling rate of the exchange."""

    WE_BUY = "we_buy"
    WE_SELL = "we_sell"


class Mode(StrEnum):
    """Direction of the rounding."""

    DOWN = "down"
    """For an amount that the customer receives."""
    UP = "up"
    """For an amount that the customer pays."""


class Reason(StrEnum):
    """Why a conversion is not possible."""

    NOT_OFFERED = "not_offered"
    BELOW_MIN = "below_min"
    ABOVE_MAX = "above_max"
    TOO_SMALL = "too_small"


class ResultTooLarge(Exception):  # noqa: N818 - an expected outcome
    """The result has more integer digits than an amount may have."""


class Rate(NamedTuple):
    """A rate line; its rates are in the base currency per `unit` of the foreign currency."""

    currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None


class Leg(NamedTuple):
    """A conversion between the base currency and one foreign currency."""

    rate: Rate
    side: Side

    @property
    def quoted_rate(self) -> Decimal:
        """The rate per `unit`, as shown on the board."""
        return (self.rate.we_buy if self.side is Side.WE_BUY else self.rate.we_sell) or Decimal()

    @property
    def unit_price(self) -> tuple[int, int]:
        """The price of 1 of the foreign currency in the base, as (numerator, denominator)."""
        numerator, denominator = self.quoted_rate.as_integer_ratio()
        return numerator, denominator * self.rate.unit


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """A conversion; exactly one of the two amounts is set."""

    source: str
    target: str
    from_amount: Decimal | None = None
    to_amount: Decimal | None = None


class ConversionResult(NamedTuple):
    """The computed amount is None if there is a `reason`."""

    from_amount: Decimal | None
    to_amount: Decimal | None
    reason: Reason | None
    effective_rate: Decimal | None
    """`to` per `from`, before rounding; None if the conversion is not offered."""
    legs: tuple[Leg, ...]
    mode: Mode
    increment: Decimal


def convert(
    base: str, rates: Mapping[str, Rate], conversion: ConversionRequest
) -> ConversionResult:
    """Raises `ResultTooLarge`.

    Rationals are pairs of integers: `Fraction` reduces them after each step, which takes longer
    than everything else.
    """
    legs = _legs(base, rates, conversion)
    if legs is None:
        return not_offered(conversion)
    mode, increment = _rounding(conversion)
    numerator, denominator = _factor(legs)
    if conversion.to_amount is None:
        given = conversion.from_amount or Decimal()
        top, bottom = given.as_integer_ratio()
        amounts = given, _round(top * numerator, bottom * denominator, increment, mode)
    else:
        given = conversion.to_amount
        top, bottom = given.as_integer_ratio()
        amounts = _round(top * denominator, bottom * numerator, increment, mode), given
    reason = _infeasibility(legs, conversion, *amounts)
    stated = amounts if reason is None else (conversion.from_amount, conversion.to_amount)
    effective_rate = _effective_rate(numerator, denominator)
    return ConversionResult(*stated, reason, effective_rate, legs, mode, increment)


def not_offered(conversion: ConversionRequest) -> ConversionResult:
    amounts = (conversion.from_amount, conversion.to_amount)
    return ConversionResult(*amounts, Reason.NOT_OFFERED, None, (), *_rounding(conversion))


def smallest_unit(currency: str) -> Decimal:
    """The ISO 4217 minor unit: `0.01` for most currencies."""
    return Decimal(1).scaleb(-currencies()[currency].minor_units)


def _rounding(conversion: ConversionRequest) -> tuple[Mode, Decimal]:
    """How the computed amount is rounded."""
    if conversion.to_amount is None:
        return Mode.DOWN, smallest_unit(conversion.target)
    return Mode.UP, smallest_unit(conversion.source)


def _legs(
    base: str, rates: Mapping[str, Rate], conversion: ConversionRequest
) -> tuple[Leg, ...] | None:
    """None if the board does not offer one of the legs."""
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
    """`to` per `from`, as (numerator, denominator)."""
    numerator = denominator = 1
    for leg in legs:
        top, bottom = leg.unit_price
        if leg.side is Side.WE_SELL:
            top, bottom = bottom, top
        numerator, denominator = numerator * top, denominator * bottom
    return numerator, denominator


def _effective_rate(numerator: int, denominator: int) -> Decimal:
    """The quotient to ten significant digits, half-even, with trailing zeros."""
    quotient = _TEN_DIGITS.divide(Decimal(numerator), Decimal(denominator))
    return quotient.quantize(
        Decimal(1).scaleb(quotient.adjusted() - SIGNIFICANT_DIGITS + 1), context=_TEN_DIGITS
    )


def _round(numerator: int, denominator: int, increment: Decimal, mode: Mode) -> Decimal:
    """Round the quotient to a multiple of `increment`, which is 1 or a negative power of ten.

    Raises `ResultTooLarge`.
    """
    numerator *= increment.as_integer_ratio()[1]
    steps = numerator // denominator if mode is Mode.DOWN else -(-numerator // denominator)
    if steps * increment >= _AMOUNT_BOUND:
        raise ResultTooLarge
    return steps * increment


def _infeasibility(
    legs: tuple[Leg, ...], conversion: ConversionRequest, from_amount: Decimal, to_amount: Decimal
) -> Reason | None:
    amounts = {conversion.source: from_amount, conversion.target: to_amount}
    limits = [(amounts[leg.rate.currency], leg.rate) for leg in legs]
    if any(rate.min_amount is not None and amount < rate.min_amount for amount, rate in limits):
        return Reason.BELOW_MIN
    if any(rate.max_amount is not None and amount > rate.max_amount for amount, rate in limits):
        return Reason.ABOVE_MAX
    return None if to_amount else Reason.TOO_SMALL
