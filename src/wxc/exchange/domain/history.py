from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DEFAULT_RANGE = timedelta(days=30)
MAX_RANGE = timedelta(days=366)


class Group(StrEnum):
    """Whether an item is a single change or the summary of a UTC hour or day."""

    EVENT = "event"
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class HistoryRange:
    """`start` is inclusive, `end` exclusive; None means no end."""

    currency: str
    start: datetime
    end: datetime | None
    group: Group
