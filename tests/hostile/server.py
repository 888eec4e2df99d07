"""The application served by `wxc serve` in a process of its own, spoken to in raw bytes."""

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

_PATIENCE = 20.0  # seconds for the start, the end and any single answer


@dataclass(frozen=True)
class Server:
    """A server that is running."""

    port: int
    pid: int
    log: Path
    database_url: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def ask(
        self, head: bytes, body: bytes | AsyncIterable[bytes] = b"", end: bytes = b"\r\n\r\n"
    ) -> httpx.Response:
        """Send these very bytes; the answer, read until the server closes the connection."""
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            answered = asyncio.create_task(_all_of(reader))
            try:
                writer.write(head.replace(b"\n", b"\r\n") + end)
                await _pour(writer, body, answered)
                return _parsed(await answered)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def get(self, path: bytes, *headers: bytes) -> httpx.Response:
        """GET this very path."""
        lines = [b"GET " + path + b" HTTP/1.1", b"Host: api.test", b"Connection: close", *headers]
        return await self.ask(b"\n".join(lines))

    def memory(self) -> int:
        """Bytes of memory that the process holds."""
        status = Path(f"/proc/{self.pid}/statm")
        if status.exists():
            return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        asked = ["/bin/ps", "-o", "rss=", "-p", str(self.pid)]
        return int(subprocess.check_output(asked)) * 1024  # noqa: S603 - nobody else's words


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    """What came before the server closed, be it with a reset of what it had not read."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while part := await reader.read(65_536):
            received += part
    return bytes(received)


async def _pour(
    writer: asyncio.StreamWriter,
    body: bytes | AsyncIterable[bytes],
    answered: "asyncio.Task[bytes]",
) -> None:
    """Write the body until all of it is sent or the server has had enough."""
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
    """Serve on a database of its own until the block ends; its log holds no secret then."""
    engine = os.environ["WXC_TEST_DATABASE_URL"]
    template = os.environ["WXC_TEST_TEMPLATE"]
    name = f"{template}_{uuid4().hex[:8]}"
    url = asyncio.run(clone_database(engine, template, name))
    with run_server(url, redis_url, log, **settings) as (port, process):
        try:
            yield Server(port, process.pid, log, url)
        finally:
            process.terminate()
            process.wait(_PATIENCE)
            asyncio.run(drop_database(engine, name))
    assert_no_secret(log)
