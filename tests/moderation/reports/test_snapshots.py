"""A report keeps what it is about, whatever becomes of that."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.moderation.actions.conftest import Operate, operate
from tests.moderation.reports.test_router import report
from tests.support.boards import board, yen
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import mail_config, smtp
from tests.support.social_graph import app, engine, friends, real

from wxc.models import ReportSnapshot

__all__ = ["app", "engine", "friends", "mail_config", "operate", "real", "smtp"]
KINDS = ["user", "post", "comment", "exchange"]
BOARD = board(description="Best rates.", address="1 Main St")


class Target:
    """Something of an author's that is reported by another member."""

    def __init__(self, author: Browser, kind: str) -> None:
        self.author = author
        self.kind = kind
        self.path = "/settings" if kind == "user" else "/exchange"
        self.id = author.id

    async def make(self) -> None:
        if self.kind == "user":
            await self.author.put("/settings", json={"display_name": "Ada", "bio": "Buy gold!"})
        elif self.kind == "exchange":
            made = await self.author.put("/exchange", json=BOARD)
            self.id = UUID(made.json()["id"])
        else:
            self.path = "/posts"
            await self.write("Buy gold!")
            if self.kind == "comment":
                self.path = f"/posts/{self.id}/comments"
                await self.write("Buy gold!")
            self.path = f"/{self.kind}s/{self.id}"

    async def write(self, body: str) -> None:
        written = await self.author.post(self.path, json={"body": body})
        assert written.status_code == 201, written.text
        self.id = UUID(written.json()["id"])

    async def edit(self) -> None:
        body: dict[str, Any] = {"body": "Sorry."}
        if self.kind == "user":
            body = {"bio": "Sorry."}
        elif self.kind == "exchange":
            body = board(yen("0.5"), name="Other")
        answer = await self.author.put(self.path, json=body)
        assert answer.status_code == 200, answer.text

    async def delete(self) -> None:
        body = {"current_password": PASSWORD} if self.kind == "user" else None
        assert (await self.author.delete(self.path, json=body)).status_code == 204


@pytest.fixture(params=KINDS)
async def target(request: pytest.FixtureRequest, friends: list[Browser]) -> Target:
    target = Target(friends[1], request.param)
    await target.make()
    return target


@pytest.fixture
def reporter(friends: list[Browser]) -> Browser:
    return friends[0]


async def shown(operate: Operate, report_id: str) -> dict[str, Any]:
    done = await operate("reports", "show", report_id, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


@pytest.mark.parametrize("change", ["edit", "delete"])
async def test_the_snapshot_outlives_edits_and_the_deletion_of_the_target(
    target: Target, reporter: Browser, operate: Operate, change: str
) -> None:
    answer = await report(reporter, target.kind, target.id)
    before = await shown(operate, answer.json()["id"])

    await (target.edit() if change == "edit" else target.delete())

    after = await shown(operate, answer.json()["id"])
    (snapshot,) = after["snapshots"]
    assert after["snapshots"] == before["snapshots"]
    assert before["target"] == {key: snapshot[key] for key in before["target"]}
    assert after["target"] != before["target"]
    assert snapshot["author_id"] == str(target.author.id)
    assert snapshot["username"] == target.author.username
    assert snapshot["taken_at"].endswith("Z")
    if target.kind == "exchange":
        assert snapshot["text"] == "Tan Exchange\nBest rates.\n1 Main St"
    else:
        assert snapshot["text"] == ("Ada\nBuy gold!" if target.kind == "user" else "Buy gold!")
    printed = (await operate("reports", "show", answer.json()["id"])).output
    assert "1 Main St" in printed if target.kind == "exchange" else "Buy gold!" in printed


async def test_the_snapshot_has_the_version_of_the_reported_content(
    target: Target, reporter: Browser, operate: Operate
) -> None:
    first = await shown(operate, (await report(reporter, target.kind, target.id)).json()["id"])
    await target.edit()

    second = await shown(operate, (await report(reporter, target.kind, target.id)).json()["id"])

    assert first["report"]["id"] == second["report"]["id"]
    assert second["snapshots"][0] == first["snapshots"][0]
    versions = [snapshot["version"] for snapshot in second["snapshots"]]
    if target.kind == "comment":
        assert versions == [None, None]  # comments have none
    else:
        assert versions == [versions[0], versions[0] + 1]


async def test_the_snapshot_of_a_board_has_its_rates_and_the_head_of_its_chain(
    friends: list[Browser], operate: Operate
) -> None:
    reporter, owner = friends[:2]
    target = Target(owner, "exchange")
    await target.make()
    path = f"/users/{owner.username}/exchange/history?currency="
    pages = [await reporter.get(f"{path}{currency}") for currency in ("USD", "JPY")]
    events = [event for page in pages for event in page.json()["items"]]
    last = max(events, key=lambda event: int(event["seq"]))

    answer = await report(reporter, "exchange", target.id)
    await target.delete()

    (snapshot,) = (await shown(operate, answer.json()["id"]))["snapshots"]
    nothing = {"min_amount": None, "max_amount": None}
    assert snapshot["rates"] == [
        {
            "currency": "JPY",
            "base_currency": "SGD",
            "unit": 100,
            "we_buy": "0.8950",
            "we_sell": "0.9134",
            **nothing,
        },
        {
            "currency": "USD",
            "base_currency": "SGD",
            "unit": 1,
            "we_buy": "1.3350",
            "we_sell": None,
            **nothing,
        },
    ]
    assert snapshot["chain_head"] == f"{last['seq']}:{last['hash']}"
    printed = (await operate("reports", "show", answer.json()["id"])).output
    for expected in ("JPY", "0.8950", "0.9134", snapshot["chain_head"]):
        assert expected in printed


async def test_a_repeated_report_adds_a_snapshot_only_of_something_new(
    target: Target, reporter: Browser, engine: AsyncEngine
) -> None:
    for _ in range(3):
        assert (await report(reporter, target.kind, target.id)).status_code == 201

    async with engine.connect() as connection:
        assert await _count(connection) == 1


async def test_a_report_keeps_at_most_five_snapshots(
    friends: list[Browser], operate: Operate, engine: AsyncEngine
) -> None:
    target = Target(friends[1], "post")
    await target.make()
    for number in range(7):
        await target.author.put(target.path, json={"body": f"text {number}"})
        answer = await report(friends[0], "post", target.id)

    snapshots = (await shown(operate, answer.json()["id"]))["snapshots"]

    assert [snapshot["text"] for snapshot in snapshots] == [f"text {n}" for n in range(5)]


async def test_no_answer_to_a_member_contains_the_snapshot(
    target: Target, reporter: Browser
) -> None:
    answer = await report(reporter, target.kind, target.id)
    export = await reporter.get("/settings/export")

    for text in ("Buy gold!", "Best rates."):
        assert text not in answer.text
        assert text not in json.dumps(export.json()["reports"])


async def _count(connection: AsyncConnection) -> int:
    return await connection.scalar(select(func.count()).select_from(ReportSnapshot)) or 0
