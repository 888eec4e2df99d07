"""Row 74: with a full Redis, which refuses writes, log-outs and rate limits still apply."""

import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi import FastAPI
from redis import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.factories import PASSWORD
from tests.support.server import free_port
from wxc.core.config import Config

_START_TIMEOUT = 10.0


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis with 2 MB and without eviction."""
    port = free_port()
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    assert program
    options = ["--maxmemory", "2mb", "--maxmemory-policy", "noeviction", "--save", ""]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", *options]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        url, until = f"redis://127.0.0.1:{port}/0", time.monotonic() + _START_TIMEOUT
        while time.monotonic() < until:
            with suppress(RedisError), Redis.from_url(url) as client:
                client.ping()
                break
        yield url
        process.kill()


def fill(url: str) -> None:
    """Fill Redis, and assert that it refuses writes."""
    with Redis.from_url(url) as client:
        with suppress(OutOfMemoryError):
            for number in range(100):
                client.set(f"filling:{number}", "x" * 65_536)
        client.config_set("maxmemory", "1mb")  # closed connections would free some
        with pytest.raises(OutOfMemoryError):
            client.set("more", "x")


@pytest.fixture
async def instances(
    config: Config, fresh_database_url: str, redis_url: str
) -> AsyncIterator[tuple[FastAPI, FastAPI]]:
    changed = {"database_url": fresh_database_url, "revocation_poll_interval": 0.2}
    config = config.model_copy(update=changed)
    async with running_app(config) as one, running_app(config) as other:
        yield one, other


async def test_logouts_and_login_limits_apply_with_a_full_redis(
    instances: tuple[FastAPI, FastAPI], redis_url: str
) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    async with Browser(instances[0]) as ada, Browser(instances[1]) as other:
        await ada.post("/register", json=account)
        await ada.log_in("ada")
        other.http.cookies.update(dict(ada.http.cookies))
        assert (await other.get("/auth-check")).status_code == 200

        fill(redis_url)

        assert (await ada.get("/feeds")).status_code == 200
        assert (await ada.post("/posts", json={"body": "Still here."})).status_code == 201
        assert (await ada.post("/logout")).status_code == 204
        assert (await other.get("/auth-check")).status_code == 401
    async with Browser(instances[0]) as stranger:
        wrong = [(await stranger.log_in("ada", "a wrong password")).status_code for _ in range(6)]
        assert wrong == [401] * 5 + [429]
