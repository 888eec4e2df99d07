"""Notifications as they happen: told on any instance, resumed, ended with the session."""

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
def live(config: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """Real commits, and an instance that polls often."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2, **UNLIMITED}
    return config.model_copy(update=changed)


@pytest.fixture
async def first(live: Config) -> AsyncIterator[FastAPI]:
    async with running_app(live) as app:
        yield app


@pytest.fixture
async def second(live: Config, first: FastAPI) -> AsyncIterator[FastAPI]:
    """Another instance on the same engines."""
    async with running_app(live) as app:
        yield app


@pytest.fixture
async def people(first: FastAPI) -> AsyncIterator[tuple[Browser, Browser]]:
    """Ada and Bob."""
    async with AsyncExitStack() as stack:
        yield (
            await registered_browser(first, stack, "ada"),
            await registered_browser(first, stack, "bob"),
        )


async def begin(stream: Stream, unread: int = 0) -> str:
    """The snapshot's id."""
    snapshot = await stream.next()
    assert (snapshot.name, snapshot.data) == ("snapshot", {"unread_count": unread})
    return snapshot.id


async def test_what_happens_is_told_on_any_instance(
    first: FastAPI, second: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, bob = people
    async with open_stream(first, ada, STREAM) as here, open_stream(second, ada, STREAM) as there:
        for stream in (here, there):
            await begin(stream)
            assert stream.status == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            assert stream.headers["x-accel-buffering"] == "no"

        await bob.post("/users/ada/follow")
        told = [await stream.next() for stream in (here, there)]

    (group,) = (await ada.get("/notifications")).json()["items"]
    for event in told:
        assert event.name == "notification"
        assert event.data == {"group": group, "unread_count": 1}
        assert event.id == group["id"]


async def test_without_redis_it_is_told_at_the_next_look(
    live: Config, first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.2)
    async with proxy_to(live.redis_url) as (proxy, url):
        deaf = live.model_copy(update={"redis_url": url, "redis_timeout": 0.1})
        async with running_app(deaf) as app, open_stream(app, ada, STREAM) as stream:
            await begin(stream)
            await proxy.cut()

            await bob.post("/users/ada/follow")

            assert (await stream.next()).name == "notification"


async def test_it_is_heard_again_when_redis_is_back(
    live: Config, first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr("wxc.core.events._RECONNECT_INTERVAL", 0.05)
    async with proxy_to(live.redis_url) as (proxy, url):
        wired = live.model_copy(update={"redis_url": url})
        async with running_app(wired) as app, open_stream(app, ada, STREAM) as stream:
            await begin(stream)
            await proxy.cut()
            await bob.post("/users/ada/follow")
            await proxy.restore()

            assert (await stream.next()).name == "notification"


async def test_what_was_missed_is_replayed(first: FastAPI, people: tuple[Browser, Browser]) -> None:
    ada, bob = people
    async with open_stream(first, ada, STREAM) as stream:
        last = await begin(stream)
    await bob.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        await begin(stream, unread=1)
        missed = await stream.next()
    async with open_stream(first, ada, STREAM, last_event_id=missed.id) as stream:
        await begin(stream, unread=1)
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
async def test_what_cannot_be_replayed_is_a_reset(
    first: FastAPI, people: tuple[Browser, Browser], last: str | timedelta
) -> None:
    ada, _ = people
    if isinstance(last, timedelta):
        last = str(first_id_at(clock.now() + last))
    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        assert (await stream.next()).name == "reset"
        await begin(stream)


async def test_too_much_to_replay_is_a_reset(
    first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr(notification_stream, "_MAX_REPLAYED", 0)
    last = str(first_id_at(clock.now()))
    await bob.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        assert (await stream.next()).name == "reset"
        await begin(stream, unread=1)


async def test_more_than_one_look_can_hold_is_told_all_the_same(
    first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = people
    monkeypatch.setattr(notification_stream, "_MAX_PER_LOOK", 1)
    last = str(first_id_at(clock.now()))
    await bob.post("/users/ada/follow")
    async with AsyncExitStack() as stack:
        kim = await registered_browser(first, stack, "kim")
        await kim.post("/users/ada/follow")

    async with open_stream(first, ada, STREAM, last_event_id=last) as stream:
        await begin(stream, unread=1)
        told = await stream.next()

    assert [actor["username"] for actor in told.data["group"]["actors"]] == ["kim", "bob"]


async def test_it_ends_with_the_session_on_every_instance(
    first: FastAPI, second: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    async with open_stream(first, ada, STREAM) as here, open_stream(second, ada, STREAM) as there:
        for stream in (here, there):
            await begin(stream)

        await ada.post("/logout")

        for stream in (here, there):
            assert (await stream.next()).name == "reauth"
            await stream.end()


async def test_it_ends_when_the_server_does(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    async with open_stream(first, ada, STREAM) as stream:
        await begin(stream)

        first.state.services.events.end_streams()

        await stream.end()


async def test_a_session_has_five_streams_and_gets_each_back(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, bob = people
    async with AsyncExitStack() as stack:
        for _ in range(5):
            await begin(await stack.enter_async_context(open_stream(first, ada, STREAM)))

        refused = await ada.get(STREAM)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_streams")
        assert refused.headers["Retry-After"] == "15"
        await begin(await stack.enter_async_context(open_stream(first, bob, STREAM)))

    async with open_stream(first, ada, STREAM) as stream:
        await begin(stream)


async def test_nothing_is_left_of_those_who_went_without_a_word(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    ada, _ = people
    for _ in range(3):
        async with open_stream(first, ada, STREAM) as stream:
            await begin(stream)
            assert await holds_no_connection(first)

    assert first.state.services.events._listeners == {}
    assert first.state.services.traffic.streams.total() == 0


async def test_a_head_of_it_ends_at_once(first: FastAPI, people: tuple[Browser, Browser]) -> None:
    ada, _ = people
    answer = await ada.request("HEAD", STREAM)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert first.state.services.traffic.streams.total() == 0


async def test_it_is_for_members_only(first: FastAPI) -> None:
    async with Browser(first) as stranger:
        answer = await stranger.get("/notifications/stream")

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
