"""The state of a board, by the age of its last confirmation."""

from datetime import datetime, timedelta
from enum import StrEnum

EXPIRY_FACTOR = 3
"""A board expires after this many times its `valid_for_hours`."""


class State(StrEnum):
    """The age of a confirmation, against how long it was said to be valid."""

    FRESH = "fresh"
    """Less than half."""
    AGING = "aging"
    """Less than all of it."""
    STALE = "stale"
    """Less than three times as long."""
    EXPIRED = "expired"
    """Older; only the owner sees it."""


def reminder_time(confirmed_at: datetime, valid_for_hours: int) -> datetime:
    """When the owner is reminded: after four fifths of the validity."""
    return confirmed_at + timedelta(hours=valid_for_hours) * 4 / 5


def state_at(confirmed_at: datetime, valid_for_hours: int, moment: datetime) -> State:
    """The state at `moment` of a board that was confirmed at `confirmed_at`."""
    age, validity = moment - confirmed_at, timedelta(hours=valid_for_hours)
    if age * 2 < validity:
        return State.FRESH
    if age < validity:
        return State.AGING
    return State.STALE if age < EXPIRY_FACTOR * validity else State.EXPIRED


def is_expired(confirmed_at: datetime, valid_for_hours: int, moment: datetime) -> bool:
    """Whether the board is hidden from everyone but its owner."""
    return state_at(confirmed_at, valid_for_hours, moment) is State.EXPIRED
