"""Rows 29, 30, 33, 50, 52: how often one may try, and that no stranger locks an owner out."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from wxc.accounts.auth.context import Auth
from wxc.core import clock
from wxc.core.config import Config
from wxc.models import OutboxMail

WRONG = "not this one"


def addresses() -> Iterator[str]:
    """One address after another, all of different people."""
    return (f"198.51.{number // 250}.{number % 250}" for number in count(1))


async def guess(app: FastAPI, address: str, identifier: str = "ada", password: str = WRONG) -> int:
    """The status of a try from a browser that nobody has seen before."""
    async with Browser(app, address=address) as browser:
        return (await browser.log_in(identifier, password)).status_code


async def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: moment)


@pytest.fixture(params=["Redis", "no Redis"])
async def ada(member: Member, app: FastAPI, request: pytest.FixtureRequest) -> Browser:
    """Ada, signed in on a device of hers."""
    ada = await member("ada")
    app.state.services.redis.is_tripped = request.param == "no Redis"
    return ada


@pytest.mark.unmeasured  # the same ways again and again: others measure them
class TestLogin:
    async def test_five_failures_in_five_minutes_from_one_address(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statuses = [await guess(app, "198.51.100.1") for _ in range(6)]

        assert statuses == [401] * 5 + [429]
        assert await guess(app, "198.51.100.1", password=PASSWORD) == 429
        assert await guess(app, "198.51.100.1", "grace") == 401
        assert await guess(app, "198.51.100.2", password=PASSWORD) == 200
        await later(monkeypatch, 301)
        assert await guess(app, "198.51.100.1", password=PASSWORD) == 200

    async def test_it_is_counted_by_name_whatever_its_case_and_whether_or_not_it_exists(
        self, ada: Browser, app: FastAPI
    ) -> None:
        for names in (
            ["ada", "ADA", "Ada", "aDa", "adA", "ADa"],
            ["bob", "BOB", "Bob", "bOb", "boB", "BOb"],
        ):
            statuses = [await guess(app, "198.51.100.1", name) for name in names]
            assert statuses == [401] * 5 + [429]

    async def test_what_is_said_of_a_limit_does_not_tell_who_exists(
        self, ada: Browser, app: FastAPI
    ) -> None:
        answers = []
        for identifier in ("ada", "bob"):
            async with Browser(app, address="198.51.100.1") as browser:
                answers += [[await browser.log_in(identifier, WRONG) for _ in range(6)]]

        known, unknown = (
            [(one.status_code, one.headers["RateLimit-Policy"], standing(one)) for one in tries]
            for tries in answers
        )
        assert [one[:2] for one in known] == [one[:2] for one in unknown]
        assert [one[2]["login-account"] for one in known] == [19, 18, 17, 16, 15, 15]
        assert [one[2]["login-account"] for one in unknown] == [19, 18, 17, 16, 15, 15]

    async def test_right_passwords_count_for_nothing(self, ada: Browser, app: FastAPI) -> None:
        statuses = [await guess(app, "198.51.100.1", password=PASSWORD) for _ in range(8)]

        assert statuses == [200] * 8

    async def test_thirty_failures_from_one_address_whoever_is_meant(
        self, ada: Browser, app: FastAPI
    ) -> None:
        statuses = [await guess(app, "198.51.100.1", f"member_{number}") for number in range(31)]

        assert statuses == [401] * 30 + [429]
        assert await guess(app, "198.51.100.2", password=PASSWORD) == 200

    async def test_an_address_of_ipv6_is_its_network(self, ada: Browser, app: FastAPI) -> None:
        statuses = [await guess(app, f"2001:db8::{number:x}") for number in range(6)]

        assert statuses == [401] * 5 + [429]
        assert await guess(app, "2001:db8:0:1::1") == 401

    async def test_twenty_failures_an_hour_from_all_over_the_world(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = addresses()
        statuses = [await guess(app, next(world)) for _ in range(21)]

        assert statuses == [401] * 20 + [429]
        await later(monkeypatch, 3601)
        assert await guess(app, next(world)) == 401

    async def test_guesses_at_the_same_moment_are_no_way_round_it(
        self, ada: Browser, app: FastAPI
    ) -> None:
        statuses = await asyncio.gather(*(guess(app, "198.51.100.1") for _ in range(30)))

        assert Counter(statuses)[401] == 5
        assert set(statuses) <= {401, 429, 503}

    async def test_the_right_one_among_them_is_refused_when_it_comes_too_late(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        passwords = app.state.services.auth.passwords
        verify = passwords.verify

        async def verify_slowly(password: str, password_hash: str | None, *, trusted: bool) -> bool:
            if password == PASSWORD:
                assert [await guess(app, "198.51.100.1") for _ in range(5)] == [401] * 5
            return bool(await verify(password, password_hash, trusted=trusted))

        monkeypatch.setattr(passwords, "verify", verify_slowly)

        assert await guess(app, "198.51.100.1", password=PASSWORD) == 429

    async def test_a_refusal_says_when_to_come_again(self, ada: Browser, app: FastAPI) -> None:
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.log_in("ada", WRONG) for _ in range(6)]

        problem, refused = answers[-1].json(), answers[-1]
        assert (problem["code"], problem["status"]) == ("rate_limited", 429)
        assert 295 <= int(refused.headers["Retry-After"]) <= 300
        assert [standing(one)["login-account-ip"] for one in answers] == [4, 3, 2, 1, 0, 0]
        assert refused.headers["RateLimit-Policy"] == (
            '"login-account-ip";q=5;w=300, "login-account";q=20;w=3600, "login-ip";q=30;w=300'
        )


class TestKnownDevice:
    async def test_no_stranger_locks_the_owner_out(self, ada: Browser, app: FastAPI) -> None:
        world = addresses()
        for _ in range(21):
            await guess(app, next(world))
        for number in range(31):  # and somebody next to her has used up her address
            await guess(app, "192.0.2.1", f"member_{number}")

        await ada.post("/logout")
        answer = await ada.log_in("ada")

        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"login-device";q=10;w=3600'

    async def test_it_has_a_limit_of_its_own_that_the_account_does_not_feel(
        self, ada: Browser, app: FastAPI
    ) -> None:
        statuses = [(await ada.log_in("ada", WRONG)).status_code for _ in range(11)]

        assert statuses == [401] * 10 + [429]
        assert await guess(app, "192.0.2.1", password=PASSWORD) == 200

    async def test_for_another_account_it_is_as_good_as_unknown(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "grace")

        statuses = [(await ada.log_in("grace", WRONG)).status_code for _ in range(6)]

        assert statuses == [401] * 5 + [429]

    async def test_the_cookie_is_set_at_login_and_stays_the_same_device(
        self, ada: Browser, app: FastAPI
    ) -> None:
        auth: Auth = app.state.services.auth
        first = auth.devices.read(ada.http.cookies["wxc_device"], clock.now())
        answer = await ada.log_in("ada")
        (header,) = [one for one in answer.headers.get_list("set-cookie") if "wxc_device" in one]

        assert first is not None
        assert first == auth.devices.read(ada.http.cookies["wxc_device"], clock.now())
        assert first.user_id == ada.id
        assert header.endswith("; HttpOnly; Max-Age=15552000; Path=/; SameSite=lax")

    async def test_a_cookie_that_is_not_ours_or_too_old_is_passed_over(
        self, ada: Browser, app: FastAPI
    ) -> None:
        auth: Auth = app.state.services.auth
        good = ada.http.cookies["wxc_device"]
        moment = clock.now()

        assert auth.devices.read(good, moment + timedelta(days=179)) is not None
        assert auth.devices.read(good, moment + timedelta(days=181)) is None
        for strange in ("", "é", "x", good[:-1], good[:-4] + "AAAA", "A" * len(good), good * 3):
            assert auth.devices.read(strange, moment) is None

    async def test_two_of_them_are_none(self, ada: Browser, app: FastAPI) -> None:
        cookie = f"wxc_device={ada.http.cookies['wxc_device']}"
        async with Browser(app) as browser:
            answer = await browser.post(
                "/login",
                json={"identifier": "ada", "password": PASSWORD},
                headers={"Cookie": f"{cookie}; {cookie}"},
            )

        assert answer.headers["RateLimit-Policy"].startswith('"login-account-ip"')


class TestOtherRoutes:
    async def test_ten_registrations_an_hour_from_one_address(
        self, ada: Browser, app: FastAPI
    ) -> None:
        account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.post("/register", json=account) for _ in range(11)]
        async with Browser(app, address="198.51.100.2") as browser:
            elsewhere = await browser.post("/register", json=account)

        assert [one.status_code for one in answers] == [409] * 10 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"register-ip";q=10;w=3600'
        assert elsewhere.status_code == 409

    async def test_five_tries_of_a_reset_link_a_minute(self, ada: Browser, app: FastAPI) -> None:
        reset = {"password": "a longer walk in Porto"}
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.post("/reset-password/x", json=reset) for _ in range(6)]

        assert [one.status_code for one in answers] == [400] * 5 + [429]

    async def test_three_mails_an_hour_and_five_a_day_to_one_address_silently(
        self,
        ada: Browser,
        app: FastAPI,
        connection: AsyncConnection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answers, mails = [], []
        world = addresses()
        for hour in range(3):
            await later(monkeypatch, 3601 if hour else 0)
            answers += [
                await ask_for_mail(app, next(world), email)
                for email in ("ada@example.com", "ADA@example.com", "ada@EXAMPLE.com") * 2
            ]
            mails.append(await waiting_mails(connection))

        assert mails == [3, 5, 5]
        assert (
            len({(one.status_code, one.text, "RateLimit" in one.headers) for one in answers}) == 1
        )
        await ask_for_mail(app, next(world), "grace@example.com")
        assert await waiting_mails(connection) == 6

    async def test_twenty_mails_an_hour_from_one_address(self, ada: Browser, app: FastAPI) -> None:
        answers = [
            await ask_for_mail(app, "198.51.100.1", f"member{number}@example.com")
            for number in range(20)
        ]
        async with Browser(app, address="198.51.100.1") as browser:
            answers.append(await browser.post("/request-password-reset", json={"email": "a@b.de"}))

        assert [one.status_code for one in answers] == [202] * 20 + [429]

    async def test_a_verification_mail_is_one_of_them(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        answers = [await ada.post("/request-email-verification") for _ in range(5)]

        assert {one.status_code for one in answers} == {202}
        assert await waiting_mails(connection) == 3

    async def test_ten_wrong_current_passwords_an_hour(self, ada: Browser) -> None:
        change = {"current_password": WRONG, "new_password": "a longer walk in Porto"}
        answers = [await ada.put("/settings/password", json=change) for _ in range(11)]

        assert [one.status_code for one in answers] == [403] * 10 + [429]


class TestProxies:
    async def test_what_a_client_says_of_its_address_is_no_way_round_it(
        self, ada: Browser, app: FastAPI, config: Config
    ) -> None:
        async with behind_proxy(app, config) as client:
            statuses = [
                await log_in_by(
                    client,
                    {
                        "X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1",
                        "Forwarded": f"for=203.0.113.{number}",
                        "X-Real-IP": f"203.0.113.{number}",
                    },
                )
                for number in range(7)
            ]
            other = await log_in_by(client, {"X-Forwarded-For": "203.0.113.1, 198.51.100.2"})

        assert statuses == [401] * 5 + [429] * 2
        assert other == 401

    async def test_who_is_no_proxy_of_ours_is_not_believed(
        self, ada: Browser, app: FastAPI, config: Config
    ) -> None:
        async with behind_proxy(app, config, peer="203.0.113.9") as client:
            statuses = [
                await log_in_by(client, {"X-Forwarded-For": f"198.51.100.{number}"})
                for number in range(6)
            ]

        assert statuses == [401] * 5 + [429]


def behind_proxy(app: FastAPI, config: Config, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    """The application as uvicorn wraps it, spoken to by `peer`."""
    wrapped: Any = ProxyHeadersMiddleware(app, config.forwarded_allow_ips)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(wrapped, client=(peer, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")


async def log_in_by(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    credentials = {"identifier": "ada", "password": WRONG}
    return (await client.post("/login", json=credentials, headers=headers)).status_code


async def ask_for_mail(app: FastAPI, address: str, email: str) -> httpx.Response:
    async with Browser(app, address=address) as browser:
        return await browser.post("/request-password-reset", json={"email": email})


async def waiting_mails(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.count(OutboxMail.id)))).scalar_one())


def standing(answer: httpx.Response) -> dict[str, int]:
    """What is left of each policy, by the `RateLimit` header."""
    parts = (one.split(";") for one in answer.headers["RateLimit"].split(", "))
    return {name.strip('"'): int(left.removeprefix("r=")) for name, left, _ in parts}
