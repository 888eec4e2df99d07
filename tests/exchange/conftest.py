import pytest
from tests.exchange.boards import Time

from wxc.core.config import Config

_YEAR = 366 * 86_400


@pytest.fixture
def config(config: Config) -> Config:
    """Sessions outlive what happens to boards."""
    lifetimes = ("access_token_lifetime", "session_idle_lifetime", "session_lifetime")
    return config.model_copy(update=dict.fromkeys(lifetimes, _YEAR))


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(monkeypatch)
