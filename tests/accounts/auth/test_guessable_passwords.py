"""A new password must not follow from what everyone knows about its owner or the service."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import database, mail_config, smtp, worker

from wxc.core.config import Config
from wxc.models import User

__all__ = ["database", "mail_config", "newest_token", "smtp", "worker"]

USERNAME, EMAIL, DISPLAY_NAME = "amelia_rose", "rosamund.hill@example.com", "Ottoline Quist"
LONG_EMAIL = f"{'rosamund.hill-' * 4}@example.com"
GUESSABLE = {
    "username": "amelia_rose",
    "username and year": "Amelia_Rose2026!",
    "username backwards": "esor_ailema",
    "username twice": "amelia_roseamelia_rose",
    "address": "rosamund.hill@example.com",
    "address in capitals": "ROSAMUND.HILL@EXAMPLE.COM",
    "local part": "rosamund.hill",
    "display name": "Ottoline Quist",
    "display name without the space": "ottolinequist",
    "part of the display name": "Ottoline1",
    "display name in l33t": "0tt0l1ne Qu1st!",
    "service": "wxcsocial",
    "service and year": "WXC-Social-2026",
    "service as two words": "wxc social",
    "common with decoration": "Password2026!",
    "common with more decoration": "!!Passw0rd123",
    "keyboard": "qwertyuiop[]",
    "one letter": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}
STRONG = {
    "passphrase": "four unrelated words of mine",
    "hyphens": "correct-horse-battery-staple",
    "with the username in it": "amelia_rose sails past nineteen lighthouses",
    "random": "k7!vQz2$Lm9x",
    "long": "a" * 60 + " then nineteen lighthouses sail past",
    "many substitutions": "@4({[<!1|$+0@4({[<!1|$+0@4({[<!1|$+0",
    "letters of all planes": "\u4e2d\u6587\U0001f600\U00020000\u0416\u05d0\u0e01\u30ab",
}
SetPassword = Callable[[str], Awaitable[httpx.Response]]


@pytest.fixture
def config(config: Config) -> Config:
    return config.model_copy(update={"limit_register_per_ip": "1000 per hour"})


@pytest.fixture(params=["register", "change", "reset"])
async def set_password(
    request: pytest.FixtureRequest,
    stranger: Browser,
    member: Member,
    connection: AsyncConnection,
    newest_token: NewestToken,
) -> SetPassword:
    """Sets a password in one of the ways there are."""
    if request.param == "register":

        async def register(password: str) -> httpx.Response:
            account = {"username": USERNAME, "email": EMAIL, "display_name": DISPLAY_NAME}
            return await stranger.post("/register", json=account | {"password": password})

        return register
    owner = await member(USERNAME)
    values = {"email": EMAIL, "email_folded": EMAIL, "display_name": DISPLAY_NAME}
    await connection.execute(update(User).where(User.id == owner.id).values(values))

    async def change(password: str) -> httpx.Response:
        body = {"current_password": PASSWORD, "new_password": password}
        return await owner.put("/settings/password", json=body)

    async def reset(password: str) -> httpx.Response:
        await stranger.post("/request-password-reset", json={"email": EMAIL})
        body = {"password": password}
        return await stranger.post(f"/reset-password/{await newest_token()}", json=body)

    return change if request.param == "change" else reset


@pytest.mark.parametrize("password", GUESSABLE.values(), ids=GUESSABLE)
async def test_a_guessable_password_is_refused(set_password: SetPassword, password: str) -> None:
    answer = await set_password(password)

    assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")
    assert password not in answer.text


@pytest.mark.parametrize("password", STRONG.values(), ids=STRONG)
async def test_a_strong_password_is_accepted(set_password: SetPassword, password: str) -> None:
    answer = await set_password(password)

    assert answer.is_success, answer.text


async def test_a_long_address_is_no_password(stranger: Browser) -> None:
    account = {"username": USERNAME, "email": LONG_EMAIL, "password": LONG_EMAIL}

    answer = await stranger.post("/register", json=account)

    assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")


async def test_an_account_without_a_display_name_may_change_its_password(member: Member) -> None:
    ada = await member("ada")
    body = {"current_password": PASSWORD, "new_password": "four unrelated words of mine"}

    assert (await ada.put("/settings/password", json=body)).status_code == 204
