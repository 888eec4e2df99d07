"""Cursors of lists of the exchange whose defaults depend on other filters."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.factories import make_exchange, make_user
from tests.support.fake_time import FakeTime

from wxc.core import clock
from wxc.core.times import rfc3339

PLACE = "/exchanges?lat=1.3&lon=103.8"
DAY = timedelta(days=1)
CONVERSION = "/exchanges?from=SGD&to=JPY&amount=500"


@pytest.fixture
async def _boards(connection: AsyncConnection) -> None:
    yen_line = {"currency": "JPY", "unit": 100, "we_buy": None, "we_sell": 1}
    for name in ("bob", "eve"):
        owner = await make_user(connection, name)
        await make_exchange(connection, owner, [yen_line], place=(1.3, 103.8))


@pytest.mark.usefixtures("_boards")
@pytest.mark.parametrize(
    ("query", "same"),
    [
        (PLACE, f"{PLACE}&radius_m=5000"),
        (PLACE, f"{PLACE}&radius_m=5.0e3"),
        (PLACE, f"{PLACE}&sort=distance&open_now=false"),
        (PLACE, "/exchanges?lat=1.30&lon=1038e-1"),
        (CONVERSION, f"{CONVERSION}&sort=receive"),
        (CONVERSION, f"{CONVERSION}.00&include_stale=false"),
    ],
)
async def test_a_search_cursor_holds_for_the_same_search_in_other_words(
    stranger: Browser, query: str, same: str
) -> None:
    for first, second in ((query, same), (same, query)):
        cursor = (await stranger.get(f"{first}&limit=1")).json()["next_cursor"]

        answer = await stranger.get(f"{second}&limit=1&cursor={cursor}")

        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) == 1


@pytest.mark.usefixtures("_boards")
@pytest.mark.parametrize(
    ("query", "other"),
    [
        (PLACE, f"{PLACE}&radius_m=4999"),
        (PLACE, "/exchanges?lat=1.3&lon=103.81"),
        (CONVERSION, CONVERSION.replace("500", "501")),
        (CONVERSION, f"{CONVERSION}&include_stale=true"),
        (f"{PLACE}&{CONVERSION[11:]}", f"{PLACE}&{CONVERSION[11:]}&sort=distance"),
    ],
)
async def test_a_search_cursor_is_refused_for_another_search(
    stranger: Browser, query: str, other: str
) -> None:
    cursor = (await stranger.get(f"{query}&limit=1")).json()["next_cursor"]

    answer = await stranger.get(f"{other}&limit=1&cursor={cursor}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


async def test_a_history_cursor_holds_for_the_same_range_in_other_words(
    ada: Browser, time: FakeTime
) -> None:
    for price in ("0.8", "0.9"):
        await ada.put("/exchange", json=board(yen(price)))
        time.advance(minutes=1)
    end, start = rfc3339(clock.now()), rfc3339(clock.now() - timedelta(days=30))
    path = "/users/ada/exchange/history?currency=JPY&limit=1"
    for first, second in (
        (f"&to={end}", f"&to={end.lower()}&from={start}&group=event"),
        (f"&to={end}&from={start}", f"&to={end.replace('Z', '%2B00:00')}"),
        (f"&from={start}", f"&from={start.lower()}"),
    ):
        cursor = (await ada.get(path + first)).json()["next_cursor"]

        answer = await ada.get(f"{path}{second}&cursor={cursor}")

        assert answer.status_code == 200, answer.text


async def test_a_history_cursor_is_refused_for_another_range(ada: Browser, time: FakeTime) -> None:
    for price in ("0.8", "0.9"):
        await ada.put("/exchange", json=board(yen(price)))
        time.advance(minutes=1)
    ends = [rfc3339(clock.now() - timedelta(seconds=seconds)) for seconds in (0, 1)]
    path = "/users/ada/exchange/history?currency=JPY&limit=1"
    cursor = (await ada.get(f"{path}&to={ends[0]}")).json()["next_cursor"]

    for other in (f"&to={ends[1]}", f"&to={ends[0]}&from={rfc3339(clock.now() - DAY)}", ""):
        answer = await ada.get(f"{path}{other}&cursor={cursor}")

        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
