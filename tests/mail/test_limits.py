"""Every mail counts towards the limit of its recipient, whichever flow sends it."""

import ast
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.auth.limits import addresses
from tests.accounts.recovery.conftest import NewestToken, newest_token
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD

import wxc
from wxc.core import clock
from wxc.models import OutboxMail, User

__all__ = ["newest_token"]
ADDRESS = "ada@example.com"
NEW_PASSWORD = "a longer walk in Porto"
CLIENTS = addresses()
Flow = Callable[[Member, Browser, NewestToken], Awaitable[None]]


async def registration(_member: Member, stranger: Browser, _token: NewestToken) -> None:
    account = {"username": "grace", "email": ADDRESS, "password": PASSWORD}
    assert (await stranger.post("/register", json=account)).status_code == 201


async def verification_request(member: Member, _stranger: Browser, _token: NewestToken) -> None:
    assert (await (await member("ada")).post("/request-email-verification")).status_code == 202


async def reset_request(_member: Member, stranger: Browser, _token: NewestToken) -> None:
    answer = await stranger.post("/request-password-reset", json={"email": ADDRESS})
    assert answer.status_code == 202


async def email_change_request(member: Member, _stranger: Browser, _token: NewestToken) -> None:
    assert await change_email(await member("eve"), ADDRESS) == 202


async def email_change(member: Member, stranger: Browser, token: NewestToken) -> None:
    assert await change_email(await member("ada"), "ada@example.org") == 202
    assert (await stranger.post(f"/verify-email/{await token()}")).status_code == 204


async def password_change(member: Member, _stranger: Browser, _token: NewestToken) -> None:
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await (await member("ada")).put("/settings/password", json=change)).status_code == 204


FLOWS = [
    registration,
    verification_request,
    reset_request,
    email_change_request,
    email_change,
    password_change,
]


async def change_email(browser: Browser, email: str) -> int:
    change = {"email": email, "current_password": PASSWORD}
    return (await browser.put("/settings/email", json=change)).status_code


async def count_mails(connection: AsyncConnection, address: str = ADDRESS) -> int:
    mails = select(func.count()).where(func.lower(OutboxMail.address) == address)
    return int((await connection.execute(mails)).scalar_one())


async def request_resets(app: FastAPI, count: int) -> None:
    """As strangers do, each from another IP address."""
    for _ in range(count):
        async with Browser(app, address=next(CLIENTS)) as browser:
            await browser.post("/request-password-reset", json={"email": ADDRESS})


@pytest.mark.parametrize("flow", FLOWS)
async def test_every_flow_counts_towards_the_limit_of_the_address(
    app: FastAPI,
    member: Member,
    stranger: Browser,
    newest_token: NewestToken,
    connection: AsyncConnection,
    flow: Flow,
) -> None:
    await flow(member, stranger, newest_token)
    assert await count_mails(connection) >= 1

    await request_resets(app, 3)

    assert await count_mails(connection) == 3


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow is not email_change])
async def test_only_the_link_that_undoes_a_change_ignores_the_limit_of_an_unverified_address(
    app: FastAPI,
    member: Member,
    stranger: Browser,
    newest_token: NewestToken,
    connection: AsyncConnection,
    flow: Flow,
) -> None:
    await request_resets(app, 3)

    await flow(member, stranger, newest_token)

    assert await count_mails(connection) == 3


@pytest.mark.parametrize("flow", [email_change, password_change])
async def test_strangers_cannot_use_up_the_notices_of_a_verified_address(
    app: FastAPI,
    member: Member,
    stranger: Browser,
    newest_token: NewestToken,
    connection: AsyncConnection,
    flow: Flow,
) -> None:
    async def verified_member(name: str) -> Browser:
        browser = await member(name)
        verified = update(User).where(User.id == browser.id)
        await connection.execute(verified.values(email_verified_at=clock.now()))
        return browser

    await request_resets(app, 4)

    await flow(verified_member, stranger, newest_token)

    assert await count_mails(connection) > 3


async def test_a_member_cannot_mail_any_number_of_strangers(
    app: FastAPI, member: Member, connection: AsyncConnection
) -> None:
    eve = await member("eve")
    statuses = []
    for number in range(21):
        async with Browser(app, address=next(CLIENTS)) as other_network:
            other_network.http.cookies = eve.http.cookies
            other_network.csrf_token = eve.csrf_token
            statuses.append(await change_email(other_network, f"stranger_{number}@example.net"))

    assert statuses == [202] * 20 + [429]
    strangers = select(func.count()).where(OutboxMail.address.like("stranger%"))
    assert (await connection.execute(strangers)).scalar_one() == 20
    assert (await eve.post("/request-email-verification")).json()["code"] == "rate_limited"
    assert await change_email(eve, "eve@example.com") == 202  # cancelling sends nothing


async def test_email_changes_count_towards_the_limit_of_the_ip_address(member: Member) -> None:
    ada, eve = await member("ada"), await member("eve")
    statuses = [
        await change_email(person, f"{person.username}_{number}@example.net")
        for number in range(10)
        for person in (ada, eve)
    ]

    assert statuses == [202] * 20
    assert await change_email(ada, "another@example.net") == 429
    answer = await ada.post("/request-password-reset", json={"email": "a@example.net"})
    assert answer.status_code == 429
    assert (await ada.get("/settings")).json()["pending_email"] == "ada_9@example.net"


def test_only_the_counting_outbox_inserts_mails() -> None:
    """So that no flow can send a mail that is not counted."""
    root = Path(wxc.__file__).parent
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name | ast.alias | ast.Attribute)
        and "insert_mail" in {*vars(node).values()}
    }

    assert users == {"mail/outbox.py"}
