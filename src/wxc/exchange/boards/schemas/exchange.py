"""Boards as clients read them."""

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
    """One line of the board, in the base currency per `unit` of the foreign one."""

    currency: str
    """The foreign currency."""
    unit: int
    """For how much of it the rates are."""
    we_buy: DecimalString | None
    """What the changer pays; null where it does not buy."""
    we_sell: DecimalString | None
    """What the changer charges; null where it does not sell."""
    min_amount: DecimalString | None
    """In the foreign currency; null where there is no lower limit."""
    max_amount: DecimalString | None
    """In the foreign currency; null where there is no upper limit."""
    confirmed_at: TimeText
    """When the changer last said that it holds."""
    state: State
    """How long ago that was, by `valid_for_hours`: after half of it a rate is aging, after all of
    it stale, after three times expired."""


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
    """A member's board of rates, and where and when one finds it."""

    id: IdText
    owner: UserSummary
    """Whose it is."""
    name: str
    """What is above the door."""
    base_currency: str
    """What the changer pays and charges in."""
    description: str | None
    """What customers should know."""
    address: str | None
    """In words."""
    location: Location | None
    """On earth; null where the changer does not say."""
    time_zone: str | None
    """By its name in the IANA database."""
    opening_hours: list[OpeningHours]
    """By the clock there."""
    open_now: bool | None
    """Null without hours or time zone."""
    valid_for_hours: int
    """How long the rates hold once confirmed."""
    rates: list[Rate]
    """By currency."""
    updated_at: TimeText
    """When all of it was last put in place; confirming changes only the rates."""
