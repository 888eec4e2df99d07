"""Quotes."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from wxc.core.decimals import DecimalString, RatioString
from wxc.exchange.domain.freshness import State
from wxc.exchange.domain.quotes import Mode, Reason, Side
from wxc.http.answers import TimeText, answer


@answer({"currency": "JPY", "side": "we_sell", "rate": "0.9134", "unit": 100})
class QuoteLeg(TypedDict):
    """One foreign currency that changes hands, by one side of its line."""

    currency: str
    """The foreign currency."""
    side: Side
    """`we_buy` where the changer takes it, `we_sell` where it gives it."""
    rate: DecimalString
    """In the base currency, per `unit`."""
    unit: int
    """For how much of the foreign currency the rate is."""
    confirmed_at: TimeText
    """When the changer last said that it holds."""


@answer({"mode": "down", "increment": "1"})
class Rounding(TypedDict):
    """The one rounding, at the end: `down` what is received, `up` what is paid."""

    mode: Mode
    """`down` what is received, `up` what is paid."""
    increment: DecimalString
    """The smallest step of the currency of the computed amount."""


_Currencies = TypedDict(  # `from` is a Python keyword
    "_Currencies",
    {
        "from": Annotated[str, Field(description="The currency that the customer pays.")],
        "to": Annotated[str, Field(description="The currency that the customer receives.")],
    },
)


@answer(
    {
        "from": "SGD",
        "to": "JPY",
        "from_amount": "500",
        "to_amount": "54740",
        "feasible": True,
        "effective_rate": "109.4810598",
        "state": "fresh",
    }
)
class Quote(_Currencies):
    """What a conversion comes to, and all that is needed to compute it anew."""

    from_amount: DecimalString | None
    """What the customer pays; null where it was to be computed and cannot."""
    to_amount: DecimalString | None
    """What the customer receives; likewise."""
    feasible: bool
    """Whether this changer does it at all."""
    reason: Reason | None
    """Why it cannot be done."""
    effective_rate: RatioString | None
    """`to` per `from` before rounding, to ten significant digits."""
    legs: list[QuoteLeg]
    """What changes hands beside the base currency: one, two for a cross, none for the same."""
    rounding: Rounding
    """How the computed amount was rounded."""
    as_of: TimeText
    """The moment whose rates these are."""
    state: State
    """That of the board at that moment, as with `Rate.state`."""
