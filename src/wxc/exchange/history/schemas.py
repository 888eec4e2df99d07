"""Changes of rates, as the history and the stream return them."""

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
    """One line of the board has changed; both sides null: it was taken off."""

    # Docstrings of fields are not inherited, and `RateChange` has the same ones.
    seq: Annotated[
        int, Field(description="Counts the changes of all lines of the board, without a gap.")
    ]
    hash: Annotated[str, Field(description="SHA-256 over this change and the hash before it.")]
    at: Annotated[TimeText, Field(description="When it was changed.")]
    base_currency: Annotated[str, Field(description="What the changer paid and charged in then.")]
    unit: Annotated[int, Field(description="For how much of the foreign currency the rates are.")]
    we_buy: Annotated[
        DecimalString | None,
        Field(description="What the changer paid; null where it did not buy."),
    ]
    we_sell: Annotated[
        DecimalString | None, Field(description="What it charged; null where it did not sell.")
    ]
    min_amount: Annotated[DecimalString | None, Field(description="In the foreign currency.")]
    max_amount: Annotated[DecimalString | None, Field(description="In the foreign currency.")]


@answer(_CHANGE | {"currency": "JPY"})
class RateChange(RateEvent):
    """One line of the board has changed, which confirms the whole board at that time."""

    currency: str
    """The foreign currency."""


@answer({"open": "0.8930", "high": "0.8950", "low": "0.8910", "close": "0.8950"})
class Candle(TypedDict):
    """How one side moved within an hour or a day."""

    open: DecimalString
    """The first."""
    high: DecimalString
    """The highest."""
    low: DecimalString
    """The lowest."""
    close: DecimalString
    """The last."""


@answer({"base_currency": "SGD", "unit": 100})
class RateBucket(TypedDict):
    """The changes of one UTC hour or day, for one base and unit; null for a side without any."""

    start: TimeText
    """When the hour or the day begins."""
    base_currency: str
    """What the changer paid and charged in then."""
    unit: int
    """For how much of the foreign currency the rates are."""
    we_buy: Candle | None
    """How what it paid moved."""
    we_sell: Candle | None
    """How what it charged moved."""


@answer(PAGE_EXAMPLE)
class RateHistoryPage(TypedDict):
    """One page of changes, or of hours or days with changes."""

    items: Items[RateEvent | RateBucket]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
