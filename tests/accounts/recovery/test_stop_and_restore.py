"""The owner of the old address can stop an e-mail change, and undo one that has taken effect."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.audit_log import audit_events
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from tests.support.mail import Later
from tests.support.mail_server import MailServer, link_token

from wxc.core import clock
from wxc.models import User
from wxc.worker.mail_delivery import MailSender

OLD, NEW = "ada@example.com", "thief@example.org"
PAGES = {"cancel": "/cancel-email-change", "restore": "/restore-email", "verify": "/verify-email"}
Token = Callable[[str], Awaitable[str]]


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
def token(worker: MailSender, smtp: MailServer) -> Token:
    """Sends all due mails; returns the token of the newest one that links to a page."""

    async def deliver(page: str) -> str:
        while await worker.run_once():
            pass
        link = f"https://app.example.com{PAGES[page]}#token="
        return link_token([mail for mail in smtp.mails if link in mail.as_string()][-1])

    return deliver


async def request_change(browser: Browser, email: str = NEW) -> None:
    change = {"email": email, "current_password": PASSWORD}
    assert (await browser.put("/settings/email", json=change)).status_code == 202


async def post(browser: Browser, page: str, token: str) -> str:
    """`done`, or the code of the refusal."""
    if page == "verify":
        answer = await browser.post(f"/verify-email/{token}")
    else:
        answer = await browser.post(PAGES[page], json={"token": token})
    return "done" if answer.status_code == 204 else str(answer.json()["code"])


async def addresses(connection: AsyncConnection, name: str = "ada") -> tuple[str, str | None]:
    columns = select(User.email, User.pending_email).where(User.username == name)
    row = (await connection.execute(columns)).one()
    return row.email, row.pending_email


async def change_address(ada: Browser, token: Token, email: str = NEW) -> None:
    await request_change(ada, email)
    assert await post(ada, "verify", await token("verify")) == "done"


class TestStop:
    async def test_link_in_the_mail_to_the_old_address_stops_the_change(
        self,
        ada: Browser,
        stranger: Browser,
        token: Token,
        smtp: MailServer,
        connection: AsyncConnection,
    ) -> None:
        await request_change(ada)
        stop, change = await token("cancel"), await token("verify")
        assert sorted(smtp.recipients) == [OLD, NEW]
        (notice,) = [mail for mail in smtp.mails if mail["to"] == OLD]
        assert NEW not in notice.as_string()

        assert await post(stranger, "cancel", stop) == "done"

        assert await addresses(connection) == (OLD, None)
        assert await post(stranger, "verify", change) == "invalid_token"
        assert await post(stranger, "cancel", stop) == "done"
        assert (await ada.get("/auth-check")).status_code == 200
        events = [row.event for row in await audit_events(connection, ada.id)]
        assert events == ["login", "email_change_requested", "email_change_cancelled"]

    async def test_link_stops_whichever_change_is_pending(
        self, ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection
    ) -> None:
        await request_change(ada)
        stop = await token("cancel")
        await request_change(ada, "another@example.org")
        assert await token("cancel") != stop

        assert await post(stranger, "cancel", stop) == "done"
        assert await addresses(connection) == (OLD, None)

    async def test_link_is_invalid_after_the_change_took_effect(
        self, ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection
    ) -> None:
        await request_change(ada)
        stop = await token("cancel")
        assert await post(stranger, "verify", await token("verify")) == "done"

        assert await post(stranger, "cancel", stop) == "invalid_token"
        assert await addresses(connection) == (NEW, None)

    async def test_stop_and_change_at_once_leave_one_of_both(
        self, ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection
    ) -> None:
        await request_change(ada)
        stop, change = await token("cancel"), await token("verify")

        outcomes = await asyncio.gather(
            post(stranger, "cancel", stop), post(stranger, "verify", change)
        )

        assert sorted(outcomes) == ["done", "invalid_token"]
        stopped = outcomes[0] == "done"
        assert await addresses(connection) == (OLD if stopped else NEW, None)

    async def test_no_notice_for_an_address_that_another_account_has(
        self, ada: Browser, worker: MailSender, smtp: MailServer, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "bob", email=NEW)

        await request_change(ada)
        await worker.run_once()

        assert smtp.mails == []


class TestRestore:
    async def test_link_to_the_old_address_restores_it_and_ends_all_sessions(
        self,
        ada: Browser,
        stranger: Browser,
        token: Token,
        smtp: MailServer,
        connection: AsyncConnection,
    ) -> None:
        await change_address(ada, token)
        restore = await token("restore")
        assert smtp.recipients[-1] == OLD

        assert await post(stranger, "restore", restore) == "done"

        assert await addresses(connection) == (OLD, None)
        assert (await ada.get("/auth-check")).json()["code"] == "session_expired"
        assert (await stranger.log_in(OLD)).json()["user"]["email_verified"] is True
        (event,) = [
            row for row in await audit_events(connection, ada.id) if row.event == "email_restored"
        ]
        assert event.detail == {"sessions_ended": 1}

        assert await post(stranger, "restore", restore) == "done"  # a second use has no effect
        assert (await stranger.get("/auth-check")).status_code == 200

    async def test_the_replaced_address_gets_a_notice_without_a_link(
        self, ada: Browser, stranger: Browser, token: Token, smtp: MailServer, worker: MailSender
    ) -> None:
        await change_address(ada, token)
        restore = await token("restore")
        smtp.mails.clear()

        await post(stranger, "restore", restore)
        await worker.run_once()

        (notice,) = smtp.mails
        assert notice["to"] == NEW
        assert "#token=" not in notice.as_string()

    async def test_neither_a_new_password_nor_a_further_change_invalidates_the_link(
        self, ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection
    ) -> None:
        """A thief would do both."""
        await change_address(ada, token)
        restore = await token("restore")
        await change_address(ada, token, "second@example.org")
        second = await token("restore")
        change = {"current_password": PASSWORD, "new_password": "a longer walk in Porto"}
        assert (await ada.put("/settings/password", json=change)).status_code == 204

        assert await post(stranger, "restore", restore) == "done"

        assert await addresses(connection) == (OLD, None)
        assert await post(stranger, "restore", second) == "invalid_token"

    @pytest.mark.parametrize(("hours", "outcome"), [(71, "done"), (73, "invalid_token")])
    async def test_link_is_valid_for_72_hours(
        self, ada: Browser, stranger: Browser, token: Token, later: Later, hours: int, outcome: str
    ) -> None:
        later(timedelta())
        await change_address(ada, token)
        restore = await token("restore")

        later(timedelta(hours=hours))

        assert await post(stranger, "restore", restore) == outcome

    async def test_address_that_another_account_has_taken_is_refused(
        self, ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection
    ) -> None:
        await change_address(ada, token)
        restore = await token("restore")
        await make_user(connection, "bob", email=OLD)

        assert await post(stranger, "restore", restore) == "email_taken"
        assert await addresses(connection) == (NEW, None)


@pytest.mark.parametrize("page", ["cancel", "restore"])
async def test_suspended_account_cannot_use_the_links(
    ada: Browser, stranger: Browser, token: Token, connection: AsyncConnection, page: str
) -> None:
    await (request_change(ada) if page == "cancel" else change_address(ada, token))
    link = await token(page)
    suspension = update(User).where(User.id == ada.id).values(suspended_at=clock.now())
    await connection.execute(suspension)

    assert await post(stranger, page, link) == "invalid_token"


@pytest.mark.parametrize("page", ["cancel", "restore"])
async def test_tokens_are_useless_elsewhere(
    ada: Browser, stranger: Browser, token: Token, page: str
) -> None:
    await change_address(ada, token)
    links = {name: await token(name) for name in PAGES}

    for name, link in links.items():
        if name != page:
            assert await post(stranger, page, link) == "invalid_token"
    assert await post(stranger, "verify", links[page]) == "invalid_token"
    reset = await stranger.post(f"/reset-password/{links[page]}", json={"password": "a new walk"})
    assert reset.json()["code"] == "invalid_token"
    assert await post(stranger, page, "x") == "invalid_token"


async def test_notices_are_sent_after_an_outage_of_the_mail_server_for_hours(
    ada: Browser, stranger: Browser, token: Token, later: Later, smtp: MailServer
) -> None:
    later(timedelta())
    await change_address(ada, token)
    later(timedelta(hours=5))

    assert await post(stranger, "restore", await token("restore")) == "done"


async def test_stop_and_restore_need_no_session(stranger: Browser) -> None:
    for answer in (
        await stranger.post("/cancel-email-change", json={"token": "x" * 43}),
        await stranger.post("/restore-email", json={"token": "x" * 43}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
