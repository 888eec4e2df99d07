"""`wxc serve` in a separate process, with requests of raw bytes."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from tests.support.database import clone_database, drop_database
from tests.support.secrecy import assert_no_secret
from tests.support.server import run_server

_TIMEOUT = 20.0  # seconds, for the shutdown and for each response


@dataclass(frozen=True)
class Server:
    port: int
    pid: int
    log: Path
    database_url: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def send(
        self, head: bytes, body: bytes | AsyncIterable[bytes] = b"", end: bytes = b"\r\n\r\n"
    ) -> httpx.Response:
        """Send these bytes; returns the response, read until the server closes the connection."""
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            answered = asyncio.create_task(_read_all(reader))
            try:
                writer.write(head.replace(b"\n", b"\r\n") + end)
                await _write_body(writer, body, answered)
                return _parsed(await answered)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def get(self, path: bytes, *headers: bytes) -> httpx.Response:
        """GET this path without normalising it."""
        lines = [b"GET " + path + b" HTTP/1.1", b"Host: api.test", b"Connection: close", *headers]
        return await self.send(b"\n".join(lines))

    def memory(self) -> int:
        """The resident memory of the process in bytes."""
        status = Path(f"/proc/{self.pid}/statm")
        if status.exists():
            return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        command = ["/bin/ps", "-o", "rss=", "-p", str(self.pid)]
        return int(subprocess.check_output(command)) * 1024  # noqa: S603 - no external input


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """The bytes received until the server closed or reset the connection."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while part := await reader.read(65_536):
            received += part
    return bytes(received)


async def _write_body(
    writer: asyncio.StreamWriter,
    body: bytes | AsyncIterable[bytes],
    answered: "asyncio.Task[bytes]",
) -> None:
    """Write the body until it is sent or the server has answered or closed the connection."""
    with suppress(ConnectionError):
        if isinstance(body, bytes):
            writer.write(body)
            await writer.drain()
            return
        async for part in body:
            if answered.done():
                return
            writer.write(part)
            await writer.drain()


def _parsed(raw: bytes) -> httpx.Response:
    head, _, body = raw.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


@contextmanager
def serving(redis_url: str, log: Path, **settings: str) -> Iterator[Server]:
    """Serve on a separate database until the block ends; the log must not contain a secret."""
    engine = os.environ["WXC_TEST_DATABASE_URL"]
    template = os.environ["WXC_TEST_TEMPLATE"]
    name = f"{template}_{uuid4().hex[:8]}"
    url = asyncio.run(clone_database(engine, template, name))
    with run_server(url, redis_url, log, **settings) as (port, process):
        try:
            yield Server(port, process.pid, log, url)
        finally:
            process.terminate()
            process.wait(_TIMEOUT)
            asyncio.run(drop_database(engine, name))
    assert_no_secret(log)
