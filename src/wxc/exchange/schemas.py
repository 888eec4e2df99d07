"""What exchanges look like to a client."""

from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from wxc.core.currencies import CurrencyCode
from wxc.core.decimals import DecimalText, PositiveDecimalText, RatioText
from wxc.core.pagination import Page
from wxc.core.text import Text
from wxc.core.times import Timestamp
from wxc.exchange.freshness import State
from wxc.exchange.hours import time_zones
from wxc.exchange.quotes import Mode, Reason, Side
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


class Location(BaseModel):
    """A place on earth, in degrees (WGS 84)."""

    model_config = ConfigDict(extra="forbid")

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]


class OpeningHours(BaseModel):
    """By the clock on the wall; where `closes` is not later than `opens`, it is the next day's."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    weekday: Annotated[int, Field(strict=True, ge=1, le=7)]
    """1 is Monday."""
    opens: WallTime
    closes: WallTime


class BoardRate(BaseModel):
    """One line of the board, in the base currency per `unit` of the foreign one."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    currency: CurrencyCode
    unit: Unit = 1
    we_buy: PositiveDecimalText | None = None
    """What you pay; null where you do not buy."""
    we_sell: PositiveDecimalText | None = None
    """What you charge, not less than `we_buy`; null where you do not sell."""
    min_amount: DecimalText | None = None
    """In the foreign currency, like `max_amount`."""
    max_amount: DecimalText | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.we_buy is None and self.we_sell is None:
            raise PydanticCustomError("rate_empty", "A rate needs we_buy, we_sell, or both.")
        if _exceeds(self.we_buy, self.we_sell):
            raise PydanticCustomError("rate_crossed", "we_buy must not be above we_sell.")
        if _exceeds(self.min_amount, self.max_amount):
            raise PydanticCustomError("limits_crossed", "min_amount must not be above max_amount.")
        return self


class Board(BaseModel):
    """All of the board: what is absent is taken away."""

    model_config = ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
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
        },
    )

    name: Annotated[str, Text(80, one_line=True)]
    base_currency: CurrencyCode
    description: Annotated[str, Text(1000)] | None = None
    address: Annotated[str, Text(200)] | None = None
    location: Location | None = None
    time_zone: TimeZone | None = None
    opening_hours: Annotated[list[OpeningHours], Field(max_length=MOST_HOURS)] = []
    valid_for_hours: Annotated[int, Field(strict=True, ge=1, le=LONGEST_VALIDITY)] = 24
    """How long the rates hold once confirmed; three times as long they are shown, as stale."""
    rates: Annotated[list[BoardRate], Field(max_length=MOST_RATES)]

    @field_validator("rates")
    @classmethod
    def _foreign_and_once(cls, rates: list[BoardRate], info: ValidationInfo) -> list[BoardRate]:
        codes = [rate.currency for rate in rates]
        if len(set(codes)) != len(codes):
            raise PydanticCustomError("currency_repeated", "A currency may be there only once.")
        if info.data.get("base_currency") in codes:
            raise PydanticCustomError("currency_is_base", "No rate may be that of the base itself.")
        return rates


class Rate(BaseModel):
    """One line of the board, in the base currency per `unit` of the foreign one."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    currency: str
    unit: int
    we_buy: DecimalText | None
    """What the changer pays; null where it does not buy."""
    we_sell: DecimalText | None
    """What the changer charges; null where it does not sell."""
    min_amount: DecimalText | None
    """In the foreign currency, like `max_amount`."""
    max_amount: DecimalText | None
    confirmed_at: Timestamp
    state: State


class Exchange(BaseModel):
    """A member's board of rates, and where and when one finds it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    id: UUID
    owner: UserSummary
    name: str
    base_currency: str
    description: str | None
    address: str | None
    location: Location | None
    time_zone: str | None
    opening_hours: list[OpeningHours]
    open_now: bool | None
    """Null without hours or time zone."""
    valid_for_hours: int
    rates: list[Rate]
    """By currency."""
    updated_at: Timestamp


class RateEvent(BaseModel):
    """One line of the board has changed; both sides null: it was taken off."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    seq: int
    """Counts the changes of all lines of the board, without a gap."""
    hash: str
    """SHA-256 over this change and the hash before it."""
    at: Timestamp
    base_currency: str
    unit: int
    we_buy: DecimalText | None
    we_sell: DecimalText | None
    min_amount: DecimalText | None
    max_amount: DecimalText | None


class RateChange(RateEvent):
    """One line of the board has changed, which confirms the whole board at that time."""

    currency: str


class Confirmation(BaseModel):
    """The board has been confirmed, and no line of it has changed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    confirmed_at: Timestamp
    """Of every line."""
    valid_for_hours: int
    state: State


class Candle(BaseModel):
    """How one side moved within an hour or a day."""

    open: DecimalText
    high: DecimalText
    low: DecimalText
    close: DecimalText


class RateBucket(BaseModel):
    """The changes of one UTC hour or day, for one base and unit; null for a side without any."""

    start: Timestamp
    base_currency: str
    unit: int
    we_buy: Candle | None
    we_sell: Candle | None


class RateHistoryPage(Page[RateEvent | RateBucket]):
    """One page of changes, or of hours or days with changes."""


class QuoteLeg(BaseModel):
    """One foreign currency that changes hands, by one side of its line."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    currency: str
    side: Side
    rate: DecimalText
    """In the base currency, per `unit`."""
    unit: int
    confirmed_at: Timestamp


class Rounding(BaseModel):
    """The one rounding, at the end: `down` what is received, `up` what is paid."""

    mode: Mode
    increment: DecimalText


class Quote(BaseModel):
    """What a conversion comes to, and all that is needed to compute it anew."""

    model_config = ConfigDict(use_attribute_docstrings=True, validate_by_name=True)

    source: Annotated[str, Field(alias="from")]
    target: Annotated[str, Field(alias="to")]
    from_amount: DecimalText | None
    """What the customer pays; null where it was to be computed and cannot."""
    to_amount: DecimalText | None
    """What the customer receives; likewise."""
    feasible: bool
    reason: Reason | None
    """Why it cannot be done."""
    effective_rate: RatioText | None
    """`to` per `from` before rounding, to ten significant digits."""
    legs: list[QuoteLeg]
    rounding: Rounding
    as_of: Timestamp
    state: State


class Hit(BaseModel):
    """A board that was found."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    exchange: Exchange
    distance_m: float | None
    """Null where no place was asked for."""
    quote: Quote | None
    """Null where no conversion was asked for."""


class HitPage(Page[Hit]):
    """One page of boards by the rates of one instant; `prev_cursor` is always null."""


def _exceeds(one: Decimal | None, other: Decimal | None) -> bool:
    return one is not None and other is not None and one > other
