"""What exchanges look like to a client."""

from pydantic import BaseModel, ConfigDict

from wxc.core.pagination import Page


class CurrencySummary(BaseModel):
    """A circulating currency, by ISO 4217."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    code: str
    name: str
    minor_units: int
    """How many decimals its amounts have."""
    symbol: str


class CurrencyPage(Page[CurrencySummary]):
    """All of them, by code; the cursors are always null."""
