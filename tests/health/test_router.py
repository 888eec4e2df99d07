"""Health checks, and the pages of the documentation, which load only local assets."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import become_owner
from tests.support.proxy import Proxy, proxy_to

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.demo import members as demo
from wxc.models import OutboxMail


class TestHealth:
    @pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz"])
    async def test_probes_return_200_when_all_checks_pass(
        self, stranger: Browser, path: str
    ) -> None:
        answer = await stranger.get(path)

        assert (answer.status_code, answer.json()["status"]) == (200, "ok")

    async def test_cookies_are_ignored(self, stranger: Browser) -> None:
        for path in ("/livez", "/healthz", "/readyz", "/docs", "/openapi.json"):
            answer = await stranger.get(path, headers={"Cookie": "wxc_access=garbage"})
            assert answer.status_code == 200

    @pytest.mark.parametrize("revision", ["0014", "0017"])
    async def test_outdated_schema_is_not_ready(
        self, stranger: Browser, connection: AsyncConnection, revision: str
    ) -> None:
        """Also at a revision that `0001_initial` replaces, until `wxc migrate` renames it."""
        update = text("UPDATE alembic_version SET version_num = :revision")
        await become_owner(connection)
        await connection.execute(update, {"revision": revision})

        answer = await stranger.get("/readyz")

        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")

    async def test_newer_schema_is_ready_for_older_code(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await become_owner(connection)
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        assert (await stranger.get("/readyz")).status_code == 200

    @pytest.mark.parametrize(
        ("fields", "is_backlog"),
        [
            ({"due_at": timedelta(minutes=-6)}, True),
            ({"due_at": timedelta(minutes=-4)}, False),
            ({"due_at": timedelta(minutes=-6), "state": "sent"}, False),
            ({"finished_at": timedelta(minutes=-50), "state": "dead"}, True),
            ({"finished_at": timedelta(minutes=-70), "state": "dead"}, False),
        ],
    )
    async def test_overdue_and_dead_mails_are_not_ready(
        self,
        stranger: Browser,
        connection: AsyncConnection,
        fields: dict[str, Any],
        *,
        is_backlog: bool,
    ) -> None:
        values = {
            name: clock.now() + value if isinstance(value, timedelta) else value
            for name, value in fields.items()
        }
        mail = {"kind": "verification", "address": "a@b.c", "dedup_key": "x"}
        await connection.execute(insert(OutboxMail).values(**mail, **values))

        answer = await stranger.get("/readyz")

        assert answer.status_code == (503 if is_backlog else 200)


class TestOutage:
    @pytest.fixture
    async def wires(
        self, config: Config, database_url: str, redis: RedisClient
    ) -> AsyncIterator[tuple[Proxy, Proxy, Config]]:
        async with proxy_to(database_url) as database, proxy_to(config.redis_url) as redis_wire:
            wired = {"database_url": database[1], "redis_url": redis_wire[1]}
            yield database[0], redis_wire[0], config.model_copy(update=wired)

    async def test_database_outage_fails_readyz_but_not_healthz(
        self, wires: tuple[Proxy, Proxy, Config]
    ) -> None:
        database, redis, config = wires
        async with running_app(config) as app, Browser(app) as browser:
            await database.cut()
            await redis.cut()

            assert (await browser.get("/healthz")).status_code == 200
            ready = await browser.get("/readyz")
            assert ready.status_code == 503
            profile = await browser.get("/users/noise_1")
            assert (profile.status_code, profile.json()["code"]) == (503, "unavailable")

            await database.restore()
            await redis.restore()
            assert (await browser.get("/readyz")).status_code == 200
            assert (await browser.get("/users/noise_1")).status_code == 200

    async def test_server_starts_without_redis(self, wires: tuple[Proxy, Proxy, Config]) -> None:
        _, redis, config = wires
        await redis.cut()
        async with running_app(config) as app, Browser(app) as browser:
            assert (await browser.get("/healthz")).status_code == 200
            assert (await browser.get("/users/noise_1")).status_code == 200
            assert (await browser.get("/readyz")).status_code == 503

            await redis.restore()
            assert (await browser.get("/readyz")).status_code == 200

    async def test_healthz_fails_until_the_database_is_reached(
        self, wires: tuple[Proxy, Proxy, Config]
    ) -> None:
        from wxc.app import create_app

        database, _, config = wires
        await database.cut()
        app = create_app(config)
        async with app.router.lifespan_context(app), Browser(app) as browser:
            starting = await browser.get("/healthz")
            assert (starting.status_code, starting.json()["code"]) == (503, "not_started")
            assert (await browser.get("/livez")).status_code == 200

            await database.restore()
            await app.state.services.startup.wait_for_database(app.state.services.database)

            assert (await browser.get("/healthz")).status_code == 200


def _policy(page: httpx.Response) -> str:
    return page.headers["content-security-policy"]


class TestDocs:
    async def test_root_redirects_to_the_documentation(self, stranger: Browser) -> None:
        answer = await stranger.get("/")

        assert (answer.status_code, answer.headers["location"]) == (307, "/docs")

    async def test_documentation_loads_only_own_assets(self, stranger: Browser) -> None:
        page = await stranger.get("/docs")

        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(loaded) >= 5
        for address in loaded:
            if address.startswith("#"):
                continue
            assert address.startswith(("/docs", "/openapi.json"))
            answer = await stranger.get(address)
            assert answer.status_code == 200, address
        assert "script-src 'self';" in page.headers["content-security-policy"]

    @pytest.mark.parametrize(
        "path", ["/docs", "/docs/errors", "/docs/errors/validation_failed", "/docs/errors/conflict"]
    )
    async def test_pages_contain_no_inline_script_or_style(
        self, stranger: Browser, path: str
    ) -> None:
        page = await stranger.get(path)

        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "'unsafe-inline'" not in re.findall("script-src[^;]*", _policy(page))[0]
        assert not re.search(r"<script(?! src=\"/docs/)|<style|\sstyle=|\son\w+=", page.text)

    @pytest.mark.parametrize(
        ("environment", "demo_data", "is_shown"),
        [
            ("development", True, True),
            ("development", False, False),
            ("production", True, False),
        ],
    )
    async def test_demo_logins_are_shown_in_development_only(
        self,
        app: FastAPI,
        stranger: Browser,
        monkeypatch: pytest.MonkeyPatch,
        environment: str,
        *,
        demo_data: bool,
        is_shown: bool,
    ) -> None:
        changed = {"environment": environment, "demo_data": demo_data}
        services = app.state.services
        monkeypatch.setattr(services, "config", services.config.model_copy(update=changed))

        page = (await stranger.get("/docs")).text

        for name in demo.LOGIN_NAMES:
            assert (f'data-identifier="{name}"' in page) is is_shown
        assert (demo.PASSWORD in page) is is_shown
        assert '<form id="log-in"' in page

    async def test_error_page_lists_its_routes(self, stranger: Browser) -> None:
        some = (await stranger.get("/docs/errors/wrong_password")).text
        every = (await stranger.get("/docs/errors/internal_error")).text
        none = (await stranger.get("/docs/errors/method_not_allowed")).text

        assert '<a href="/docs#/settings/settings_change_password">' in some
        assert "/posts/{post_id}" not in some
        assert "Every route may return this error." in every
        assert "No route lists this error" in none

    async def test_assets_are_cacheable(self, stranger: Browser) -> None:
        first = await stranger.get("/docs/assets/docs.js")
        again = await stranger.get(
            "/docs/assets/docs.js", headers={"If-None-Match": first.headers["etag"]}
        )

        assert first.headers["cache-control"] == "public, max-age=3600"
        assert again.status_code == 304

    @pytest.mark.parametrize("path", ["/docs/errors/nope", "/docs/assets/nope.js"])
    async def test_unknown_page_is_a_problem(self, stranger: Browser, path: str) -> None:
        answer = await stranger.get(path)

        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_type_of_every_error_is_the_address_of_its_page(self, stranger: Browser) -> None:
        problem = (await stranger.get("/nope")).json()

        page = await stranger.get(problem["type"])

        assert page.status_code == 200
        assert problem["detail"] in page.text
        assert problem["type"] in (await stranger.get("/docs/errors")).text
