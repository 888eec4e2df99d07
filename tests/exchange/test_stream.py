"""A board as it changes: told on any instance within a second, in order, and resumed."""

import asyncio
import time as stopwatch
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from tests.exchange.boards import Time, board, yen
from tests.support.app import registered_browser, running_app
from tests.support.browser import Browser
from tests.support.limits import UNLIMITED
from tests.support.proxy import proxy_to
from tests.support.streams import Event, Stream, holds_no_connection, open_stream

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.exchange import stream as board_stream
from wxc.exchange.domain.chain import GENESIS
from wxc.http import streams

STREAM = "/users/tan/exchange/stream"
LINE = {"seq", "hash", "at", "base_currency", "unit", "we_buy", "we_sell", "min_amount"} | {
    "max_amount",
    "currency",
}


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
async def people(first: FastAPI) -> AsyncIterator[tuple[Browser, Browser]]:
    """The changer, whose board shows yen and dollars, and somebody without an account."""
    async with AsyncExitStack() as stack:
        changer = await registered_browser(first, stack, "tan")
        await changer.put("/exchange", json=board())
        yield changer, await stack.enter_async_context(Browser(first))


async def begin(stream: Stream) -> Event:
    snapshot = await stream.next()
    assert snapshot.name == "snapshot"
    return snapshot


def sides(event: Event) -> tuple[str, str | None, str | None]:
    assert event.name == "rates"
    return event.data["currency"], event.data["we_buy"], event.data["we_sell"]


async def test_changes_are_told_on_any_instance_within_a_second(
    live: Config, first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    async with (
        running_app(live) as second,
        open_stream(first, visitor, STREAM) as here,
        open_stream(second, visitor, STREAM) as there,
    ):
        for stream in (here, there):
            snapshot = await begin(stream)
            assert snapshot.data == (await visitor.get("/users/tan/exchange")).json()
            assert stream.headers["content-type"].startswith("text/event-stream")

        began = stopwatch.monotonic()
        await changer.put("/exchange", json=board(yen("0.8951"), yen("12.5", currency="THB")))
        told = [[await stream.next() for _ in range(3)] for stream in (here, there)]
        took = stopwatch.monotonic() - began

    assert told[0] == told[1]
    assert took < 1 + 2 * live.redis_timeout
    assert [sides(event) for event in told[0]] == [
        ("JPY", "0.8951", None),
        ("THB", "12.5", None),
        ("USD", None, None),  # taken off
    ]
    for event in told[0]:
        assert event.data.keys() == LINE
        assert event.id == f"{event.data['seq']}:{event.data['hash']}"
        currency = event.data.pop("currency")
        history = await visitor.get(f"/users/tan/exchange/history?currency={currency}")
        assert history.json()["items"][0] == event.data


async def test_a_confirmation_is_told_and_is_no_change(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        snapshot = await begin(stream)

        confirmed = (await changer.post("/exchange/confirm")).json()
        told = await stream.next()

    assert (told.name, told.id) == ("confirmed", snapshot.id)
    assert told.data == {
        "confirmed_at": confirmed["rates"][0]["confirmed_at"],
        "valid_for_hours": 24,
        "state": "fresh",
    }


async def test_every_change_that_was_missed_is_replayed_once(
    first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_stream, "_BATCH", 2)  # however many reads it takes
    changer, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        known = (await begin(stream)).id
    prices = [f"0.90{number}" for number in range(5)]
    for price in prices:
        await changer.put("/exchange", json=board(yen(price)))

    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        snapshot = await begin(stream)
        told = [await stream.next() for _ in range(6)]
    async with open_stream(first, visitor, STREAM, last_event_id=told[3].id) as stream:
        await begin(stream)
        rest = [await stream.next() for _ in range(2)]

    assert snapshot.id == known  # lost right after it, the replay begins anew
    assert snapshot.data["rates"][0]["we_buy"] == "0.904"
    assert [buy for code, buy, _ in map(sides, told) if code == "JPY"] == prices
    assert [event.data["seq"] for event in told] == list(range(3, 9))
    assert rest == told[4:]


async def test_a_board_without_history_is_resumed_from_its_beginning(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    await changer.delete("/exchange")
    await changer.put("/exchange", json={**board(), "rates": []})
    async with open_stream(first, visitor, STREAM) as stream:
        known = (await begin(stream)).id
    await changer.put("/exchange", json=board())

    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        told = [sides(await stream.next())[0] for _ in range(2)]

    assert known == f"0:{GENESIS.hex()}"
    assert told == ["JPY", "USD"]


@pytest.mark.parametrize(
    "known",
    [
        *("garbage", "", "1", f"1:{'0' * 64}", f"999:{'a' * 64}", f"0:{'1' * 64}"),
        f"-1:{'0' * 64}",
        f"{1 << 31}:{'0' * 64}",  # more than the column of numbers holds
    ],
)
async def test_what_is_no_head_of_the_board_is_a_reset(
    first: FastAPI, people: tuple[Browser, Browser], known: str
) -> None:
    _, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        head = (await begin(stream)).id

    async with open_stream(first, visitor, STREAM, last_event_id=known or "0:") as stream:
        assert (await begin(stream)).id == head
        assert (await stream.next()).name == "reset"


async def test_the_head_of_a_former_board_is_a_reset(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        known = (await begin(stream)).id
    await changer.delete("/exchange")
    await changer.put(
        "/exchange", json=board(yen("1"), yen("2", currency="EUR"), yen("3", currency="THB"))
    )

    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        assert (await stream.next()).name == "reset"


async def test_too_much_or_too_old_to_replay_is_a_reset(
    first: FastAPI,
    people: tuple[Browser, Browser],
    monkeypatch: pytest.MonkeyPatch,
    time: Time,
) -> None:
    changer, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        known = (await begin(stream)).id

    time.passes(hours=30)
    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        await changer.put("/exchange", json=board(yen("0.9")))
        assert sides(await stream.next())[1] == "0.9"  # nothing had been missed: no reset

    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        assert sides(await stream.next())[1] == "0.9"

    monkeypatch.setattr(board_stream, "_MAX_REPLAYED", 1)
    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        assert (await stream.next()).name == "reset"

    monkeypatch.setattr(board_stream, "_MAX_REPLAYED", 1000)
    time.passes(hours=25)
    async with open_stream(first, visitor, STREAM, last_event_id=known) as stream:
        await begin(stream)
        assert (await stream.next()).name == "reset"


async def test_it_survives_a_restart_of_redis(
    live: Config, first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    changer, visitor = people
    monkeypatch.setattr("wxc.core.events._RECONNECT_INTERVAL", 0.05)
    async with proxy_to(live.redis_url) as (proxy, url):
        wired = live.model_copy(update={"redis_url": url})
        async with running_app(wired) as app, open_stream(app, visitor, STREAM) as stream:
            await begin(stream)
            await proxy.cut()
            await changer.put("/exchange", json=board(yen("0.9")))
            await proxy.restore()

            assert sides(await stream.next())[1] == "0.9"


async def test_without_redis_it_is_told_at_the_next_look(
    live: Config, first: FastAPI, people: tuple[Browser, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    changer, visitor = people
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.2)
    async with proxy_to(live.redis_url) as (proxy, url):
        deaf = live.model_copy(update={"redis_url": url, "redis_timeout": 0.1})
        async with running_app(deaf) as app, open_stream(app, visitor, STREAM) as stream:
            await begin(stream)
            await proxy.cut()

            await changer.put("/exchange", json=board(yen("0.9")))

            assert sides(await stream.next())[1] == "0.9"


async def test_it_ends_when_the_board_is_gone(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    async with open_stream(first, visitor, STREAM) as stream:
        await begin(stream)

        await changer.delete("/exchange")

        await stream.end()
    refused = await visitor.get("/users/tan/exchange/stream")
    assert refused.json()["code"] == "exchange_not_found"


async def test_who_is_blocked_is_told_nothing_more(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, _ = people
    async with AsyncExitStack() as stack:
        bob = await registered_browser(first, stack, "bob")
        stream = await stack.enter_async_context(open_stream(first, bob, STREAM))
        await begin(stream)

        await changer.post("/users/bob/block")
        await changer.put("/exchange", json=board(yen("0.9")))
        await stream.end()

        assert b"0.9" not in stream.body.partition(b"snapshot")[2].partition(b"\n\n")[2]
        assert (await bob.get(STREAM)).json()["code"] == "user_not_found"


async def test_an_expired_board_is_watched_by_its_owner_only(
    first: FastAPI,
    people: tuple[Browser, Browser],
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "POLL_INTERVAL", 0.1)
    changer, visitor = people
    async with (
        open_stream(first, visitor, STREAM) as theirs,
        open_stream(first, changer, STREAM) as own,
    ):
        await begin(theirs)
        await begin(own)

        time.passes(hours=72)

        await theirs.end()
        await changer.post("/exchange/confirm")
        assert (await own.next()).name == "confirmed"


async def test_it_ends_with_the_session_of_whoever_watches(
    first: FastAPI, people: tuple[Browser, Browser]
) -> None:
    changer, visitor = people
    async with (
        open_stream(first, changer, STREAM) as own,
        open_stream(first, visitor, STREAM) as theirs,
    ):
        await begin(own)
        await begin(theirs)

        await changer.post("/logout")

        assert (await own.next()).name == "reauth"
        await own.end()
        first.state.services.events.end_streams()  # as at shutdown; the visitor remained
        await theirs.end()


async def test_places_are_bounded_by_address_and_given_back(
    live: Config, people: tuple[Browser, Browser]
) -> None:
    _, visitor = people
    async with (
        running_app(live.model_copy(update={"streams_per_address": 2})) as app,
        AsyncExitStack() as stack,
    ):
        for _ in range(2):
            async with open_stream(app, visitor, STREAM) as stream:
                await begin(stream)
        for _ in range(2):
            await begin(await stack.enter_async_context(open_stream(app, visitor, STREAM)))

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
async def test_what_is_not_there_is_refused_as_a_problem(
    first: FastAPI, path: str, code: str
) -> None:
    async with AsyncExitStack() as stack:
        bob = await registered_browser(first, stack, "bob")
        answer: Any = await bob.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, code)
    await asyncio.sleep(0)
    assert first.state.services.traffic.streams.total() == 0
