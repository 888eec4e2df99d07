"""`wxc user` commands while two instances are serving."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from tests.moderation.actions.conftest import POLL_INTERVAL, Operate
from tests.support.app import running_app
from tests.support.audit_log import audit_events
from tests.support.browser import Browser
from tests.support.factories import make_event

from wxc.core.config import Config
from wxc.core.redis import RedisClient

REGISTRATION = {"username": "ada", "email": "ada@example.com", "password": "a walk in the rain"}


@pytest.fixture
def serving(config: Config, fresh_database_url: str, redis: RedisClient) -> Config:
    """The configuration of each instance."""
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": POLL_INTERVAL}
    return config.model_copy(update=changed)


@pytest.fixture
async def first(serving: Config) -> AsyncIterator[FastAPI]:
    async with running_app(serving) as app:
        yield app


@pytest.fixture
async def other(serving: Config, first: FastAPI) -> AsyncIterator[FastAPI]:
    """A second instance on the same engines."""
    async with running_app(serving) as app:
        yield app


@pytest.fixture
async def ada(first: FastAPI) -> AsyncIterator[Browser]:
    async with Browser(first) as browser:
        await browser.post("/register", json=REGISTRATION)
        await browser.log_in("ada", REGISTRATION["password"])
        yield browser


@pytest.fixture
async def own_connection(fresh_database_url: str) -> AsyncIterator[AsyncConnection]:
    """A separate connection in autocommit mode."""
    engine = create_async_engine(fresh_database_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def status_at(app: FastAPI, browser: Browser) -> int:
    """The status of `/auth-check` on an instance with the cookies of a browser."""
    async with Browser(app) as client:
        client.http.cookies.update(browser.http.cookies)
        return (await client.get("/auth-check")).status_code


async def test_commands_need_only_the_production_environment(
    ada: Browser, first: FastAPI, serving: Config
) -> None:
    """Runs the command in a process with these environment variables only."""
    program = Path(sys.executable).with_name("wxc")
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": serving.database_url,
        "REDIS_URL": serving.redis_url,
        "SECRET_KEY": "Zk3v9Qx1Lr7Tp5Yw2Nb8Mc4Hd6Jf0Gs3",
        "JWT_SECRET_KEY": "Pq8Wn2Xc5Vb7Zl1Kj4Hg6Fd9Sa3Rt0Ye",
    }

    process = await asyncio.create_subprocess_exec(
        program, "user", "suspend", "ada", "--reason", "spam", env=environment
    )

    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert await status_at(first, ada) == 401


class TestSuspend:
    async def test_suspension_takes_effect_on_every_instance_immediately(
        self, ada: Browser, first: FastAPI, other: FastAPI, operate: Operate
    ) -> None:
        assert [await status_at(app, ada) for app in (first, other)] == [200, 200]

        done = await operate("user", "suspend", "ada", "--reason", "spam")

        assert (done.exit_code, done.output) == (0, "ada is suspended.\nSessions ended: 1.\n")
        assert [await status_at(app, ada) for app in (first, other)] == [401, 401]

    async def test_suspension_without_redis_takes_effect_after_a_poll(
        self,
        ada: Browser,
        first: FastAPI,
        other: FastAPI,
        operate: Operate,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The command cannot reach Redis, so the instances learn of it from the database."""
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
        started = time.monotonic()

        done = await operate("user", "suspend", "ada", "--reason", "spam")

        assert done.exit_code == 0, done.output
        assert time.monotonic() - started >= 2 * POLL_INTERVAL
        assert [await status_at(app, ada) for app in (first, other)] == [401, 401]

    async def test_second_suspension_changes_nothing(self, ada: Browser, operate: Operate) -> None:
        for line in ("ada is suspended.", "ada was suspended already."):
            done = await operate("user", "suspend", "ADA@example.com", "--reason", "spam")
            assert (done.exit_code, done.output.splitlines()[0]) == (0, line)

        done = await operate(
            "user", "restore", str((await shown_account(operate))["account"]["id"])
        )
        assert done.output == "ada is restored.\n"
        assert (await operate("user", "restore", "ada")).output == "ada was not suspended.\n"
        assert (await ada.log_in("ada", REGISTRATION["password"])).status_code == 200

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "two\nlines", "\x1b[2J"])
    async def test_reason_must_be_one_printable_line(self, operate: Operate, reason: str) -> None:
        done = await operate("user", "suspend", "noise_1", "--reason", reason)

        assert done.exit_code == 2
        assert "a line of 1 to 500 characters" in " ".join(done.output.replace("│", "").split())


async def shown_account(operate: Operate) -> dict[str, dict[str, object]]:
    found = await operate("user", "show", "ada", "--json")
    assert found.exit_code == 0, found.output
    return dict(json.loads(found.output))


class TestShow:
    async def test_account_sessions_and_events_are_shown(
        self, ada: Browser, operate: Operate
    ) -> None:
        found = await operate("user", "show", "ada")

        assert found.exit_code == 0, found.output
        for text in ("ada@example.com", "suspended_at       -", "python-httpx", "login", "client"):
            assert text in found.output
        assert "argon2" not in found.output

    async def test_json_output_is_complete_and_bounded(
        self, ada: Browser, operate: Operate, own_connection: AsyncConnection
    ) -> None:
        found = await shown_account(operate)

        assert found.keys() == {"account", "sessions", "events"}
        assert "password_hash" not in found["account"]
        for _ in range(30):
            await make_event(own_connection, uuid_of(found))
        assert len((await shown_account(operate))["events"]) == 20
        done = await operate("user", "show", "ada", "--events", "3", "--json")
        assert len(json.loads(done.output)["events"]) == 3

    @pytest.mark.parametrize(
        "arguments",
        [
            ("show", "nobody_at_all"),
            ("show", "nobody@example.com"),
            ("show", str(uuid4())),
            ("sessions", "nobody_at_all"),
            ("suspend", "nobody_at_all", "--reason", "spam"),
            ("restore", "nobody_at_all"),
            ("end-sessions", "nobody_at_all", "--all"),
            ("end-sessions", "noise_1", str(uuid4())),
        ],
    )
    async def test_unknown_member_or_session_exits_with_1(
        self, operate: Operate, arguments: tuple[str, ...]
    ) -> None:
        done = await operate("user", *arguments)

        assert done.exit_code == 1
        assert done.stderr.startswith("wxc: No ")

    async def test_unreachable_database_exits_with_3(
        self, operate: Operate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/wxc")

        done = await operate("user", "show", "ada")

        assert (done.exit_code, "The database does not answer" in done.stderr) == (3, True)


class TestSessions:
    async def test_one_session_is_ended_on_every_instance(
        self,
        ada: Browser,
        first: FastAPI,
        other: FastAPI,
        operate: Operate,
        own_connection: AsyncConnection,
    ) -> None:
        async with Browser(other) as elsewhere:
            await elsewhere.log_in("ada", REGISTRATION["password"])
            listed = await operate("user", "sessions", "ada", "--json")
            newest, oldest = (item["id"] for item in json.loads(listed.output))

            done = await operate("user", "end-sessions", "ada", oldest)

            assert done.output == "ada is logged out there.\nSessions ended: 1.\n"
            assert [await status_at(app, ada) for app in (first, other)] == [401, 401]
            assert [await status_at(app, elsewhere) for app in (first, other)] == [200, 200]
            assert newest in (await operate("user", "sessions", "ada")).output
        events = await audit_events(own_connection, uuid_of(await shown_account(operate)))
        assert (events[-1].event, events[-1].actor) == ("session_ended", "operator grace")
        assert (events[-1].detail, events[-1].session_id) == ({"ended": oldest}, None)

    async def test_all_sessions_are_ended(
        self, ada: Browser, other: FastAPI, operate: Operate
    ) -> None:
        for count in (1, 0):
            done = await operate("user", "end-sessions", "ada", "--all", "--json")
            assert json.loads(done.output) == {
                "username": "ada",
                "changed": bool(count),
                "sessions_ended": count,
            }

        assert await status_at(other, ada) == 401

    @pytest.mark.parametrize("which", [(), (str(uuid4()), "--all"), ("not-an-id",)])
    async def test_either_a_session_or_all_is_required(
        self, operate: Operate, which: tuple[str, ...]
    ) -> None:
        assert (await operate("user", "end-sessions", "noise_1", *which)).exit_code == 2


def uuid_of(found: dict[str, dict[str, object]]) -> UUID:
    return UUID(str(found["account"]["id"]))
