"""Opening hours by the clock on the wall.

A time that the wall shows twice, when the clock is put back, is the first of the two; one that it
skips is as many minutes after the last one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` to `closes` on a weekday, Monday being 1; to the next day unless later."""

    weekday: int
    opens: time
    closes: time


@lru_cache(10_000)  # all boards of a country write the same few
def hours_of(weekday: int, opens: str, closes: str) -> Hours:
    """As a board has them: `09:30` to `18:00`."""
    return Hours(weekday, time.fromisoformat(opens), time.fromisoformat(closes))


@cache
def time_zones() -> frozenset[str]:
    """The names of IANA's zones."""
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


def is_open(hours: Sequence[Hours], time_zone: str, moment: datetime) -> bool:
    """Whether `moment` lies in one of them."""
    zone = ZoneInfo(time_zone)
    today = moment.astimezone(zone).date()
    return any(
        _instant(day, one.opens, zone) <= moment < _closing(day, one, zone)
        for day in (today - _DAY, today)
        for one in hours
        if one.weekday == day.isoweekday()
    )


def _closing(day: date, hours: Hours, zone: ZoneInfo) -> datetime:
    last = day if hours.closes > hours.opens else day + _DAY
    return _instant(last, hours.closes, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    # Compared in UTC: two times of one zone would be compared as the wall shows them.
    return datetime.combine(day, at, zone).astimezone(UTC)
