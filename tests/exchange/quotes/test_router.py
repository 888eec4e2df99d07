import json
from typing import Any

import pytest
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser
from tests.support.fake_time import FakeTime

from clients.vectors import generate

QUOTE = "/users/ada/exchange/quote"
VECTORS = json.loads(generate.FILE.read_text())


async def quote(browser: Browser, source: str, target: str, **query: str) -> dict[str, Any]:
    answer = await browser.get(QUOTE, params={"from": source, "to": target, **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_quote_contains_everything_needed_to_recompute_it(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=BOARD)
    confirmed = time.now.isoformat().replace("+00:00", "Z")
    time.advance(hours=13)

    answer = await quote(stranger, "USD", "JPY", amount="500.00")

    as_of = time.now.isoformat().replace("+00:00", "Z")
    leg = {"confirmed_at": confirmed}
    assert answer == {
        "from": "USD",
        "to": "JPY",
        "from_amount": "500.00",
        "to_amount": "73078",
        "feasible": True,
        "reason": None,
        "effective_rate": "146.1572148",
        "legs": [
            leg | {"currency": "USD", "side": "we_buy", "rate": "1.3350", "unit": 1},
            leg | {"currency": "JPY", "side": "we_sell", "rate": "0.9134", "unit": 100},
        ],
        "rounding": {"mode": "down", "increment": "1"},
        "as_of": as_of,
        "state": "aging",
    }


@pytest.mark.parametrize("number", [*range(7), 30, 60, 90, 120, 150])
async def test_quotes_agree_with_the_vectors(ada: Browser, stranger: Browser, number: int) -> None:
    vector = VECTORS[number]
    await ada.put("/exchange", json=board() | vector["board"])
    conversion, expected = vector["wish"], vector["result"]

    answer = await stranger.get(QUOTE, params=conversion)

    if expected["reason"] == "amount_too_large":
        assert (answer.status_code, answer.json()["code"]) == (422, "amount_too_large")
    else:
        assert {name: answer.json()[name] for name in expected} == expected
        assert answer.json()["feasible"] is (expected["reason"] is None)


async def test_a_result_of_thirteen_digits_is_too_large(ada: Browser, stranger: Browser) -> None:
    await ada.put("/exchange", json=board(yen("1", "1", unit=1000)))
    conversion = {"from": "SGD", "to": "JPY", "amount": "1000000000"}

    answer = await stranger.get(QUOTE, params=conversion)

    assert (answer.status_code, answer.json()["code"]) == (422, "amount_too_large")
    almost = await quote(stranger, "SGD", "JPY", amount="999999999")
    assert almost["to_amount"] == "999999999000"


async def test_as_of_quotes_by_the_rates_of_that_moment(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=board(yen("0.8950")))
    then = time.now.isoformat()
    time.advance(hours=1)
    await ada.put("/exchange", json=board(yen("0.5")))

    now = await quote(stranger, "JPY", "SGD", amount="50000")
    earlier = await quote(stranger, "JPY", "SGD", amount="50000", as_of=then)

    assert (earlier["to_amount"], now["to_amount"]) == ("447.50", "250.00")


async def test_an_expired_board_offers_no_conversion_even_as_of_an_earlier_moment(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=BOARD)
    then = time.now.isoformat()
    time.advance(hours=72)

    for browser, query in ((ada, {}), (stranger, {}), (stranger, {"as_of": then})):
        answer = await quote(browser, "SGD", "JPY", amount="500", **query)
        assert (answer["feasible"], answer["reason"]) == (False, "not_offered")
        assert (answer["to_amount"], answer["effective_rate"], answer["legs"]) == (None, None, [])
    assert (await quote(ada, "SGD", "JPY", amount="500", as_of=then))["feasible"] is True


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=SGD&to=JPY", "query.amount"),
        ("from=SGD&to=JPY&amount=1&to_amount=1", "query.amount"),
        ("from=SGD&to=JPY&amount=1.001", "query.amount"),
        ("from=JPY&to=SGD&amount=1.0", "query.amount"),
        ("from=SGD&to=JPY&to_amount=1.0", "query.to_amount"),
        ("from=SGD&to=JPY&amount=0", "query.amount"),
        ("from=SGD&to=JPY&amount=0.00", "query.amount"),
        ("from=SGD&to=JPY&amount=-1", "query.amount"),
        ("from=SGD&to=JPY&amount=1e3", "query.amount"),
        ("from=SGD&to=JPY&amount=NaN", "query.amount"),
        ("from=SGD&to=JPY&amount=", "query.amount"),
        ("from=SGD&to=JPY&amount=1234567890123", "query.amount"),
        ("from=sgd&to=JPY&amount=1", "query.from"),
        ("from=SGD&to=DEM&amount=1", "query.to"),
        ("to=JPY&amount=1", "query.from"),
    ],
)
async def test_an_invalid_conversion_is_refused_with_its_pointer(
    ada: Browser, stranger: Browser, query: str, pointer: str
) -> None:
    await ada.put("/exchange", json=BOARD)

    answer = await stranger.get(f"/users/ada/exchange/quote?{query}")

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_quoting_requires_a_board(ada: Browser, stranger: Browser) -> None:
    conversion = {"from": "SGD", "to": "JPY", "amount": "1"}

    answer = await stranger.get(QUOTE, params=conversion)

    assert answer.json()["code"] == "exchange_not_found"
