from typing_extensions import TypedDict

from wxc.core.decimals import DecimalString
from wxc.exchange.boards.schemas.places import Location, OpeningHours
from wxc.exchange.domain.freshness import State
from wxc.http.answers import IdText, TimeText, answer
from wxc.social.users.schemas import UserSummary


@answer(
    {
        "currency": "JPY",
        "unit": 100,
        "we_buy": "0.8950",
        "we_sell": "0.9134",
        "min_amount": "1000",
        "max_amount": "1000000",
        "state": "fresh",
    }
)
class Rate(TypedDict):
    """The rate of a foreign currency: prices in the base currency, per `unit`."""

    currency: str
    """ISO 4217 code of the foreign currency."""
    unit: int
    """Amount of the foreign currency that the rates apply to."""
    we_buy: DecimalString | None
    """Price at which the exchange buys; null if it does not buy this currency."""
    we_sell: DecimalString | None
    """Price at which the exchange sells; null if it does not sell this currency."""
    min_amount: DecimalString | None
    """Smallest amount, in the foreign currency; null for no lower limit."""
    max_amount: DecimalString | None
    """Largest amount, in the foreign currency; null for no upper limit."""
    confirmed_at: TimeText
    """When the rate was last confirmed."""
    state: State
    """Age of the confirmation in proportion to `valid_for_hours`: `fresh` below 50 %, `aging` below
    100 %, `stale` below 300 %, then `expired`."""


@answer(
    {
        "owner": {
            "id": "0198c29f-4a10-7b86-b3c5-9e2d7f6a1c04",
            "username": "tan_exchange",
            "display_name": "Tan Exchange",
            "avatar_url": "https://images.example.com/tan.png",
        },
        "name": "Tan Exchange",
        "base_currency": "SGD",
        "description": "No commission. Ask for large amounts.",
        "address": "7 Wallich Street, Singapore",
        "time_zone": "Asia/Singapore",
        "open_now": True,
        "valid_for_hours": 24,
    }
)
class Exchange(TypedDict):
    """A user's exchange: rates, location and opening hours."""

    id: IdText
    owner: UserSummary
    """User who runs the exchange."""
    name: str
    """Name of the exchange."""
    base_currency: str
    """ISO 4217 code of the currency of all prices."""
    description: str | None
    """Information for customers."""
    address: str | None
    """Street address."""
    location: Location | None
    """Coordinates; null if unknown."""
    time_zone: str | None
    """IANA name of the time zone of the opening hours."""
    opening_hours: list[OpeningHours]
    """Opening hours in local time."""
    open_now: bool | None
    """Whether the exchange is open now; null without opening hours or time zone."""
    valid_for_hours: int
    """Validity of a confirmation, in hours."""
    rates: list[Rate]
    """Ordered by currency."""
    updated_at: TimeText
    """When the exchange was last replaced; a confirmation does not change it."""
