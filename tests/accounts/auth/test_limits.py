import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.auth.limits import WRONG_PASSWORD, ada, addresses, advance_time
from tests.support.browser import Browser
from tests.support.factories import PASSWORD

from wxc.models import OutboxMail

__all__ = ["ada"]


class TestRoutesOtherThanLogin:
    async def test_registration_allows_ten_per_address_and_hour(
        self, ada: Browser, app: FastAPI
    ) -> None:
        account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.post("/register", json=account) for _ in range(11)]
        async with Browser(app, address="198.51.100.2") as browser:
            elsewhere = await browser.post("/register", json=account)

        assert [answer.status_code for answer in answers] == [409] * 10 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"register-ip";q=10;w=3600'
        assert elsewhere.status_code == 409

    async def test_reset_allows_five_attempts_per_minute(self, ada: Browser, app: FastAPI) -> None:
        reset = {"password": "a longer walk in Porto"}
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.post("/reset-password/x", json=reset) for _ in range(6)]

        assert [answer.status_code for answer in answers] == [400] * 5 + [429]

    async def test_mails_to_an_address_are_silently_limited_to_three_an_hour_and_five_a_day(
        self,
        ada: Browser,
        app: FastAPI,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answers, mails = [], []
        ips = addresses()
        for hour in range(3):
            advance_time(monkeypatch, 3601 if hour else 0)
            answers += [
                await request_mail(app, next(ips), email)
                for email in ("ada@example.com", "ADA@example.com", "ada@EXAMPLE.com") * 2
            ]
            mails.append(await count_queued_mails(connection))

        assert mails == [3, 5, 5]
        variants = {(each.status_code, each.text, "RateLimit" in each.headers) for each in answers}
        assert len(variants) == 1
        await request_mail(app, next(ips), "grace@example.com")
        assert await count_queued_mails(connection) == 6

    async def test_mail_requests_are_limited_to_twenty_per_address_and_hour(
        self, ada: Browser, app: FastAPI
    ) -> None:
        answers = [
            await request_mail(app, "198.51.100.1", f"member{number}@example.com")
            for number in range(20)
        ]
        async with Browser(app, address="198.51.100.1") as browser:
            answers.append(await browser.post("/request-password-reset", json={"email": "a@b.de"}))

        assert [answer.status_code for answer in answers] == [202] * 20 + [429]

    async def test_verification_mails_count_towards_the_limit(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        answers = [await ada.post("/request-email-verification") for _ in range(5)]

        assert {answer.status_code for answer in answers} == {202}
        assert await count_queued_mails(connection) == 3

    async def test_current_password_allows_ten_failures_per_hour(self, ada: Browser) -> None:
        change = {"current_password": WRONG_PASSWORD, "new_password": "a longer walk in Porto"}
        answers = [await ada.put("/settings/password", json=change) for _ in range(11)]

        assert [answer.status_code for answer in answers] == [403] * 10 + [429]


async def request_mail(app: FastAPI, address: str, email: str) -> httpx.Response:
    async with Browser(app, address=address) as browser:
        return await browser.post("/request-password-reset", json={"email": email})


async def count_queued_mails(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.count(OutboxMail.id)))).scalar_one())
