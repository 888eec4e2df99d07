"""Change of the e-mail address: requested with the password, completed by a mailed link."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from tests.support.mail_server import MailServer

from wxc.core import clock
from wxc.models import NOTICE_KINDS, MailKind, MailToken, User
from wxc.worker.mail_delivery import MailSender

NEW = "ada@example.org"


@pytest.fixture
async def reader(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser without a session, which opens the link."""
    async with Browser(app) as reader:
        yield reader


async def request_change(
    browser: Browser, email: str = NEW, password: str = PASSWORD
) -> tuple[int, str]:
    """Request a new address; returns the status, and the code or state of the response."""
    answer = await browser.put(
        "/settings/email", json={"email": email, "current_password": password}
    )
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


async def addresses(browser: Browser) -> tuple[str, str | None]:
    me = (await browser.get("/settings")).json()
    return me["email"], me["pending_email"]


async def use_link(browser: Browser, token: str) -> str:
    answer = await browser.post(f"/verify-email/{token}")
    return "done" if answer.status_code == 204 else str(answer.json()["code"])


class TestRequesting:
    async def test_address_changes_only_when_the_link_is_used(
        self, ada: Browser, newest_token: NewestToken, smtp: MailServer
    ) -> None:
        assert await request_change(ada) == (202, "accepted")
        assert await addresses(ada) == ("ada@example.com", NEW)
        token = await newest_token()
        assert sorted(smtp.recipients) == ["ada@example.com", NEW]

        assert await use_link(ada, token) == "done"

        assert await addresses(ada) == (NEW, None)
        assert (await ada.get("/settings")).json()["email_verified"] is True
        assert (await ada.log_in(NEW)).status_code == 200
        assert (await ada.log_in("ada@example.com")).status_code == 401

    async def test_email_change_requires_the_current_password(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        before = await snapshot(connection)

        assert await request_change(ada, password="not hers") == (403, "wrong_password")

        assert await snapshot(connection) == before

    async def test_concurrent_password_change_refuses_the_email_change(
        self,
        app: FastAPI,
        ada: Browser,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def change_meanwhile(*_: object, **_options: bool) -> bool:
            await connection.execute(update(User).values(password_hash="another"))
            return True

        monkeypatch.setattr(app.state.services.auth.passwords, "verify", change_meanwhile)

        assert await request_change(ada) == (403, "wrong_password")
        assert await addresses(ada) == ("ada@example.com", None)

    async def test_requesting_the_current_address_cancels_the_change(
        self, ada: Browser, newest_token: NewestToken
    ) -> None:
        await request_change(ada)
        token = await newest_token()

        assert await request_change(ada, "ada@example.com") == (202, "accepted")

        assert await addresses(ada) == ("ada@example.com", None)
        assert await use_link(ada, token) == "invalid_token"

    async def test_only_the_newest_link_works_even_for_the_same_address(
        self, ada: Browser, newest_token: NewestToken
    ) -> None:
        tokens = []
        for address in (NEW, "ada@example.net", NEW):
            await request_change(ada, address)
            tokens.append(await newest_token())

        outcomes = [await use_link(ada, token) for token in tokens]

        assert outcomes == ["invalid_token", "invalid_token", "done"]

    async def test_own_address_in_another_case_can_be_requested(
        self, ada: Browser, newest_token: NewestToken
    ) -> None:
        await request_change(ada, "Ada@example.com")

        assert await use_link(ada, await newest_token()) == "done"
        assert await addresses(ada) == ("Ada@example.com", None)


class TestAddressesOfOthers:
    async def test_requesting_a_taken_address_is_not_revealed_and_sends_no_mail(
        self, ada: Browser, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "bob")

        taken, free = (
            await request_change(ada, "BOB@example.com"),
            await request_change(ada, "nobody@example.com"),
        )
        await request_change(ada, "BOB@example.com")
        await worker.run_once()

        assert taken == free == (202, "accepted")
        assert await addresses(ada) == ("ada@example.com", "BOB@example.com")
        assert smtp.mails == []

    async def test_address_taken_meanwhile_is_refused_and_no_longer_pending(
        self, ada: Browser, newest_token: NewestToken, connection: AsyncConnection
    ) -> None:
        await request_change(ada)
        token = await newest_token()
        await make_user(connection, "bob", email=NEW.upper())

        assert await use_link(ada, token) == "email_taken"

        assert await addresses(ada) == ("ada@example.com", None)
        assert await use_link(ada, token) == "invalid_token"


class TestUsing:
    async def test_email_change_ends_all_sessions_but_the_one_that_uses_the_link(
        self, ada: Browser, phone: Browser, newest_token: NewestToken
    ) -> None:
        await request_change(ada)

        assert await use_link(ada, await newest_token()) == "done"

        assert (await ada.get("/auth-check")).status_code == 200
        assert (await phone.get("/auth-check")).json()["code"] == "session_expired"

    async def test_link_used_without_a_session_ends_all_sessions(
        self, ada: Browser, phone: Browser, reader: Browser, newest_token: NewestToken
    ) -> None:
        await request_change(ada)

        assert await use_link(reader, await newest_token()) == "done"

        for browser in (ada, phone):
            assert (await browser.get("/auth-check")).json()["code"] == "session_expired"

    async def test_old_address_is_notified_and_all_requested_links_become_invalid(
        self,
        ada: Browser,
        reader: Browser,
        newest_token: NewestToken,
        worker: MailSender,
        smtp: MailServer,
        connection: AsyncConnection,
    ) -> None:
        await ada.post("/request-email-verification")
        verification = await newest_token()
        await reader.post("/request-password-reset", json={"email": "ada@example.com"})
        reset = await newest_token()
        await request_change(ada)
        token = await newest_token()
        smtp.recipients.clear()

        assert await use_link(ada, token) == "done"
        await worker.run_once()

        assert smtp.recipients == ["ada@example.com"]
        assert smtp.mails[-1]["subject"] == "Your e-mail address was changed"
        open_links = select(MailToken.kind).where(
            MailToken.user_id == ada.id, MailToken.ended_at.is_(None)
        )
        kept = NOTICE_KINDS | {MailKind.VERIFICATION}
        assert set((await connection.scalars(open_links)).all()) <= kept
        assert await use_link(reader, verification) == "invalid_token"
        answer = await reader.post(f"/reset-password/{reset}", json={"password": "a fresh one"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")

    async def test_the_link_may_be_used_twice(
        self, ada: Browser, newest_token: NewestToken
    ) -> None:
        await request_change(ada)
        token = await newest_token()

        assert [await use_link(ada, token), await use_link(ada, token)] == ["done", "done"]

    async def test_suspended_account_cannot_use_the_link(
        self, ada: Browser, newest_token: NewestToken, connection: AsyncConnection
    ) -> None:
        await request_change(ada)
        token = await newest_token()
        await connection.execute(
            update(User).where(User.id == ada.id).values(suspended_at=clock.now())
        )
        before = await snapshot(connection)

        assert await use_link(ada, token) == "invalid_token"
        assert await snapshot(connection) == before
