"""Refused requests of members are audited, at a limited rate and without changing the response."""

import time
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.app import running_app
from tests.support.audit_log import audit_events, latest_audit_event
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import PASSWORD, make_post, make_user

from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.http.refusals.base import all_refusals
from wxc.models import AuditEvent, User
from wxc.moderation.audit.dependencies import AUDITED_CODES


def test_audited_codes_exist() -> None:
    refusals = all_refusals()
    # The application has imported the modules that define these refusals.
    assert {refusals[code].status for code in AUDITED_CODES} == {403}


async def test_refused_change_of_another_members_post_is_audited(
    member: Member, connection: AsyncConnection
) -> None:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    post = await make_post(connection, bob)

    answer = await ada.delete(f"/posts/{post}")

    assert answer.json()["code"] == "not_owner"
    event = await latest_audit_event(connection, ada.id)
    assert (event["event"], event["detail"]) == ("access_refused", {"code": "not_owner"})
    assert event["request_id"] == answer.headers["x-request-id"]
    assert event["session_id"] == (await audit_events(connection, ada.id))[0].session_id


async def test_wrong_current_password_is_audited(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")

    await ada.put(
        "/settings/password",
        json={"current_password": "not her password", "new_password": PASSWORD * 2},
    )

    assert (await latest_audit_event(connection, ada.id))["detail"] == {"code": "wrong_password"}


@pytest.mark.parametrize("path", ["/posts", "/refresh-token", "/logout"])
async def test_forged_request_is_audited_for_the_attacked_member(
    member: Member, connection: AsyncConnection, path: str
) -> None:
    ada = await member("ada")
    ada.csrf_token = "forged"

    answer = await ada.post(path, json={"body": "hello"} if path == "/posts" else None)

    assert answer.json()["code"] == "csrf_failed"
    event = await latest_audit_event(connection, ada.id)
    assert event["detail"] == {"code": "csrf_failed"}
    assert event["user_id"] == ada.id


async def test_not_found_and_invalid_requests_are_not_audited(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")

    await ada.get("/users/nobody_at_all")
    await ada.post("/posts", json={"body": ""})
    await ada.post("/nowhere")

    assert [row.event for row in await audit_events(connection, ada.id)] == ["login"]


async def test_audited_refusals_are_limited_per_session_and_minute(
    member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    ada, eve = await member("ada"), await member("eve")
    for person in (ada, eve):
        person.csrf_token = "forged"

    for _ in range(15):
        assert (await ada.post("/logout")).status_code == 403
    await eve.post("/logout")  # has a separate limit
    assert [len(await audit_events(connection, each.id)) for each in (ada, eve)] == [1 + 10, 1 + 1]

    moment += 60
    await ada.post("/logout")
    assert len(await audit_events(connection, ada.id)) == 1 + 11


class TestWithRealCommits:
    @pytest.fixture
    async def app(
        self, config: Config, fresh_database_url: str, redis: RedisClient
    ) -> AsyncIterator[FastAPI]:
        changed = {"database_url": fresh_database_url, "database_lock_timeout": 0.2}
        async with running_app(config.model_copy(update=changed)) as app:
            yield app

    async def test_audit_event_survives_the_rollback_of_the_refusal(self, app: FastAPI) -> None:
        async with Browser(app) as browser:
            assert (await browser.log_in("noise_1", "not the password")).status_code == 401

        assert await count(app, "login_failed") == 1

    async def test_refusal_is_sent_even_if_its_event_cannot_be_written(self, app: FastAPI) -> None:
        """The audit table is locked."""
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
        in_use, verify = [], app.state.services.auth.passwords.verify

        async def watch(password: str, encoded: str | None, **options: bool) -> bool:
            in_use.append(app.state.services.database.connections_in_use)
            return bool(await verify(password, encoded, **options))

        monkeypatch.setattr(app.state.services.auth.passwords, "verify", watch)
        async with Browser(app) as browser:
            for name in ("noise_1", "nobody_at_all"):
                await browser.log_in(name, "not the password")

        assert in_use == [0, 0]

    async def test_failed_logins_of_known_and_unknown_accounts_run_the_same_statements(
        self, app: FastAPI
    ) -> None:
        statements = []
        async with Browser(app) as browser:
            for name in ("noise_1", "nobody_at_all"):
                with StatementLog(of_requests=True).watching(app.state.services.database) as log:
                    await browser.log_in(name, "not the password")
                statements.append(log.statements)

        assert statements[0] == statements[1]
        assert "INSERT INTO audit_events" in statements[0][-1]

    async def test_audit_events_survive_the_account(self, app: FastAPI) -> None:
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
