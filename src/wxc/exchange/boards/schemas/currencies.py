from typing_extensions import TypedDict

from wxc.http.answers import answer
from wxc.http.pages import Items, NextCursor, PrevCursor


@answer({"code": "JPY", "name": "Japanese Yen", "minor_units": 0, "symbol": "¥"})
class CurrencySummary(TypedDict):
    """A currency in circulation (ISO 4217)."""

    code: str
    """ISO 4217 code, in capital letters."""
    name: str
    """English name."""
    minor_units: int
    """Number of decimals of an amount."""
    symbol: str
    """Narrow symbol, such as `zł` or `$`; the code if there is none."""


@answer({})
class CurrencyPage(TypedDict):
    """All currencies, ordered by code; the cursors are always null."""

    items: Items[CurrencySummary]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
