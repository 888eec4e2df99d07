import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from tests.support.app import running_app
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser
from tests.support.factories import make_user
from tests.support.limits import UNLIMITED

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.exchange.history.service import verification

pytestmark = pytest.mark.unmeasured  # adds no coverage to the other tests


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    long_waits = {"database_pool_wait": 30, "request_deadline": 60}
    changed = {"database_url": fresh_database_url, **UNLIMITED, **long_waits}
    async with running_app(config.model_copy(update=changed)) as app:
        yield app


@pytest.fixture
async def ada(app: FastAPI) -> AsyncIterator[Browser]:
    async with app.state.services.database.engine.begin() as connection:
        await make_user(connection, "ada")
    async with Browser(app) as browser:
        await browser.log_in("ada")
        yield browser


async def test_one_of_fifty_concurrent_replacements_with_an_etag_succeeds_and_the_chain_has_no_gap(
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
        (winner,) = [answer for answer in answers if answer.status_code == 200]
        assert {answer.status_code for answer in answers if answer is not winner} == {412}
        tag, accepted = winner.headers["etag"], accepted + 1

    events = (await ada.get("/users/ada/exchange/history?currency=JPY")).json()["items"]
    assert [event["seq"] for event in events] == list(range(accepted, 0, -1))
    assert tag.startswith(f'"{accepted}.')
    found = await verification.verify_rates(app.state.services.database, None)
    assert found.faults == []


async def test_concurrent_replacements_without_an_etag_all_succeed_and_are_recorded(
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

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    shown = (await ada.get("/exchange")).json()["rates"]
    assert len({rate["we_buy"] for rate in shown}) == 1
    found = await verification.verify_rates(app.state.services.database, None)
    assert found.faults == []
    async with app.state.services.database.engine.connect() as connection:
        count = "SELECT count(*) FROM rate_events JOIN exchanges e ON e.id = exchange_id "
        of_ada = "JOIN users u ON u.id = e.owner_id WHERE username = 'ada'"
        assert await connection.scalar(text(count + of_ada)) == 80


async def test_concurrently_closing_and_replacing_a_board_leaves_a_consistent_state(
    app: FastAPI, ada: Browser
) -> None:
    def change(number: int) -> "asyncio.Future[httpx.Response]":
        request = ada.put("/exchange", json=BOARD) if number % 2 else ada.delete("/exchange")
        return asyncio.ensure_future(request)

    answers = await asyncio.gather(*(change(number) for number in range(20)))

    assert {answer.status_code for answer in answers} <= {200, 201, 204, 404, 412, 503}
    has_board = (await ada.get("/exchange")).status_code == 200
    assert (await ada.get("/users/ada")).json()["has_exchange"] is has_board
    assert (await verification.verify_rates(app.state.services.database, None)).faults == []
