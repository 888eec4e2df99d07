"""The exported exchange and its history."""

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
    """Your exchange, without its rates, which are the last of their events."""

    name: str
    """What is above the door."""
    base_currency: str
    """What you pay and charge in."""
    description: str | None
    """What customers should know."""
    address: str | None
    """In words."""
    lat: float | None
    """Degrees north of the equator."""
    lon: float | None
    """Degrees east of Greenwich."""
    time_zone: str | None
    """By its name in the IANA database."""
    opening_hours: list[OpeningHours]
    """By the clock there."""
    valid_for_hours: int
    """How long the rates hold once confirmed."""
    created_at: TimeText
    updated_at: TimeText
    """When all of it was last put in place; confirming changes only the rates."""


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
    """A line of your board has changed; both sides null: it was taken off."""

    seq: int
    """Counts the changes of all lines of the board, without a gap."""
    at: TimeText
    """When it was changed."""
    currency: str
    """The foreign currency."""
    base_currency: str
    """What you paid and charged in then."""
    unit: int
    """For how much of the foreign currency the rates are."""
    we_buy: DecimalString | None
    """What you paid."""
    we_sell: DecimalString | None
    """What you charged."""
    min_amount: DecimalString | None
    """In the foreign currency."""
    max_amount: DecimalString | None
    """In the foreign currency."""


@answer({"base_currency": "SGD", "valid_for_hours": 24})
class ExportedConfirmation(TypedDict):
    """You have said that your board holds."""

    at: TimeText
    """When you said so."""
    base_currency: str
    """What you paid and charged in then."""
    valid_for_hours: int
    """For how long it held."""
