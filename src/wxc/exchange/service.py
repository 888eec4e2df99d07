"""Boards of rates, and what they come to."""

from dataclasses import asdict

from wxc.core.currencies import currencies
from wxc.exchange.schemas import CurrencyPage, CurrencySummary


def list_currencies() -> CurrencyPage:
    """Every circulating currency."""
    return CurrencyPage(
        items=[CurrencySummary(**asdict(one)) for one in currencies().values()],
        next_cursor=None,
        prev_cursor=None,
    )
