import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_WITHOUT_OFFSET = len("2026-01-02T03:04:05.678901")


@lru_cache(4096)  # formatting takes 1 µs, and items of a page often share times
def rfc3339(moment: datetime) -> str:
    """The moment in UTC with `Z` and six decimals."""
    return moment.isoformat(timespec="microseconds")[:_WITHOUT_OFFSET] + "Z"


def rfc3339_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


Timestamp = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str, when_used="json-unless-none"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An aware UTC moment; RFC 3339 with `Z` and always six decimals, so that it sorts as text."""


_FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_MIN_YEAR, _MAX_YEAR = 2000, 2199


def _require_full_form(value: object) -> object:
    """Refuse numbers and dates without a time, which pydantic accepts."""
    if isinstance(value, str) and not _FORM.fullmatch(value):
        raise PydanticCustomError(
            "time_malformed", "Must be a time with an offset, such as 2026-01-02T03:04:05Z."
        )
    return value


def _require_supported_year(moment: datetime) -> datetime:
    if not _MIN_YEAR <= moment.year <= _MAX_YEAR:
        raise PydanticCustomError("time_out_of_range", "Must be between the years 2000 and 2199.")
    return moment.astimezone(UTC)


Moment = Annotated[
    AwareDatetime, BeforeValidator(_require_full_form), AfterValidator(_require_supported_year)
]
"""A time from a client, in RFC 3339 with its offset; converted to UTC."""
