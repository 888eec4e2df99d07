"""`wxc serve` with the parameters of production, without rate limits."""

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

_TIMEOUT_SECONDS = 30.0  # of the start and of the shutdown


@dataclass(frozen=True)
class Server:
    port: int
    pid: int
    connection: http.client.HTTPConnection


@contextmanager
def serve_empty() -> Iterator[http.client.HTTPConnection]:
    """A connection to a server on an empty temporary database."""
    with _temporary_database(os.environ["DATABASE_URL"]) as database_url:
        settings = environment(database_url)
        subprocess.run([wxc(), "migrate"], env=settings, check=True, capture_output=True)
        with start_server([wxc(), "serve"], settings) as server:
            yield server.connection


@contextmanager
def serve_filled(database_url: str) -> Iterator[Server]:
    """One worker on an existing database."""
    with start_server([wxc(), "serve"], environment(database_url)) as server:
        yield server


@contextmanager
def start_server(command: Sequence[str], settings: Mapping[str, str]) -> Iterator[Server]:
    """A server that takes `--host` and `--port` and answers `/healthz`; stopped on exit."""
    port = _free_port()
    address = ["--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen([*command, *address], env=dict(settings)) as process:
        try:
            with closing(_wait_until_healthy(process, port)) as connection:
                yield Server(port, process.pid, connection)
        finally:
            process.terminate()
            process.wait(_TIMEOUT_SECONDS)


def serve(app: Callable[..., Any], arguments: Sequence[str], **uvicorn_options: Any) -> None:  # noqa: ANN401 - uvicorn's
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parsed = parser.parse_args(arguments)
    uvicorn.run(
        app,
        host=parsed.host,
        port=parsed.port,
        log_config=None,
        access_log=False,
        **uvicorn_options,
    )


@contextmanager
def _temporary_database(url: str) -> Iterator[str]:
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


def _wait_until_healthy(process: subprocess.Popen[bytes], port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                return connection
        connection.close()
        time.sleep(0.05)
    sys.exit("The server did not start; its output is above.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
