"""A board to begin tests with, and the clock to let it age."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from wxc.core import clock

BOARD: dict[str, Any] = {
    "name": "Tan Exchange",
    "base_currency": "SGD",
    "rates": [
        {"currency": "JPY", "unit": 100, "we_buy": "0.8950", "we_sell": "0.9134"},
        {"currency": "USD", "unit": 1, "we_buy": "1.3350"},
    ],
}


def board(*rates: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The board with these rates, or its own, and with these fields."""
    return BOARD | ({"rates": list(rates)} if rates else {}) | fields


def yen(buy: str | None, sell: str | None = None, **fields: Any) -> dict[str, Any]:
    """A line for yen."""
    return {"currency": "JPY", "unit": 100, "we_buy": buy, "we_sell": sell, **fields}


class Time:
    """Now, which a test moves on."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = datetime.now().astimezone(clock.now().tzinfo)
        patch.setattr(clock, "now", lambda: self.now)

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)
