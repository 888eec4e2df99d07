from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser

from wxc.core import clock
from wxc.models import ExchangeRate, RateEvent


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
async def test_an_invalid_rate_is_refused_with_its_pointer(
    ada: Browser, change: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await ada.put("/exchange", json=board(yen("0.8950", "0.9134") | change))

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
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
async def test_an_invalid_board_is_refused_with_its_pointer(
    ada: Browser, change: dict[str, Any], pointer: str | None
) -> None:
    answer = await ada.put("/exchange", json=BOARD | change)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer or "/opening_hours")


@pytest.mark.parametrize(
    "digits",
    ["0.8950", "1", "1.0", "10000", "10000.00", "0.0000000001", "999999999999.9999999999"],
)
async def test_numbers_keep_the_digits_that_were_sent(
    ada: Browser, stranger: Browser, digits: str
) -> None:
    line = yen(digits, digits, min_amount="0.00", max_amount=digits)

    await ada.put("/exchange", json=board(line))

    (rate,) = (await stranger.get("/users/ada/exchange")).json()["rates"]
    assert (rate["we_buy"], rate["we_sell"], rate["max_amount"]) == (digits, digits, digits)
    assert rate["min_amount"] == "0.00"


async def test_omitted_fields_are_null_or_have_their_default(ada: Browser) -> None:
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


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "0", "-1", "1e12"])
@pytest.mark.parametrize("side", ["we_buy", "we_sell"])
@pytest.mark.parametrize("table", [ExchangeRate, RateEvent])
async def test_the_database_rejects_impossible_rates(
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
