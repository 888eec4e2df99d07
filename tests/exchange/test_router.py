"""Boards over HTTP."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.exchange.boards import BOARD, Time, board, yen
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_block, make_exchange, make_user

from wxc.core import clock
from wxc.core.config import Config
from wxc.models import ExchangeRate, RateEvent
from wxc.worker.account_deletion import AccountPurger


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


async def test_a_board_is_opened_once_and_then_replaced(ada: Browser, stranger: Browser) -> None:
    assert (await ada.get("/exchange")).json()["code"] == "exchange_not_found"

    opened = await ada.put("/exchange", json=BOARD)
    replaced = await ada.put("/exchange", json=board(name="Tan & Daughter"))

    assert (opened.status_code, replaced.status_code) == (201, 200)
    assert opened.json()["id"] == replaced.json()["id"]
    assert (await stranger.get("/users/ada")).json()["has_exchange"] is True
    seen = await stranger.get("/users/ada/exchange")
    assert seen.json() == replaced.json() == (await ada.get("/exchange")).json()
    assert seen.json()["name"] == "Tan & Daughter"
    assert seen.json()["owner"]["username"] == "ada"


async def test_what_is_left_out_has_its_default_or_is_null(ada: Browser) -> None:
    shown = (await ada.put("/exchange", json=BOARD)).json()

    absent = ("description", "address", "location", "time_zone", "open_now")
    assert {name: shown[name] for name in absent} == dict.fromkeys(absent)
    assert shown["valid_for_hours"] == 24
    assert shown["opening_hours"] == []
    assert shown["rates"][1] | {"confirmed_at": ""} == {
        "currency": "USD",
        "unit": 1,
        "we_buy": "1.3350",
        "we_sell": None,
        "min_amount": None,
        "max_amount": None,
        "confirmed_at": "",
        "state": "fresh",
    }


@pytest.mark.parametrize(
    "digits",
    ["0.8950", "1", "1.0", "10000", "10000.00", "0.0000000001", "999999999999.9999999999"],
)
async def test_digits_are_kept_as_entered(ada: Browser, stranger: Browser, digits: str) -> None:
    line = yen(digits, digits, min_amount="0.00", max_amount=digits)

    await ada.put("/exchange", json=board(line))

    (rate,) = (await stranger.get("/users/ada/exchange")).json()["rates"]
    assert (rate["we_buy"], rate["we_sell"], rate["max_amount"]) == (digits, digits, digits)
    assert rate["min_amount"] == "0.00"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"we_buy": 0.895}, "/rates/0/we_buy", "string_type"),
        ({"we_buy": 1}, "/rates/0/we_buy", "string_type"),
        ({"we_buy": "1e3"}, "/rates/0/we_buy", "decimal_malformed"),
        ({"we_buy": "NaN"}, "/rates/0/we_buy", "decimal_malformed"),
        ({"we_sell": "Infinity"}, "/rates/0/we_sell", "decimal_malformed"),
        ({"we_buy": "-1"}, "/rates/0/we_buy", "decimal_malformed"),
        ({"we_buy": "1234567890123"}, "/rates/0/we_buy", "decimal_malformed"),
        ({"we_buy": "0.12345678901"}, "/rates/0/we_buy", "decimal_malformed"),
        ({"we_buy": "0.00"}, "/rates/0/we_buy", "decimal_zero"),
        ({"min_amount": "\u0661"}, "/rates/0/min_amount", "decimal_malformed"),
        ({"currency": "jpy"}, "/rates/0/currency", "currency_unknown"),
        ({"currency": "DEM"}, "/rates/0/currency", "currency_unknown"),
        ({"currency": "XAU"}, "/rates/0/currency", "currency_unknown"),
        ({"unit": 5}, "/rates/0/unit", "literal_error"),
        ({"unit": True}, "/rates/0/unit", "int_type"),
        ({"we_buy": "0.92"}, "/rates/0", "rate_crossed"),
        ({"we_buy": None, "we_sell": None}, "/rates/0", "rate_empty"),
        ({"min_amount": "2", "max_amount": "1"}, "/rates/0", "limits_crossed"),
        ({"currency": "SGD"}, "/rates", "currency_is_base"),
    ],
)
async def test_a_line_that_cannot_be_is_refused_by_its_place(
    ada: Browser, change: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await ada.put("/exchange", json=board(yen("0.8950", "0.9134") | change))

    assert answer.status_code == 422
    (part,) = answer.json()["errors"]
    assert (part["pointer"], part["code"]) == (pointer, code)
    assert (await ada.get("/exchange")).status_code == 404


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"location": {"lat": 90.1, "lon": 0}}, "/location/lat"),
        ({"location": {"lat": 0, "lon": -180.1}}, "/location/lon"),
        ({"location": {"lat": "1", "lon": 0}}, "/location/lat"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"opening_hours": [{"weekday": 8, "opens": "09:00", "closes": "18:00"}]}, None),
        ({"opening_hours": [{"weekday": 1, "opens": "24:00", "closes": "18:00"}]}, None),
        ({"opening_hours": [{"weekday": 1, "opens": "09:00", "closes": "10:00"}] * 29}, None),
        ({"valid_for_hours": 169}, "/valid_for_hours"),
        ({"valid_for_hours": 0}, "/valid_for_hours"),
        ({"rates": [yen("1")] * 2}, "/rates"),
        ({"rates": [yen("1")] * 61}, "/rates"),
        ({"name": "\u200b"}, "/name"),
    ],
)
async def test_a_board_that_cannot_be_is_refused_by_its_place(
    ada: Browser, change: dict[str, Any], pointer: str | None
) -> None:
    answer = await ada.put("/exchange", json=BOARD | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer or "/opening_hours")


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(51.5074, -0.1278), (22.3193, 114.1694), (90, 0), (-90, 0), (0, 180), (0, -180), (-1.5, 179)],
)
async def test_a_place_is_where_it_was_put(
    ada: Browser, connection: AsyncConnection, lat: float, lon: float
) -> None:
    place = {"lat": lat, "lon": lon}

    await ada.put("/exchange", json=board(location=place))

    assert (await ada.get("/exchange")).json()["location"] == place


async def test_london_is_9600_kilometres_from_hong_kong(
    ada: Browser, connection: AsyncConnection
) -> None:
    await ada.put("/exchange", json=board(location={"lat": 51.5074, "lon": -0.1278}))

    distance = await connection.scalar(
        text(
            "SELECT ST_Distance(location, 'POINT(114.1694 22.3193)'::geography) FROM exchanges "
            "JOIN users ON users.id = owner_id WHERE username = 'ada'"
        )
    )

    assert 9_600_000 < (distance or 0) < 9_660_000


async def test_a_board_goes_through_its_states_and_is_confirmed_again(
    ada: Browser, stranger: Browser, time: Time
) -> None:
    await ada.put("/exchange", json=board(valid_for_hours=4))
    states = []
    for _ in range(3):
        states.append((await stranger.get("/users/ada/exchange")).json()["rates"][0]["state"])
        time.passes(hours=2)
    time.passes(hours=6)

    assert states == ["fresh", "aging", "stale"]
    assert (await stranger.get("/users/ada/exchange")).json()["code"] == "exchange_not_found"
    assert (await stranger.get("/users/ada/exchange/history?currency=JPY")).status_code == 404
    assert (await ada.get("/exchange")).json()["rates"][0]["state"] == "expired"
    confirmed = await ada.post("/exchange/confirm")
    assert confirmed.json()["rates"][0]["state"] == "fresh"
    assert (await stranger.get("/users/ada/exchange")).json() == confirmed.json()


async def test_a_confirmation_changes_neither_version_nor_history(ada: Browser, time: Time) -> None:
    opened = await ada.put("/exchange", json=BOARD)
    time.passes(minutes=5)

    confirmed = await ada.post("/exchange/confirm")

    tags = [one.headers["etag"].split(".")[0] for one in (opened, confirmed)]
    assert tags[0] == tags[1]
    assert opened.json()["rates"][0]["confirmed_at"] < confirmed.json()["rates"][0]["confirmed_at"]
    assert opened.json()["updated_at"] == confirmed.json()["updated_at"]
    events = (await ada.get("/users/ada/exchange/history?currency=JPY")).json()["items"]
    assert [one["seq"] for one in events] == [1]


async def test_nobody_confirms_or_closes_what_is_not_there(ada: Browser) -> None:
    assert (await ada.post("/exchange/confirm")).json()["code"] == "exchange_not_found"
    assert (await ada.delete("/exchange")).json()["code"] == "exchange_not_found"


async def test_a_closed_board_is_gone_with_its_history(
    ada: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    opened = (await ada.put("/exchange", json=BOARD)).json()

    assert (await ada.delete("/exchange")).status_code == 204

    assert (await stranger.get("/users/ada/exchange")).status_code == 404
    assert (await stranger.get("/users/ada")).json()["has_exchange"] is False
    for statement in _LEFT_OF_A_BOARD:
        assert await connection.scalar(text(statement), {"id": opened["id"]}) == 0, statement
    assert (await ada.delete("/exchange")).status_code == 404
    assert (await ada.put("/exchange", json=BOARD)).status_code == 201


async def test_who_is_blocked_suspended_or_nobody_has_no_board_to_see(
    ada: Browser, member: Member, connection: AsyncConnection, stranger: Browser
) -> None:
    await ada.put("/exchange", json=BOARD)
    eve, mallory = await member("eve"), await make_user(connection, "mallory")
    await make_exchange(connection, mallory)
    await make_block(connection, ada.id, eve.id)
    await connection.execute(
        text("UPDATE users SET suspended_at = now() WHERE username = 'mallory'")
    )

    for browser, name in ((eve, "ada"), (stranger, "mallory"), (stranger, "nobody")):
        for path in ("exchange", "exchange/history?currency=JPY"):
            answer = await browser.get(f"/users/{name}/{path}")
            assert answer.json()["code"] == "user_not_found"
    await make_user(connection, "bob")
    assert (await stranger.get("/users/bob/exchange")).json()["code"] == "exchange_not_found"


async def test_who_has_read_the_board_is_told_that_it_is_the_same(
    ada: Browser, stranger: Browser
) -> None:
    await ada.put("/exchange", json=BOARD)
    read = await stranger.get("/users/ada/exchange")
    tag = {"If-None-Match": read.headers["etag"]}

    assert (await stranger.get("/users/ada/exchange", headers=tag)).status_code == 304
    assert (await ada.get("/exchange", headers=tag)).status_code == 304
    await ada.put("/exchange", json=board(yen("1")))
    assert (await stranger.get("/users/ada/exchange", headers=tag)).status_code == 200


async def test_nobody_overwrites_what_they_have_not_read(ada: Browser) -> None:
    nothing = await ada.put("/exchange", json=BOARD, headers={"If-Match": '"1.abc"'})
    assert nothing.json()["code"] == "precondition_failed"
    first = (await ada.put("/exchange", json=BOARD)).headers["etag"]
    second = (await ada.put("/exchange", json=BOARD, headers={"If-Match": first})).headers["etag"]

    late = await ada.put("/exchange", json=board(yen("9")), headers={"If-Match": first})

    assert late.json()["code"] == "precondition_failed"
    assert (await ada.get("/exchange")).headers["etag"] == second


async def test_a_board_of_an_earlier_moment_is_rebuilt(
    ada: Browser, stranger: Browser, time: Time
) -> None:
    async def at(moment: str) -> dict[str, Any]:
        answer = await stranger.get("/users/ada/exchange", params={"as_of": moment})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    moments, shown = [], []
    for body in (BOARD, board(yen("0.90")), board(yen("0.90"), base_currency="EUR")):
        shown.append((await ada.put("/exchange", json=body)).json())
        moments.append(time.now.isoformat())
        time.passes(hours=13)
    await ada.put("/exchange", json=board(name="New name", valid_for_hours=48))

    for moment, board_then in zip(moments, shown, strict=True):
        rebuilt = await at(moment)
        assert rebuilt["rates"] == board_then["rates"]
        assert rebuilt["base_currency"] == board_then["base_currency"]
        assert rebuilt["valid_for_hours"] == 24
        assert rebuilt["name"] == "New name"
    later = (await at((time.now - timedelta(hours=26, minutes=1)).isoformat()))["rates"]
    assert [rate["state"] for rate in later] == ["aging", "aging"]


async def test_a_currency_that_is_retired_later_stays_on_the_board_of_then(
    ada: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    exchange_id = (await ada.put("/exchange", json=board(yen("1")))).json()["id"]
    line = {"currency": "HRK", "base_currency": "SGD", "unit": 1, "we_buy": Decimal("0.19")}
    await connection.execute(insert(RateEvent).values(exchange_id=exchange_id, **line, **_EVENT))

    query = {"as_of": clock.now().isoformat()}
    rates = (await stranger.get("/users/ada/exchange", params=query)).json()["rates"]

    assert [rate["currency"] for rate in rates] == ["HRK", "JPY"]


async def test_a_moment_before_the_board_or_in_the_future_is_refused(
    ada: Browser, stranger: Browser, time: Time
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
async def test_what_is_no_moment_of_our_time_is_refused(
    ada: Browser, stranger: Browser, moment: str
) -> None:
    await ada.put("/exchange", json=BOARD)

    answer = await stranger.get("/users/ada/exchange", params={"as_of": moment})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query.as_of"


async def test_whoever_leaves_takes_the_board_along_and_an_export_holds_it(
    ada: Browser, connection: AsyncConnection, app: FastAPI, config: Config
) -> None:
    hours = [{"weekday": 1, "opens": "09:00", "closes": "18:00"}]
    body = board(location={"lat": 1.5, "lon": 103.5}, opening_hours=hours)
    board_id = (await ada.put("/exchange", json=body)).json()["id"]

    export = (await ada.get("/settings/export")).json()
    left = await ada.delete("/settings", json={"current_password": PASSWORD})

    (mine,) = export["exchanges"]
    assert (mine["name"], mine["lat"], mine["lon"]) == ("Tan Exchange", 1.5, 103.5)
    assert mine["opening_hours"] == hours
    assert [(one["currency"], one["we_buy"]) for one in export["rate_events"]] == [
        ("JPY", "0.8950"),
        ("USD", "1.3350"),
    ]
    assert [one["valid_for_hours"] for one in export["exchange_confirmations"]] == [24]
    assert left.status_code == 204
    while await AccountPurger(config, app.state.services.database).run_once():
        pass
    for statement in _LEFT_OF_A_BOARD:
        assert await connection.scalar(text(statement), {"id": board_id}) == 0, statement


_LEFT_OF_A_BOARD = (
    "SELECT count(*) FROM exchanges WHERE id = :id",
    "SELECT count(*) FROM exchange_rates WHERE exchange_id = :id",
    "SELECT count(*) FROM rate_events WHERE exchange_id = :id",
    "SELECT count(*) FROM exchange_confirmations WHERE exchange_id = :id",
)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "0", "-1", "1e12"])
@pytest.mark.parametrize("side", ["we_buy", "we_sell"])
@pytest.mark.parametrize("table", [ExchangeRate, RateEvent])
async def test_the_database_itself_holds_no_rate_that_is_none(
    ada: Browser, connection: AsyncConnection, number: str, side: str, table: Any
) -> None:
    exchange_id = (await ada.put("/exchange", json=board(yen("1")))).json()["id"]
    line = {"exchange_id": exchange_id, "currency": "EUR", "base_currency": "SGD", "unit": 1}
    rest = {"valid_from": clock.now()} if table is ExchangeRate else _EVENT

    with pytest.raises(DBAPIError, match=f"{side}_bounded"):
        async with connection.begin_nested():
            await connection.execute(
                insert(table).values(**line, **rest, **{side: Decimal(number)})
            )


_EVENT = {"seq": 9, "at": clock.now(), "hash": bytes(32)}
