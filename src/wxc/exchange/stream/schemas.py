"""`RateChange` is in `history/schemas.py`."""

from typing_extensions import TypedDict

from wxc.exchange.domain.freshness import State
from wxc.http.answers import TimeText, answer


@answer({"valid_for_hours": 24, "state": "fresh"})
class Confirmation(TypedDict):
    """All rates have been confirmed without a change."""

    confirmed_at: TimeText
    """New confirmation time of all rates."""
    valid_for_hours: int
    """Validity of the confirmation, in hours."""
    state: State
    """State of all rates; see `Rate.state`."""
