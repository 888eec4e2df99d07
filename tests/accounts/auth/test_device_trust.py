"""A new password ends the trust of device cookies and clears the failure counts of the account."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from fastapi import FastAPI
from tests.accounts.auth.limits import WRONG_PASSWORD, addresses
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import database, mail_config, smtp, worker

from wxc.core import clock
from wxc.core.signing import derive_key, sign

__all__ = ["database", "mail_config", "newest_token", "smtp", "worker"]

NEW_PASSWORD = "a longer walk in Porto"
NewPassword = Callable[[], Awaitable[None]]


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def devices(app: FastAPI, ada: Browser) -> AsyncIterator[list[Browser]]:
    """Ada's browser and five more, each with a device cookie of its own, at one address."""
    async with AsyncExitStack() as stack:
        browsers = [ada]
        for _ in range(5):
            browsers.append(await stack.enter_async_context(Browser(app)))
            assert (await browsers[-1].log_in("ada")).status_code == 200
        yield browsers


@pytest.fixture(params=["change", "reset"])
def new_password(
    request: pytest.FixtureRequest, ada: Browser, newest_token: NewestToken
) -> NewPassword:
    """Gives Ada a new password in one of the ways there are."""

    async def change() -> None:
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert (await ada.put("/settings/password", json=body)).status_code == 204

    async def reset() -> None:
        await ada.post("/request-password-reset", json={"email": "ada@example.com"})
        answer = await ada.post(
            f"/reset-password/{await newest_token()}", json={"password": NEW_PASSWORD}
        )
        assert answer.status_code == 204

    return change if request.param == "change" else reset


async def test_a_new_password_ends_the_trust_of_every_device(
    devices: list[Browser], new_password: NewPassword
) -> None:
    trusted = await devices[1].log_in("ada", WRONG_PASSWORD)
    assert trusted.headers["RateLimit-Policy"] == '"login-device";q=10;w=3600'

    await new_password()

    answers = [await device.log_in("ada", WRONG_PASSWORD) for device in devices]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert {"login-device" in answer.headers["RateLimit-Policy"] for answer in answers} == {False}


async def test_a_device_is_known_again_after_a_log_in_with_the_new_password(
    devices: list[Browser], new_password: NewPassword
) -> None:
    await new_password()

    assert (await devices[2].log_in("ada", NEW_PASSWORD)).status_code == 200

    answer = await devices[2].log_in("ada", WRONG_PASSWORD)
    assert answer.headers["RateLimit-Policy"] == '"login-device";q=10;w=3600'


async def test_a_cookie_of_the_previous_release_is_trusted_until_the_password_changes(
    ada: Browser, app: FastAPI, new_password: NewPassword
) -> None:
    payload = ada.id.bytes + bytes(16) + int(clock.now().timestamp()).to_bytes(8)
    cookie = urlsafe_b64encode(payload + sign(derive_key("s" * 40, "device cookie"), payload))
    async with Browser(app) as browser:
        browser.http.cookies.set("wxc_device", cookie.decode().rstrip("="))
        before = await browser.log_in("ada", WRONG_PASSWORD)
        await new_password()
        after = await browser.log_in("ada", WRONG_PASSWORD)

    assert before.headers["RateLimit-Policy"] == '"login-device";q=10;w=3600'
    assert "login-device" not in after.headers["RateLimit-Policy"]


async def test_a_new_password_clears_the_failure_counts_of_the_account(
    ada: Browser, app: FastAPI, new_password: NewPassword
) -> None:
    ips = addresses()
    for identifier in ("ada", "ada@example.com"):
        for _ in range(4):
            async with Browser(app, address=next(ips)) as browser:
                statuses = [
                    (await browser.log_in(identifier, WRONG_PASSWORD)).status_code for _ in range(5)
                ]
                assert statuses == [401] * 5
    wrong = {"current_password": WRONG_PASSWORD, "new_password": NEW_PASSWORD}
    for _ in range(9):
        assert (await ada.put("/settings/password", json=wrong)).status_code == 403

    await new_password()

    ips = addresses()
    for identifier in ("ada", "ada@example.com"):
        async with Browser(app, address=next(ips)) as browser:
            assert (await browser.log_in(identifier, WRONG_PASSWORD)).status_code == 401
            assert (await browser.log_in(identifier, NEW_PASSWORD)).status_code == 200
    await ada.log_in("ada", NEW_PASSWORD)
    statuses = [(await ada.put("/settings/password", json=wrong)).status_code for _ in range(11)]
    assert statuses == [403] * 10 + [429]
