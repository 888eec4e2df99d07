"""Which part of a currency's history is read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DEFAULT_RANGE = timedelta(days=30)
MAX_RANGE = timedelta(days=366)


class Group(StrEnum):
    """What one item of a history stands for."""

    EVENT = "event"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """A currency's changes from `first` on and before `end`, if there is one."""

    currency: str
    first: datetime
    end: datetime | None
    group: Group
