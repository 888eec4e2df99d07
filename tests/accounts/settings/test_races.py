"""At the same moment, on connections of their own: of those who want one thing, one gets it."""

import asyncio

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail_server import MailServer, token_in
from tests.support.social_graph import app, engine, friends, real, scalar

from wxc.core.config import Config
from wxc.worker.mail_delivery import Worker

__all__ = ["app", "engine", "friends", "real"]
UNNOTED_NAMES = """
    SELECT count(*) FROM users LEFT JOIN used_usernames names
    ON names.name = lower(username) AND names.user_id = users.id WHERE names.name IS NULL
"""


async def test_of_those_who_want_a_name_at_once_one_gets_it(
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

    (won,) = [one for one in answers if one.is_success]
    assert {one.json()["code"] for one in answers if one is not won} == {"username_taken"}
    assert (
        await scalar(engine, "SELECT count(*) FROM users WHERE lower(username) = 'countess'") == 1
    )
    assert await scalar(engine, UNNOTED_NAMES) == 0


async def test_a_link_that_is_used_twice_at_once_works_once(
    app: FastAPI, real: Config, smtp: MailServer, friends: list[Browser], engine: AsyncEngine
) -> None:
    token = await _ask(app, real, smtp, friends[0], "new@example.org")

    answers = await asyncio.gather(*(friends[0].post(f"/verify-email/{token}") for _ in range(5)))

    assert sorted(one.status_code for one in answers) == [204, 400, 400, 400, 400]
    told = "SELECT count(*) FROM outbox_mails WHERE kind = 'email_changed'"
    assert await scalar(engine, told) == 1


async def test_an_address_that_is_taken_at_the_same_moment_is_one_persons(
    app: FastAPI, real: Config, smtp: MailServer, friends: list[Browser], engine: AsyncEngine
) -> None:
    tokens = [await _ask(app, real, smtp, browser, "new@example.org") for browser in friends[:4]]
    account = {"username": "countess", "email": "NEW@example.org", "password": PASSWORD}

    async with Browser(app) as stranger:
        registered, *answers = await asyncio.gather(
            stranger.post("/register", json=account),
            *(
                browser.post(f"/verify-email/{token}")
                for browser, token in zip(friends, tokens, strict=False)
            ),
        )

    won = [one for one in (registered, *answers) if one.is_success]
    assert len(won) == 1
    assert registered.status_code in (201, 409)
    assert {one.json()["code"] for one in answers if one not in won} <= {"invalid_token"}
    assert (
        await scalar(engine, "SELECT count(*) FROM users WHERE lower(email) = 'new@example.org'")
        == 1
    )


async def test_of_those_who_have_read_the_same_version_one_writes(
    friends: list[Browser], engine: AsyncEngine
) -> None:
    ada, *_ = friends
    seen = {"If-Match": (await ada.get("/settings")).headers["etag"]}

    answers = await asyncio.gather(
        *(ada.put("/settings", json={"bio": str(n)}, headers=seen) for n in range(6))
    )

    assert sorted(one.status_code for one in answers) == [200] + [412] * 5
    (won,) = [one for one in answers if one.is_success]
    assert (await ada.get("/settings")).json() == won.json()


async def _ask(app: FastAPI, real: Config, smtp: MailServer, browser: Browser, email: str) -> str:
    change = {"email": email, "current_password": PASSWORD}
    assert (await browser.put("/settings/email", json=change)).status_code == 202
    await Worker(real, app.state.services.database).work_once()
    return token_in(smtp.mails[-1])
