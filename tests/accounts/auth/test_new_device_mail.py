"""The owner gets a mail after a log-in from a device that is not known."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import database, mail_config, outbox, smtp, worker
from tests.support.mail_server import MailServer

from wxc.accounts.auth.context import Auth
from wxc.core import clock
from wxc.models import MailKind, OutboxMail
from wxc.worker.mail_delivery import MailSender

__all__ = ["database", "mail_config", "smtp", "worker"]

MOMENT = datetime(2026, 3, 5, 7, 9, 11, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
AGENTS = {
    FIREFOX: "Firefox on Windows",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
    "Safari/537.36": "Chrome on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15": "Safari on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on an iPhone",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 OPR/120.0": (
        "Opera on Windows"
    ),
    "visit https://evil.example to secure your account": "an unknown browser",
    "": "an unknown browser",
}


@pytest.fixture
async def ada(member: Member) -> Browser:
    """Ada after her first log-in."""
    return await member("ada")


@pytest.fixture
async def elsewhere(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser without cookies."""
    async with Browser(app, address="198.51.100.7") as browser:
        yield browser


async def notices(connection: AsyncConnection) -> list[Row[*tuple[Any, ...]]]:
    return [mail for mail in await outbox(connection) if mail.kind == MailKind.NEW_DEVICE]


def texts(smtp: MailServer) -> list[str]:
    """Both parts of the newest mail, with single spaces."""
    parts = [part for part in smtp.mails[-1].walk() if not part.is_multipart()]
    return [" ".join(str(part.get_content()).split()) for part in parts]


async def test_a_log_in_from_an_unknown_device_says_when_where_and_with_what(
    ada: Browser,
    elsewhere: Browser,
    app: FastAPI,
    connection: AsyncConnection,
    worker: MailSender,
    smtp: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    auth: Auth = app.state.services.auth
    monkeypatch.setattr(auth.geo_locator, "country", lambda address: "Portugal & <b>Spain</b>")
    monkeypatch.setattr(clock, "now", lambda: MOMENT)
    elsewhere.http.headers["User-Agent"] = FIREFOX

    await elsewhere.log_in("ada")
    await worker.run_once()

    assert smtp.recipients == ["ada@example.com"]
    assert smtp.mails[0]["subject"] == "New log-in to your account"
    plain, html = texts(smtp)
    assert len(texts(smtp)) == 2
    for text in (plain, html):
        assert "Hello ada," in text
        assert "5 March 2026, 07:09 UTC" in text
        assert "Firefox on Windows" in text
        assert "reset your password" in text
        assert "If this was you" in text
    assert "Portugal & <b>Spain</b>" in plain
    assert "Portugal &amp; &lt;b&gt;Spain&lt;/b&gt;" in html


async def test_without_a_geo_database_the_mail_says_nothing_of_the_place(
    ada: Browser, elsewhere: Browser, worker: MailSender, smtp: MailServer
) -> None:
    await elsewhere.log_in("ada")
    await worker.run_once()

    for text in texts(smtp):
        assert "198.51.100" not in text
        assert "None" not in text
        assert "Place" not in text


@pytest.mark.parametrize(("agent", "name"), AGENTS.items(), ids=AGENTS.values())
async def test_the_mail_names_known_browsers_and_quotes_no_header(
    ada: Browser,
    elsewhere: Browser,
    worker: MailSender,
    smtp: MailServer,
    agent: str,
    name: str,
) -> None:
    elsewhere.http.headers["User-Agent"] = agent

    await elsewhere.log_in("ada@example.com")
    await worker.run_once()

    for text in texts(smtp):
        assert name in text
        assert "evil" not in text


async def test_no_mail_at_the_first_log_in_and_from_known_devices(
    ada: Browser, connection: AsyncConnection
) -> None:
    await ada.post("/logout")
    assert (await ada.log_in("ada")).status_code == 200

    assert await notices(connection) == []


async def test_no_mail_after_a_wrong_password_or_a_refused_log_in(
    ada: Browser, elsewhere: Browser, connection: AsyncConnection
) -> None:
    await elsewhere.log_in("ada", "not this one")

    assert await notices(connection) == []


async def test_a_browser_that_knows_another_account_only_is_not_known(
    ada: Browser, member: Member, connection: AsyncConnection
) -> None:
    bob = await member("bob")

    assert (await bob.log_in("ada")).status_code == 200

    (notice,) = await notices(connection)
    assert (notice.user_id, notice.address) == (ada.id, "ada@example.com")


async def test_a_device_is_not_known_after_a_password_change(
    ada: Browser, connection: AsyncConnection
) -> None:
    body = {"current_password": PASSWORD, "new_password": "a longer walk in Porto"}
    await ada.put("/settings/password", json=body)

    for _ in range(2):  # the second one is from a known device again
        assert (await ada.log_in("ada", "a longer walk in Porto")).status_code == 200

    assert len(await notices(connection)) == 1


async def test_the_first_log_in_is_the_first_ever_even_after_a_log_out(
    ada: Browser, elsewhere: Browser, connection: AsyncConnection
) -> None:
    await ada.post("/logout")

    await elsewhere.log_in("ada")

    assert len(await notices(connection)) == 1


async def test_mails_about_log_ins_are_limited_and_do_not_suppress_those_with_links(
    ada: Browser, app: FastAPI, stranger: Browser, connection: AsyncConnection
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(5):
            browser = await stack.enter_async_context(Browser(app))
            assert (await browser.log_in("ada")).status_code == 200

    assert len(await notices(connection)) == 3
    answer = await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    assert answer.status_code == 202
    resets = select(OutboxMail.id).where(OutboxMail.kind == MailKind.PASSWORD_RESET)
    assert len((await connection.scalars(resets)).all()) == 1


async def test_mails_with_links_do_not_suppress_those_about_log_ins(
    ada: Browser, elsewhere: Browser, stranger: Browser, connection: AsyncConnection
) -> None:
    for _ in range(4):
        await stranger.post("/request-password-reset", json={"email": "ada@example.com"})

    await elsewhere.log_in("ada")

    assert len(await notices(connection)) == 1
