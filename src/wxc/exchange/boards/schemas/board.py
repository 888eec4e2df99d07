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
    if type(value) is not int:  # pydantic also accepts true and 1.0 as 1
        raise PydanticCustomError("int_type", "Must be a whole number.")
    return value


Unit = Annotated[Literal[1, 10, 100, 1000, 10_000], BeforeValidator(_require_integer)]


class BoardRate(Input):
    """The rate of a foreign currency: prices in the base currency, per `unit`."""

    currency: CurrencyCode
    """ISO 4217 code of the foreign currency; not the base currency, and not in another rate."""
    unit: Unit = 1
    """Amount of the foreign currency that the rates apply to, for example 100 for yen."""
    we_buy: PositiveDecimalText | None = None
    """Price at which you buy; null if you do not buy this currency."""
    we_sell: PositiveDecimalText | None = None
    """Price at which you sell, at least `we_buy`; null if you do not sell this currency."""
    min_amount: DecimalText | None = None
    """Smallest amount, in the foreign currency; null for no lower limit."""
    max_amount: DecimalText | None = None
    """Largest amount, in the foreign currency; null for no upper limit."""

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.we_buy is None and self.we_sell is None:
            raise PydanticCustomError("rate_empty", "Enter a buying rate, a selling rate, or both.")
        if _exceeds(self.we_buy, self.we_sell):
            message = "The buying rate must not be higher than the selling rate."
            raise PydanticCustomError("rate_crossed", message)
        if _exceeds(self.min_amount, self.max_amount):
            message = "The minimum amount must not be higher than the maximum amount."
            raise PydanticCustomError("limits_crossed", message)
        return self


class Board(Input):
    """All fields of your exchange; omitted fields are reset to their defaults."""

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
    """Name of the exchange, in one line."""
    base_currency: CurrencyCode
    """ISO 4217 code of the currency of all prices, usually the local one."""
    description: Annotated[str, Text(1000)] | None = None
    """Information for customers."""
    address: Annotated[str, Text(200)] | None = None
    """Street address."""
    location: Location | None = None
    """Coordinates; searches near a place find only exchanges that have them."""
    time_zone: TimeZone | None = None
    """IANA name of the time zone of the opening hours."""
    opening_hours: list[OpeningHours] = Field(default=[], max_length=MAX_OPENING_HOURS)
    """Several periods per day are allowed, for example around a lunch break."""
    valid_for_hours: Annotated[int, Field(strict=True, ge=1, le=MAX_VALID_FOR_HOURS)] = 24
    """Validity of a confirmation, in hours; rates are hidden after three times as long."""
    rates: Annotated[list[BoardRate], Field(max_length=MAX_RATES)]
    """At most one rate per currency."""

    @field_validator("rates")
    @classmethod
    def _check_currencies(cls, rates: list[BoardRate], info: ValidationInfo) -> list[BoardRate]:
        codes = [rate.currency for rate in rates]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("currency_repeated", "Each currency can be listed only once.")
        if info.data.get("base_currency") in codes:
            raise PydanticCustomError("currency_is_base", "The base currency cannot have a rate.")
        return rates


def _exceeds(lower: Decimal | None, upper: Decimal | None) -> bool:
    return lower is not None and upper is not None and lower > upper
