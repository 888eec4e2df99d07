from tests.support.browser import Browser

from wxc.core.currencies import currencies


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
