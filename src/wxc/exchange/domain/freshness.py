from datetime import datetime, timedelta
from enum import StrEnum

EXPIRY_FACTOR = 3
"""A board expires after this multiple of its `valid_for_hours`."""


class State(StrEnum):
    """Age of the last confirmation in proportion to `valid_for_hours`."""

    FRESH = "fresh"
    """Less than 50 %."""
    AGING = "aging"
    """Less than 100 %."""
    STALE = "stale"
    """Less than 300 %."""
    EXPIRED = "expired"
    """Older; visible only to the owner."""


def reminder_time(confirmed_at: datetime, valid_for_hours: int) -> datetime:
    """After four fifths of the validity."""
    return confirmed_at + timedelta(hours=valid_for_hours) * 4 / 5


def state_at(confirmed_at: datetime, valid_for_hours: int, moment: datetime) -> State:
    age, validity = moment - confirmed_at, timedelta(hours=valid_for_hours)
    if age * 2 < validity:
        return State.FRESH
    if age < validity:
        return State.AGING
    return State.STALE if age < EXPIRY_FACTOR * validity else State.EXPIRED


def is_expired(confirmed_at: datetime, valid_for_hours: int, moment: datetime) -> bool:
    """Whether the board is visible only to its owner."""
    return state_at(confirmed_at, valid_for_hours, moment) is State.EXPIRED
