"""`wxc serve` as in production, on a database of its own, with no limit in the way."""

import asyncio
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from wxc.core.config import Config

_PATIENCE = 30.0  # seconds for the start and for the end
_REDIS_DATABASE = "/15"  # apart from whatever else that Redis may hold


@contextmanager
def serving() -> Iterator[http.client.HTTPConnection]:
    """A connection to a server on the engines of `DATABASE_URL` and `REDIS_URL`."""
    with _own_database(os.environ["DATABASE_URL"]) as database_url:
        port = _free_port()
        settings = {**os.environ, **_settings(database_url), **_no_limits()}
        subprocess.run([_wxc(), "migrate"], env=settings, check=True, capture_output=True)
        command = [_wxc(), "serve", "--host", "127.0.0.1", "--port", str(port)]
        with subprocess.Popen(command, env=settings) as process:
            try:
                with closing(_connected(process, port)) as connection:
                    yield connection
            finally:
                process.terminate()
                process.wait(_PATIENCE)


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    name = f"wxc_bench_{secrets.token_hex(6)}"
    asyncio.run(_administer(url, f'CREATE DATABASE "{name}"'))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_administer(url, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _administer(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1))
    await connection.execute(statement)
    await connection.close()


def _settings(database_url: str) -> Mapping[str, str]:
    """Production's, but for the cookies: there is no TLS here."""
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "DATABASE_DIRECT_URL": database_url,
        "REDIS_URL": urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=_REDIS_DATABASE)),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SECRET_KEY": secrets.token_urlsafe(48),
        "COOKIE_SECURE": "false",
        "LOG_LEVEL": "warning",
    }


def _no_limits() -> Mapping[str, str]:
    """Every limit that there is, so high that nothing measured here reaches it."""
    limits = {name: one for name, one in Config.model_fields.items() if name.startswith("limit_")}
    return {
        name.upper(): "1000000 per second" if isinstance(one.default, str) else "1000000"
        for name, one in limits.items()
    }


def _connected(process: subprocess.Popen[bytes], port: int) -> http.client.HTTPConnection:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                return connection
        connection.close()
        time.sleep(0.05)
    sys.exit("The server did not start; what it has said is above.")


def _wxc() -> str:
    return str(Path(sys.executable).with_name("wxc"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
