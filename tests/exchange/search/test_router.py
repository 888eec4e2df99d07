from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.factories import make_block, make_exchange, make_user
from tests.support.fake_time import FakeTime

from wxc.core import clock
from wxc.models import Exchange

LONDON = (51.5074, -0.1278)
NEAR_LONDON = {"lat": "51.5074", "lon": "-0.1278"}
YEN = {"from": "SGD", "to": "JPY", "amount": "500"}


@pytest.fixture(autouse=True)
async def _empty(connection: AsyncConnection) -> None:
    """Delete all boards, so that searches find only those of the test."""
    await connection.execute(delete(Exchange))


async def shop(
    connection: AsyncConnection,
    name: str,
    *rates: dict[str, Any],
    north: float = 0,
    place: tuple[float, float] | None = LONDON,
    **fields: Any,
) -> None:
    """Insert a board `north` metres to the north of `place`; without coordinates if it is None."""
    owner = await make_user(connection, name)
    where = place and (place[0] + north / 111_260, place[1])
    await make_exchange(connection, owner, rates, place=where, **fields)


def sells(price: str, **fields: Any) -> dict[str, Any]:
    return {"currency": "JPY", "unit": 100, "we_sell": Decimal(price), **fields}


async def find(browser: Browser, **query: str) -> list[dict[str, Any]]:
    answer = await browser.get("/exchanges", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def names(hits: list[dict[str, Any]]) -> list[str]:
    return [hit["exchange"]["owner"]["username"] for hit in hits]


async def test_boards_within_the_radius_are_found_nearest_first(
    stranger: Browser, connection: AsyncConnection
) -> None:
    for name, north in (("far", 5_100), ("second", 900), ("first", -300), ("third", 4_900)):
        await shop(connection, name, north=north)
    await shop(connection, "nowhere", place=None)
    await shop(connection, "swapped", place=(LONDON[1], LONDON[0]))

    hits = await find(stranger, **NEAR_LONDON)

    assert names(hits) == ["first", "second", "third"]
    assert [hit["distance_m"] for hit in hits] == pytest.approx([300, 900, 4_900], rel=0.01)
    assert [hit["quote"] for hit in hits] == [None] * 3
    assert names(await find(stranger, **NEAR_LONDON, radius_m="500")) == ["first"]
    assert names(await find(stranger, **NEAR_LONDON, radius_m="50000"))[-1] == "far"


@pytest.mark.parametrize(
    ("place", "lat", "lon"),
    [((0, 179.999), "0", "-179.999"), ((89.999, 10), "89.999", "-170"), ((-90, 0), "-90", "99")],
)
async def test_searches_work_across_the_antimeridian_and_at_the_poles(
    stranger: Browser,
    connection: AsyncConnection,
    place: tuple[float, float],
    lat: str,
    lon: str,
) -> None:
    await shop(connection, "edge", place=place)

    (hit,) = await find(stranger, lat=lat, lon=lon)

    assert hit["distance_m"] < 250


async def test_the_board_from_which_the_customer_receives_most_comes_first(
    stranger: Browser, connection: AsyncConnection
) -> None:
    await shop(connection, "middle", sells("0.9134"), north=10)
    await shop(connection, "best", sells("0.91"), place=None)
    await shop(connection, "worst", sells("0.92"), north=100)
    await shop(connection, "buys_only", {"currency": "JPY", "we_buy": Decimal(1)})
    await shop(connection, "other", {"currency": "USD", "we_sell": Decimal(1)})

    hits = await find(stranger, **YEN)

    assert names(hits) == ["best", "middle", "worst"]
    assert [hit["quote"]["to_amount"] for hit in hits] == ["54945", "54740", "54347"]
    assert [hit["distance_m"] for hit in hits] == [None] * 3
    near = await find(stranger, **YEN, **NEAR_LONDON)
    assert names(near) == ["middle", "worst"]
    assert names(await find(stranger, **YEN, **NEAR_LONDON, sort="distance")) == ["middle", "worst"]


async def test_only_boards_that_can_do_the_conversion_are_found(
    stranger: Browser, connection: AsyncConnection
) -> None:
    dollars = {"currency": "USD", "we_buy": Decimal("1.3350"), "we_sell": Decimal("1.35")}
    await shop(connection, "cross", dollars, sells("0.9134"))
    await shop(connection, "to_base", dollars, base_currency="JPY")
    await shop(
        connection, "from_base", {"currency": "JPY", "we_sell": Decimal(1)}, base_currency="USD"
    )
    await shop(connection, "least", dollars, sells("0.9134", min_amount=Decimal(73_079)))
    await shop(connection, "most", dollars, sells("0.9134", max_amount=Decimal(73_077)))
    await shop(connection, "few_dollars", dollars | {"max_amount": Decimal(499)}, sells("0.9134"))
    await shop(connection, "expensive", dollars, sells("99999999"))
    await shop(connection, "exact", dollars, sells("0.9134", max_amount=Decimal(73_078)))

    hits = await find(stranger, **(YEN | {"from": "USD"}))

    assert set(names(hits)) == {"cross", "exact", "to_base", "from_base"}
    assert names(hits)[2:] == ["to_base", "from_base"]
    assert all(hit["quote"]["feasible"] for hit in hits)
    found = {name: hit["quote"]["to_amount"] for name, hit in zip(names(hits), hits, strict=True)}
    assert found == {"cross": "73078", "exact": "73078", "to_base": "667", "from_base": "500"}


@settings(suppress_health_check=list(HealthCheck), max_examples=30, deadline=None)
@given(
    buy=st.integers(1, 10**13),
    sell=st.integers(1, 10**13),
    units=st.tuples(*[st.sampled_from([1, 10, 100, 1000, 10_000])] * 2),
    amount=st.integers(1, 10**8),
)
async def test_the_search_orders_boards_by_the_exact_amounts_of_their_quotes(
    stranger: Browser,
    connection: AsyncConnection,
    buy: int,
    sell: int,
    units: tuple[int, int],
    amount: int,
) -> None:
    async with connection.begin_nested() as savepoint:
        for number in range(3):
            lines = (
                {
                    "currency": "KWD",
                    "unit": units[0],
                    "we_buy": Decimal(buy + number).scaleb(-10),
                },
                {"currency": "USD", "unit": units[1], "we_sell": Decimal(sell).scaleb(-10)},
            )
            await shop(connection, f"shop_{number}", *lines)
        query = {"from": "KWD", "to": "USD", "amount": str(Decimal(amount).scaleb(-3))}
        hits = await find(stranger, **query)
        quotes = [
            (await stranger.get(f"/users/shop_{number}/exchange/quote", params=query)).json()
            for number in range(3)
        ]
        await savepoint.rollback()

    feasible = [quoted["to_amount"] for quoted in quotes if quoted.get("feasible")]
    assert [hit["quote"]["to_amount"] for hit in hits] == sorted(
        feasible, key=Decimal, reverse=True
    )


async def test_stale_rates_are_excluded_unless_requested_and_expired_rates_always(
    stranger: Browser, connection: AsyncConnection
) -> None:
    for name, hours in (("fresh", 1), ("aging", 20), ("stale", 30), ("expired", 73)):
        await shop(connection, name, confirmed_at=clock.now() - timedelta(hours=hours))

    assert set(names(await find(stranger, **NEAR_LONDON))) == {"fresh", "aging"}
    hits = await find(stranger, **NEAR_LONDON, include_stale="true")
    assert set(names(hits)) == {"fresh", "aging", "stale"}


async def test_open_boards_are_found_after_many_closed_boards(
    stranger: Browser, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    always = [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(1, 8)]
    in_two_days = (clock.now().isoweekday() + 1) % 7 + 1
    never = [{"weekday": in_two_days, "opens": "10:00", "closes": "10:01"}]
    for number in range(7):
        await shop(connection, f"shut_{number}", north=number, opening_hours=never, time_zone="UTC")
    await shop(connection, "open", north=50, opening_hours=always, time_zone="UTC")
    await shop(connection, "unknown", north=1, opening_hours=always)
    monkeypatch.setattr("wxc.exchange.search.service._BATCH_SIZE", 2)

    assert names(await find(stranger, **NEAR_LONDON, open_now="true")) == ["open"]
    monkeypatch.setattr("wxc.exchange.search.service._MAX_BATCHES", 1)
    page = (await stranger.get("/exchanges", params=NEAR_LONDON | {"open_now": "true"})).json()
    assert page["items"] == []
    assert page["next_cursor"] is not None


@pytest.mark.parametrize("sort", ["receive", "distance"])
async def test_pages_contain_each_board_once_even_with_equal_ranks(
    stranger: Browser, connection: AsyncConnection, sort: str
) -> None:
    for number in range(7):
        await shop(connection, f"shop_{number}", sells(f"0.9{number // 3}"), north=number // 3)
    query = YEN | NEAR_LONDON | {"sort": sort}
    whole = names(await find(stranger, **query))

    found: list[str] = []
    cursor: dict[str, str] = {}
    while cursor or not found:
        page = (await stranger.get("/exchanges", params=query | {"limit": "2"} | cursor)).json()
        found += names(page["items"])
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}

    assert len(whole) == 7
    assert found == whole


async def test_without_a_place_the_most_recently_changed_boards_are_compared(
    stranger: Browser, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wxc.exchange.search.service._MAX_COMPARED", 2)
    now = clock.now()
    for age, price in enumerate(("0.95", "0.92", "0.10", "0.05")):
        moment = now - timedelta(hours=age)
        await shop(connection, f"shop_{age}", sells(price), confirmed_at=moment)
    dollars = {"currency": "USD", "we_buy": Decimal("1.3")}
    for age, price in ((2, "0.94"), (3, "0.97")):  # from dollars, with a third currency as base
        moment = now - timedelta(hours=age)
        rates = [sells(price), dollars]
        await shop(connection, f"both_{age}", *rates, base_currency="EUR", confirmed_at=moment)

    rare = {"currency": "KZT", "we_sell": Decimal("0.002")}
    moment = now - timedelta(hours=4)
    await shop(connection, "rare", rare, dollars, base_currency="EUR", confirmed_at=moment)

    assert names(await find(stranger, **YEN)) == ["shop_1", "shop_0"]
    assert names(await find(stranger, **YEN | {"from": "USD", "to": "KZT"})) == ["rare"]
    assert names(await find(stranger, **YEN | {"from": "USD"})) == ["both_2", "both_3"]
    near = await find(stranger, **YEN, **NEAR_LONDON)
    assert names(near) == ["shop_3", "shop_2", "shop_1", "shop_0"]


async def test_all_pages_use_the_rates_of_one_instant(
    member: Member, stranger: Browser, connection: AsyncConnection, time: FakeTime
) -> None:
    ada, bob = await member("ada"), await member("bob")
    place = {"lat": LONDON[0], "lon": LONDON[1]}
    await ada.put("/exchange", json=board(yen(None, "0.90"), location=place))
    await bob.put("/exchange", json=board(yen(None, "0.95"), location=place))
    time.advance(seconds=1)
    first = (await stranger.get("/exchanges", params=YEN | {"limit": "1"})).json()
    cursor = {"cursor": first["next_cursor"], "limit": "1"}
    time.advance(minutes=9)
    await bob.put("/exchange", json=board(yen(None, "0.80"), location=place))
    await ada.put("/exchange", json=board(yen(None, "0.99"), location=place))

    second = (await stranger.get("/exchanges", params=YEN | cursor)).json()

    assert (names(first["items"]), names(second["items"])) == (["ada"], ["bob"])
    assert second["items"][0]["exchange"]["rates"][0]["we_sell"] == "0.95"
    assert second["items"][0]["quote"]["to_amount"] == "52631"
    assert second["next_cursor"] is None
    assert names(await find(stranger, **YEN)) == ["bob", "ada"]
    time.advance(minutes=1, seconds=1)
    late = await stranger.get("/exchanges", params=YEN | cursor)
    assert (late.status_code, late.json()["code"]) == (409, "search_expired")


async def test_search_excludes_blocked_and_suspended_owners(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    for number, name in enumerate(("blocker", "blocked", "suspended", "other")):
        await shop(connection, name, north=number)
    ids = {
        row.username: row.id
        for row in await connection.execute(text("SELECT id, username FROM users"))
    }
    await make_block(connection, ids["blocker"], ada.id)
    await make_block(connection, ada.id, ids["blocked"])
    await connection.execute(
        text("UPDATE users SET suspended_at = now() WHERE username = 'suspended'")
    )

    assert names(await find(ada, **NEAR_LONDON)) == ["other"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("", "query.sort"),
        ("sort=receive&lat=1&lon=1", "query.sort"),
        ("sort=distance&from=SGD&to=JPY&amount=1", "query.sort"),
        ("lat=1", "query.lat"),
        ("lon=1&from=SGD&to=JPY&amount=1", "query.lon"),
        ("radius_m=5", "query.radius_m"),
        ("lat=91&lon=0", "query.lat"),
        ("lat=0&lon=181", "query.lon"),
        ("lat=NaN&lon=0", "query.lat"),
        ("lat=0&lon=0&radius_m=0", "query.radius_m"),
        ("lat=0&lon=0&radius_m=-1", "query.radius_m"),
        ("lat=0&lon=0&radius_m=50001", "query.radius_m"),
        ("lat=0&lon=0&radius_m=1e12", "query.radius_m"),
        ("from=SGD&to=JPY", "query.from"),
        ("to=JPY&amount=1", "query.to"),
        ("from=SGD&to=SGD&amount=1", "query.to"),
        ("from=SGD&to=JPY&amount=1.001", "query.amount"),
    ],
)
async def test_an_invalid_search_is_refused_with_its_pointer(
    stranger: Browser, query: str, pointer: str
) -> None:
    answer = await stranger.get(f"/exchanges?{query}")

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
