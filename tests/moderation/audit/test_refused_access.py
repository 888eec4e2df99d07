"""What a signed-in member is refused is noted: in one place, a few times, and never in the way."""

import time
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.app import running_app
from tests.support.audit_log import last, trail
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import PASSWORD, make_post, make_user

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.http.refusals.base import all_refusals
from wxc.models import AuditEvent, User
from wxc.moderation.audit.dependencies import TELLING


def test_what_is_noted_are_refusals_that_there_are() -> None:
    refusals = all_refusals()
    # Settings and posts have been imported with the application.
    assert {refusals[code].status for code in TELLING} == {403}


async def test_somebody_elses_post_leaves_a_row(
    member: Member, connection: AsyncConnection
) -> None:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    post = await make_post(connection, bob)

    answer = await ada.delete(f"/posts/{post}")

    assert answer.json()["code"] == "not_owner"
    event = await last(connection, ada.id)
    assert (event["event"], event["detail"]) == ("access_refused", {"code": "not_owner"})
    assert event["request_id"] == answer.headers["x-request-id"]
    assert event["session_id"] == (await trail(connection, ada.id))[0].session_id


async def test_a_wrong_password_of_a_signed_in_member_leaves_a_row(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")

    await ada.put(
        "/settings/password",
        json={"current_password": "not her password", "new_password": PASSWORD * 2},
    )

    assert (await last(connection, ada.id))["detail"] == {"code": "wrong_password"}


@pytest.mark.parametrize("path", ["/posts", "/refresh-token", "/logout"])
async def test_a_forged_request_leaves_a_row_of_the_member_who_was_to_be_harmed(
    member: Member, connection: AsyncConnection, path: str
) -> None:
    ada = await member("ada")
    ada.csrf_token = "forged"

    answer = await ada.post(path, json={"body": "hello"} if path == "/posts" else None)

    assert answer.json()["code"] == "csrf_failed"
    event = await last(connection, ada.id)
    assert event["detail"] == {"code": "csrf_failed"}
    assert event["user_id"] == ada.id


async def test_what_is_only_not_there_or_not_well_formed_leaves_none(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")

    await ada.get("/users/nobody_at_all")
    await ada.post("/posts", json={"body": ""})
    await ada.post("/nowhere")

    assert [row.event for row in await trail(connection, ada.id)] == ["login"]


async def test_who_is_refused_again_and_again_fills_no_table(
    member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    ada, eve = await member("ada"), await member("eve")
    for person in (ada, eve):
        person.csrf_token = "forged"

    for _ in range(15):
        assert (await ada.post("/logout")).status_code == 403
    await eve.post("/logout")  # has a bound of her own
    assert [len(await trail(connection, one.id)) for one in (ada, eve)] == [1 + 10, 1 + 1]

    moment += 60
    await ada.post("/logout")
    assert len(await trail(connection, ada.id)) == 1 + 11


class TestWithRealCommits:
    @pytest.fixture
    async def app(
        self, config: Config, fresh_database_url: str, redis: RedisClient
    ) -> AsyncIterator[FastAPI]:
        changed = {"database_url": fresh_database_url, "database_lock_timeout": 0.2}
        async with running_app(config.model_copy(update=changed)) as app:
            yield app

    async def test_the_note_outlives_the_refusal(self, app: FastAPI) -> None:
        async with Browser(app) as browser:
            assert (await browser.log_in("noise_1", "not the password")).status_code == 401

        assert await count(app, "login_failed") == 1

    async def test_what_cannot_be_noted_is_answered_all_the_same(self, app: FastAPI) -> None:
        """The table is locked away: the answer is the same."""
        async with Browser(app) as browser:
            await browser.log_in("noise_1")
            browser.csrf_token = "forged"
            async with app.state.services.database.transaction() as session:
                await session.execute(text("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE"))
                failed = await browser.log_in("noise_1", "not the password")
                forged = await browser.post("/logout")

        assert (failed.status_code, failed.json()["code"]) == (401, "invalid_credentials")
        assert (forged.status_code, forged.json()["code"]) == (403, "csrf_failed")
        assert await count(app, "access_refused") == 0

    async def test_no_connection_is_held_while_a_password_is_verified(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lent, verify = [], app.state.services.auth.passwords.verify

        async def watch(password: str, encoded: str | None, **options: bool) -> bool:
            lent.append(app.state.services.database.connections_in_use)
            return bool(await verify(password, encoded, **options))

        monkeypatch.setattr(app.state.services.auth.passwords, "verify", watch)
        async with Browser(app) as browser:
            for name in ("noise_1", "nobody_at_all"):
                await browser.log_in(name, "not the password")

        assert lent == [0, 0]

    async def test_known_and_unknown_accounts_cost_the_same_statements(self, app: FastAPI) -> None:
        statements = []
        async with Browser(app) as browser:
            for name in ("noise_1", "nobody_at_all"):
                with StatementLog(of_requests=True).watching(app.state.services.database) as log:
                    await browser.log_in(name, "not the password")
                statements.append(log.statements)

        assert statements[0] == statements[1]
        assert "INSERT INTO audit_events" in statements[0][-1]

    async def test_a_row_of_the_trail_outlives_the_account(self, app: FastAPI) -> None:
        async with Browser(app) as browser:
            await browser.log_in("noise_1")
        async with app.state.services.database.transaction() as session:
            await session.execute(update(User).values(suspended_at=func.now()))
            for table in ("comments", "users"):
                await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - ours

        assert await count(app, "login") >= 1


async def count(app: FastAPI, event: str) -> int:
    statement = select(func.count()).where(AuditEvent.event == event)
    async with app.state.services.database.transaction() as session:
        return int((await session.execute(statement)).scalar_one())
