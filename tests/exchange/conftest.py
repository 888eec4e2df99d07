import pytest
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.fake_time import FakeTime, with_long_sessions

from wxc.core.config import Config


@pytest.fixture
def config(config: Config) -> Config:
    return with_long_sessions(config)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")
