"""Opening hours in local time (PEP 495, `fold=0`).

When the clock is set back, a repeated local time means its first occurrence. When it is set
forward, a skipped local time counts from the start of the gap: 02:30 in a gap from 02:00 to 03:00
means 03:30.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OpeningPeriod:
    """A period that starts on an ISO weekday; it ends the next day unless `closes` > `opens`."""

    weekday: int
    opens: time
    closes: time


@lru_cache(10_000)  # the boards of a country share few distinct periods
def parse_period(weekday: int, opens: str, closes: str) -> OpeningPeriod:
    """Times are texts such as `09:30`."""
    return OpeningPeriod(weekday, time.fromisoformat(opens), time.fromisoformat(closes))


@cache
def time_zones() -> frozenset[str]:
    """IANA names, without the entries of the database that are not time zones."""
    return frozenset(available_timezones() - {"Factory", "localtime", "posixrules"})


def is_open(periods: Sequence[OpeningPeriod], time_zone: str, moment: datetime) -> bool:
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
    # Python compares datetimes that share a tzinfo by local time, wrongly when the clock changes.
    return datetime.combine(day, local_time, zone).astimezone(UTC)
