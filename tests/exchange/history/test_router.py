import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.database import become_owner
from tests.support.fake_time import FakeTime

HISTORY = "/users/ada/exchange/history"


async def events(browser: Browser, currency: str = "JPY", **query: str) -> list[dict[str, object]]:
    answer = await browser.get(HISTORY, params={"currency": currency, **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_changed_lines_become_events_and_unchanged_lines_do_not(ada: Browser) -> None:
    dollars = {"currency": "USD", "we_buy": "1.3"}
    for lines in (
        [yen("0.8"), dollars],
        [yen("0.8"), dollars],
        [yen("0.80"), dollars],
        [yen("0.8", unit=10), dollars],
        [dollars],
    ):
        await ada.put("/exchange", json=board(*lines))

    changes = [(item["seq"], item["unit"], item["we_buy"]) for item in await events(ada)]
    assert changes == [(5, 10, None), (4, 10, "0.8"), (3, 100, "0.80"), (1, 100, "0.8")]
    assert [item["seq"] for item in await events(ada, "USD")] == [2]


async def test_changing_the_base_currency_changes_every_line(ada: Browser) -> None:
    await ada.put("/exchange", json=board(yen("0.8"), {"currency": "EUR", "we_buy": "1.5"}))
    await ada.put("/exchange", json=board(yen("0.6"), base_currency="EUR"))

    (new, old), (gone, _) = await events(ada), await events(ada, "EUR")

    assert (new["base_currency"], old["base_currency"]) == ("EUR", "SGD")
    assert (gone["base_currency"], gone["we_buy"], gone["we_sell"]) == ("SGD", None, None)


async def test_hours_and_days_contain_open_high_low_and_close(ada: Browser, time: FakeTime) -> None:
    time.advance(days=1)
    time.now = time.now.replace(hour=10, minute=0, second=0, microsecond=0)
    for buy, sell in (("0.5", "0.9"), ("0.70", "0.8"), ("0.4", None), (None, "0.85")):
        await ada.put("/exchange", json=board(yen(buy, sell)))
        time.advance(minutes=20)
    await ada.put("/exchange", json=board({"currency": "USD", "we_buy": "1"}))

    late, early = await events(ada, group="hour")
    (day,) = await events(ada, group="day")

    assert str(early["start"])[11:] == "10:00:00.000000Z"
    assert early["we_buy"] == {"open": "0.5", "high": "0.70", "low": "0.4", "close": "0.4"}
    assert early["we_sell"] == {"open": "0.9", "high": "0.9", "low": "0.8", "close": "0.8"}
    assert late["we_buy"] is None
    assert late["we_sell"] == {"open": "0.85", "high": "0.85", "low": "0.85", "close": "0.85"}
    assert str(day["start"])[11:] == "00:00:00.000000Z"
    assert day["we_sell"] == {"open": "0.9", "high": "0.9", "low": "0.8", "close": "0.85"}


async def test_an_hour_has_one_bucket_per_unit_and_base(ada: Browser, time: FakeTime) -> None:
    time.advance(hours=1)
    time.now = time.now.replace(minute=0)
    for base, unit in (("SGD", 1), ("SGD", 100), ("EUR", 100), ("SGD", 100)):
        await ada.put("/exchange", json=board(yen("0.8", unit=unit), base_currency=base))
        time.advance(minutes=1)

    hours = await events(ada, group="hour")

    assert [(item["base_currency"], item["unit"]) for item in hours] == [
        ("EUR", 100),
        ("SGD", 100),
        ("SGD", 1),
    ]


@pytest.mark.parametrize("group", ["event", "hour"])
async def test_pages_of_a_history_contain_each_item_once(
    ada: Browser, time: FakeTime, group: str
) -> None:
    for number in range(7):
        await ada.put("/exchange", json=board(yen(f"0.{number + 1}")))
        time.advance(hours=1)
    whole = await events(ada, group=group)
    query, cursor = {"currency": "JPY", "group": group, "limit": "3"}, None
    found: list[dict[str, object]] = []
    while cursor is not None or not found:
        page = (
            await ada.get(HISTORY, params=query | ({"cursor": cursor} if cursor else {}))
        ).json()
        found += page["items"]
        cursor = page["next_cursor"]

    assert len(whole) == 7
    assert found == whole


async def test_the_range_is_thirty_days_by_default_and_at_most_366(
    ada: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=board(yen("0.5"), valid_for_hours=168))
    begun = time.now
    time.advance(days=31)
    await ada.put("/exchange", json=board(yen("0.6")))

    assert [item["seq"] for item in await events(ada)] == [2]
    assert [item["seq"] for item in await events(ada, **{"from": begun.isoformat()})] == [2, 1]
    until = {"from": begun.isoformat(), "to": time.now.isoformat()}
    assert [item["seq"] for item in await events(ada, **until)] == [1]
    for wrong in (
        {"from": "2001-01-01T00:00:00Z"},
        {"from": time.now.isoformat(), "to": begun.isoformat()},
    ):
        answer = await ada.get(HISTORY, params={"currency": "JPY", **wrong})
        assert answer.json()["errors"][0]["pointer"] == "query.from"


@pytest.mark.parametrize("table", ["rate_events", "exchange_confirmations"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET at = now()", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
async def test_the_database_refuses_to_change_the_history(
    ada: Browser, connection: AsyncConnection, table: str, statement: str
) -> None:
    await ada.put("/exchange", json=board(yen("0.5")))
    await become_owner(connection)

    with pytest.raises(DBAPIError, match="is kept as it is"):
        async with connection.begin_nested():
            await connection.execute(text(statement.format(table)))


async def test_deleting_a_history_fires_no_row_trigger(
    connection: AsyncConnection,
) -> None:
    for_each_row, on_delete = 1, 8  # pg_trigger.tgtype; too slow for a million rows
    row_triggers = text(
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & :kind = :kind"
        " AND tgrelid = ANY (ARRAY['rate_events', 'exchange_confirmations']::regclass[])"
    )

    assert not (await connection.execute(row_triggers, {"kind": for_each_row | on_delete})).all()
