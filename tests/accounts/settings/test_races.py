"""Of several conflicting requests on separate connections, exactly one succeeds."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail_server import MailServer, link_token
from tests.support.social_graph import app, engine, friends, real, scalar

from wxc.core.config import Config
from wxc.worker.mail_delivery import MailSender

__all__ = ["app", "engine", "friends", "real"]
UNRESERVED_USERNAMES = """
    SELECT count(*) FROM users LEFT JOIN used_usernames names
    ON names.name = lower(username) AND names.user_id = users.id WHERE names.name IS NULL
"""


async def test_one_of_several_concurrent_registrations_gets_the_username(
    app: FastAPI, friends: list[Browser], engine: AsyncEngine
) -> None:
    async def register(number: int) -> httpx.Response:
        async with Browser(app) as stranger:
            account = {"username": "Countess", "email": f"{number}@x.example", "password": PASSWORD}
            return await stranger.post("/register", json=account)

    change = {"username": "countess", "current_password": PASSWORD}
    answers = await asyncio.gather(
        *(register(number) for number in range(5)),
        *(browser.put("/settings/username", json=change) for browser in friends[:5]),
    )

    (won,) = [answer for answer in answers if answer.is_success]
    assert {answer.json()["code"] for answer in answers if answer is not won} == {"username_taken"}
    assert (
        await scalar(engine, "SELECT count(*) FROM users WHERE lower(username) = 'countess'") == 1
    )
    assert await scalar(engine, UNRESERVED_USERNAMES) == 0


async def test_concurrent_uses_of_a_link_succeed_and_change_the_address_once(
    app: FastAPI, real: Config, smtp: MailServer, friends: list[Browser], engine: AsyncEngine
) -> None:
    token = await _request_email_change(app, real, smtp, friends[0], "new@example.org")

    answers = await asyncio.gather(*(friends[0].post(f"/verify-email/{token}") for _ in range(5)))

    assert [answer.status_code for answer in answers] == [204] * 5
    notices = "SELECT count(*) FROM outbox_mails WHERE kind = 'email_changed'"
    assert await scalar(engine, notices) == 1


async def test_address_confirmed_concurrently_belongs_to_one_account(
    app: FastAPI, real: Config, smtp: MailServer, friends: list[Browser], engine: AsyncEngine
) -> None:
    tokens = [
        await _request_email_change(app, real, smtp, browser, "new@example.org")
        for browser in friends[:3]  # the limit of mails to one address
    ]
    account = {"username": "countess", "email": "NEW@example.org", "password": PASSWORD}

    async with Browser(app) as stranger:
        registered, *answers = await asyncio.gather(
            stranger.post("/register", json=account),
            *(
                browser.post(f"/verify-email/{token}")
                for browser, token in zip(friends, tokens, strict=False)
            ),
        )

    won = [answer for answer in (registered, *answers) if answer.is_success]
    assert len(won) == 1
    assert registered.status_code in (201, 409)
    assert {answer.json()["code"] for answer in answers if answer not in won} <= {"email_taken"}
    assert (
        await scalar(engine, "SELECT count(*) FROM users WHERE lower(email) = 'new@example.org'")
        == 1
    )


async def test_one_of_several_writes_with_the_same_version_succeeds(
    friends: list[Browser], engine: AsyncEngine
) -> None:
    ada, *_ = friends
    seen = {"If-Match": (await ada.get("/settings")).headers["etag"]}

    answers = await asyncio.gather(
        *(ada.put("/settings", json={"bio": str(n)}, headers=seen) for n in range(6))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    (won,) = [answer for answer in answers if answer.is_success]
    assert (await ada.get("/settings")).json() == won.json()


async def _request_email_change(
    app: FastAPI, real: Config, smtp: MailServer, browser: Browser, email: str
) -> str:
    change = {"email": email, "current_password": PASSWORD}
    assert (await browser.put("/settings/email", json=change)).status_code == 202
    await MailSender(real, app.state.services.database).run_once()
    return link_token(smtp.mails[-1])
