"""Conversions, checked against exact rational arithmetic."""

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
    ResultTooLarge,
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
def conversions(draw: st.DrawFn) -> tuple[str, str, Decimal]:
    source = draw(st.sampled_from([BASE, *CURRENCIES]))
    target = draw(
        st.sampled_from([currency for currency in (BASE, *CURRENCIES) if currency != source])
    )
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


def test_the_vectors_are_the_output_of_their_generator() -> None:
    assert generate.FILE.read_text() == generate.document()
    assert len(VECTORS) >= 207


def test_the_vectors_cover_every_decimal_unit_and_reason() -> None:
    rates = [rate for vector in VECTORS for rate in vector["board"]["rates"]]
    reasons = {vector["result"]["reason"] for vector in VECTORS}
    spent = {smallest_unit(vector["wish"]["from"]) for vector in VECTORS}

    assert {rate["unit"] for rate in rates} == {1, 10, 100, 1000, 10_000}
    assert reasons == {None, "amount_too_large", *Reason}
    assert spent == {Decimal("1"), Decimal("0.01"), Decimal("0.001")}


@pytest.mark.parametrize("number", range(len(VECTORS)))
def test_the_conversion_agrees_with_each_vector(number: int) -> None:
    board, conversion, expected = (VECTORS[number][name] for name in ("board", "wish", "result"))
    rates = {rate["currency"]: _rate(rate) for rate in board["rates"]}
    given_amounts = (_decimal(conversion.get("amount")), _decimal(conversion.get("to_amount")))
    wanted = ConversionRequest(conversion["from"], conversion["to"], *given_amounts)

    if expected["reason"] == "amount_too_large":
        with pytest.raises(ResultTooLarge):
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


@given(boards(), conversions())
def test_the_received_amount_is_the_exact_one_rounded_down_to_the_minor_unit(
    board: dict[str, Rate], conversion: tuple[str, str, Decimal]
) -> None:
    source, target, amount = conversion
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


@given(boards(), conversions())
def test_the_paid_amount_is_the_exact_one_rounded_up_to_the_minor_unit(
    board: dict[str, Rate], conversion: tuple[str, str, Decimal]
) -> None:
    target, source, amount = conversion
    paid = Fraction(amount) / exact(board, source, target)
    coin = smallest_unit(source)
    assume(paid < 10**12 - 1)

    outcome = convert(BASE, board, ConversionRequest(source, target, to_amount=amount))

    assert (outcome.mode, outcome.increment, outcome.reason) == (Mode.UP, coin, None)
    assert 0 <= Fraction(outcome.from_amount or 0) - paid < Fraction(coin)


@given(boards(), conversions())
def test_converting_back_and_forth_makes_no_profit(
    board: dict[str, Rate], conversion: tuple[str, str, Decimal]
) -> None:
    source, target, amount = conversion
    assume(Fraction(amount) * exact(board, source, target) < 10**12)
    there = convert(BASE, board, ConversionRequest(source, target, from_amount=amount))
    assume(there.to_amount is not None)

    back = convert(BASE, board, ConversionRequest(target, source, from_amount=there.to_amount))
    price = convert(BASE, board, ConversionRequest(source, target, to_amount=there.to_amount))

    assert (back.to_amount or 0) <= amount
    assert (price.from_amount or 0) <= amount


@given(boards(), conversions())
def test_the_effective_rate_is_rounded_to_ten_significant_digits(
    board: dict[str, Rate], conversion: tuple[str, str, Decimal]
) -> None:
    source, target, _ = conversion
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
def test_limits_apply_to_the_foreign_amount_and_are_inclusive(
    amount: str, reason: Reason | None
) -> None:
    rate = Rate("JPY", 1, Decimal(1), Decimal(1), Decimal(100), Decimal(5000))
    conversions = (
        ConversionRequest("JPY", BASE, from_amount=Decimal(amount)),
        ConversionRequest(BASE, "JPY", from_amount=Decimal(amount)),
        ConversionRequest(BASE, "JPY", to_amount=Decimal(amount)),
    )

    for conversion in conversions:
        assert convert(BASE, {"JPY": rate}, conversion).reason is reason


def test_limits_of_both_legs_apply_and_below_min_precedes_above_max() -> None:
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


def test_below_min_precedes_too_small() -> None:
    conversion = ConversionRequest(BASE, "JPY", from_amount=Decimal("0.01"))
    rate = Rate("JPY", 1, None, Decimal(1))

    assert convert(BASE, {"JPY": rate}, conversion).reason is Reason.TOO_SMALL
    limited = Rate("JPY", 1, None, Decimal(1), min_amount=Decimal(1))
    assert convert(BASE, {"JPY": limited}, conversion).reason is Reason.BELOW_MIN


def test_a_rate_with_a_single_price_converts_in_one_direction() -> None:
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


def test_converted_amount_has_at_most_twelve_integer_digits() -> None:
    rates = {"USD": Rate("USD", 1, Decimal(1), Decimal(1))}

    def received(amount: str) -> Decimal | None:
        request = ConversionRequest("USD", BASE, from_amount=Decimal(amount))
        return convert(BASE, rates, request).to_amount

    assert received("999999999999.99") == Decimal("999999999999.99")
    with pytest.raises(ResultTooLarge):
        received("1000000000000")
