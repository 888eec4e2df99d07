"""Where a board is and when it is open, in requests and responses."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from wxc.exchange.domain.hours import time_zones


def _require_known_zone(name: str) -> str:
    if name not in time_zones():
        raise PydanticCustomError("time_zone_unknown", "This is no time zone of IANA's.")
    return name


TimeZone = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_+/-]*$", max_length=64, examples=["Asia/Singapore"]),
    AfterValidator(_require_known_zone),
]
WallTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]


@with_config(
    ConfigDict(
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"lat": 1.2764, "lon": 103.8458}]},
        extra="forbid",
    )
)
class Location(TypedDict):
    """A place on earth, in degrees (WGS 84)."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    """Degrees north of the equator."""
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
    """Degrees east of Greenwich."""


@with_config(
    ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"weekday": 1, "opens": "09:00", "closes": "18:30"}]},
    )
)
class OpeningHours(TypedDict):
    """By the clock on the wall; where `closes` is not later than `opens`, it is the next day's."""

    weekday: Annotated[int, Field(strict=True, ge=1, le=7)]
    """1 is Monday."""
    opens: WallTime
    """Hours and minutes."""
    closes: WallTime
    """Hours and minutes; not later than `opens`: on the next day."""
