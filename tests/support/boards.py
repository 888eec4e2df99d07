"""Request bodies of boards."""

from typing import Any

BOARD: dict[str, Any] = {
    "name": "Tan Exchange",
    "base_currency": "SGD",
    "rates": [
        {"currency": "JPY", "unit": 100, "we_buy": "0.8950", "we_sell": "0.9134"},
        {"currency": "USD", "unit": 1, "we_buy": "1.3350"},
    ],
}


def board(*rates: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The board with these fields, and these rates instead of its own if there are any."""
    return BOARD | ({"rates": list(rates)} if rates else {}) | fields


def yen(buy: str | None, sell: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"currency": "JPY", "unit": 100, "we_buy": buy, "we_sell": sell, **fields}
