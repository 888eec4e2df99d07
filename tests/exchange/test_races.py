"""Many devices change one board at the same moment."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.exchange.boards import BOARD, board, yen
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.factories import make_user
from tests.support.limits import UNLIMITED

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.exchange.service import verifying

pytestmark = pytest.mark.unmeasured  # the same ways again and again: others measure them


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    patient = {"database_pool_wait": 30, "request_deadline": 60}
    changed = {"database_url": fresh_database_url, **UNLIMITED, **patient}
    async with running_app(config.model_copy(update=changed)) as app:
        yield app


@pytest.fixture
async def ada(app: FastAPI) -> AsyncIterator[Browser]:
    async with app.state.services.database.engine.begin() as connection:
        await make_user(connection, "ada")
    async with Browser(app) as browser:
        await browser.log_in("ada")
        yield browser


async def test_of_fifty_who_have_read_a_version_one_replaces_it_and_the_chain_has_no_hole(
    app: FastAPI, ada: Browser
) -> None:
    tag = (await ada.put("/exchange", json=board(yen("0.1")))).headers["etag"]
    accepted = 1
    for turn in range(2):
        answers = await asyncio.gather(
            *(
                ada.put("/exchange", json=board(yen(f"{turn}.{n}1")), headers={"If-Match": tag})
                for n in range(50)
            )
        )
        (winner,) = [one for one in answers if one.status_code == 200]
        assert {one.status_code for one in answers if one is not winner} == {412}
        tag, accepted = winner.headers["etag"], accepted + 1

    events = (await ada.get("/users/ada/exchange/history?currency=JPY")).json()["items"]
    assert [one["seq"] for one in events] == list(range(accepted, 0, -1))
    assert tag.startswith(f'"{accepted}.')
    found = await verifying.verify_rates(app.state.services.database, None)
    assert found.faults == []


async def test_whoever_does_not_care_replaces_all_of_the_board_and_every_change_is_noted(
    app: FastAPI, ada: Browser
) -> None:
    def lines(number: int) -> list[dict[str, object]]:
        return [
            {"currency": code, "we_buy": f"{number}.{number}"}
            for code in ("EUR", "JPY", "KWD", "USD")
        ]

    answers = await asyncio.gather(
        *(ada.put("/exchange", json=board(*lines(number))) for number in range(1, 21))
    )

    assert sorted(one.status_code for one in answers) == [200] * 19 + [201]
    shown = (await ada.get("/exchange")).json()["rates"]
    assert len({rate["we_buy"] for rate in shown}) == 1
    found = await verifying.verify_rates(app.state.services.database, None)
    assert found.faults == []
    async with app.state.services.database.engine.connect() as connection:
        count = "SELECT count(*) FROM rate_events JOIN exchanges e ON e.id = exchange_id "
        of_ada = "JOIN users u ON u.id = e.owner_id WHERE username = 'ada'"
        assert await connection.scalar(text(count + of_ada)) == 80


async def test_a_board_that_is_closed_and_replaced_at_once_is_there_or_not(
    app: FastAPI, ada: Browser
) -> None:
    def change(number: int) -> "asyncio.Future[httpx.Response]":
        request = ada.put("/exchange", json=BOARD) if number % 2 else ada.delete("/exchange")
        return asyncio.ensure_future(request)

    answers = await asyncio.gather(*(change(number) for number in range(20)))

    assert {one.status_code for one in answers} <= {200, 201, 204, 404, 412, 503}
    is_there = (await ada.get("/exchange")).status_code == 200
    assert (await ada.get("/users/ada")).json()["has_exchange"] is is_there
    assert (await verifying.verify_rates(app.state.services.database, None)).faults == []
