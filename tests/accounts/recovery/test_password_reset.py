"""Password reset by a mailed link."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken
from tests.conftest import Member
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import PASSWORD, make_user
from tests.support.mail import Later
from tests.support.mail_server import MailServer, link_token

from wxc.core import clock
from wxc.core.config import Config
from wxc.db.database import Database
from wxc.mail import service as mails
from wxc.models import MailKind, User
from wxc.worker.mail_delivery import MailSender

NEW_PASSWORD = "a longer walk in Porto"
REGISTRATION = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}


async def request_reset(browser: Browser, email: str = "ada@example.com", **options: Any) -> None:
    answer = await browser.post("/request-password-reset", json={"email": email}, **options)
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})


async def reset(browser: Browser, token: str, password: str = NEW_PASSWORD) -> str:
    """`done`, or the code of the refusal."""
    answer = await browser.post(f"/reset-password/{token}", json={"password": password})
    assert len(token) < 40 or token not in answer.text
    assert "set-cookie" not in answer.headers
    return "done" if answer.status_code == 204 else str(answer.json()["code"])


class TestRequestPasswordReset:
    async def test_request_does_not_reveal_whether_an_account_exists(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "ada")
        await make_user(connection, "eve", suspended_at=clock.now())
        statements = []
        for name in ("ada", "eve", "nobody"):
            with StatementLog().watching(connection) as log:
                await request_reset(stranger, f"{name}@example.com")
            statements.append(log.statements)

        assert statements[0] == statements[1] == statements[2]
        assert len(statements[0]) == 1
        assert "users" not in statements[0][0]

    async def test_mail_is_sent_only_to_addresses_of_accounts(
        self, stranger: Browser, connection: AsyncConnection, worker: MailSender, smtp: MailServer
    ) -> None:
        await make_user(connection, "ada")
        for name in ("ada", "nobody"):
            await request_reset(stranger, f"{name}@example.com")

        await worker.run_once()

        assert smtp.recipients == ["ada@example.com"]

    @pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "Forwarded"])
    async def test_request_headers_do_not_change_the_link(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        worker: MailSender,
        smtp: MailServer,
        header: str,
    ) -> None:
        await make_user(connection, "ada")

        await request_reset(stranger, headers={header: "evil.example"})
        await worker.run_once()

        mail = smtp.mails[0].as_string()
        assert "evil.example" not in mail
        assert "https://app.example.com/reset-password#token=" in mail

    async def test_request_needs_no_csrf_token_but_a_trusted_origin(self, member: Member) -> None:
        ada = await member("ada")
        ada.csrf_token = None

        await request_reset(ada)
        foreign = await ada.post(
            "/request-password-reset",
            json={"email": "ada@example.com"},
            headers={"Origin": "https://evil.example"},
        )
        assert (foreign.status_code, foreign.json()["code"]) == (403, "csrf_failed")


class TestResetPassword:
    async def test_reset_changes_the_password_and_ends_every_session(
        self,
        member: Member,
        stranger: Browser,
        newest_token: NewestToken,
        worker: MailSender,
        smtp: MailServer,
    ) -> None:
        ada, bob = await member("ada"), await member("bob")
        await request_reset(stranger)

        assert await reset(stranger, await newest_token()) == "done"

        assert (await ada.get("/auth-check")).json()["code"] == "session_expired"
        assert (await bob.get("/auth-check")).status_code == 200
        assert (await stranger.log_in("ada")).status_code == 401
        assert (await stranger.log_in("ada", NEW_PASSWORD)).status_code == 200
        await worker.run_once()
        assert "Your password was changed" in [mail["subject"] for mail in smtp.mails]
        assert set(smtp.recipients) == {"ada@example.com"}

    async def test_a_link_works_once(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        assert [await reset(stranger, token) for _ in range(2)] == ["done", "invalid_token"]

    async def test_only_the_newest_link_works(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        await make_user(connection, "ada")
        tokens = []
        for _ in range(2):
            await request_reset(stranger)
            tokens.append(await newest_token())

        assert [await reset(stranger, token) for token in tokens] == ["invalid_token", "done"]

    async def test_common_password_does_not_consume_the_link(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        assert await reset(stranger, token, "password1") == "password_too_common"
        assert await reset(stranger, token) == "done"

    @pytest.mark.parametrize(
        "token",
        [
            "x",
            "a" * 43,
            "Zm9yZ2VkLXRva2VuLW9mLTQzLWxldHRlcnMtYS1iLWM",
            "a" * 42 + "=",
            "a" * 100,
            "null",
            "%F0%9F",
        ],
    )
    async def test_unknown_token_is_refused(self, stranger: Browser, token: str) -> None:
        assert await reset(stranger, token) == "invalid_token"

    async def test_altered_token_is_refused(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        # The last character encodes two bits that are not part of the 256-bit token.
        alike = chr(ord(token[-1]) + 1) if token[-1] not in "Zz9_-" else "A"
        assert await reset(stranger, token[:-1] + alike) == "invalid_token"

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"email": "new@example.com"}, id="address"),
            pytest.param({"suspended_at": clock.now()}, id="suspension"),
        ],
    )
    async def test_link_is_invalid_after_a_change_of_the_account(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        newest_token: NewestToken,
        change: dict[str, Any],
    ) -> None:
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        await connection.execute(update(User).where(User.username == "ada").values(**change))

        assert await reset(stranger, token) == "invalid_token"

    async def test_link_is_invalid_after_a_password_change(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        newest_token: NewestToken,
        database: Database,
    ) -> None:
        ada = await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        async with database.transaction() as session:
            await mails.invalidate_links(session, ada, MailKind.PASSWORD_RESET)

        assert await reset(stranger, token) == "invalid_token"

    async def test_link_expires_after_30_minutes(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        newest_token: NewestToken,
        later: Later,
    ) -> None:
        later(timedelta())
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        later(timedelta(minutes=30))

        assert await reset(stranger, token) == "invalid_token"

    async def test_a_link_of_another_kind_is_refused(
        self, stranger: Browser, newest_token: NewestToken
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)
        verification = await newest_token()
        await request_reset(stranger)
        password_reset = await newest_token()

        assert await reset(stranger, verification) == "invalid_token"
        refused = await stranger.post(f"/verify-email/{password_reset}")
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_token")

    async def test_link_changes_only_its_own_accounts_password(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        for name in ("ada", "eve"):
            await make_user(connection, name)
        await request_reset(stranger, "eve@example.com")

        assert await reset(stranger, await newest_token()) == "done"

        assert (await stranger.log_in("ada")).status_code == 200
        assert (await stranger.log_in("eve")).status_code == 401

    async def test_links_of_other_accounts_stay_valid(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        tokens = []
        for name in ("ada", "bob"):
            await make_user(connection, name)
            await request_reset(stranger, f"{name}@example.com")
            tokens.append(await newest_token())

        assert [await reset(stranger, token) for token in tokens] == ["done", "done"]

    async def test_reset_cancels_a_pending_change_of_address(
        self, stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
    ) -> None:
        await make_user(connection, "ada", pending_email="thief@example.com")
        await request_reset(stranger)

        await reset(stranger, await newest_token())

        assert (
            await connection.scalar(select(User.pending_email).where(User.username == "ada"))
            is None
        )

    async def test_logs_and_answers_contain_neither_token_nor_address(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        newest_token: NewestToken,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        await make_user(connection, "ada")
        await request_reset(stranger)
        token = await newest_token()

        for path, body in (
            (f"/reset-password/{token}", {"password": "x"}),
            (f"/reset-password/{token}", {"password": "password1"}),
            (f"/reset-password/{token}x", {"password": NEW_PASSWORD}),
            (f"/reset-password/{token}", {"password": NEW_PASSWORD}),
            (f"/reset-password/{token}", {"password": NEW_PASSWORD}),
            (f"/verify-email/{token}", None),
            (f"/nowhere/{token}", None),
        ):
            answer = await stranger.post(path, json=body)
            assert token[:20] not in answer.text

        records = [record for record in caplog.records if record.name.startswith("wxc")]
        assert "POST /reset-password/{token} 204" in "".join(
            record.getMessage() for record in records
        )
        for record in records:
            assert token[:20] not in f"{record.getMessage()}{record.__dict__}"
            assert "ada@example.com" not in record.getMessage()


class TestRaces:
    @pytest.fixture
    async def token(
        self, mail_config: Config, fresh_database_url: str, smtp: MailServer
    ) -> tuple[Config, str]:
        config = mail_config.model_copy(update={"database_url": fresh_database_url})
        async with running_app(config) as app, Browser(app) as browser:
            await browser.post("/register", json=REGISTRATION)
            await request_reset(browser)
            await MailSender(config, app.state.services.database).run_once()
        (mail,) = (mail for mail in smtp.mails if mail["subject"] == "Reset your password")
        return config, link_token(mail)

    @pytest.mark.usefixtures("redis")
    async def test_one_of_many_concurrent_uses_succeeds_without_holding_connections(
        self, token: tuple[Config, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config, link = token
        async with running_app(config) as app, Browser(app) as browser:
            in_use, hash_password = [], app.state.services.auth.passwords.hash
            arrived = asyncio.Barrier(5)

            async def watch(password: str, **options: bool) -> str:
                await arrived.wait()
                in_use.append(app.state.services.database.connections_in_use)
                return str(await hash_password(password, **options))

            monkeypatch.setattr(app.state.services.auth.passwords, "hash", watch)
            async with asyncio.timeout(30):  # a request that never hashes would block the barrier
                outcomes = await asyncio.gather(*(reset(browser, link) for _ in range(5)))
            monkeypatch.undo()

            assert sorted(outcomes) == ["done", *["invalid_token"] * 4]
            assert min(in_use) == 0
            assert (await browser.log_in("ada", NEW_PASSWORD)).status_code == 200
