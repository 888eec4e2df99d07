import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_block, make_exchange, make_user
from tests.support.fake_time import FakeTime

from wxc.core.config import Config
from wxc.worker.account_deletion import AccountPurger


async def test_the_first_put_creates_a_board_and_later_ones_replace_it(
    ada: Browser, stranger: Browser
) -> None:
    assert (await ada.get("/exchange")).json()["code"] == "exchange_not_found"

    opened = await ada.put("/exchange", json=BOARD)
    replaced = await ada.put("/exchange", json=board(name="Tan & Daughter"))

    assert (opened.status_code, replaced.status_code) == (201, 200)
    assert opened.json()["id"] == replaced.json()["id"]
    assert (await stranger.get("/users/ada")).json()["has_exchange"] is True
    seen = await stranger.get("/users/ada/exchange")
    assert seen.json() == replaced.json() == (await ada.get("/exchange")).json()
    assert seen.json()["name"] == "Tan & Daughter"
    assert seen.json()["owner"]["username"] == "ada"


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(51.5074, -0.1278), (22.3193, 114.1694), (90, 0), (-90, 0), (0, 180), (0, -180), (-1.5, 179)],
)
async def test_a_location_is_returned_as_sent(
    ada: Browser, connection: AsyncConnection, lat: float, lon: float
) -> None:
    place = {"lat": lat, "lon": lon}

    await ada.put("/exchange", json=board(location=place))

    assert (await ada.get("/exchange")).json()["location"] == place


async def test_the_database_does_not_swap_latitude_and_longitude(
    ada: Browser, connection: AsyncConnection
) -> None:
    await ada.put("/exchange", json=board(location={"lat": 51.5074, "lon": -0.1278}))

    distance = await connection.scalar(
        text(
            "SELECT ST_Distance(location, 'POINT(114.1694 22.3193)'::geography) FROM exchanges "
            "JOIN users ON users.id = owner_id WHERE username = 'ada'"
        )
    )

    assert 9_600_000 < (distance or 0) < 9_660_000


async def test_rates_age_until_they_expire_and_a_confirmation_makes_them_fresh(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=board(valid_for_hours=4))
    states = []
    for _ in range(3):
        states.append((await stranger.get("/users/ada/exchange")).json()["rates"][0]["state"])
        time.advance(hours=2)
    time.advance(hours=6)

    assert states == ["fresh", "aging", "stale"]
    assert (await stranger.get("/users/ada/exchange")).json()["code"] == "exchange_not_found"
    assert (await stranger.get("/users/ada/exchange/history?currency=JPY")).status_code == 404
    assert (await ada.get("/exchange")).json()["rates"][0]["state"] == "expired"
    confirmed = await ada.post("/exchange/confirm")
    assert confirmed.json()["rates"][0]["state"] == "fresh"
    assert (await stranger.get("/users/ada/exchange")).json() == confirmed.json()


async def test_a_profile_has_no_exchange_while_the_board_is_expired(
    ada: Browser, stranger: Browser, time: FakeTime
) -> None:
    await ada.put("/exchange", json=board(valid_for_hours=4))
    seen = []
    for hours in (11, 1):  # it expires after twelve hours
        time.advance(hours=hours, seconds=hours == 1)
        seen.append([(await browser.get("/users/ada")) for browser in (ada, stranger)])
    for confirm in (ada.post("/exchange/confirm"), ada.put("/exchange", json=board(yen("1")))):
        assert (await confirm).status_code == 200
        seen.append([(await browser.get("/users/ada")) for browser in (ada, stranger)])
        time.advance(days=30)
    seen.append([(await browser.get("/users/ada")) for browser in (ada, stranger)])

    has_exchange = [[answer.json()["has_exchange"] for answer in answers] for answers in seen]
    assert has_exchange == [[is_shown] * 2 for is_shown in (True, False, True, True, False)]
    for valid, expired in zip(seen[0], seen[1], strict=True):
        assert valid.headers["etag"] != expired.headers["etag"]


async def test_a_confirmation_changes_neither_version_nor_history(
    ada: Browser, time: FakeTime
) -> None:
    opened = await ada.put("/exchange", json=BOARD)
    time.advance(minutes=5)

    confirmed = await ada.post("/exchange/confirm")

    tags = [answer.headers["etag"].split(".")[0] for answer in (opened, confirmed)]
    assert tags[0] == tags[1]
    assert opened.json()["rates"][0]["confirmed_at"] < confirmed.json()["rates"][0]["confirmed_at"]
    assert opened.json()["updated_at"] == confirmed.json()["updated_at"]
    events = (await ada.get("/users/ada/exchange/history?currency=JPY")).json()["items"]
    assert [item["seq"] for item in events] == [1]


async def test_confirming_or_deleting_requires_a_board(ada: Browser) -> None:
    assert (await ada.post("/exchange/confirm")).json()["code"] == "exchange_not_found"
    assert (await ada.delete("/exchange")).json()["code"] == "exchange_not_found"


async def test_deleting_a_board_deletes_its_history(
    ada: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    opened = (await ada.put("/exchange", json=BOARD)).json()

    assert (await ada.delete("/exchange")).status_code == 204

    assert (await stranger.get("/users/ada/exchange")).status_code == 404
    assert (await stranger.get("/users/ada")).json()["has_exchange"] is False
    for statement in _ROW_COUNTS_OF_A_BOARD:
        assert await connection.scalar(text(statement), {"id": opened["id"]}) == 0, statement
    assert (await ada.delete("/exchange")).status_code == 404
    assert (await ada.put("/exchange", json=BOARD)).status_code == 201


async def test_boards_of_blocking_suspended_or_unknown_users_are_not_found(
    ada: Browser, member: Member, connection: AsyncConnection, stranger: Browser
) -> None:
    await ada.put("/exchange", json=BOARD)
    eve, mallory = await member("eve"), await make_user(connection, "mallory")
    await make_exchange(connection, mallory)
    await make_block(connection, ada.id, eve.id)
    await connection.execute(
        text("UPDATE users SET suspended_at = now() WHERE username = 'mallory'")
    )

    for browser, name in ((eve, "ada"), (stranger, "mallory"), (stranger, "nobody")):
        for path in ("exchange", "exchange/history?currency=JPY"):
            answer = await browser.get(f"/users/{name}/{path}")
            assert answer.json()["code"] == "user_not_found"
    await make_user(connection, "bob")
    assert (await stranger.get("/users/bob/exchange")).json()["code"] == "exchange_not_found"


async def test_if_none_match_of_an_unchanged_board_returns_304(
    ada: Browser, stranger: Browser
) -> None:
    await ada.put("/exchange", json=BOARD)
    read = await stranger.get("/users/ada/exchange")
    tag = {"If-None-Match": read.headers["etag"]}

    assert (await stranger.get("/users/ada/exchange", headers=tag)).status_code == 304
    assert (await ada.get("/exchange", headers=tag)).status_code == 304
    await ada.put("/exchange", json=board(yen("1")))
    assert (await stranger.get("/users/ada/exchange", headers=tag)).status_code == 200


async def test_if_match_with_an_outdated_etag_does_not_overwrite_the_board(ada: Browser) -> None:
    nothing = await ada.put("/exchange", json=BOARD, headers={"If-Match": '"1.abc"'})
    assert nothing.json()["code"] == "precondition_failed"
    first = (await ada.put("/exchange", json=BOARD)).headers["etag"]
    other = board(yen("8"))
    second = (await ada.put("/exchange", json=other, headers={"If-Match": first})).headers["etag"]

    late = await ada.put("/exchange", json=board(yen("9")), headers={"If-Match": first})

    assert late.json()["code"] == "precondition_failed"
    assert (await ada.get("/exchange")).headers["etag"] == second


@pytest.mark.parametrize("condition", ["*", " * ", '"1.abc"', '"0.abc"', "nonsense"])
async def test_if_match_without_a_board_creates_none(ada: Browser, condition: str) -> None:
    answer = await ada.put("/exchange", json=BOARD, headers={"If-Match": condition})

    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert (await ada.get("/exchange")).json()["code"] == "exchange_not_found"
    assert (await ada.get("/users/ada")).json()["has_exchange"] is False


async def test_if_match_of_any_version_replaces_a_board_that_exists(ada: Browser) -> None:
    await ada.put("/exchange", json=BOARD)

    answer = await ada.put("/exchange", json=board(yen("9")), headers={"If-Match": "*"})

    assert (answer.status_code, answer.json()["rates"][0]["we_buy"]) == (200, "9")


async def test_the_export_contains_the_board_and_account_deletion_deletes_it(
    ada: Browser, connection: AsyncConnection, app: FastAPI, config: Config
) -> None:
    hours = [{"weekday": 1, "opens": "09:00", "closes": "18:00"}]
    body = board(location={"lat": 1.5, "lon": 103.5}, opening_hours=hours)
    board_id = (await ada.put("/exchange", json=body)).json()["id"]

    export = (await ada.get("/settings/export")).json()
    left = await ada.delete("/settings", json={"current_password": PASSWORD})

    (mine,) = export["exchanges"]
    assert (mine["name"], mine["lat"], mine["lon"]) == ("Tan Exchange", 1.5, 103.5)
    assert mine["opening_hours"] == hours
    assert [(item["currency"], item["we_buy"]) for item in export["rate_events"]] == [
        ("JPY", "0.8950"),
        ("USD", "1.3350"),
    ]
    assert [item["valid_for_hours"] for item in export["exchange_confirmations"]] == [24]
    assert left.status_code == 204
    while await AccountPurger(config, app.state.services.database).run_once():
        pass
    for statement in _ROW_COUNTS_OF_A_BOARD:
        assert await connection.scalar(text(statement), {"id": board_id}) == 0, statement


_ROW_COUNTS_OF_A_BOARD = (
    "SELECT count(*) FROM exchanges WHERE id = :id",
    "SELECT count(*) FROM exchange_rates WHERE exchange_id = :id",
    "SELECT count(*) FROM rate_events WHERE exchange_id = :id",
    "SELECT count(*) FROM exchange_confirmations WHERE exchange_id = :id",
)
