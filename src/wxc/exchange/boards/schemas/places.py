from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from wxc.exchange.domain.hours import time_zones


def _require_known_zone(name: str) -> str:
    if name not in time_zones():
        message = "Enter a valid time zone, such as Asia/Singapore."
        raise PydanticCustomError("time_zone_unknown", message)
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
    """Coordinates in degrees (WGS 84)."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    """Latitude, positive north of the equator."""
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
    """Longitude, positive east of Greenwich."""


@with_config(
    ConfigDict(
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"examples": [{"weekday": 1, "opens": "09:00", "closes": "18:30"}]},
    )
)
class OpeningHours(TypedDict):
    """A period that starts on a day of the week; it may end on the next day."""

    weekday: Annotated[int, Field(strict=True, ge=1, le=7)]
    """From 1 (Monday) to 7 (Sunday)."""
    opens: WallTime
    """Local time, `HH:MM`."""
    closes: WallTime
    """Local time, `HH:MM`; on the next day if not later than `opens`."""
