from typing_extensions import TypedDict

from wxc.core.decimals import DecimalString
from wxc.exchange.boards.schemas.places import OpeningHours
from wxc.http.answers import TimeText, answer


@answer(
    {
        "name": "Tan Exchange",
        "base_currency": "SGD",
        "address": "7 Wallich Street, Singapore",
        "lat": 1.2764,
        "lon": 103.8458,
        "time_zone": "Asia/Singapore",
        "valid_for_hours": 24,
    }
)
class ExportedExchange(TypedDict):
    """Your exchange. The current rate of a currency is its latest entry in `rate_events`."""

    name: str
    """The name of the exchange."""
    base_currency: str
    """The base currency of all rates."""
    description: str | None
    """Information for customers."""
    address: str | None
    """The postal address or a description of the location."""
    lat: float | None
    """Latitude in degrees (WGS 84)."""
    lon: float | None
    """Longitude in degrees (WGS 84)."""
    time_zone: str | None
    """The name of the time zone in the IANA database."""
    opening_hours: list[OpeningHours]
    """In local time."""
    valid_for_hours: int
    """How long the rates are valid after a confirmation."""
    created_at: TimeText
    updated_at: TimeText
    """When the exchange was last replaced; confirmations do not change it."""


@answer(
    {
        "seq": 41,
        "currency": "JPY",
        "base_currency": "SGD",
        "unit": 100,
        "we_buy": "0.8950",
        "we_sell": "0.9134",
    }
)
class ExportedRateEvent(TypedDict):
    """A change of one of your rates; `we_buy` and `we_sell` are null if it was removed."""

    seq: int
    """The number of the change, without gaps: 1, 2, 3 …"""
    at: TimeText
    """When the rate was changed."""
    currency: str
    """The foreign currency."""
    base_currency: str
    """The base currency at that time."""
    unit: int
    """The amount of the foreign currency that the rates refer to."""
    we_buy: DecimalString | None
    """The price you paid per `unit`; null if you did not buy."""
    we_sell: DecimalString | None
    """The price you charged per `unit`; null if you did not sell."""
    min_amount: DecimalString | None
    """The lower limit, in the foreign currency; null if there was none."""
    max_amount: DecimalString | None
    """The upper limit, in the foreign currency; null if there was none."""


@answer({"base_currency": "SGD", "valid_for_hours": 24})
class ExportedConfirmation(TypedDict):
    """A confirmation, or a replacement, of all your rates."""

    at: TimeText
    """When you confirmed or replaced the rates."""
    base_currency: str
    """The base currency at that time."""
    valid_for_hours: int
    """How long the rates were valid after that."""
