"""A process that is asked to end says so first, and ends later."""

import asyncio
import signal
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from tests.support.browser import Browser

from wxc.server.shutdown import Departure


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """When the server's own handler was called."""
    calls: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, _: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, former)


def departure(delay: float) -> Departure:
    one = Departure(delay)
    one.is_by_signal = True
    one.await_signal()
    return one


async def test_the_end_is_announced_before_it_comes(ended: list[int]) -> None:
    one = departure(0.05)

    signal.raise_signal(signal.SIGTERM)

    assert (one.is_near, ended) == (True, [])
    await asyncio.sleep(0.2)
    assert ended == [signal.SIGTERM]


@pytest.mark.parametrize(("delay", "times"), [(0.0, 1), (60.0, 2)])
async def test_without_a_delay_or_asked_twice_it_ends_at_once(
    ended: list[int], delay: float, times: int
) -> None:
    departure(delay)

    for _ in range(times):
        signal.raise_signal(signal.SIGTERM)

    assert ended == [signal.SIGTERM]


async def test_other_processes_keep_their_handlers(ended: list[int]) -> None:
    handler = signal.getsignal(signal.SIGTERM)

    Departure(60.0).await_signal()

    assert signal.getsignal(signal.SIGTERM) is handler
    assert ended == []


async def test_meanwhile_health_is_red_and_connections_are_closed(
    app: FastAPI, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.services.departure, "is_near", True)

    health = await stranger.get("/healthz")
    profile = await stranger.get("/users/noise_1")

    assert (health.status_code, health.json()["code"]) == (503, "about_to_end")
    assert (profile.status_code, profile.headers["connection"]) == (200, "close")
    assert (await stranger.get("/livez")).status_code == 200
