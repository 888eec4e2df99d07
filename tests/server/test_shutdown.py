"""Graceful shutdown: the process drains before it ends."""

import asyncio
import signal
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from tests.support.browser import Browser

from wxc.server.shutdown import GracefulShutdown


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """The calls of the server's own handler."""
    calls: list[int] = []
    previous = signal.signal(signal.SIGTERM, lambda number, _: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, previous)


def installed_shutdown(delay: float) -> GracefulShutdown:
    shutdown = GracefulShutdown(delay)
    shutdown.handles_signals = True
    shutdown.install_signal_handlers()
    return shutdown


async def test_the_process_drains_before_it_ends(ended: list[int]) -> None:
    shutdown = installed_shutdown(0.05)

    signal.raise_signal(signal.SIGTERM)

    assert (shutdown.is_draining, ended) == (True, [])
    await asyncio.sleep(0.2)
    assert ended == [signal.SIGTERM]


@pytest.mark.parametrize(("delay", "times"), [(0.0, 1), (60.0, 2)])
async def test_the_process_ends_immediately_without_a_delay_or_at_a_second_signal(
    ended: list[int], delay: float, times: int
) -> None:
    installed_shutdown(delay)

    for _ in range(times):
        signal.raise_signal(signal.SIGTERM)

    assert ended == [signal.SIGTERM]


async def test_other_processes_keep_their_signal_handlers(ended: list[int]) -> None:
    handler = signal.getsignal(signal.SIGTERM)

    GracefulShutdown(60.0).install_signal_handlers()

    assert signal.getsignal(signal.SIGTERM) is handler
    assert ended == []


async def test_while_draining_health_fails_and_connections_are_closed(
    app: FastAPI, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.services.shutdown, "is_draining", True)

    health = await stranger.get("/healthz")
    profile = await stranger.get("/users/noise_1")

    assert (health.status_code, health.json()["code"]) == (503, "about_to_end")
    assert (profile.status_code, profile.headers["connection"]) == (200, "close")
    assert (await stranger.get("/livez")).status_code == 200
