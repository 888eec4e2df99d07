from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from wxc.core.decimals import DecimalString
from wxc.http.answers import TimeText, answer
from wxc.http.pages import PAGE_EXAMPLE, Items, NextCursor, PrevCursor

_CHANGE: dict[str, Any] = {
    "seq": 41,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "base_currency": "SGD",
    "unit": 100,
    "we_buy": "0.8950",
    "we_sell": "0.9134",
    "min_amount": "1000",
    "max_amount": "1000000",
}


@answer(_CHANGE)
class RateEvent(TypedDict):
    """A change of one rate; `we_buy` and `we_sell` are null if the rate was removed."""

    # Docstrings of fields are not inherited, and `RateChange` has the same ones.
    seq: Annotated[int, Field(description="Counts the changes of the exchange, without gaps.")]
    hash: Annotated[str, Field(description="SHA-256 of this change and the previous hash.")]
    at: Annotated[TimeText, Field(description="Time of the change.")]
    base_currency: Annotated[str, Field(description="Base currency at that time.")]
    unit: Annotated[int, Field(description="Amount of the foreign currency that rates apply to.")]
    we_buy: Annotated[DecimalString | None, Field(description="Buying price; null if none.")]
    we_sell: Annotated[DecimalString | None, Field(description="Selling price; null if none.")]
    min_amount: Annotated[DecimalString | None, Field(description="In the foreign currency.")]
    max_amount: Annotated[DecimalString | None, Field(description="In the foreign currency.")]


@answer(_CHANGE | {"currency": "JPY"})
class RateChange(RateEvent):
    """A change of one rate, which also confirms all other rates at that time."""

    currency: str
    """ISO 4217 code of the foreign currency."""


@answer({"open": "0.8930", "high": "0.8950", "low": "0.8910", "close": "0.8950"})
class Candle(TypedDict):
    """The buying or the selling prices within an hour or a day."""

    open: DecimalString
    """First value."""
    high: DecimalString
    """Highest value."""
    low: DecimalString
    """Lowest value."""
    close: DecimalString
    """Last value."""


@answer({"base_currency": "SGD", "unit": 100})
class RateBucket(TypedDict):
    """The changes of one UTC hour or day, for one base currency and unit."""

    start: TimeText
    """Start of the hour or day."""
    base_currency: str
    """Base currency at that time."""
    unit: int
    """Amount of the foreign currency that the rates apply to."""
    we_buy: Candle | None
    """Buying prices; null if there are none."""
    we_sell: Candle | None
    """Selling prices; null if there are none."""


@answer(PAGE_EXAMPLE)
class RateHistoryPage(TypedDict):
    """A page of changes, or of hours or days with changes."""

    items: Items[RateEvent | RateBucket]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
