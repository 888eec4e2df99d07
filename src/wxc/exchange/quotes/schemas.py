from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from wxc.core.decimals import DecimalString, RatioString
from wxc.exchange.domain.freshness import State
from wxc.exchange.domain.quotes import Mode, Reason, Side
from wxc.http.answers import TimeText, answer


@answer({"currency": "JPY", "side": "we_sell", "rate": "0.9134", "unit": 100})
class QuoteLeg(TypedDict):
    """A conversion between the base currency and one foreign currency."""

    currency: str
    """ISO 4217 code of the foreign currency."""
    side: Side
    """`we_buy` if the customer pays this currency, `we_sell` if the customer receives it."""
    rate: DecimalString
    """Rate in the base currency, per `unit`."""
    unit: int
    """Amount of the foreign currency that the rate applies to."""
    confirmed_at: TimeText
    """When the rate was last confirmed."""


@answer({"mode": "down", "increment": "1"})
class Rounding(TypedDict):
    """How the computed amount is rounded, once, at the end."""

    mode: Mode
    """`down` if the customer receives the amount, `up` if the customer pays it."""
    increment: DecimalString
    """The computed amount is a multiple of this: the smallest unit of its currency."""


_Currencies = TypedDict(  # `from` is a Python keyword
    "_Currencies",
    {
        "from": Annotated[str, Field(description="Currency that the customer pays.")],
        "to": Annotated[str, Field(description="Currency that the customer receives.")],
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
    """The result of a conversion, with everything needed to recompute it."""

    from_amount: DecimalString | None
    """Amount that the customer pays; null if it cannot be computed."""
    to_amount: DecimalString | None
    """Amount that the customer receives; null if it cannot be computed."""
    feasible: bool
    """Whether the exchange can do the conversion."""
    reason: Reason | None
    """Why the conversion is not possible; null if it is."""
    effective_rate: RatioString | None
    """`to` per `from` before rounding, to ten significant digits; null if not offered."""
    legs: list[QuoteLeg]
    """One leg per foreign currency; empty if not offered or if the currencies are equal."""
    rounding: Rounding
    """How the computed amount is rounded."""
    as_of: TimeText
    """Time at which the rates applied."""
    state: State
    """State of the rates at that time; see `Rate.state`."""
