"""How much a board is to be trusted, by the age of its confirmation."""

from datetime import datetime, timedelta
from enum import StrEnum

EXPIRES_AFTER = 3  # times what the owner said it would be valid for


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


def reminder_due(confirmed_at: datetime, valid_for_hours: int) -> datetime:
    """When four fifths of the time are over."""
    return confirmed_at + timedelta(hours=valid_for_hours) * 4 / 5


def state_of(confirmed_at: datetime, valid_for_hours: int, moment: datetime) -> State:
    """The state at that moment of what was confirmed then."""
    age, validity = moment - confirmed_at, timedelta(hours=valid_for_hours)
    if age * 2 < validity:
        return State.FRESH
    if age < validity:
        return State.AGING
    return State.STALE if age < EXPIRES_AFTER * validity else State.EXPIRED
