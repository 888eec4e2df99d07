"""A part of the history of one currency."""

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
    """The changes of a currency from `start` (inclusive) to `end` (exclusive; None: no end)."""

    currency: str
    start: datetime
    end: datetime | None
    group: Group
