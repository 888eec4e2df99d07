"""Section 6, audit log: what happens to an account is written down, and no secret with it."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.support.audit_log import last, trail
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from tests.support.mail import database, later, mailing, smtp, worker

from wxc.core import clock
from wxc.models import AuditKind
from wxc.moderation.audit import service

__all__ = ["database", "later", "mailing", "newest_token", "smtp", "worker"]
NEW_PASSWORD = "a longer walk in Porto"


class TestLogin:
    async def test_a_login_names_the_member_the_session_and_the_request(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")

        answer = await stranger.log_in("ada")

        (event,) = await trail(connection, ada)
        assert (event.event, event.actor, event.detail) == ("login", "client", {})
        assert event.request_id == answer.headers["x-request-id"]
        assert len(event.address_hash) == 32
        assert str(event.session_id) in str((await stranger.get("/sessions")).json())

    async def test_a_failed_one_is_noted_whether_or_not_there_is_such_an_account(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")
        for identifier in ("ada", "ADA", "ada@example.com", "nobody_at_all"):
            await stranger.log_in(identifier, "not her password")

        named, shouted, addressed = await trail(connection, ada)
        (unknown,) = await trail(connection, None)
        assert {row.event for row in (named, addressed, unknown)} == {"login_failed"}
        assert named.detail == shouted.detail != addressed.detail != unknown.detail
        assert "ada" not in str(named.detail)
        assert "nobody" not in str(unknown.detail)

    async def test_the_session_that_a_browser_had_before_is_named(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")

        await ada.log_in("ada")

        first, second = await trail(connection, ada.id)
        assert (second.event, second.detail) == ("login", {"ended": str(first.session_id)})

    async def test_one_address_has_one_hash_which_our_key_makes(
        self, app: FastAPI, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")
        for _ in range(2):
            await stranger.log_in("ada")

        hashes = {row.address_hash for row in await trail(connection, ada)}
        assert hashes == {app.state.services.fingerprints.address("192.0.2.1")}

    async def test_a_suspended_member_who_knows_the_password_is_a_refused_access(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada", suspended_at=clock.now())

        assert (await stranger.log_in("ada")).status_code == 403

        event = await last(connection, ada)
        assert (event["event"], event["detail"]) == (
            AuditKind.ACCESS_REFUSED,
            {"code": "account_suspended"},
        )


class TestSessions:
    async def test_ending_sessions_is_written_down(
        self, app: FastAPI, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        (own,) = [row.session_id for row in await trail(connection, ada.id)]
        for _ in range(3):  # elsewhere
            async with Browser(app) as other:
                await other.log_in("ada")
        listed = (await ada.get("/sessions")).json()["items"]
        ended = next(one["id"] for one in listed if not one["current"])

        await ada.delete(f"/sessions/{ended}")
        await ada.delete("/sessions")
        await ada.delete("/sessions")  # there is none any more
        await ada.post("/logout")

        events = (await trail(connection, ada.id))[4:]
        assert [row.event for row in events] == ["session_ended"] * 3
        assert [row.detail for row in events] == [{"ended": ended}, {"sessions_ended": 2}, {}]
        assert {row.session_id for row in events} == {own}

    async def test_a_reused_refresh_token_is_written_down_with_the_end_of_its_session(
        self, member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ada = await member("ada")
        stolen = dict(ada.http.cookies)
        await ada.post("/refresh-token")
        moment = clock.now() + timedelta(minutes=1)
        monkeypatch.setattr(clock, "now", lambda: moment)

        ada.http.cookies.clear()
        ada.http.cookies.update(stolen)
        answer = await ada.post("/refresh-token")

        assert answer.json()["code"] == "refresh_reused"
        event = await last(connection, ada.id)
        assert (event["event"], event["detail"]) == ("refresh_reused", {})
        assert event["session_id"] == (await trail(connection, ada.id))[0].session_id


class TestPasswords:
    async def test_a_change_is_written_down(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")

        await ada.put(
            "/settings/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        event = await last(connection, ada.id)
        assert (event["event"], event["detail"]) == ("password_changed", {"sessions_ended": 0})

    async def test_a_reset_is_written_down_but_not_the_wish_for_one(
        self, member: Member, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        ada = await member("ada")
        await ada.post("/request-password-reset", json={"email": "ada@example.com"})
        assert len(await trail(connection, ada.id)) == 1

        await ada.post(f"/reset-password/{await newest_token()}", json={"password": NEW_PASSWORD})

        event = await last(connection, ada.id)
        assert (event["event"], event["session_id"]) == ("password_reset", None)
        assert event["detail"] == {"sessions_ended": 1}

    async def test_what_is_undone_is_not_in_the_trail(
        self, member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The row is part of the transaction of what it tells about."""

        def fail(*_: object, **__: object) -> None:
            raise ConnectionResetError

        ada = await member("ada")
        monkeypatch.setattr(service, "insert_event", fail)

        answer = await ada.put(
            "/settings/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert answer.status_code == 503
        assert [row.event for row in await trail(connection, ada.id)] == ["login"]


async def test_no_row_holds_a_secret_or_an_address(
    member: Member, connection: AsyncConnection, newest_token: NewestToken
) -> None:
    ada = await member("ada")
    await ada.log_in("ada@example.com", "some wrong password")
    await ada.post("/request-password-reset", json={"email": "ada@example.com"})
    token = await newest_token()
    await ada.post(f"/reset-password/{token}", json={"password": NEW_PASSWORD})
    secrets = [PASSWORD, NEW_PASSWORD, "some wrong password", token, "example.com", "192.0.2.1"]
    secrets += [*dict(ada.http.cookies).values(), str(ada.csrf_token)]

    rows = str([*await trail(connection, ada.id), *await trail(connection, None)])

    assert "password_reset" in rows
    for secret in secrets:
        assert secret not in rows
