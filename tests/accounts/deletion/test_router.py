"""`DELETE /settings` hides the account and clears its personal data before the response."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.deletion.conftest import Drift, delete_account
from tests.accounts.recovery.conftest import NewestToken
from tests.conftest import Member
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import (
    PASSWORD,
    make_block,
    make_follow,
    make_like,
    make_mute,
    make_post,
    make_user,
)
from tests.support.mail_server import MailServer

from wxc.models import User
from wxc.worker.mail_delivery import MailSender

PERSONAL = {
    "display_name": "Ada Lovelace",
    "bio": "Counts.",
    "avatar_url": "https://images.example.com/ada.png",
    "home_currency": "GBP",
}


@pytest.fixture
async def phone(app: FastAPI, ada: Browser) -> AsyncIterator[Browser]:
    """Ada on another device."""
    async with Browser(app) as phone:
        await phone.log_in("ada")
        yield phone


async def test_deletion_ends_every_session_and_prevents_login(
    ada: Browser, phone: Browser, stranger: Browser
) -> None:
    answer = await ada.delete("/settings", json={"current_password": PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    assert "set-cookie" not in answer.headers
    for browser in (ada, phone):
        assert (await browser.get("/auth-check")).json()["code"] == "session_expired"
        refreshed = await browser.post("/refresh-token")
        assert refreshed.json()["code"] == "session_expired"
    for identifier in ("ada", "ada@example.com"):
        assert (await stranger.log_in(identifier)).json()["code"] == "invalid_credentials"


async def test_deletion_invalidates_links_and_stops_mails(
    ada: Browser, stranger: Browser, newest_token: NewestToken, worker: MailSender, smtp: MailServer
) -> None:
    await ada.post("/request-email-verification")
    verification = await newest_token()
    await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    reset = await newest_token()
    await ada.post("/request-email-verification")
    assert await delete_account(ada) == 204
    smtp.mails.clear()

    await stranger.post("/request-password-reset", json={"email": "ada@example.com"})
    await worker.run_once()

    assert smtp.mails == []
    assert (await stranger.post(f"/verify-email/{verification}")).status_code == 400
    answer = await stranger.post(f"/reset-password/{reset}", json={"password": "a fresh one"})
    assert answer.json()["code"] == "invalid_token"


async def test_deletion_hides_the_member_and_their_content(
    ada: Browser, member: Member, stranger: Browser, connection: AsyncConnection
) -> None:
    bob = await member("bob")
    post_id = await make_post(connection, ada.id)
    await make_follow(connection, bob.id, ada.id)
    assert len((await bob.get("/feeds")).json()["items"]) == 1

    assert await delete_account(ada) == 204

    for browser in (bob, stranger):
        for path in ("/users/ada", "/users/ada/posts", "/users/ada/followers", f"/posts/{post_id}"):
            assert (await browser.get(path)).status_code == 404, path
    assert (await bob.post("/users/ada/follow")).json()["code"] == "user_not_found"
    assert (await bob.get("/users/bob/following")).json()["items"] == []
    items = (await bob.get("/feeds")).json()["items"]
    assert "ada" not in [item["post"]["author"]["username"] for item in items]


async def test_deletion_releases_the_address_but_not_the_username(
    ada: Browser, stranger: Browser
) -> None:
    assert await delete_account(ada) == 204
    account = {"username": "ADA", "email": "ada@example.com", "password": PASSWORD}

    again = await stranger.post("/register", json=account)
    other = await stranger.post("/register", json=account | {"username": "countess"})

    assert (again.status_code, again.json()["code"]) == (409, "username_taken")
    assert other.status_code == 201


async def test_deletion_updates_counters_of_others_in_the_request(
    ada: Browser, member: Member, connection: AsyncConnection, drift: Drift
) -> None:
    bob, eve = await member("bob"), await member("eve")
    await make_follow(connection, ada.id, bob.id)
    await make_follow(connection, bob.id, ada.id)
    await make_follow(connection, eve.id, ada.id)
    await make_follow(connection, eve.id, bob.id)
    post_id = await make_post(connection, bob.id)
    for user_id in (ada.id, eve.id):
        await make_like(connection, user_id, post_id)

    assert await delete_account(ada) == 204

    profile = (await eve.get("/users/bob")).json()
    assert (profile["followers_count"], profile["following_count"]) == (1, 0)
    assert (await eve.get("/users/eve")).json()["following_count"] == 1
    assert (await eve.get(f"/posts/{post_id}")).json()["likes_count"] == 1
    assert await drift() == 0


async def test_deletion_clears_personal_data_in_the_row(
    ada: Browser, connection: AsyncConnection
) -> None:
    await ada.put("/settings", json=PERSONAL)
    await ada.put(
        "/settings/email", json={"email": "ada@example.org", "current_password": PASSWORD}
    )

    assert await delete_account(ada) == 204

    row = str(await connection.scalar(text("SELECT users::text FROM users WHERE username = 'ada'")))
    for value in (*PERSONAL.values(), "example.", "$argon2"):
        assert value not in row


@pytest.mark.parametrize(
    "change",
    [{"suspended_at": None}, {"email": "a@example.com"}, {"bio": "x"}, {"password_hash": "x"}],
    ids=lambda change: next(iter(change)),
)
async def test_database_prevents_restoring_a_deleted_account(
    ada: Browser, connection: AsyncConnection, change: dict[str, str | None]
) -> None:
    assert await delete_account(ada) == 204

    with pytest.raises(IntegrityError, match="ck_users_nothing_personal_is_left"):
        await connection.execute(update(User).where(User.id == ada.id).values(**change))


async def test_active_account_requires_an_address_and_a_password(
    ada: Browser, connection: AsyncConnection
) -> None:
    with pytest.raises(IntegrityError, match="ck_users_can_log_in"):
        await connection.execute(update(User).where(User.id == ada.id).values(email=None))


async def test_deletion_requires_the_current_password(
    ada: Browser, connection: AsyncConnection, stranger: Browser
) -> None:
    await make_post(connection, ada.id)
    before = await snapshot(connection)

    assert await delete_account(ada, "not hers") == "wrong_password"
    assert await delete_account(stranger) == "not_authenticated"

    assert await snapshot(connection) == before
    assert (await ada.get("/auth-check")).status_code == 200


async def test_deletion_is_refused_if_the_password_changes_meanwhile(
    app: FastAPI, ada: Browser, connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def change_meanwhile(*_: object, **_options: bool) -> bool:
        await connection.execute(update(User).values(password_hash="another"))
        return True

    monkeypatch.setattr(app.state.services.auth.passwords, "verify", change_meanwhile)
    await make_follow(connection, ada.id, await make_user(connection, "bob"))
    before = await snapshot(connection)

    assert await delete_account(ada) == "session_expired"

    after = await snapshot(connection)
    assert before.pop("users") != after.pop("users")  # by the change itself
    assert after == before


async def test_account_with_blocks_and_mutes_can_be_deleted(
    ada: Browser, member: Member, connection: AsyncConnection
) -> None:
    bob = await member("bob")
    await make_block(connection, bob.id, ada.id)
    await make_mute(connection, ada.id, bob.id)

    assert await delete_account(ada) == 204
    assert (await bob.get("/users/ada")).status_code == 404
