import asyncio
import time as stopwatch
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from tests.support.app import registered_browser, running_app
from tests.support.board_streams import STREAM, rate_sides, read_snapshot
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.fake_time import FakeTime
from tests.support.proxy import proxy_to
from tests.support.streams import holds_no_connection, open_stream

from wxc.core.config import Config
from wxc.http import streams

RATES_FIELDS = {"seq", "hash", "at", "base_currency", "unit", "we_buy", "we_sell", "min_amount"} | {
    "max_amount",
    "currency",
}


async def test_changes_reach_streams_of_every_instance_within_a_second(
    live_config: Config, first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    async with (
        running_app(live_config) as second,
        open_stream(first_app, visitor, STREAM) as here,
        open_stream(second, visitor, STREAM) as there,
    ):
        for stream in (here, there):
            snapshot = await read_snapshot(stream)
            assert snapshot.data == (await visitor.get("/users/tan/exchange")).json()
            assert stream.headers["content-type"].startswith("text/event-stream")

        began = stopwatch.monotonic()
        await owner.put("/exchange", json=board(yen("0.8951"), yen("12.5", currency="THB")))
        events = [[await stream.next() for _ in range(3)] for stream in (here, there)]
        took = stopwatch.monotonic() - began

    assert events[0] == events[1]
    assert took < 1 + 2 * live_config.redis_timeout
    assert [rate_sides(event) for event in events[0]] == [
        ("JPY", "0.8951", None),
        ("THB", "12.5", None),
        ("USD", None, None),  # removed
    ]
    for event in events[0]:
        assert event.data.keys() == RATES_FIELDS
        assert event.id == f"{event.data['seq']}:{event.data['hash']}"
        currency = event.data.pop("currency")
        history = await visitor.get(f"/users/tan/exchange/history?currency={currency}")
        assert history.json()["items"][0] == event.data


async def test_a_confirmation_without_a_change_is_sent(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        snapshot = await read_snapshot(stream)

        confirmed = (await owner.post("/exchange/confirm")).json()
        event = await stream.next()

    assert (event.name, event.id) == ("confirmed", snapshot.id)
    assert event.data == {
        "confirmed_at": confirmed["rates"][0]["confirmed_at"],
        "valid_for_hours": 24,
        "state": "fresh",
    }


async def test_the_stream_survives_a_restart_of_redis(
    live_config: Config,
    first_app: FastAPI,
    owner_and_visitor: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, visitor = owner_and_visitor
    monkeypatch.setattr("wxc.core.events._RECONNECT_INTERVAL", 0.05)
    async with proxy_to(live_config.redis_url) as (proxy, url):
        changed = live_config.model_copy(update={"redis_url": url})
        async with running_app(changed) as app, open_stream(app, visitor, STREAM) as stream:
            await read_snapshot(stream)
            await proxy.cut()
            await owner.put("/exchange", json=board(yen("0.9")))
            await proxy.restore()

            assert rate_sides(await stream.next())[1] == "0.9"


async def test_without_redis_changes_are_sent_at_the_next_check(
    live_config: Config,
    first_app: FastAPI,
    owner_and_visitor: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, visitor = owner_and_visitor
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.2)
    async with proxy_to(live_config.redis_url) as (proxy, url):
        changed = live_config.model_copy(update={"redis_url": url, "redis_timeout": 0.1})
        async with running_app(changed) as app, open_stream(app, visitor, STREAM) as stream:
            await read_snapshot(stream)
            await proxy.cut()

            await owner.put("/exchange", json=board(yen("0.9")))

            assert rate_sides(await stream.next())[1] == "0.9"


async def test_the_stream_ends_when_the_board_is_deleted(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    async with open_stream(first_app, visitor, STREAM) as stream:
        await read_snapshot(stream)

        await owner.delete("/exchange")

        await stream.end()
    refused = await visitor.get("/users/tan/exchange/stream")
    assert refused.json()["code"] == "exchange_not_found"


async def test_the_stream_of_a_blocked_viewer_ends_without_further_changes(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, _ = owner_and_visitor
    async with AsyncExitStack() as stack:
        bob = await registered_browser(first_app, stack, "bob")
        stream = await stack.enter_async_context(open_stream(first_app, bob, STREAM))
        await read_snapshot(stream)

        await owner.post("/users/bob/block")
        await owner.put("/exchange", json=board(yen("0.9")))
        await stream.end()

        assert b"0.9" not in stream.body.partition(b"snapshot")[2].partition(b"\n\n")[2]
        assert (await bob.get(STREAM)).json()["code"] == "user_not_found"


async def test_only_the_owner_can_watch_an_expired_board(
    first_app: FastAPI,
    owner_and_visitor: tuple[Browser, Browser],
    time: FakeTime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.1)
    owner, visitor = owner_and_visitor
    async with (
        open_stream(first_app, visitor, STREAM) as theirs,
        open_stream(first_app, owner, STREAM) as own,
    ):
        await read_snapshot(theirs)
        await read_snapshot(own)

        time.advance(hours=72)

        await theirs.end()
        await owner.post("/exchange/confirm")
        assert (await own.next()).name == "confirmed"


async def test_the_stream_ends_with_the_session_of_its_viewer(
    first_app: FastAPI, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    owner, visitor = owner_and_visitor
    async with (
        open_stream(first_app, owner, STREAM) as own,
        open_stream(first_app, visitor, STREAM) as theirs,
    ):
        await read_snapshot(own)
        await read_snapshot(theirs)

        await owner.post("/logout")

        assert (await own.next()).name == "reauth"
        await own.end()
        first_app.state.services.events.end_streams()  # as on shutdown; still open until here
        await theirs.end()


async def test_anonymous_streams_are_limited_by_address_and_release_their_slots(
    live_config: Config, owner_and_visitor: tuple[Browser, Browser]
) -> None:
    _, visitor = owner_and_visitor
    async with (
        running_app(live_config.model_copy(update={"streams_per_address": 2})) as app,
        AsyncExitStack() as stack,
    ):
        for _ in range(2):
            async with open_stream(app, visitor, STREAM) as stream:
                await read_snapshot(stream)
        for _ in range(2):
            await read_snapshot(await stack.enter_async_context(open_stream(app, visitor, STREAM)))

        async with open_stream(app, visitor, STREAM) as refused:
            await refused.end()

        assert refused.status == 429
        assert b"too_many_streams" in refused.body
        assert await holds_no_connection(app)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/users/nobody/exchange/stream", "user_not_found"),
        ("/users/not%20a%20name/exchange/stream", "user_not_found"),
        ("/users/bob/exchange/stream", "exchange_not_found"),
    ],
)
async def test_the_stream_of_an_unknown_user_or_board_is_refused_with_404(
    first_app: FastAPI, path: str, code: str
) -> None:
    async with AsyncExitStack() as stack:
        bob = await registered_browser(first_app, stack, "bob")
        answer: Any = await bob.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    await asyncio.sleep(0)
    assert first_app.state.services.traffic.streams.total() == 0
