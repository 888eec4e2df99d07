"""Actions on accounts are audited, without secrets."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.support.audit_log import audit_events, latest_audit_event
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from tests.support.mail import database, later, mail_config, smtp, worker

from wxc.core import clock
from wxc.models import AuditKind
from wxc.moderation.audit import service

__all__ = ["database", "later", "mail_config", "newest_token", "smtp", "worker"]
NEW_PASSWORD = "a longer walk in Porto"


class TestLogin:
    async def test_login_event_has_member_session_and_request(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")

        answer = await stranger.log_in("ada")

        (event,) = await audit_events(connection, ada)
        assert (event.event, event.actor, event.detail) == ("login", "client", {})
        assert event.request_id == answer.headers["x-request-id"]
        assert len(event.address_hash) == 32
        assert str(event.session_id) in str((await stranger.get("/sessions")).json())

    async def test_failed_login_is_audited_for_known_and_unknown_accounts(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")
        for identifier in ("ada", "ADA", "ada@example.com", "nobody_at_all"):
            await stranger.log_in(identifier, "not her password")

        named, shouted, addressed = await audit_events(connection, ada)
        (unknown,) = await audit_events(connection, None)
        assert {row.event for row in (named, addressed, unknown)} == {"login_failed"}
        assert named.detail == shouted.detail != addressed.detail != unknown.detail
        assert "ada" not in str(named.detail)
        assert "nobody" not in str(unknown.detail)

    async def test_login_event_names_the_previous_session(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")

        await ada.log_in("ada")

        first, second = await audit_events(connection, ada.id)
        assert (second.event, second.detail) == ("login", {"ended": str(first.session_id)})

    async def test_equal_addresses_have_equal_keyed_hashes(
        self, app: FastAPI, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada")
        for _ in range(2):
            await stranger.log_in("ada")

        hashes = {row.address_hash for row in await audit_events(connection, ada)}
        assert hashes == {app.state.services.identifier_hasher.hash_address("192.0.2.1")}

    async def test_login_of_a_suspended_member_is_audited_as_refused_access(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        ada = await make_user(connection, "ada", suspended_at=clock.now())

        assert (await stranger.log_in("ada")).status_code == 403

        event = await latest_audit_event(connection, ada)
        assert (event["event"], event["detail"]) == (
            AuditKind.ACCESS_REFUSED,
            {"code": "account_suspended"},
        )


class TestSessions:
    async def test_ended_sessions_are_audited(
        self, app: FastAPI, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")
        (own,) = [row.session_id for row in await audit_events(connection, ada.id)]
        for _ in range(3):  # on other devices
            async with Browser(app) as other:
                await other.log_in("ada")
        listed = (await ada.get("/sessions")).json()["items"]
        ended = next(item["id"] for item in listed if not item["current"])

        await ada.delete(f"/sessions/{ended}")
        await ada.delete("/sessions")
        await ada.delete("/sessions")  # no other session is left
        await ada.post("/logout")

        events = (await audit_events(connection, ada.id))[4:]
        assert [row.event for row in events] == ["session_ended"] * 3
        assert [row.detail for row in events] == [{"ended": ended}, {"sessions_ended": 2}, {}]
        assert {row.session_id for row in events} == {own}

    async def test_refresh_token_reuse_is_audited(
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
        event = await latest_audit_event(connection, ada.id)
        assert (event["event"], event["detail"]) == ("refresh_reused", {})
        assert event["session_id"] == (await audit_events(connection, ada.id))[0].session_id


class TestPasswords:
    async def test_password_change_is_audited(
        self, member: Member, connection: AsyncConnection
    ) -> None:
        ada = await member("ada")

        await ada.put(
            "/settings/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        event = await latest_audit_event(connection, ada.id)
        assert (event["event"], event["detail"]) == ("password_changed", {"sessions_ended": 0})

    async def test_password_reset_is_audited_but_requesting_one_is_not(
        self, member: Member, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        ada = await member("ada")
        await ada.post("/request-password-reset", json={"email": "ada@example.com"})
        assert len(await audit_events(connection, ada.id)) == 1

        await ada.post(f"/reset-password/{await newest_token()}", json={"password": NEW_PASSWORD})

        event = await latest_audit_event(connection, ada.id)
        assert (event["event"], event["session_id"]) == ("password_reset", None)
        assert event["detail"] == {"sessions_ended": 1}

    async def test_rolled_back_action_is_not_audited(
        self, member: Member, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise ConnectionResetError

        ada = await member("ada")
        monkeypatch.setattr(service, "insert_event", fail)

        answer = await ada.put(
            "/settings/password",
            json={"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        )

        assert answer.status_code == 503
        assert [row.event for row in await audit_events(connection, ada.id)] == ["login"]


async def test_audit_events_contain_no_secrets_and_no_addresses(
    member: Member, connection: AsyncConnection, newest_token: NewestToken
) -> None:
    ada = await member("ada")
    await ada.log_in("ada@example.com", "some wrong password")
    await ada.post("/request-password-reset", json={"email": "ada@example.com"})
    token = await newest_token()
    await ada.post(f"/reset-password/{token}", json={"password": NEW_PASSWORD})
    secrets = [PASSWORD, NEW_PASSWORD, "some wrong password", token, "example.com", "192.0.2.1"]
    secrets += [*dict(ada.http.cookies).values(), str(ada.csrf_token)]

    rows = str([*await audit_events(connection, ada.id), *await audit_events(connection, None)])

    assert "password_reset" in rows
    for secret in secrets:
        assert secret not in rows
