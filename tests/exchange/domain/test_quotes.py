"""What a board makes of an amount, against exact rationals."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from clients.vectors import generate
from wxc.core.decimals import decimal_text
from wxc.exchange.domain.quotes import (
    ConversionRequest,
    Mode,
    Rate,
    Reason,
    TooLarge,
    convert,
    smallest_unit,
)

VECTORS: list[dict[str, Any]] = json.loads(generate.FILE.read_text())
BASE = "SGD"
CURRENCIES = ("JPY", "USD", "KWD")
units = st.sampled_from([1, 10, 100, 1000, 10_000])


@st.composite
def prices(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    scale = draw(st.integers(0, 10))
    buy = draw(st.integers(1, 10 ** (scale + 3)))
    sell = buy + draw(st.integers(0, buy))
    return Decimal(buy).scaleb(-scale), Decimal(sell).scaleb(-scale)


@st.composite
def boards(draw: st.DrawFn) -> dict[str, Rate]:
    return {currency: Rate(currency, draw(units), *draw(prices())) for currency in CURRENCIES}


@st.composite
def wishes(draw: st.DrawFn) -> tuple[str, str, Decimal]:
    source = draw(st.sampled_from([BASE, *CURRENCIES]))
    target = draw(st.sampled_from([one for one in (BASE, *CURRENCIES) if one != source]))
    return source, target, draw(st.integers(1, 10**9)) * smallest_unit(source)


def exact(board: dict[str, Rate], source: str, target: str) -> Fraction:
    """`target` per `source`, by the formulas of the contract."""
    bought = Fraction(1)
    if source != BASE:
        bought = Fraction(board[source].we_buy or 0) / board[source].unit
    sold = Fraction(1)
    if target != BASE:
        sold = Fraction(board[target].we_sell or 0) / board[target].unit
    return bought / sold


def test_the_vectors_are_what_their_generator_makes() -> None:
    assert generate.FILE.read_text() == generate.document()
    assert len(VECTORS) >= 207


def test_the_vectors_meet_every_decimal_unit_and_reason() -> None:
    rates = [rate for vector in VECTORS for rate in vector["board"]["rates"]]
    reasons = {vector["result"]["reason"] for vector in VECTORS}
    spent = {smallest_unit(vector["wish"]["from"]) for vector in VECTORS}

    assert {rate["unit"] for rate in rates} == {1, 10, 100, 1000, 10_000}
    assert reasons == {None, "amount_too_large", *Reason}
    assert spent == {Decimal("1"), Decimal("0.01"), Decimal("0.001")}


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_a_vector_comes_out_as_it_says(number: int) -> None:
    board, wish, expected = (VECTORS[number][name] for name in ("board", "wish", "result"))
    rates = {one["currency"]: _rate(one) for one in board["rates"]}
    given_amounts = (_decimal(wish.get("amount")), _decimal(wish.get("to_amount")))
    wanted = ConversionRequest(wish["from"], wish["to"], *given_amounts)

    if expected["reason"] == "amount_too_large":
        with pytest.raises(TooLarge):
            convert(board["base_currency"], rates, wanted)
        return
    outcome = convert(board["base_currency"], rates, wanted)

    found = {
        "from_amount": _text(outcome.from_amount),
        "to_amount": _text(outcome.to_amount),
        "reason": outcome.reason,
        "effective_rate": _text(outcome.effective_rate),
    }
    assert found == expected


@given(boards(), wishes())
def test_who_gives_an_amount_receives_the_exact_one_cut_to_the_smallest_coin(
    board: dict[str, Rate], wish: tuple[str, str, Decimal]
) -> None:
    source, target, amount = wish
    received = Fraction(amount) * exact(board, source, target)
    coin = smallest_unit(target)
    assume(received < 10**12)

    outcome = convert(BASE, board, ConversionRequest(source, target, from_amount=amount))

    assert (outcome.mode, outcome.increment) == (Mode.DOWN, coin)
    if received < Fraction(coin):
        assert (outcome.reason, outcome.to_amount) == (Reason.TOO_SMALL, None)
    else:
        assert outcome.reason is None
        assert 0 <= received - Fraction(outcome.to_amount or 0) < Fraction(coin)


@given(boards(), wishes())
def test_who_wants_an_amount_pays_the_exact_price_and_less_than_a_coin_more(
    board: dict[str, Rate], wish: tuple[str, str, Decimal]
) -> None:
    target, source, amount = wish
    paid = Fraction(amount) / exact(board, source, target)
    coin = smallest_unit(source)
    assume(paid < 10**12 - 1)

    outcome = convert(BASE, board, ConversionRequest(source, target, to_amount=amount))

    assert (outcome.mode, outcome.increment, outcome.reason) == (Mode.UP, coin, None)
    assert 0 <= Fraction(outcome.from_amount or 0) - paid < Fraction(coin)


@given(boards(), wishes())
def test_no_round_trip_makes_money(board: dict[str, Rate], wish: tuple[str, str, Decimal]) -> None:
    source, target, amount = wish
    assume(Fraction(amount) * exact(board, source, target) < 10**12)
    there = convert(BASE, board, ConversionRequest(source, target, from_amount=amount))
    assume(there.to_amount is not None)

    back = convert(BASE, board, ConversionRequest(target, source, from_amount=there.to_amount))
    price = convert(BASE, board, ConversionRequest(source, target, to_amount=there.to_amount))

    assert (back.to_amount or 0) <= amount
    assert (price.from_amount or 0) <= amount


@given(boards(), wishes())
def test_the_effective_rate_has_ten_digits_and_is_off_by_half_of_the_last(
    board: dict[str, Rate], wish: tuple[str, str, Decimal]
) -> None:
    source, target, _ = wish
    factor = exact(board, source, target)
    assume(factor < 10**12)

    rate = convert(
        BASE, board, ConversionRequest(source, target, from_amount=Decimal(1))
    ).effective_rate

    assert rate is not None
    assert len(rate.as_tuple().digits) == 10
    assert abs(Fraction(rate) - factor) * 2 <= Fraction(Decimal(1).scaleb(rate.adjusted() - 9))


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("99", Reason.BELOW_MIN), ("100", None), ("5000", None), ("5001", Reason.ABOVE_MAX)],
)
def test_the_limits_are_those_of_the_foreign_amount_and_themselves_allowed(
    amount: str, reason: Reason | None
) -> None:
    rate = Rate("JPY", 1, Decimal(1), Decimal(1), Decimal(100), Decimal(5000))
    wishes = (
        ConversionRequest("JPY", BASE, from_amount=Decimal(amount)),
        ConversionRequest(BASE, "JPY", from_amount=Decimal(amount)),
        ConversionRequest(BASE, "JPY", to_amount=Decimal(amount)),
    )

    for wish in wishes:
        assert convert(BASE, {"JPY": rate}, wish).reason is reason


def test_the_limits_of_both_legs_count_and_too_little_is_said_before_too_much() -> None:
    rates = {
        "JPY": Rate("JPY", 1, Decimal(1), Decimal(1), max_amount=Decimal(10)),
        "USD": Rate("USD", 1, Decimal(1), Decimal(1), min_amount=Decimal(100)),
    }

    def reason(amount: int) -> Reason | None:
        return convert(
            BASE, rates, ConversionRequest("JPY", "USD", from_amount=Decimal(amount))
        ).reason

    assert reason(50) is Reason.BELOW_MIN
    assert reason(200) is Reason.ABOVE_MAX


def test_what_comes_to_nothing_is_below_a_minimum_before_it_is_too_small() -> None:
    wish = ConversionRequest(BASE, "JPY", from_amount=Decimal("0.01"))
    rate = Rate("JPY", 1, None, Decimal(1))

    assert convert(BASE, {"JPY": rate}, wish).reason is Reason.TOO_SMALL
    limited = Rate("JPY", 1, None, Decimal(1), min_amount=Decimal(1))
    assert convert(BASE, {"JPY": limited}, wish).reason is Reason.BELOW_MIN


def test_one_side_that_is_not_offered_leaves_the_other() -> None:
    rates = {"JPY": Rate("JPY", 100, Decimal("0.9"), None)}

    assert (
        convert(BASE, rates, ConversionRequest(BASE, "JPY", from_amount=Decimal(1))).reason
        == "not_offered"
    )
    assert (
        convert(BASE, rates, ConversionRequest("JPY", BASE, from_amount=Decimal(1000))).reason
        is None
    )


def _rate(fields: dict[str, Any]) -> Rate:
    numbers = {
        name: _decimal(fields.get(name))
        for name in ("we_buy", "we_sell", "min_amount", "max_amount")
    }
    return Rate(fields["currency"], fields["unit"], **numbers)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _text(number: Decimal | None) -> str | None:
    return None if number is None else decimal_text(number)
