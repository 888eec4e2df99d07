"""Mailed links that verify an e-mail address."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.recovery.conftest import NewestToken
from tests.conftest import Member
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.mail import Later
from tests.support.mail_server import MailServer

from wxc.core import clock
from wxc.models import User
from wxc.worker.mail_delivery import MailSender

REGISTRATION = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}


class TestVerification:
    async def test_registration_sends_a_link_that_works_without_a_session(
        self, stranger: Browser, newest_token: NewestToken, smtp: MailServer
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)
        token = await newest_token()
        assert smtp.mails[0]["subject"] == "Confirm your e-mail address"
        assert "https://app.example.com/verify-email#token=" in smtp.mails[0].as_string()

        answer = await stranger.post(f"/verify-email/{token}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert (await stranger.log_in("ada")).json()["user"]["email_verified"] is True

    async def test_failed_registration_sends_no_mail(
        self, stranger: Browser, worker: MailSender, smtp: MailServer
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)
        await stranger.post("/register", json=REGISTRATION | {"username": "bob"})

        await worker.run_once()

        assert smtp.recipients == ["ada@example.com"]

    async def test_link_expires_after_24_hours(
        self, stranger: Browser, newest_token: NewestToken, later: Later
    ) -> None:
        later(timedelta())
        for name, minutes, status in (("ada", -1, 204), ("bob", 0, 400)):
            registration = {"username": name, "email": f"{name}@example.com"}
            await stranger.post("/register", json=REGISTRATION | registration)
            token = await newest_token()
            later(timedelta(days=1, minutes=minutes))
            assert (await stranger.post(f"/verify-email/{token}")).status_code == status

    @pytest.mark.parametrize("change", [{"email": "x@y.example"}, {"suspended_at": clock.now()}])
    async def test_link_is_invalid_for_another_address_and_a_suspended_account(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        newest_token: NewestToken,
        change: dict[str, Any],
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)
        token = await newest_token()
        await connection.execute(update(User).where(User.username == "ada").values(**change))

        assert (await stranger.post(f"/verify-email/{token}")).status_code == 400

    async def test_mail_is_sent_again_on_request_until_the_address_is_verified(
        self, member: Member, newest_token: NewestToken, worker: MailSender, smtp: MailServer
    ) -> None:
        ada = await member("ada")
        tokens = []
        for _ in range(2):
            answer = await ada.post("/request-email-verification")
            assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
            tokens.append(await newest_token())

        used = [await ada.post(f"/verify-email/{token}") for token in tokens]
        assert [answer.status_code for answer in used] == [400, 204]

        assert (await ada.post("/request-email-verification")).status_code == 202
        await worker.run_once()
        assert len(smtp.mails) == 2

    async def test_request_requires_a_session_and_its_csrf_token(
        self, member: Member, stranger: Browser
    ) -> None:
        ada = await member("ada")

        without = await stranger.post("/request-email-verification")
        forged = await ada.http.post("/request-email-verification")

        assert (without.status_code, without.json()["code"]) == (401, "not_authenticated")
        assert (forged.status_code, forged.json()["code"]) == (403, "csrf_failed")

    async def test_concurrent_uses_of_a_link_succeed(
        self, stranger: Browser, newest_token: NewestToken
    ) -> None:
        await stranger.post("/register", json=REGISTRATION)
        token = await newest_token()

        answers = await asyncio.gather(*(stranger.post(f"/verify-email/{token}") for _ in range(3)))

        assert [answer.status_code for answer in answers] == [204] * 3


class TestUsingALinkTwice:
    @pytest.fixture(params=["registration", "another address"])
    async def used_link(
        self, request: pytest.FixtureRequest, stranger: Browser, newest_token: NewestToken
    ) -> str:
        """The token of a link that Ada has used: of her registration, or for a new address."""
        await stranger.post("/register", json=REGISTRATION)
        if request.param == "another address":
            await stranger.log_in("ada")
            change = {"email": "ada@example.org", "current_password": PASSWORD}
            await stranger.put("/settings/email", json=change)
        token = await newest_token()
        assert (await stranger.post(f"/verify-email/{token}")).status_code == 204
        return token

    async def test_second_use_succeeds_and_changes_nothing(
        self, stranger: Browser, used_link: str, connection: AsyncConnection
    ) -> None:
        before = await snapshot(connection)

        answer = await stranger.post(f"/verify-email/{used_link}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert await snapshot(connection) == before

    async def test_second_use_is_refused_after_the_life_of_the_link(
        self, stranger: Browser, used_link: str, later: Later
    ) -> None:
        later(timedelta(days=1, minutes=1))

        assert (await stranger.post(f"/verify-email/{used_link}")).status_code == 400

    @pytest.mark.parametrize(
        "change",
        [{"email": "x@y.example"}, {"email_verified_at": None}, {"suspended_at": clock.now()}],
        ids=lambda change: next(iter(change)),
    )
    async def test_second_use_is_refused_unless_the_account_has_the_verified_address(
        self,
        stranger: Browser,
        used_link: str,
        connection: AsyncConnection,
        change: dict[str, Any],
    ) -> None:
        await connection.execute(update(User).where(User.username == "ada").values(**change))

        assert (await stranger.post(f"/verify-email/{used_link}")).status_code == 400


@pytest.mark.parametrize("is_new_address", [False, True])
async def test_only_the_registration_link_survives_a_password_change(
    stranger: Browser, newest_token: NewestToken, is_new_address: bool
) -> None:
    await stranger.post("/register", json=REGISTRATION)
    await stranger.log_in("ada")
    if is_new_address:
        change = {"email": "ada@example.org", "current_password": PASSWORD}
        await stranger.put("/settings/email", json=change)
    token = await newest_token()
    passwords = {"current_password": PASSWORD, "new_password": "a longer walk in Porto"}
    assert (await stranger.put("/settings/password", json=passwords)).status_code == 204

    answer = await stranger.post(f"/verify-email/{token}")

    assert answer.status_code == (400 if is_new_address else 204)


async def test_outbox_is_written_while_the_mail_server_is_down(
    app: FastAPI, stranger: Browser, smtp: MailServer
) -> None:
    await smtp.close()

    answer = await stranger.post("/register", json=REGISTRATION)

    assert answer.status_code == 201
