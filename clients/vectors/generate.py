"""Writes `quotes.json`: conversions on which all clients and the server must agree.

It uses integers only and none of the server's code, which could share its mistakes. Run
`python -m clients.vectors.generate`; the output is the same every time.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("quotes.json")
_DIGITS = {"JPY": 0, "KRW": 0, "SGD": 2, "USD": 2, "EUR": 2, "GBP": 2, "KWD": 3, "TND": 3}
_UNITS = (1, 10, 100, 1000, 10_000)
_GENERATED = 300
_TOO_LARGE = 10**12

_SINGAPORE = {
    "base_currency": "SGD",
    "rates": [
        {"currency": "JPY", "unit": 100, "we_buy": "0.8950", "we_sell": "0.9134"},
        {"currency": "USD", "unit": 1, "we_buy": "1.3350", "we_sell": None},
    ],
}
# Examples of the API contract: the conversion and the computed amount.
_KNOWN = (
    ({"from": "SGD", "to": "JPY", "amount": "500"}, "54740"),
    ({"from": "JPY", "to": "SGD", "amount": "50000"}, "447.50"),
    ({"from": "JPY", "to": "SGD", "amount": "49999"}, "447.49"),
    ({"from": "USD", "to": "JPY", "amount": "500"}, "73078"),
    ({"from": "SGD", "to": "JPY", "to_amount": "50000"}, "456.70"),
    ({"from": "SGD", "to": "JPY", "to_amount": "49999"}, "456.70"),
    ({"from": "JPY", "to": "SGD", "to_amount": "100.00"}, "11174"),
)


def vectors() -> list[dict[str, Any]]:
    """The examples of the contract, then generated conversions."""
    known = [_vector(_SINGAPORE, wish) for wish, _ in _KNOWN]
    for vector, (_, expected) in zip(known, _KNOWN, strict=True):
        if expected not in (vector["result"]["from_amount"], vector["result"]["to_amount"]):
            raise ValueError(vector)
    return known + list(_generated(random.Random(4217)))  # noqa: S311 - repeatable


def document() -> str:
    """The content of the file, one vector per line."""
    lines = ",\n".join(json.dumps(vector) for vector in vectors())
    return f"[\n{lines}\n]\n"


def _generated(draw: random.Random) -> Iterator[dict[str, Any]]:
    codes = list(_DIGITS)
    for number in range(_GENERATED):
        base, *foreign = draw.sample(codes, 4)
        units = [*draw.sample(_UNITS, 2), _UNITS[number % len(_UNITS)]]
        board = {
            "base_currency": base,
            "rates": [
                _rate(draw, currency, unit) for currency, unit in zip(foreign, units, strict=True)
            ],
        }
        source, target = draw.sample([base, *foreign], 2) if number % 25 else (base, base)
        side = draw.choice(("amount", "to_amount"))
        digits = _DIGITS[source if side == "amount" else target]
        amount = _text(draw.randrange(1, 10 ** draw.randrange(2, 9)), draw.randint(0, digits))
        yield _vector(board, {"from": source, "to": target, side: amount})


def _rate(draw: random.Random, currency: str, unit: int) -> dict[str, Any]:
    digits = draw.randint(0, 10)
    buy = draw.randrange(1, 10 ** draw.randrange(digits + 1, digits + 5))
    sell = buy + draw.randrange(0, buy // 20 + 2)
    rate: dict[str, Any] = {
        "currency": currency,
        "unit": unit,
        "we_buy": _text(buy, digits) if draw.random() < 0.9 else None,
        "we_sell": _text(sell, digits),
    }
    if draw.random() < 0.3:
        rate["min_amount"] = str(draw.randrange(1, 1000))
    if draw.random() < 0.3:
        rate["max_amount"] = str(draw.randrange(1000, 10**7))
    return rate


def _vector(board: dict[str, Any], wish: dict[str, str]) -> dict[str, Any]:
    return {"board": board, "wish": wish, "result": _result(board, wish)}


def _result(board: dict[str, Any], wish: dict[str, str]) -> dict[str, Any]:
    """The contract's formulas over a numerator and a denominator."""
    given = {"from_amount": wish.get("amount"), "to_amount": wish.get("to_amount")}
    found = _factor(board, wish)
    if found is None:
        return given | {"reason": "not_offered", "effective_rate": None}
    top, bottom, limited = found
    result = given | {"reason": None, "effective_rate": _ten_digits(top, bottom)}
    if "amount" in wish:
        digits, name = _DIGITS[wish["to"]], "to_amount"
        number, scale = _number(wish["amount"])
        computed = number * top * 10**digits // (scale * bottom)
    else:
        digits, name = _DIGITS[wish["from"]], "from_amount"
        number, scale = _number(wish["to_amount"])
        computed = -(-number * bottom * 10**digits // (scale * top))
    if computed >= _TOO_LARGE * 10**digits:
        return given | {"reason": "amount_too_large", "effective_rate": None}
    done = result | {name: _text(computed, digits)}
    reason = _reason(done, wish, limited) or ("too_small" if computed == 0 else None)
    return result | {"reason": reason} if reason else done


def _factor(
    board: dict[str, Any], wish: dict[str, str]
) -> tuple[int, int, list[dict[str, Any]]] | None:
    """The rate (`to` per `from`) as a fraction, and the lines that it uses."""
    top, bottom = 1, 1
    used: list[dict[str, Any]] = []
    if wish["from"] == wish["to"]:
        return top, bottom, used
    lines = {rate["currency"]: rate for rate in board["rates"]}
    for currency, side in ((wish["from"], "we_buy"), (wish["to"], "we_sell")):
        if currency == board["base_currency"]:
            continue
        price = lines.get(currency, {}).get(side)
        if price is None:
            return None
        number, scale = _number(price)
        scale *= lines[currency]["unit"]
        top, bottom = (
            (top * number, bottom * scale)
            if side == "we_buy"
            else (
                top * scale,
                bottom * number,
            )
        )
        used.append(lines[currency])
    return top, bottom, used


def _reason(
    done: dict[str, Any], wish: dict[str, str], limited: list[dict[str, Any]]
) -> str | None:
    amounts = {wish["from"]: done["from_amount"], wish["to"]: done["to_amount"]}
    for bound, reason, sign in (("min_amount", "below_min", 1), ("max_amount", "above_max", -1)):
        for rate in limited:
            if rate.get(bound) is not None:
                number, scale = _number(amounts[rate["currency"]])
                edge, edge_scale = _number(rate[bound])
                if sign * (number * edge_scale - edge * scale) < 0:
                    return reason
    return None


def _ten_digits(top: int, bottom: int) -> str:
    """The quotient to ten significant digits, half to even."""
    exponent = 0
    while top * 10**exponent < bottom * 10**9:
        exponent += 1
    while top * 10**exponent >= bottom * 10**10:
        exponent -= 1
    up, down = 10 ** max(exponent, 0), 10 ** max(-exponent, 0)
    whole, rest = divmod(top * up, bottom * down)
    twice = 2 * rest - bottom * down
    whole += twice > 0 or (twice == 0 and whole % 2 == 1)
    return _text(whole, exponent) if exponent >= 0 else str(whole * 10**-exponent)


def _number(text: str) -> tuple[int, int]:
    whole, _, decimals = text.partition(".")
    return int(whole + decimals), 10 ** len(decimals)


def _text(number: int, digits: int) -> str:
    if digits == 0:
        return str(number)
    padded = str(number).rjust(digits + 1, "0")
    return f"{padded[:-digits]}.{padded[-digits:]}"


if __name__ == "__main__":
    FILE.write_text(document())
