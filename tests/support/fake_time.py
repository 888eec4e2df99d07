from datetime import datetime, timedelta

import pytest

from wxc.core import clock
from wxc.core.config import Config

_YEAR = 366 * 86_400  # seconds


class FakeTime:
    """The time of `wxc.core.clock`, which stands still until the test advances it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = datetime.now().astimezone(clock.now().tzinfo)
        patch.setattr(clock, "now", lambda: self.now)

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


def with_long_sessions(config: Config) -> Config:
    """Sessions stay valid however far a test advances the time."""
    lifetimes = ("access_token_lifetime", "session_idle_lifetime", "session_lifetime")
    return config.model_copy(update=dict.fromkeys(lifetimes, _YEAR))
