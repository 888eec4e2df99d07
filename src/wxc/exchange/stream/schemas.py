"""Events of a stream; `RateChange` is in the schemas of the history."""

from typing_extensions import TypedDict

from wxc.exchange.domain.freshness import State
from wxc.http.answers import TimeText, answer


@answer({"valid_for_hours": 24, "state": "fresh"})
class Confirmation(TypedDict):
    """The board has been confirmed, and no line of it has changed."""

    confirmed_at: TimeText
    """Of every line."""
    valid_for_hours: int
    """How long the rates hold from then on."""
    state: State
    """That of every line, as with `Rate.state`."""
