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
    ids=["metals", "funds", "units of account", "tests", "retired", "not codes"],
)
def test_metals_funds_and_retired_currencies_are_not_listed(codes: tuple[str, ...]) -> None:
    assert not currencies().keys() & set(codes)


def test_minor_units_follow_iso_4217_and_not_custom() -> None:
    decimals = {
        code: currencies()[code].minor_units for code in ("JPY", "EUR", "KWD", "IQD", "LAK")
    }

    assert decimals == {"JPY": 0, "EUR": 2, "KWD": 3, "IQD": 3, "LAK": 2}


def test_every_currency_has_a_name_and_a_symbol() -> None:
    euro, yen = currencies()["EUR"], currencies()["JPY"]

    assert (euro.name, euro.symbol) == ("Euro", "€")
    assert (yen.name, yen.symbol) == ("Japanese Yen", "¥")
    assert all(currency.name and currency.symbol for currency in currencies().values())
