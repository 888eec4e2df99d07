"""Links can be used without their token in a path, which proxies write into their access logs."""

import logging
from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from tests.support.mail_server import MailServer
from tests.support.secrecy import secrecy

from wxc.models import User

Use = Callable[[Browser, str], Awaitable[httpx.Response]]
NEW_PASSWORD = "a longer walk in Porto"
INVALID = ("", "x", "a" * 43, "a" * 42 + "=", "a" * 300, "null", "../x", "\U0001f600" * 43)


async def reset(browser: Browser, token: str, password: str = NEW_PASSWORD) -> httpx.Response:
    secrecy.protect(token)
    return await browser.post("/reset-password", json={"token": token, "password": password})


async def reset_by_path(browser: Browser, token: str) -> httpx.Response:
    return await browser.post(f"/reset-password/{token}", json={"password": NEW_PASSWORD})


async def verify(browser: Browser, token: str) -> httpx.Response:
    secrecy.protect(token)
    return await browser.post("/verify-email", json={"token": token})


async def request_reset(browser: Browser, connection: AsyncConnection) -> None:
    await make_user(connection, "ada")
    await browser.post("/request-password-reset", json={"email": "ada@example.com"})


async def test_reset_by_a_token_in_the_body(
    member: Member, stranger: Browser, newest_token: NewestToken
) -> None:
    ada = await member("ada")
    await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    token = await newest_token()

    answer = await reset(stranger, token)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "set-cookie" not in answer.headers
    assert (await ada.get("/auth-check")).json()["code"] == "session_expired"
    assert (await stranger.log_in("ada", PASSWORD)).status_code == 401
    assert (await stranger.log_in("ada", NEW_PASSWORD)).status_code == 200
    assert (await reset(stranger, token)).json()["code"] == "invalid_token"
    assert (await reset_by_path(stranger, token)).json()["code"] == "invalid_token"


async def test_both_forms_of_the_reset_share_one_limit(
    stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
) -> None:
    await request_reset(stranger, connection)
    token = await newest_token()

    answers = [
        await use(stranger, "a" * 43) for use in (reset, reset_by_path, reset, reset_by_path, reset)
    ]
    assert [answer.status_code for answer in answers] == [400] * 5

    assert (await reset(stranger, token)).status_code == 429
    assert (await reset_by_path(stranger, token)).status_code == 429


async def test_a_common_password_does_not_consume_the_link(
    stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
) -> None:
    await request_reset(stranger, connection)
    token = await newest_token()

    refused = await reset(stranger, token, "password1")
    assert (refused.status_code, refused.json()["code"]) == (422, "password_too_common")
    assert (await reset(stranger, token)).status_code == 204


async def test_verification_by_a_token_in_the_body(
    stranger: Browser, connection: AsyncConnection, newest_token: NewestToken
) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    await stranger.post("/register", json=account)

    answer = await verify(stranger, await newest_token())

    assert (answer.status_code, answer.content) == (204, b"")
    verified = select(User.email_verified_at).where(User.username == "ada")
    assert await connection.scalar(verified) is not None


async def test_a_new_address_is_confirmed_and_keeps_the_session_of_the_cookies(
    member: Member, newest_token: NewestToken
) -> None:
    ada = await member("ada")
    body = {"email": "new@example.com", "current_password": PASSWORD}
    await ada.put("/settings/email", json=body)

    assert (await verify(ada, await newest_token())).status_code == 204

    me = (await ada.get("/settings")).json()
    assert (me["email"], me["pending_email"]) == ("new@example.com", None)


@pytest.mark.parametrize("use", [reset, verify])
@pytest.mark.parametrize("token", INVALID, ids=ascii)
async def test_every_unknown_token_gets_the_same_refusal(
    use: Use, token: str, stranger: Browser
) -> None:
    answer = await use(stranger, token)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


@pytest.mark.parametrize("use", [reset, verify])
async def test_a_reset_token_verifies_nothing_and_the_reverse(
    stranger: Browser, newest_token: NewestToken, use: Use
) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    await stranger.post("/register", json=account)
    verification = await newest_token()
    await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    link = await newest_token()

    answer = await (reset(stranger, verification) if use is reset else verify(stranger, link))

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email"])
async def test_neither_form_writes_the_token_into_a_log(
    path: str,
    stranger: Browser,
    connection: AsyncConnection,
    newest_token: NewestToken,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await request_reset(stranger, connection)
    token = await newest_token()
    caplog.set_level(logging.DEBUG)

    await stranger.post(f"{path}/{token}", json={"password": "password1"})
    await stranger.post(f"{path}/{token}/more")
    await stranger.get(f"{path}/{token}?token={token}")
    await stranger.post(path, json={"token": token, "password": "password1"})
    await stranger.post(path, json={"token": token, "unknown": token})
    await stranger.post(f"{path}?token={token}", json={"token": token})

    assert token not in caplog.text


async def test_mails_link_to_pages_that_keep_the_token_in_the_fragment(
    stranger: Browser, newest_token: NewestToken, smtp: MailServer
) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    await stranger.post("/register", json=account)
    verification = await newest_token()
    await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    link = await newest_token()

    bodies = [str(mail.get_body(("plain",)).get_content()).splitlines() for mail in smtp.mails]  # type: ignore[union-attr]
    assert f"https://app.example.com/verify-email#token={verification}" in bodies[0]
    assert f"https://app.example.com/reset-password#token={link}" in bodies[1]
