"""`/readyz`: the status alone on the public port, every check and the build on the internal one."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import owner_url
from tests.support.proxy import Proxy, proxy_to
from tests.support.server import free_port, run_server

from dev_tools.processes import wait_until
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.health.exposition import serve_metrics

BUILD = {"version": "0.1.0", "revision": "abc1234def"}
NAMES = ("database", "migrations", "mail", "redis", "replica", "backlog", "head")
OVERDUE_MAIL = """
INSERT INTO outbox_mails (id, kind, address, dedup_key, created_at, due_at, attempts, state)
VALUES (gen_random_uuid(), 'verification', 'a@b.c', 'x', now(), now() - interval '1 hour', 0,
'waiting')
"""


@pytest.fixture(autouse=True)
def _revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")  # restored after the test
    monkeypatch.setenv("REVISION", BUILD["revision"])


@contextmanager
def internal_port(config: Config, **changes: object) -> Iterator[str]:
    """The address of the internal port of a process with this configuration."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    with serve_metrics(config.model_copy(update={"metrics_port": port, **changes})):
        yield f"http://127.0.0.1:{port}"


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=20) as client:
        return await client.get(url)


@pytest.fixture
async def wires(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[tuple[Proxy, Proxy, Config]]:
    async with proxy_to(fresh_database_url) as database, proxy_to(config.redis_url) as redis_wire:
        wired = {"database_url": database[1], "redis_url": redis_wire[1]}
        yield database[0], redis_wire[0], config.model_copy(update=wired)


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()


async def test_internal_readyz_names_every_check_and_the_build(
    config: Config, redis: RedisClient
) -> None:
    with internal_port(config) as url:
        answer = await get(f"{url}/readyz")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "status": "ok",
        **BUILD,
        "checks": dict.fromkeys(("database", "migrations", "mail", "redis"), "ok"),
    }


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (
            "database",
            {"database": "unavailable", "migrations": "unknown", "mail": "unknown", "redis": "ok"},
        ),
        ("redis", {"database": "ok", "migrations": "ok", "mail": "ok", "redis": "unavailable"}),
        (
            "UPDATE alembic_version SET version_num = '0014'",
            {"database": "ok", "migrations": "not_at_head", "mail": "unknown", "redis": "ok"},
        ),
        (
            OVERDUE_MAIL,
            {"database": "ok", "migrations": "ok", "mail": "backlog", "redis": "ok"},
        ),
    ],
    ids=["database", "redis", "migrations", "mail"],
)
async def test_a_failed_check_is_named_on_the_internal_port_alone(
    wires: tuple[Proxy, Proxy, Config],
    fresh_database_url: str,
    failure: str,
    expected: dict[str, str],
) -> None:
    database, redis, config = wires
    async with running_app(config) as app, Browser(app) as browser:
        if failure in ("database", "redis"):
            await (database if failure == "database" else redis).cut()
        else:
            await execute(owner_url(fresh_database_url), failure)

        with internal_port(config) as url:
            internal = await get(f"{url}/readyz")
        public = await browser.get("/readyz")

    assert (internal.status_code, internal.json()["status"]) == (503, "not_ready")
    assert internal.json()["checks"] == expected
    assert (public.status_code, public.json()["code"]) == (503, "not_ready")
    assert public.json().keys().isdisjoint({"errors", "checks", "version", "revision"})
    assert not [name for name in NAMES if name in public.text]


async def test_public_readyz_says_only_ok(stranger: Browser) -> None:
    answer = await stranger.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(("is_up", "state"), [(True, "ok"), (False, "unavailable")])
async def test_a_configured_replica_is_named_with_its_lag(
    config: Config, database_url: str, redis: RedisClient, state: str, *, is_up: bool
) -> None:
    async with proxy_to(database_url) as (proxy, replica_url):
        if not is_up:
            await proxy.cut()
        with internal_port(config, database_read_url=replica_url) as url:
            answer = await get(f"{url}/readyz")

    assert answer.status_code == (200 if is_up else 503)
    assert answer.json()["checks"]["replica"] == state
    assert answer.json().get("replica_lag_seconds") == (0.0 if is_up else None)
    assert answer.json()["checks"]["database"] == "ok"


async def test_the_internal_port_serves_nothing_else(config: Config) -> None:
    with internal_port(config) as url:
        statuses = [(await get(url + path)).status_code for path in ("/metrics", "/redyz", "/")]

    assert statuses == [200, 404, 404]


def test_serve_and_worker_name_the_build_they_run(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]
    log = tmp_path / "log"
    settings = {"METRICS_PORT": str(ports[0]), "REVISION": BUILD["revision"]}
    with run_server(fresh_database_url, redis_url, log, 0, **settings) as (port, _):
        environment = {
            "PUBLISHED_HOST": "127.0.0.1",
            "DATABASE_URL": fresh_database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": "s" * 40,
            "JWT_SECRET_KEY": "j" * 40,
            "COOKIE_SECURE": "false",
            "METRICS_PORT": str(ports[1]),
        }
        command = [sys.executable, "-c", "from wxc.cli.main import app; app()", "worker"]
        with (
            log.open("ab") as output,
            subprocess.Popen(command, env=settings | environment, stderr=output) as worker,  # noqa: S603 - no external input
        ):
            try:
                answers = [_answer(number) for number in ports]
            finally:
                worker.terminate()
        public = httpx.get(f"http://127.0.0.1:{port}/readyz")

    for answer in answers:
        assert {name: answer.json()[name] for name in BUILD} == BUILD, log.read_text()
        assert answer.json()["checks"]["database"] == "ok"
    assert public.json() == {"status": "ok"}


def _answer(port: int) -> httpx.Response:
    answers: list[httpx.Response] = []

    def is_answered() -> bool:
        try:
            answers.append(httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20))
        except httpx.TransportError:
            return False
        return True

    assert wait_until(is_answered, 20)
    return answers[0]
