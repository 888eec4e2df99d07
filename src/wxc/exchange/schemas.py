"""What exchanges look like to a client."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from wxc.core.currencies import CurrencyCode
from wxc.core.decimals import DecimalText, PositiveDecimalText, RatioText, WrittenDecimal
from wxc.core.pagination import Page
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.exchange.freshness import State
from wxc.exchange.hours import time_zones
from wxc.exchange.quotes import Mode, Reason, Side
from wxc.http.schemas import Input, Schema
from wxc.users.schemas import UserSummary

MOST_RATES = 60
MOST_HOURS = 28
LONGEST_VALIDITY = 168


def _known_zone(name: str) -> str:
    if name not in time_zones():
        raise PydanticCustomError("time_zone_unknown", "This is no time zone of IANA's.")
    return name


def _whole(value: object) -> object:
    """pydantic itself also takes true and 1.0 for 1."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "The value must be a whole number.")
    return value


Unit = Annotated[Literal[1, 10, 100, 1000, 10_000], BeforeValidator(_whole)]
TimeZone = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_+/-]*$", max_length=64, examples=["Asia/Singapore"]),
    AfterValidator(_known_zone),
]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]


class CurrencySummary(Schema):
    """A circulating currency, by ISO 4217."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"code": "JPY", "name": "Japanese Yen", "minor_units": 0, "symbol": "¥"}]
        }
    )

    code: str
    """By ISO 4217, in capital letters."""
    name: str
    """In English."""
    minor_units: int
    """How many decimals its amounts have."""
    symbol: str
    """As people who use it write it; the code where there is none."""


class CurrencyPage(Page[CurrencySummary]):
    """All of them, by code; the cursors are always null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})


class Location(Input):
    """A place on earth, in degrees (WGS 84)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lat": 1.2764, "lon": 103.8458}]})

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    """Degrees north of the equator."""
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
    """Degrees east of Greenwich."""


class OpeningHours(Input):
    """By the clock on the wall; where `closes` is not later than `opens`, it is the next day's."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"weekday": 1, "opens": "09:00", "closes": "18:30"}]}
    )

    weekday: Annotated[int, Field(strict=True, ge=1, le=7)]
    """1 is Monday."""
    opens: WallTime
    """Hours and minutes."""
    closes: WallTime
    """Hours and minutes; not later than `opens`: on the next day."""


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
    def _in_order(self) -> Self:
        if self.we_buy is None and self.we_sell is None:
            raise PydanticCustomError("rate_empty", "A rate needs we_buy, we_sell, or both.")
        if _exceeds(self.we_buy, self.we_sell):
            raise PydanticCustomError("rate_crossed", "we_buy must not be above we_sell.")
        if _exceeds(self.min_amount, self.max_amount):
            raise PydanticCustomError("limits_crossed", "min_amount must not be above max_amount.")
        return self


class Board(Input):
    """All of the board: what is absent is taken away."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
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
            ]
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
    opening_hours: Annotated[list[OpeningHours], Field(max_length=MOST_HOURS)] = []  # noqa: RUF012 - pydantic copies it
    """Several a day, for a break at noon; none where nothing is said of them."""
    valid_for_hours: Annotated[int, Field(strict=True, ge=1, le=LONGEST_VALIDITY)] = 24
    """How long the rates hold once confirmed; three times as long they are shown, as stale."""
    rates: Annotated[list[BoardRate], Field(max_length=MOST_RATES)]
    """The lines of the board."""

    @field_validator("rates")
    @classmethod
    def _foreign_and_once(cls, rates: list[BoardRate], info: ValidationInfo) -> list[BoardRate]:
        codes = [rate.currency for rate in rates]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("currency_repeated", "A currency may be there only once.")
        if info.data.get("base_currency") in codes:
            raise PydanticCustomError("currency_is_base", "No rate may be that of the base itself.")
        return rates


class Rate(Schema):
    """One line of the board, in the base currency per `unit` of the foreign one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "currency": "JPY",
                    "unit": 100,
                    "we_buy": "0.8950",
                    "we_sell": "0.9134",
                    "min_amount": "1000",
                    "max_amount": "1000000",
                    "state": "fresh",
                }
            ]
        }
    )

    currency: str
    """The foreign currency."""
    unit: int
    """For how much of it the rates are."""
    we_buy: WrittenDecimal | None
    """What the changer pays; null where it does not buy."""
    we_sell: WrittenDecimal | None
    """What the changer charges; null where it does not sell."""
    min_amount: WrittenDecimal | None
    """In the foreign currency; null where there is no lower limit."""
    max_amount: WrittenDecimal | None
    """In the foreign currency; null where there is no upper limit."""
    confirmed_at: Timestamp
    """When the changer last said that it holds."""
    state: State
    """How long ago that was, by `valid_for_hours`: after half of it a rate is aging, after all of
    it stale, after three times expired."""


class Exchange(Schema):
    """A member's board of rates, and where and when one finds it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
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
            ]
        }
    )

    id: UUID
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
    updated_at: Timestamp
    """When all of it was last put in place; confirming changes only the rates."""


_CHANGE: JsonDict = {
    "seq": 41,
    "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "base_currency": "SGD",
    "unit": 100,
    "we_buy": "0.8950",
    "we_sell": "0.9134",
    "min_amount": "1000",
    "max_amount": "1000000",
}


class RateEvent(Schema):
    """One line of the board has changed; both sides null: it was taken off."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHANGE]})

    seq: int
    """Counts the changes of all lines of the board, without a gap."""
    hash: str
    """SHA-256 over this change and the hash before it."""
    at: Timestamp
    """When it was changed."""
    base_currency: str
    """What the changer paid and charged in then."""
    unit: int
    """For how much of the foreign currency the rates are."""
    we_buy: DecimalText | None
    """What the changer paid; null where it did not buy."""
    we_sell: DecimalText | None
    """What it charged; null where it did not sell."""
    min_amount: DecimalText | None
    """In the foreign currency."""
    max_amount: DecimalText | None
    """In the foreign currency."""


class RateChange(RateEvent):
    """One line of the board has changed, which confirms the whole board at that time."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CHANGE | {"currency": "JPY"}]})

    currency: str
    """The foreign currency."""


class Confirmation(Schema):
    """The board has been confirmed, and no line of it has changed."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"valid_for_hours": 24, "state": "fresh"}]}
    )

    confirmed_at: Timestamp
    """Of every line."""
    valid_for_hours: int
    """How long the rates hold from then on."""
    state: State
    """That of every line, as with `Rate.state`."""


class Candle(Schema):
    """How one side moved within an hour or a day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"open": "0.8930", "high": "0.8950", "low": "0.8910", "close": "0.8950"}]
        }
    )

    open: DecimalText
    """The first."""
    high: DecimalText
    """The highest."""
    low: DecimalText
    """The lowest."""
    close: DecimalText
    """The last."""


class RateBucket(Schema):
    """The changes of one UTC hour or day, for one base and unit; null for a side without any."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"base_currency": "SGD", "unit": 100}]}
    )

    start: Timestamp
    """When the hour or the day begins."""
    base_currency: str
    """What the changer paid and charged in then."""
    unit: int
    """For how much of the foreign currency the rates are."""
    we_buy: Candle | None
    """How what it paid moved."""
    we_sell: Candle | None
    """How what it charged moved."""


class RateHistoryPage(Page[RateEvent | RateBucket]):
    """One page of changes, or of hours or days with changes."""


class QuoteLeg(Schema):
    """One foreign currency that changes hands, by one side of its line."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"currency": "JPY", "side": "we_sell", "rate": "0.9134", "unit": 100}]
        }
    )

    currency: str
    """The foreign currency."""
    side: Side
    """`we_buy` where the changer takes it, `we_sell` where it gives it."""
    rate: DecimalText
    """In the base currency, per `unit`."""
    unit: int
    """For how much of the foreign currency the rate is."""
    confirmed_at: Timestamp
    """When the changer last said that it holds."""


class Rounding(Schema):
    """The one rounding, at the end: `down` what is received, `up` what is paid."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "down", "increment": "1"}]})

    mode: Mode
    """`down` what is received, `up` what is paid."""
    increment: DecimalText
    """The smallest step of the currency of the computed amount."""


class Quote(Schema):
    """What a conversion comes to, and all that is needed to compute it anew."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "from": "SGD",
                    "to": "JPY",
                    "from_amount": "500",
                    "to_amount": "54740",
                    "feasible": True,
                    "effective_rate": "109.4810598",
                    "state": "fresh",
                }
            ]
        }
    )

    source: Annotated[str, Field(alias="from")]
    """The currency that the customer pays."""
    target: Annotated[str, Field(alias="to")]
    """The currency that the customer receives."""
    from_amount: DecimalText | None
    """What the customer pays; null where it was to be computed and cannot."""
    to_amount: DecimalText | None
    """What the customer receives; likewise."""
    feasible: bool
    """Whether this changer does it at all."""
    reason: Reason | None
    """Why it cannot be done."""
    effective_rate: RatioText | None
    """`to` per `from` before rounding, to ten significant digits."""
    legs: list[QuoteLeg]
    """What changes hands beside the base currency: one, two for a cross, none for the same."""
    rounding: Rounding
    """How the computed amount was rounded."""
    as_of: Timestamp
    """The moment whose rates these are."""
    state: State
    """That of the board at that moment, as with `Rate.state`."""


class Hit(Schema):
    """A board that was found."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"distance_m": 412.7}]})

    exchange: Exchange
    """The board, by the rates of the search."""
    distance_m: float | None
    """Null where no place was asked for."""
    quote: Quote | None
    """Null where no conversion was asked for."""


class HitPage(Page[Hit]):
    """One page of boards by the rates of one instant; `prev_cursor` is always null."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "next_cursor": "cgGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw",
                }
            ]
        }
    )


def _exceeds(one: Decimal | None, other: Decimal | None) -> bool:
    return one is not None and other is not None and one > other
