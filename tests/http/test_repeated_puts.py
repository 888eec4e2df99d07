"""A `PUT` that is repeated succeeds and changes nothing, also with an outdated `If-Match`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.hostile.corpus import operations
from tests.support.boards import BOARD, board, yen
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_post, make_user
from tests.support.fake_time import FakeTime, with_long_sessions

from wxc.core.config import Config

PLACE = {"lat": 51.5074, "lon": -0.1278}
HOURS = [{"weekday": 1, "opens": "09:00", "closes": "18:30"}]
FULL_BOARD = board(
    yen("0.8950", "0.9134", min_amount="1000", max_amount="2000.50"),
    {"currency": "USD", "we_sell": "1.3"},
    description="No commission.",
    address="7 Wallich Street",
    location=PLACE,
    time_zone="Asia/Singapore",
    opening_hours=HOURS,
    valid_for_hours=12,
)
PROFILE = {"display_name": "Ada", "bio": "hello", "home_currency": "SGD"}


@pytest.fixture
def config(config: Config) -> Config:
    return with_long_sessions(config)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def paths(ada: Browser, connection: AsyncConnection) -> dict[str, str]:
    post = await make_post(connection, ada.id)
    comment = await make_comment(connection, ada.id, post)
    return {"post_id": str(post), "comment_id": str(comment)}


def _without_confirmation(body: dict[str, Any]) -> dict[str, Any]:
    """`PUT /exchange` confirms the rates even if it changes nothing else."""
    rates = [
        {name: value for name, value in rate.items() if name != "confirmed_at"}
        for rate in body["rates"]
    ]
    return body | {"rates": rates}


def _unchanged(body: dict[str, Any]) -> dict[str, Any]:
    return body


@dataclass(frozen=True)
class Put:
    path: str
    body: dict[str, Any]
    other: dict[str, Any]
    compared: Callable[[dict[str, Any]], dict[str, Any]] = _unchanged


PUTS = (
    Put("/exchange", BOARD, board(name="Other"), _without_confirmation),
    Put("/exchange", FULL_BOARD, BOARD, _without_confirmation),
    Put("/posts/{post_id}", {"body": "caf\u00e9"}, {"body": "tea"}),
    Put("/settings", PROFILE, {}),
    Put("/comments/{comment_id}", {"body": "caf\u00e9"}, {"body": "tea"}),
)
CONDITIONAL = tuple(put for put in PUTS if "comment" not in put.path)


def test_every_conditional_put_is_tested() -> None:
    conditional = {
        operation.path
        for operation in operations()
        if any(one["name"] == "If-Match" for one in operation.declared.get("parameters", ()))
    }

    assert conditional == {put.path for put in CONDITIONAL}


@pytest.mark.parametrize("put", PUTS, ids=lambda put: put.path)
async def test_a_put_of_the_stored_content_changes_nothing(
    ada: Browser, paths: dict[str, str], time: FakeTime, put: Put
) -> None:
    path = put.path.format_map(paths)
    await ada.put(path, json=put.other)
    first = await ada.put(path, json=put.body)
    time.advance(minutes=5)

    again = await ada.put(path, json=put.body)

    assert (first.status_code, again.status_code) == (200, 200)
    assert put.compared(again.json()) == put.compared(first.json())
    assert _version(again.headers.get("etag")) == _version(first.headers.get("etag"))
    assert put.compared((await ada.get(path)).json()) == put.compared(first.json())


@pytest.mark.parametrize("put", CONDITIONAL, ids=lambda put: put.path)
async def test_a_put_that_is_repeated_after_a_lost_answer_succeeds(
    ada: Browser, paths: dict[str, str], put: Put
) -> None:
    path = put.path.format_map(paths)
    await ada.put(path, json=put.other)
    condition = {"If-Match": (await ada.get(path)).headers["etag"]}
    first = await ada.put(path, json=put.body, headers=condition)

    again = await ada.put(path, json=put.body, headers=condition)
    other = await ada.put(path, json=put.other, headers=condition)

    assert (first.status_code, again.status_code) == (200, 200)
    assert put.compared(again.json()) == put.compared(first.json())
    assert _version(again.headers["etag"]) == _version(first.headers["etag"])
    assert (other.status_code, other.json()["code"]) == (412, "precondition_failed")
    assert put.compared((await ada.get(path)).json()) == put.compared(first.json())


async def test_a_board_put_again_is_confirmed_and_its_version_stays(
    ada: Browser, time: FakeTime
) -> None:
    first = await ada.put("/exchange", json=FULL_BOARD)
    time.advance(minutes=5)

    again = await ada.put("/exchange", json=FULL_BOARD)
    time.advance(minutes=5)
    confirmed = await ada.post("/exchange/confirm")

    answers = (first, again, confirmed)
    assert len({_version(answer.headers["etag"]) for answer in answers}) == 1
    assert len({answer.json()["updated_at"] for answer in answers}) == 1
    times = [answer.json()["rates"][0]["confirmed_at"] for answer in answers]
    assert times == sorted(set(times))
    history = (await ada.get("/users/ada/exchange/history?currency=JPY")).json()["items"]
    assert [event["seq"] for event in history] == [1]
    export = (await ada.get("/settings/export")).json()
    assert len(export["exchange_confirmations"]) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Other"},
        {"description": None},
        {"address": "8 Wallich Street"},
        {"location": None},
        {"location": PLACE | {"lat": 51.5075}},
        {"time_zone": "Asia/Tokyo"},
        {"opening_hours": []},
        {"valid_for_hours": 13},
        {"rates": FULL_BOARD["rates"][:1]},
        {"rates": [FULL_BOARD["rates"][0] | {"we_buy": "0.89500"}, FULL_BOARD["rates"][1]]},
        {"rates": [FULL_BOARD["rates"][0] | {"max_amount": None}, FULL_BOARD["rates"][1]]},
        {"base_currency": "MYR"},
    ],
)
async def test_any_other_board_moves_the_version(ada: Browser, fields: dict[str, Any]) -> None:
    first = await ada.put("/exchange", json=FULL_BOARD)
    stale = {"If-Match": '"0.abc"'}

    refused = await ada.put("/exchange", json=FULL_BOARD | fields, headers=stale)
    changed = await ada.put("/exchange", json=FULL_BOARD | fields)

    assert (refused.status_code, changed.status_code) == (412, 200)
    assert _version(changed.headers["etag"]) != _version(first.headers["etag"])


@pytest.mark.parametrize("condition", ["*", '"1.abc"'])
async def test_a_condition_creates_nothing(
    ada: Browser, connection: AsyncConnection, condition: str
) -> None:
    """A request that would be refused without its condition is refused for the same reason
    (RFC 9110 section 13.2.1); `If-Match: *` on nothing is never met (section 13.1.1)."""
    unknown = await make_user(connection)
    codes = {
        path: (await ada.put(path, json=body, headers={"If-Match": condition})).json()["code"]
        for path, body in (("/exchange", BOARD), (f"/posts/{unknown}", {"body": "hello"}))
    }

    assert list(codes.values()) == ["precondition_failed", "post_not_found"]
    assert (await ada.get("/exchange")).status_code == 404


def _version(etag: str | None) -> str | None:
    return etag and etag.partition(".")[0]
