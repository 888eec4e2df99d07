"""The list of currencies."""

from typing_extensions import TypedDict

from wxc.http.answers import answer
from wxc.http.pages import Items, NextCursor, PrevCursor


@answer({"code": "JPY", "name": "Japanese Yen", "minor_units": 0, "symbol": "¥"})
class CurrencySummary(TypedDict):
    """A circulating currency, by ISO 4217."""

    code: str
    """By ISO 4217, in capital letters."""
    name: str
    """In English."""
    minor_units: int
    """How many decimals its amounts have."""
    symbol: str
    """As people who use it write it; the code where there is none."""


@answer({})
class CurrencyPage(TypedDict):
    """All of them, by code; the cursors are always null."""

    items: Items[CurrencySummary]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
