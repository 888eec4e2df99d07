from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser
from tests.support.fake_time import FakeTime

from wxc.core import clock
from wxc.models import RateEvent


async def test_as_of_returns_the_rates_and_terms_of_that_moment(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    async def at(moment: str) -> dict[str, Any]:
        answer = await stranger.get("/users/ada/exchange", params={"as_of": moment})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    moments, shown = [], []
    for body in (BOARD, board(yen("0.90")), board(yen("0.90"), base_currency="EUR")):
        shown.append((await ada.put("/exchange", json=body)).json())
        moments.append(time.now.isoformat())
        time.advance(hours=13)
    await ada.put("/exchange", json=board(name="New name", valid_for_hours=48))

    for moment, board_then in zip(moments, shown, strict=True):
        rebuilt = await at(moment)
        assert rebuilt["rates"] == board_then["rates"]
        assert rebuilt["base_currency"] == board_then["base_currency"]
        assert rebuilt["valid_for_hours"] == 24
        assert rebuilt["name"] == "New name"
    later = (await at((time.now - timedelta(hours=26, minutes=1)).isoformat()))["rates"]
    assert [rate["state"] for rate in later] == ["aging", "aging"]


async def test_as_of_includes_currencies_retired_since(
    ada: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    exchange_id = (await ada.put("/exchange", json=board(yen("1")))).json()["id"]
    line = {"currency": "HRK", "base_currency": "SGD", "unit": 1, "we_buy": Decimal("0.19")}
    await connection.execute(insert(RateEvent).values(exchange_id=exchange_id, **line, **_EVENT))

    query = {"as_of": clock.now().isoformat()}
    rates = (await stranger.get("/users/ada/exchange", params=query)).json()["rates"]

    assert [rate["currency"] for rate in rates] == ["HRK", "JPY"]


async def test_as_of_before_the_board_existed_or_in_the_future_is_refused(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=BOARD)

    before = {"as_of": (time.now - timedelta(seconds=1)).isoformat()}
    after = {"as_of": (time.now + timedelta(seconds=1)).isoformat()}

    answer = await stranger.get("/users/ada/exchange", params=before)
    assert answer.json()["code"] == "exchange_not_found"
    answer = await stranger.get("/users/ada/exchange", params=after)
    assert answer.json()["errors"][0]["pointer"] == "query.as_of"


@pytest.mark.parametrize(
    "moment",
    [
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:60Z"),
        *("2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00", "2026-01-01", "1767225600", ""),
        *("0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday"),
    ],
)
async def test_an_invalid_time_is_refused(ada: Browser, stranger: Browser, moment: str) -> None:
    await ada.put("/exchange", json=BOARD)

    answer = await stranger.get("/users/ada/exchange", params={"as_of": moment})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query.as_of"


_EVENT = {"seq": 9, "at": clock.now(), "hash": bytes(32)}
