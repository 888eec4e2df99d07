"""The board that its owner sends."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from wxc.core.currencies import CurrencyCode
from wxc.core.decimals import DecimalText, PositiveDecimalText
from wxc.core.text import Text
from wxc.exchange.boards.schemas.places import Location, OpeningHours, TimeZone
from wxc.http.openapi.examples import example
from wxc.http.schemas import Input

MAX_RATES = 60
MAX_OPENING_HOURS = 28
MAX_VALID_FOR_HOURS = 168


def _require_integer(value: object) -> object:
    """pydantic itself also accepts true and 1.0 as 1."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "The value must be a whole number.")
    return value


Unit = Annotated[Literal[1, 10, 100, 1000, 10_000], BeforeValidator(_require_integer)]


class BoardRate(Input):
    """One line of the board, in the base currency per `unit` of the foreign one."""

    currency: CurrencyCode
    """The foreign currency; each only once, and not the base."""
    unit: Unit = 1
    """For how much of it the rates are, as on the board: yen are usual per 100."""
    we_buy: PositiveDecimalText | None = None
    """What you pay; null where you do not buy."""
    we_sell: PositiveDecimalText | None = None
    """What you charge, not less than `we_buy`; null where you do not sell."""
    min_amount: DecimalText | None = None
    """In the foreign currency; null where there is no lower limit."""
    max_amount: DecimalText | None = None
    """In the foreign currency; null where there is no upper limit."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.we_buy is None and self.we_sell is None:
            raise PydanticCustomError("rate_empty", "A rate needs we_buy, we_sell, or both.")
        if _exceeds(self.we_buy, self.we_sell):
            raise PydanticCustomError("rate_crossed", "we_buy must not be above we_sell.")
        if _exceeds(self.min_amount, self.max_amount):
            raise PydanticCustomError("limits_crossed", "min_amount must not be above max_amount.")
        return self


class Board(Input):
    """All of the board: what is absent is taken away."""

    model_config = example(
        {
            "name": "Tan Exchange",
            "base_currency": "SGD",
            "description": "No commission. Ask for large amounts.",
            "address": "7 Wallich Street, Singapore",
            "location": {"lat": 1.2764, "lon": 103.8458},
            "time_zone": "Asia/Singapore",
            "opening_hours": [{"weekday": 1, "opens": "09:00", "closes": "18:30"}],
            "valid_for_hours": 24,
            "rates": [
                {
                    "currency": "JPY",
                    "unit": 100,
                    "we_buy": "0.8950",
                    "we_sell": "0.9134",
                    "min_amount": "1000",
                    "max_amount": "1000000",
                }
            ],
        }
    )

    name: Annotated[str, Text(80, one_line=True)]
    """What is above the door."""
    base_currency: CurrencyCode
    """What the changer pays and charges in: that of the country, as a rule."""
    description: Annotated[str, Text(1000)] | None = None
    """What customers should know."""
    address: Annotated[str, Text(200)] | None = None
    """As one would tell it to a taxi driver."""
    location: Location | None = None
    """Where searches look for it; without one only searches by conversion find it."""
    time_zone: TimeZone | None = None
    """By its name in the IANA database; the opening hours are those of a clock there."""
    opening_hours: list[OpeningHours] = Field(default=[], max_length=MAX_OPENING_HOURS)
    """Several a day, for a break at noon; none where nothing is said of them."""
    valid_for_hours: Annotated[int, Field(strict=True, ge=1, le=MAX_VALID_FOR_HOURS)] = 24
    """How long the rates hold once confirmed; three times as long they are shown, as stale."""
    rates: Annotated[list[BoardRate], Field(max_length=MAX_RATES)]
    """The lines of the board."""

    @field_validator("rates")
    @classmethod
    def _check_currencies(cls, rates: list[BoardRate], info: ValidationInfo) -> list[BoardRate]:
        codes = [rate.currency for rate in rates]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("currency_repeated", "A currency may be there only once.")
        if info.data.get("base_currency") in codes:
            raise PydanticCustomError("currency_is_base", "No rate may be that of the base itself.")
        return rates


def _exceeds(lower: Decimal | None, upper: Decimal | None) -> bool:
    return lower is not None and upper is not None and lower > upper
