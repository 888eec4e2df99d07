import time
from collections.abc import Iterator
from itertools import count

import pytest
from fastapi import FastAPI
from tests.conftest import Member
from tests.support.browser import Browser

WRONG_PASSWORD = "not this one"


def addresses() -> Iterator[str]:
    """Distinct IP addresses."""
    return (f"198.51.{number // 250}.{number % 250}" for number in count(1))


def advance_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: moment)


@pytest.fixture(params=["Redis", "no Redis"])
async def ada(member: Member, app: FastAPI, request: pytest.FixtureRequest) -> Browser:
    """Ada, signed in on a known device; the limits are counted with and without Redis."""
    ada = await member("ada")
    app.state.services.redis.is_tripped = request.param == "no Redis"
    return ada
