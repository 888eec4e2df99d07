from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from fastapi import FastAPI
from tests.support.app import registered_browser, running_app
from tests.support.browser import Browser
from tests.support.limits import UNLIMITED
from tests.support.proxy import proxy_to
from tests.support.streams import Stream, holds_no_connection, open_stream

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import first_id_at
from wxc.core.redis import RedisClient
from wxc.http import streams
from wxc.social.notifications import stream as notification_stream

STREAM = "/notifications/stream"


@pytest.fixture
def stream_config(config: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """A configuration with real commits and frequent polling for ended sessions."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2, **UNLIMITED}
    return config.model_copy(update=changed)


@pytest.fixture
async def first(stream_config: Config) -> AsyncIterator[FastAPI]:
    async with running_app(stream_config) as app:
        yield app


@pytest.fixture
async def second(stream_config: Config, first: FastAPI) -> AsyncIterator[FastAPI]:
    """A second instance with the same database and Redis."""
    async with running_app(stream_config) as app:
        yield app


@pytest.fixture
async def people(first: FastAPI) -> AsyncIterator[tuple[Browser, Browser]]:
    """Ada and Bob."""
    async with AsyncExitStack() as stack:
        yield (
            await registered_browser(first, stack, "ada"),
            await registered_browser(first, stack, "bob"),
        )


async def read_snapshot(stream: Stream, unread: int = 0) -> str:
    """Check the snapshot and return its id."""
    snapshot = await stream.next()
    assert (snapshot.name, snapshot.data) == ("snapshot", {"unread_count": unread})
    return snapshot.id


async def test_notifications_reach_streams_of_every_instance(
    first: FastAPI, second: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, bob = people
    async with open_stream(first, ada, STREAM) as here, open_stream(second, ada, STREAM) as there:
        for stream in (here, there):
            await read_snapshot(stream)
            assert stream.status == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            assert stream.headers["x-accel-buffering"] == "no"

        await bob.post("/users/ada/follow")
        events = [await stream.next() for stream in (here, there)]

    (group,) = (await ada.get("/notifications")).json()["items"]
    for event in events:
        assert event.name == "notification"
        assert event.data == {"group": group, "unread_count": 1}
        assert event.id == group["id"]


async def test_without_redis_notifications_arrive_at_the_next_interval(
    stream_config: Config,
    first: FastAPI,
    people: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, bob = people
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.2)
    async with proxy_to(stream_config.redis_url) as (proxy, url):
        unreachable = stream_config.model_copy(update={"redis_url": url, "redis_timeout": 0.1})
        async with running_app(unreachable) as app, open_stream(app, ada, STREAM) as stream:
            await read_snapshot(stream)
            await proxy.cut()

            await bob.post("/users/ada/follow")

            assert (await stream.next()).name == "notification"


async def test_the_stream_recovers_when_redis_returns(
    stream_config: Config,
    first: FastAPI,
    people: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, bob = people
    monkeypatch.setattr("wxc.core.events._RECONNECT_INTERVAL", 0.05)
    async with proxy_to(stream_config.redis_url) as (proxy, url):
        wired = stream_config.model_copy(update={"redis_url": url})
        async with running_app(wired) as app, open_stream(app, ada, STREAM) as stream:
            await read_snapshot(stream)
            await proxy.cut()
            await bob.post("/users/ada/follow")
            await proxy.restore()

            assert (await stream.next()).name == "notification"


async def test_missed_notifications_are_replayed(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, bob = people
    async with open_stream(first, ada, STREAM) as stream:
        last = await read_snapshot(stream)
    await bob.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        await read_snapshot(stream, unread=1)
        missed = await stream.next()
    async with open_stream(first, ada, STREAM, last_event_id=missed.id) as stream:
        await read_snapshot(stream, unread=1)
        again = await stream.next()  # the last two seconds may repeat

    assert missed.data["group"]["type"] == "follow"
    assert again == missed


@pytest.mark.parametrize(
    "last",
    [
        "garbage",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        timedelta(hours=-25),
        timedelta(hours=1),
    ],
)
async def test_an_invalid_or_too_old_last_event_id_causes_a_reset(
    first: FastAPI, people: tuple[Browser, Browser], last: str | timedelta
) -> None:
    ada, _ = people
    if isinstance(last, timedelta):
        last = str(first_id_at(clock.now() + last))
    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        assert (await stream.next()).name == "reset"
        await read_snapshot(stream)


async def test_too_many_missed_notifications_cause_a_reset(
    first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr(notification_stream, "_MAX_REPLAYED", 0)
    last = str(first_id_at(clock.now()))
    await bob.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        assert (await stream.next()).name == "reset"
        await read_snapshot(stream, unread=1)


async def test_more_notifications_than_one_read_fetches_are_all_sent(
    first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr(notification_stream, "_MAX_PER_READ", 1)
    last = str(first_id_at(clock.now()))
    await bob.post("/users/ada/follow")
    async with AsyncExitStack() as stack:
        kim = await registered_browser(first, stack, "kim")
        await kim.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        await read_snapshot(stream, unread=1)
        event = await stream.next()

    assert [actor["username"] for actor in event.data["group"]["actors"]] == ["kim", "bob"]


async def test_ending_the_session_ends_its_streams_on_every_instance(
    first: FastAPI, second: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    async with open_stream(first, ada, STREAM) as here, open_stream(second, ada, STREAM) as there:
        for stream in (here, there):
            await read_snapshot(stream)

        await ada.post("/logout")

        for stream in (here, there):
            assert (await stream.next()).name == "reauth"
            await stream.end()


async def test_the_stream_ends_on_shutdown(first: FastAPI, people: tuple[Browser, Browser]) -> None:
    ada, _ = people
    async with open_stream(first, ada, STREAM) as stream:
        await read_snapshot(stream)

        first.state.services.events.end_streams()

        await stream.end()


async def test_a_session_has_at_most_five_streams_and_closing_one_frees_its_slot(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, bob = people
    async with AsyncExitStack() as stack:
        for _ in range(5):
            await read_snapshot(await stack.enter_async_context(open_stream(first, ada, STREAM)))

        refused = await ada.get(STREAM)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert refused.headers["Retry-After"] == "15"
        await read_snapshot(await stack.enter_async_context(open_stream(first, bob, STREAM)))

    async with open_stream(first, ada, STREAM) as stream:
        await read_snapshot(stream)


async def test_closing_the_connection_releases_listeners_and_slots(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    for _ in range(3):
        async with open_stream(first, ada, STREAM) as stream:
            await read_snapshot(stream)
            assert await holds_no_connection(first)

    assert first.state.services.events._listeners == {}
    assert first.state.services.traffic.streams.total() == 0


async def test_a_head_request_does_not_open_a_stream(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    answer = await ada.request("HEAD", STREAM)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert first.state.services.traffic.streams.total() == 0


async def test_the_stream_requires_authentication(first: FastAPI) -> None:
    async with Browser(first) as stranger:
        answer = await stranger.get("/notifications/stream")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
