"""Money that one can change: what is in, what is out, and its decimals."""

import pytest

from wxc.core.currencies import currencies


def test_circulating_currencies_are_listed() -> None:
    every = {"EUR", "USD", "JPY", "SGD", "GBP", "CHF", "XOF", "XAF", "XPF", "XCD", "XCG", "ZWG"}

    assert every <= currencies().keys()
    assert 140 < len(currencies()) < 170
    assert list(currencies()) == sorted(currencies())


@pytest.mark.parametrize(
    "codes",
    [
        ("XAU", "XAG", "XPT", "XPD"),
        ("BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW"),
        ("XDR", "XUA", "XSU", "XAD", "XBA", "XBB", "XBC", "XBD"),
        ("XTS", "XXX"),
        ("DEM", "HRK", "BGN", "ANG", "ZWL", "SLL", "CUC", "VEF", "LTL"),
        ("eur", "EU", "EURO", "", "\u0395UR", "BTC"),
    ],
    ids=["metals", "funds", "units of account", "tests", "retired", "no codes"],
)
def test_metals_funds_and_retired_currencies_are_not_listed(codes: tuple[str, ...]) -> None:
    assert not currencies().keys() & set(codes)


def test_decimals_are_those_of_iso_4217_and_not_what_is_customary() -> None:
    decimals = {
        code: currencies()[code].minor_units for code in ("JPY", "EUR", "KWD", "IQD", "LAK")
    }

    assert decimals == {"JPY": 0, "EUR": 2, "KWD": 3, "IQD": 3, "LAK": 2}


def test_each_has_a_name_and_a_symbol_for_people() -> None:
    euro, yen = currencies()["EUR"], currencies()["JPY"]

    assert (euro.name, euro.symbol) == ("Euro", "€")
    assert (yen.name, yen.symbol) == ("Japanese Yen", "¥")
    assert all(one.name and one.symbol for one in currencies().values())
