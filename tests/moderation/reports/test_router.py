"""`POST /reports`."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import make_block, make_comment, make_exchange, make_post, make_user

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import new_id
from wxc.models import Comment, Report, User


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def bob(connection: AsyncConnection) -> UUID:
    return await make_user(connection, "bob")


async def report(
    browser: Browser, kind: str, target: UUID, *, key: str | None = None, **fields: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"target_type": kind, "target_id": str(target), "reason": "spam", **fields}
    return await browser.post("/reports", json=body, headers=headers)


async def reports_by(connection: AsyncConnection, reporter: Browser) -> list[tuple[Any, ...]]:
    """The stored reports by this member: target, reason and detail."""
    columns = (Report.target_id, Report.reason, Report.detail)
    rows = await connection.execute(select(*columns).where(Report.reporter_id == reporter.id))
    return [tuple(row) for row in rows]


class TestReport:
    async def test_report_is_stored_and_returned_as_sent(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        answer = await report(ada, "user", bob, reason="fraud", detail="Takes deposits.")

        assert answer.status_code == 201
        assert "location" not in answer.headers
        body = answer.json()
        assert UUID(body.pop("id")).version == 7
        assert body.pop("created_at").endswith("Z")
        assert body == {
            "target_type": "user",
            "target_id": str(bob),
            "reason": "fraud",
            "detail": "Takes deposits.",
        }
        assert await reports_by(connection, ada) == [(bob, "fraud", "Takes deposits.")]

    async def test_posts_and_comments_can_be_reported(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        post = await make_post(connection, bob)
        comment = await make_comment(connection, bob, post)

        for kind, target in (("post", post), ("comment", comment)):
            assert (await report(ada, kind, target)).status_code == 201
        assert [row[0] for row in await reports_by(connection, ada)] == [post, comment]

    async def test_blocked_user_can_be_reported(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        await make_block(connection, ada.id, bob)

        assert (await report(ada, "user", bob)).status_code == 201

    async def test_second_report_of_a_target_replaces_the_open_one(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        first = await report(ada, "user", bob, detail="Hm.")
        second = await report(ada, "user", bob, reason="abuse")

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json()["id"] == second.json()["id"]
        assert await reports_by(connection, ada) == [(bob, "abuse", None)]

    async def test_target_of_a_closed_report_can_be_reported_again(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        first = await report(ada, "user", bob)
        await connection.execute(
            update(Report).values(closed_at=clock.now(), closed_by="operator", note="warned")
        )

        second = await report(ada, "user", bob)

        assert first.json()["id"] != second.json()["id"]
        assert len(await reports_by(connection, ada)) == 2

    async def test_reports_of_different_members_are_separate(
        self, ada: Browser, bob: UUID, member: Member, connection: AsyncConnection
    ) -> None:
        eve = await member("eve")

        await report(ada, "user", bob)
        await report(eve, "user", bob, reason="abuse")

        assert await reports_by(connection, ada) == [(bob, "spam", None)]
        assert await reports_by(connection, eve) == [(bob, "abuse", None)]

    async def test_report_takes_three_statements(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        await ada.get("/auth-check")  # loads the revocations into Redis

        with StatementLog().watching(connection) as log:
            await report(ada, "user", bob)

        assert len(log.statements) == 3, "\n\n".join(log.statements)

    async def test_report_requires_a_session(self, stranger: Browser, bob: UUID) -> None:
        answer = await report(stranger, "user", bob)

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_visible_exchange_can_be_reported(
    ada: Browser, bob: UUID, connection: AsyncConnection
) -> None:
    board = await make_exchange(connection, bob)

    assert (await report(ada, "exchange", board)).status_code == 201


class TestInvisible:
    @pytest.mark.parametrize("kind", ["user", "post", "comment", "exchange"])
    async def test_unknown_target_cannot_be_reported(
        self, ada: Browser, bob: UUID, connection: AsyncConnection, kind: str
    ) -> None:
        target = bob if kind == "post" else new_id()  # an existing id, but of a user

        assert_unknown(await report(ada, kind, target))
        assert await reports_by(connection, ada) == []

    async def test_content_of_a_suspended_member_cannot_be_reported(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        post = await make_post(connection, bob)
        await connection.execute(
            update(User).where(User.id == bob).values(suspended_at=clock.now())
        )

        for kind, target in (("user", bob), ("post", post)):
            assert_unknown(await report(ada, kind, target))

    async def test_tombstones_and_replies_to_hidden_comments_cannot_be_reported(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        eve = await make_user(connection)
        post = await make_post(connection, eve)
        hidden = await make_comment(connection, bob, post)
        await make_block(connection, bob, ada.id)
        reply = await make_comment(connection, eve, post, hidden)
        tombstone = await make_comment(connection, eve, post)
        await connection.execute(
            update(Comment)
            .where(Comment.id == tombstone)
            .values(author_id=None, body=None, deleted_at=clock.now())
        )

        for comment in (reply, tombstone):
            assert_unknown(await report(ada, "comment", comment))


class TestRepeated:
    async def test_repeated_request_gets_the_first_response(
        self, ada: Browser, bob: UUID, connection: AsyncConnection
    ) -> None:
        first = await report(ada, "user", bob, key="once")
        await connection.execute(update(Report).values(detail="changed meanwhile"))
        second = await report(ada, "user", bob, key="once")

        assert second.content == first.content
        assert second.headers["idempotency-replayed"] == "true"
        assert await reports_by(connection, ada) == [(bob, "spam", "changed meanwhile")]

    async def test_same_key_with_another_body_is_a_mismatch(self, ada: Browser, bob: UUID) -> None:
        await report(ada, "user", bob, key="once")

        answer = await report(ada, "user", bob, key="once", reason="abuse")

        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")


class TestLimit:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(
            update={"limit_reports_per_account": "4 per hour"}
        )  # half until verified

    async def test_reports_are_limited_per_member_and_hour(
        self, ada: Browser, bob: UUID, member: Member
    ) -> None:
        for left in ("1", "0"):
            answer = await report(ada, "user", bob)
            assert f'"reports-account";r={left};' in answer.headers["ratelimit"]

        answer = await report(ada, "user", bob)

        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 3000
        assert (await report(await member("eve"), "user", bob)).status_code == 201

    async def test_refused_and_repeated_reports_do_not_count_towards_the_limit(
        self, ada: Browser, bob: UUID
    ) -> None:
        for _ in range(3):
            assert (await report(ada, "user", uuid4())).status_code == 404
            assert (await report(ada, "user", bob, key="once")).status_code == 201

        assert (await report(ada, "user", bob)).status_code == 201


def assert_unknown(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (404, "target_not_found")
