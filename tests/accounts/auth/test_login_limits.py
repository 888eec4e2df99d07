"""Failed logins are limited, but strangers cannot lock the owner out."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.accounts.auth.limits import WRONG_PASSWORD, ada, addresses, advance_time
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from wxc.accounts.auth.context import Auth
from wxc.core import clock
from wxc.core.config import Config

__all__ = ["ada"]


async def guess(
    app: FastAPI, address: str, identifier: str = "ada", password: str = WRONG_PASSWORD
) -> int:
    """The status of a login attempt from an unknown device."""
    async with Browser(app, address=address) as browser:
        return (await browser.log_in(identifier, password)).status_code


@pytest.mark.unmeasured  # other tests cover the same code
class TestLogin:
    async def test_login_allows_five_failures_per_account_and_address_in_five_minutes(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statuses = [await guess(app, "198.51.100.1") for _ in range(6)]

        assert statuses == [401] * 5 + [429]
        assert await guess(app, "198.51.100.1", password=PASSWORD) == 429
        assert await guess(app, "198.51.100.1", "grace") == 401
        assert await guess(app, "198.51.100.2", password=PASSWORD) == 200
        advance_time(monkeypatch, 301)
        assert await guess(app, "198.51.100.1", password=PASSWORD) == 200

    async def test_failures_are_counted_by_folded_username_for_known_and_unknown_accounts(
        self, ada: Browser, app: FastAPI
    ) -> None:
        for names in (
            ["ada", "ADA", "Ada", "aDa", "adA", "ADa"],
            ["bob", "BOB", "Bob", "bOb", "boB", "BOb"],
        ):
            statuses = [await guess(app, "198.51.100.1", name) for name in names]
            assert statuses == [401] * 5 + [429]

    async def test_rate_limit_headers_do_not_reveal_which_accounts_exist(
        self, ada: Browser, app: FastAPI
    ) -> None:
        answers = []
        for identifier in ("ada", "bob"):
            async with Browser(app, address="198.51.100.1") as browser:
                answers += [[await browser.log_in(identifier, WRONG_PASSWORD) for _ in range(6)]]

        known, unknown = (
            [
                (answer.status_code, answer.headers["RateLimit-Policy"], remaining_quota(answer))
                for answer in attempts
            ]
            for attempts in answers
        )
        assert [entry[:2] for entry in known] == [entry[:2] for entry in unknown]
        assert [entry[2]["login-account"] for entry in known] == [19, 18, 17, 16, 15, 15]
        assert [entry[2]["login-account"] for entry in unknown] == [19, 18, 17, 16, 15, 15]

    async def test_successful_logins_are_not_counted(self, ada: Browser, app: FastAPI) -> None:
        statuses = [await guess(app, "198.51.100.1", password=PASSWORD) for _ in range(8)]

        assert statuses == [200] * 8

    async def test_login_allows_thirty_failures_per_address(
        self, ada: Browser, app: FastAPI
    ) -> None:
        statuses = [await guess(app, "198.51.100.1", f"member_{number}") for number in range(31)]

        assert statuses == [401] * 30 + [429]
        assert await guess(app, "198.51.100.2", password=PASSWORD) == 200

    async def test_ipv6_addresses_are_counted_by_network(self, ada: Browser, app: FastAPI) -> None:
        statuses = [await guess(app, f"2001:db8::{number:x}") for number in range(6)]

        assert statuses == [401] * 5 + [429]
        assert await guess(app, "2001:db8:0:1::1") == 401

    async def test_login_allows_twenty_failures_per_account_and_hour(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ips = addresses()
        statuses = [await guess(app, next(ips)) for _ in range(21)]

        assert statuses == [401] * 20 + [429]
        advance_time(monkeypatch, 3601)
        assert await guess(app, next(ips)) == 401

    async def test_concurrent_guesses_do_not_exceed_the_limit(
        self, ada: Browser, app: FastAPI
    ) -> None:
        statuses = await asyncio.gather(*(guess(app, "198.51.100.1") for _ in range(30)))

        assert Counter(statuses)[401] == 5
        assert set(statuses) <= {401, 429, 503}

    async def test_right_password_is_refused_after_concurrent_guesses_used_up_the_limit(
        self, ada: Browser, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        passwords = app.state.services.auth.passwords
        verify = passwords.verify

        async def verify_slowly(
            password: str, password_hash: str | None, *, is_trusted: bool
        ) -> bool:
            if password == PASSWORD:
                assert [await guess(app, "198.51.100.1") for _ in range(5)] == [401] * 5
            return bool(await verify(password, password_hash, is_trusted=is_trusted))

        monkeypatch.setattr(passwords, "verify", verify_slowly)

        assert await guess(app, "198.51.100.1", password=PASSWORD) == 429

    async def test_rate_limited_login_has_retry_after_and_rate_limit_headers(
        self, ada: Browser, app: FastAPI
    ) -> None:
        async with Browser(app, address="198.51.100.1") as browser:
            answers = [await browser.log_in("ada", WRONG_PASSWORD) for _ in range(6)]

        problem, refused = answers[-1].json(), answers[-1]
        assert (problem["code"], problem["status"]) == ("rate_limited", 429)
        assert 295 <= int(refused.headers["Retry-After"]) <= 300
        remaining = [remaining_quota(answer)["login-account-ip"] for answer in answers]
        assert remaining == [4, 3, 2, 1, 0, 0]
        assert refused.headers["RateLimit-Policy"] == (
            '"login-account-ip";q=5;w=300, "login-account";q=20;w=3600, "login-ip";q=30;w=300'
        )


class TestKnownDevice:
    async def test_stranger_cannot_lock_the_owner_out(self, ada: Browser, app: FastAPI) -> None:
        ips = addresses()
        for _ in range(21):
            await guess(app, next(ips))
        for number in range(31):  # and the limit of her IP address is exhausted
            await guess(app, "192.0.2.1", f"member_{number}")

        await ada.post("/logout")
        answer = await ada.log_in("ada")

        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"login-device";q=10;w=3600'

    async def test_known_device_has_a_separate_limit(self, ada: Browser, app: FastAPI) -> None:
        statuses = [(await ada.log_in("ada", WRONG_PASSWORD)).status_code for _ in range(11)]

        assert statuses == [401] * 10 + [429]
        assert await guess(app, "192.0.2.1", password=PASSWORD) == 200

    async def test_device_is_unknown_for_another_account(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "grace")

        statuses = [(await ada.log_in("grace", WRONG_PASSWORD)).status_code for _ in range(6)]

        assert statuses == [401] * 5 + [429]

    async def test_login_sets_the_device_cookie_and_keeps_its_id(
        self, ada: Browser, app: FastAPI
    ) -> None:
        auth: Auth = app.state.services.auth
        first = auth.devices.read(ada.http.cookies["wxc_device"], clock.now())
        answer = await ada.log_in("ada")
        (header,) = [
            cookie for cookie in answer.headers.get_list("set-cookie") if "wxc_device" in cookie
        ]

        assert first is not None
        assert first == auth.devices.read(ada.http.cookies["wxc_device"], clock.now())
        assert first.user_id == ada.id
        assert header.endswith("; HttpOnly; Max-Age=15552000; Path=/; SameSite=lax")

    async def test_forged_or_expired_device_cookie_is_ignored(
        self, ada: Browser, app: FastAPI
    ) -> None:
        auth: Auth = app.state.services.auth
        good = ada.http.cookies["wxc_device"]
        moment = clock.now()

        assert auth.devices.read(good, moment + timedelta(days=179)) is not None
        assert auth.devices.read(good, moment + timedelta(days=181)) is None
        for invalid in ("", "é", "x", good[:-1], good[:-4] + "AAAA", "A" * len(good), good * 3):
            assert auth.devices.read(invalid, moment) is None

    async def test_duplicate_device_cookie_is_ignored(self, ada: Browser, app: FastAPI) -> None:
        cookie = f"wxc_device={ada.http.cookies['wxc_device']}"
        async with Browser(app) as browser:
            answer = await browser.post(
                "/login",
                json={"identifier": "ada", "password": PASSWORD},
                headers={"Cookie": f"{cookie}; {cookie}"},
            )

        assert answer.headers["RateLimit-Policy"].startswith('"login-account-ip"')


class TestProxies:
    async def test_spoofed_forwarding_headers_do_not_evade_the_limit(
        self, ada: Browser, app: FastAPI, config: Config
    ) -> None:
        async with behind_proxy(app, config) as client:
            statuses = [
                await login_status(
                    client,
                    {
                        "X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1",
                        "Forwarded": f"for=203.0.113.{number}",
                        "X-Real-IP": f"203.0.113.{number}",
                    },
                )
                for number in range(7)
            ]
            other = await login_status(client, {"X-Forwarded-For": "203.0.113.1, 198.51.100.2"})

        assert statuses == [401] * 5 + [429] * 2
        assert other == 401

    async def test_forwarding_headers_of_untrusted_peers_are_ignored(
        self, ada: Browser, app: FastAPI, config: Config
    ) -> None:
        async with behind_proxy(app, config, peer="203.0.113.9") as client:
            statuses = [
                await login_status(client, {"X-Forwarded-For": f"198.51.100.{number}"})
                for number in range(6)
            ]

        assert statuses == [401] * 5 + [429]


def behind_proxy(app: FastAPI, config: Config, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client with the address `peer`, behind uvicorn's proxy middleware."""
    wrapped: Any = ProxyHeadersMiddleware(app, config.forwarded_allow_ips)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(wrapped, client=(peer, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")


async def login_status(client: httpx.AsyncClient, headers: dict[str, str]) -> int:
    credentials = {"identifier": "ada", "password": WRONG_PASSWORD}
    return (await client.post("/login", json=credentials, headers=headers)).status_code


def remaining_quota(answer: httpx.Response) -> dict[str, int]:
    """The remaining quota of each policy, from the `RateLimit` header."""
    parts = (part.split(";") for part in answer.headers["RateLimit"].split(", "))
    return {name.strip('"'): int(left.removeprefix("r=")) for name, left, _ in parts}
