import pytest
from tests.support.browser import Browser

from wxc.core.currencies import currencies

# The circulating currencies without a narrow symbol in CLDR 48.
WITHOUT_SYMBOL = (
    "AED ALL AWG BHD BIF BTN BYN CDF CHF CVE DJF DZD ERN ETB GMD HTG IQD IRR JOD KES KWD LSL LYD "
    "MAD MDL MKD MOP MRU MVR MWK MZN OMR PAB PEN PGK QAR RSD SAR SCR SDG SLE SOS SZL TJS TMT TND "
    "TZS UGX UZS VES VUV WST YER ZWG"
)


async def test_one_page_lists_every_circulating_currency(stranger: Browser) -> None:
    answer = await stranger.get("/currencies")

    page = answer.json()
    assert answer.status_code == 200
    assert [currency["code"] for currency in page["items"]] == list(currencies())
    assert page["next_cursor"] is page["prev_cursor"] is None
    assert {"code": "JPY", "name": "Japanese Yen", "minor_units": 0, "symbol": "¥"} in page["items"]


async def test_cookies_are_ignored(stranger: Browser) -> None:
    stranger.http.cookies.set("access_token", "garbage")

    assert (await stranger.get("/currencies")).status_code == 200


@pytest.mark.parametrize(
    ("codes", "symbol"),
    [
        ("PLN", "zł"),
        ("TRY", "₺"),
        ("THB", "฿"),
        ("USD AUD CAD SGD HKD TWD MXN NZD XCD BMD", "$"),
        ("JPY CNY", "¥"),
        ("GBP GIP", "£"),
        ("EGP", "E£"),
        ("SEK NOK DKK ISK", "kr"),
        ("CZK", "Kč"),
        ("EUR", "€"),
        ("KGS", "⃀"),
        ("XAF", "FCFA"),
        ("XOF", "F\u202fCFA"),
    ],
)
async def test_symbols_are_the_narrow_ones_of_cldr(
    stranger: Browser, codes: str, symbol: str
) -> None:
    answer = await stranger.get("/currencies")

    symbols = {currency["code"]: currency["symbol"] for currency in answer.json()["items"]}
    assert {symbols[code] for code in codes.split()} == {symbol}


async def test_the_symbol_is_the_code_only_without_one_in_cldr(stranger: Browser) -> None:
    answer = await stranger.get("/currencies")

    without = [each["code"] for each in answer.json()["items"] if each["symbol"] == each["code"]]
    assert without == WITHOUT_SYMBOL.split()
