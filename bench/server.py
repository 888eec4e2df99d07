"""`wxc serve` as in production, on a database of its own, with no limit in the way."""

import argparse
import asyncio
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import uvicorn

from bench.data import connect
from bench.settings import environment, wxc

_PATIENCE = 30.0  # seconds for the start and for the end


@dataclass(frozen=True)
class Served:
    """A server that has started."""

    port: int
    pid: int
    connection: http.client.HTTPConnection


@contextmanager
def serving() -> Iterator[http.client.HTTPConnection]:
    """A connection to a server with an empty database of its own on the given engines."""
    with _own_database(os.environ["DATABASE_URL"]) as database_url:
        settings = environment(database_url)
        subprocess.run([wxc(), "migrate"], env=settings, check=True, capture_output=True)
        with served([wxc(), "serve"], settings) as server:
            yield server.connection


@contextmanager
def serving_filled(database_url: str) -> Iterator[Served]:
    """One worker on a database that is there already."""
    with served([wxc(), "serve"], environment(database_url)) as server:
        yield server


@contextmanager
def served(command: Sequence[str], settings: Mapping[str, str]) -> Iterator[Served]:
    """A server that takes `--host` and `--port` and answers `/healthz`; it is ended at the end."""
    port = _free_port()
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen([*command, *address], env=dict(settings)) as process:
        try:
            with closing(_connected(process, port)) as connection:
                yield Served(port, process.pid, connection)
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def serve(app: Callable[..., Any], arguments: Sequence[str], **options: Any) -> None:  # noqa: ANN401 - uvicorn's
    """Serve an application of ours at `--host` and `--port`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    chosen = parser.parse_args(arguments)
    uvicorn.run(
        app, host=chosen.host, port=chosen.port, log_config=None, access_log=False, **options
    )


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    name = f"wxc_bench_{secrets.token_hex(6)}"
    asyncio.run(_administer(url, f'CREATE DATABASE "{name}"'))
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_administer(url, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def _administer(url: str, statement: str) -> None:
    connection = await connect(url)
    await connection.execute(statement)
    await connection.close()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
