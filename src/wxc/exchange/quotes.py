"""What a board makes of an amount: exact rationals, and one rounding at the end.

Nothing here reads or writes anything; a browser computes the same from the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from fractions import Fraction

from wxc.core.currencies import currencies
from wxc.core.decimals import DIGITS_BEFORE_POINT

SIGNIFICANT_DIGITS = 10
_SIGNIFICANT = Context(prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN)
_FIRST_TOO_LARGE = 10**DIGITS_BEFORE_POINT


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


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a board, per `unit` of the foreign currency, in the base currency."""

    currency: str
    unit: int
    we_buy: Decimal | None
    we_sell: Decimal | None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One foreign currency that changes hands."""

    rate: Rate
    side: Side

    @property
    def number(self) -> Decimal:
        """What the board says, per unit."""
        return (self.rate.we_buy if self.side is Side.WE_BUY else self.rate.we_sell) or Decimal()

    @property
    def price(self) -> Fraction:
        """Of one of the foreign currency, in the base currency."""
        return Fraction(self.number) / self.rate.unit


@dataclass(frozen=True, slots=True)
class Wish:
    """A conversion that somebody wants: exactly one of the two amounts is given."""

    source: str
    target: str
    from_amount: Decimal | None = None
    to_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a wish; the computed amount is None where there is a reason against it."""

    from_amount: Decimal | None
    to_amount: Decimal | None
    reason: Reason | None
    effective_rate: Decimal | None
    """`to` per `from`, before rounding; None for what is not offered."""
    legs: tuple[Leg, ...]
    mode: Mode
    increment: Decimal


def convert(base: str, rates: Mapping[str, Rate], wish: Wish) -> Outcome:
    """Do the conversion by the board's rates; raises `TooLarge`."""
    legs = _legs(base, rates, wish)
    nothing = not_offered(wish)
    if legs is None:
        return nothing
    factor = _factor(legs)
    done = replace(nothing, reason=None, legs=legs, effective_rate=significant(factor))
    if wish.to_amount is None:
        exact = Fraction(wish.from_amount or 0) * factor
        done = replace(done, to_amount=_rounded(exact, done.increment, done.mode))
    else:
        exact = Fraction(wish.to_amount) / factor
        done = replace(done, from_amount=_rounded(exact, done.increment, done.mode))
    reason = _reason_against(done, wish)
    if reason is None:
        return done
    return replace(done, reason=reason, from_amount=wish.from_amount, to_amount=wish.to_amount)


def not_offered(wish: Wish) -> Outcome:
    """What comes of a wish where the board has nothing to say about it."""
    mode = Mode.DOWN if wish.to_amount is None else Mode.UP
    increment = smallest_unit(wish.target if mode is Mode.DOWN else wish.source)
    amounts = (wish.from_amount, wish.to_amount)
    return Outcome(*amounts, Reason.NOT_OFFERED, None, (), mode, increment)


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount of the currency, by ISO 4217: `0.01` of most."""
    return Decimal(1).scaleb(-currencies()[currency].minor_units)


def significant(number: Fraction) -> Decimal:
    """The number to ten significant digits, half-even, trailing zeros among them."""
    quotient = _SIGNIFICANT.divide(Decimal(number.numerator), Decimal(number.denominator))
    return quotient.quantize(
        Decimal(1).scaleb(quotient.adjusted() - SIGNIFICANT_DIGITS + 1), context=_SIGNIFICANT
    )


def _legs(base: str, rates: Mapping[str, Rate], wish: Wish) -> tuple[Leg, ...] | None:
    """The board's lines that the conversion goes by; None where one is missing."""
    if wish.source == wish.target:
        return ()
    wanted = ((wish.source, Side.WE_BUY), (wish.target, Side.WE_SELL))
    legs = []
    for currency, side in wanted:
        if currency == base:
            continue
        rate = rates.get(currency)
        if rate is None or getattr(rate, side) is None:
            return None
        legs.append(Leg(rate, side))
    return tuple(legs)


def _factor(legs: tuple[Leg, ...]) -> Fraction:
    factor = Fraction(1)
    for leg in legs:
        factor = factor * leg.price if leg.side is Side.WE_BUY else factor / leg.price
    return factor


def _rounded(number: Fraction, increment: Decimal, mode: Mode) -> Decimal:
    steps = number / Fraction(increment)
    whole = steps.__floor__() if mode is Mode.DOWN else steps.__ceil__()
    if whole * Fraction(increment) >= _FIRST_TOO_LARGE:
        raise TooLarge
    return whole * increment


def _reason_against(done: Outcome, wish: Wish) -> Reason | None:
    amounts = {wish.source: done.from_amount, wish.target: done.to_amount}
    limits = [(amounts[leg.rate.currency] or Decimal(), leg.rate) for leg in done.legs]
    if any(rate.min_amount is not None and amount < rate.min_amount for amount, rate in limits):
        return Reason.BELOW_MIN
    if any(rate.max_amount is not None and amount > rate.max_amount for amount, rate in limits):
        return Reason.ABOVE_MAX
    if not done.to_amount:
        return Reason.TOO_SMALL
    return None
