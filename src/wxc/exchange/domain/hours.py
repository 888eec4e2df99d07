"""Opening hours in local time.

A local time that occurs twice, when the clock is set back, means the first occurrence. A local
time that is skipped means the same number of minutes after the last valid time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OpeningPeriod:
    """`opens` to `closes` on an ISO weekday; it ends the next day if `closes` is not later."""

    weekday: int
    opens: time
    closes: time


@lru_cache(10_000)  # the boards of a country share few distinct periods
def parse_period(weekday: int, opens: str, closes: str) -> OpeningPeriod:
    """The period of texts such as `09:30` and `18:00`."""
    return OpeningPeriod(weekday, time.fromisoformat(opens), time.fromisoformat(closes))


@cache
def time_zones() -> frozenset[str]:
    """The names of the IANA zones."""
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


def is_open(periods: Sequence[OpeningPeriod], time_zone: str, moment: datetime) -> bool:
    """Whether `moment` lies in one of the periods."""
    zone = ZoneInfo(time_zone)
    today = moment.astimezone(zone).date()
    return any(
        _utc(day, period.opens, zone) <= moment < _closing_time(day, period, zone)
        for day in (today - _DAY, today)
        for period in periods
        if period.weekday == day.isoweekday()
    )


def _closing_time(day: date, period: OpeningPeriod, zone: ZoneInfo) -> datetime:
    closing_day = day if period.closes > period.opens else day + _DAY
    return _utc(closing_day, period.closes, zone)


def _utc(day: date, local_time: time, zone: ZoneInfo) -> datetime:
    # Python compares two datetimes of one zone by local time, so they are compared in UTC.
    return datetime.combine(day, local_time, zone).astimezone(UTC)
