"""Slots of live streams and exports: anonymous viewers cannot take those of members."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from tests.support.app import registered_browser, running_app
from tests.support.boards import board
from tests.support.browser import Browser
from tests.support.limits import UNLIMITED
from tests.support.streams import Stream, open_stream

from wxc.accounts.export.service import exporting
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.exchange.stream import service as board_stream
from wxc.http.disconnects import ClientDisconnected

BOARD = "/users/tan/exchange/stream"
NOTIFICATIONS = "/notifications/stream"
EXPORT = "/settings/export"


@dataclass
class World:
    """An instance, a signed-in member, and everything that stays open until the test ends."""

    app: FastAPI
    tan: Browser
    stack: AsyncExitStack

    async def anonymous(self, address: str) -> Browser:
        return await self.stack.enter_async_context(Browser(self.app, address=address))

    async def member(self, name: str) -> Browser:
        return await registered_browser(self.app, self.stack, name)

    async def open(self, browser: Browser, path: str) -> int:
        """The status of a stream, which stays open unless it was refused."""
        stream = await self.stack.enter_async_context(open_stream(self.app, browser, path))
        return await stream.begin()

    async def open_from(self, *addresses: str) -> list[int]:
        """The statuses of a board stream for an anonymous viewer at each address."""
        return [await self.open(await self.anonymous(address), BOARD) for address in addresses]

    async def opened_once(self, browser: Browser, path: str) -> int:
        """The status of a stream that is closed immediately."""
        async with open_stream(self.app, browser, path) as stream:
            return await stream.begin()

    async def refusal(self, browser: Browser, path: str) -> str:
        """The code with which a stream is refused; empty if it is not."""
        async with open_stream(self.app, browser, path) as stream:
            status = await stream.begin()
        return "" if status == 200 else str(json.loads(stream.body)["code"])


Start = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def start(config: Config, fresh_database_url: str, redis: RedisClient) -> Start:
    """Starts an instance with the given settings, on which `tan` has a board."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2, **UNLIMITED}

    @asynccontextmanager
    async def starting(**settings: Any) -> AsyncIterator[World]:
        wanted = config.model_copy(update=changed | settings)
        async with running_app(wanted) as app, AsyncExitStack() as stack:
            tan = await registered_browser(app, stack, "tan")
            await tan.put("/exchange", json=board())
            yield World(app, tan, stack)

    return starting


def ipv4_addresses(count: int) -> list[str]:
    """Distinct addresses."""
    return [f"198.51.100.{number}" for number in range(1, count + 1)]


async def test_anonymous_streams_take_at_most_half_of_the_slots(start: Start) -> None:
    async with start(streams_in_flight=8) as world:
        statuses = await world.open_from(*ipv4_addresses(9))

        assert await world.open(world.tan, NOTIFICATIONS) == 200
        assert await world.open(world.tan, BOARD) == 200
        assert (await world.tan.get(EXPORT)).status_code == 200
        assert statuses == [200] * 4 + [503] * 5
        assert await world.refusal(await world.anonymous("203.0.113.1"), BOARD) == "overloaded"


async def test_all_streams_together_are_limited_per_process(start: Start) -> None:
    async with start(streams_in_flight=4) as world:
        other = await world.member("bob")
        members = [await world.open(browser, NOTIFICATIONS) for browser in (world.tan, other) * 2]

        assert members == [200] * 4
        assert await world.open_from(*ipv4_addresses(1)) == [503]
        assert await world.open(await world.member("eve"), BOARD) == 503
        assert (await world.tan.get(EXPORT)).json()["code"] == "overloaded"


async def test_anonymous_and_member_streams_share_the_limit_of_the_process(start: Start) -> None:
    async with start(streams_in_flight=4) as world:
        assert await world.open_from(*ipv4_addresses(2)) == [200, 200]

        members = [await world.open(world.tan, BOARD) for _ in range(3)]

        assert members == [200, 200, 503]


async def test_an_ipv6_site_is_limited_across_its_networks(start: Start) -> None:
    async with start(streams_per_address=2, streams_per_ipv6_site=3) as world:
        site = [f"2001:db8:1:{number}::1" for number in range(4)]

        assert await world.open_from(*site) == [200, 200, 200, 429]
        assert await world.open_from("2001:db8:2::1", "2001:db8:2::2") == [200, 200]
        assert await world.open_from("2001:db8:2::3", "2001:db8:2:1::1") == [429, 200]


async def test_each_ipv4_address_has_its_own_limit(start: Start) -> None:
    async with start(streams_per_address=1, streams_per_ipv6_site=1) as world:
        assert await world.open_from("192.0.2.8", "192.0.2.9", "192.0.2.8") == [200, 200, 429]


async def test_the_limit_per_address_does_not_apply_to_members(start: Start) -> None:
    async with start(streams_per_address=2) as world:
        address = world.tan.address
        assert await world.open_from(*[address] * 3) == [200, 200, 429]

        assert [await world.open(world.tan, BOARD) for _ in range(3)] == [200] * 3


async def test_member_streams_do_not_count_against_the_address(start: Start) -> None:
    async with start(streams_per_address=1) as world:
        for _ in range(3):
            await world.open(world.tan, BOARD)

        assert await world.open_from(world.tan.address) == [200]


async def test_board_streams_of_a_member_count_against_the_session(start: Start) -> None:
    async with start(streams_per_session=2) as world:
        assert await world.open(world.tan, BOARD) == 200
        assert await world.open(world.tan, NOTIFICATIONS) == 200

        for path in (BOARD, NOTIFICATIONS):
            assert await world.refusal(world.tan, path) == "too_many_streams"
        assert await world.open(await world.member("bob"), BOARD) == 200


async def test_forged_cookies_get_no_member_slot(start: Start) -> None:
    async with start(streams_in_flight=2) as world:
        await world.open_from(*ipv4_addresses(1))
        forged = await world.anonymous("203.0.113.1")
        forged.http.cookies.update({"wxc_access": "garbage", "wxc_refresh": "garbage"})

        assert await world.refusal(forged, BOARD) == "not_authenticated"
        assert await world.open(world.tan, BOARD) == 200


async def test_a_member_may_run_one_export_in_addition_to_its_streams(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(*_: object) -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with start(streams_per_session=2) as world:
        statuses = [await world.open(world.tan, NOTIFICATIONS) for _ in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(exporting, "_document", endless)
            statuses.append(await world.open(world.tan, EXPORT))

        assert statuses == [200] * 3
        assert await world.refusal(world.tan, EXPORT) == "too_many_streams"
        assert (await (await world.member("bob")).get(EXPORT)).status_code == 200


async def test_refused_anonymous_viewers_never_delay_a_member(start: Start) -> None:
    async with start(streams_in_flight=4) as world:
        await world.open_from(*ipv4_addresses(2))
        viewers = [await world.anonymous(address) for address in ipv4_addresses(40)]

        paths = (BOARD, NOTIFICATIONS)
        flood = [
            asyncio.create_task(world.opened_once(browser, path))
            for browser in viewers
            for path in paths
        ]
        statuses = [await world.opened_once(world.tan, BOARD) for _ in range(3)]

        assert set(await asyncio.gather(*flood)) == {401, 503}
        assert statuses == [200] * 3


async def test_anonymous_viewers_waiting_for_the_database_take_no_member_slots(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_for_database = asyncio.Semaphore(0)

    async def open_board(*_: object) -> None:
        waiting_for_database.release()
        await asyncio.Event().wait()

    async with start(streams_in_flight=4) as world:
        viewers = [await world.anonymous(address) for address in ipv4_addresses(9)]
        with monkeypatch.context() as patch:
            patch.setattr(board_stream, "open_board", open_board)
            waiting = [asyncio.create_task(browser.get(BOARD)) for browser in viewers]
            world.stack.push_async_callback(cancel, waiting)
            for _ in range(2):
                await waiting_for_database.acquire()

        assert await world.open(world.tan, NOTIFICATIONS) == 200
        assert await world.open(world.tan, BOARD) == 200
        assert [task.done() for task in waiting].count(False) == 2
        await cancel(waiting)
        assert await world.open_from(*ipv4_addresses(3)) == [200, 200, 503]


@pytest.mark.parametrize("path", [BOARD, NOTIFICATIONS, EXPORT])
async def test_the_slot_of_a_member_is_released_however_the_stream_ends(
    start: Start, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with start(streams_in_flight=2, streams_per_session=1) as world:
        for _ in range(3):  # the client disconnects
            assert await world.opened_once(world.tan, path) == 200
        for _ in range(3):  # it disconnects before the first byte
            await leave_early(world, world.tan, path, monkeypatch)
        for _ in range(3):
            assert (await world.tan.request("HEAD", path)).status_code == 200

        assert await world.open(world.tan, path) == 200


async def test_the_slot_of_an_anonymous_viewer_is_released_however_the_stream_ends(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"streams_in_flight": 2, "streams_per_address": 1, "streams_per_ipv6_site": 1}
    async with start(**settings) as world:
        viewer = await world.anonymous("2001:db8::1")
        for _ in range(3):
            assert await world.opened_once(viewer, BOARD) == 200
            await leave_early(world, viewer, BOARD, monkeypatch)
            assert (await viewer.request("HEAD", BOARD)).status_code == 200
            assert (await viewer.get("/users/nobody/exchange/stream")).status_code == 404

        assert await world.open(viewer, BOARD) == 200
        assert [await world.open(viewer, BOARD) for _ in range(2)] == [429, 429]


async def test_the_end_of_a_session_frees_its_slots(start: Start) -> None:
    async with start(streams_in_flight=2, streams_per_session=2) as world:
        async with (
            open_stream(world.app, world.tan, BOARD) as first,
            open_stream(world.app, world.tan, NOTIFICATIONS) as second,
        ):
            assert [await first.begin(), await second.begin()] == [200, 200]
            await world.tan.post("/logout")
            await first.end()
            await second.end()

        await world.tan.log_in("tan")
        assert [await world.open(world.tan, path) for path in (BOARD, NOTIFICATIONS)] == [200, 200]


async def leave_early(
    world: World, browser: Browser, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Request a stream, and disconnect before the response begins."""

    async def disconnect(*_: object) -> None:
        raise ClientDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "send", disconnect)
        async with open_stream(world.app, browser, path):
            pass


async def cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
