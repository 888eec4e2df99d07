"""The application behind the server's own protocol, on a real socket of the test's event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from wxc.app import create_app
from wxc.core.config import Config
from wxc.server.protocol import BoundedProtocol

Ask = Callable[..., Awaitable[httpx.Response]]
ANSWER_TIMEOUT = 20.0  # seconds


@asynccontextmanager
async def listen(config: Config, app: Any = None) -> AsyncIterator[int]:
    """The port of a server with this configuration."""
    application = create_app(config)
    loop = asyncio.get_running_loop()
    async with application.router.lifespan_context(application) as state:
        options = uvicorn.Config(app or application, ws="none", lifespan="off", log_config=None)
        options.load()
        shared = ServerState()
        server = await loop.create_server(
            lambda: BoundedProtocol(options, shared, dict(state or {}), loop), "127.0.0.1", 0
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in list(shared.connections):
                connection.transport.abort()


async def ask_port(port: int, raw: bytes) -> httpx.Response:
    """The only response to these bytes; the server has to close the connection."""
    async with asyncio.timeout(ANSWER_TIMEOUT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        received = bytearray()
        with suppress(ConnectionResetError):
            while part := await reader.read(65_536):
                received += part
        writer.close()
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    return httpx.Response(int(status.split()[1]), headers=headers, content=body)


@pytest.fixture
async def ask(config: Config) -> AsyncIterator[Ask]:
    async with listen(config) as port:

        async def ask(raw: bytes) -> httpx.Response:
            return await ask_port(port, raw)

        yield ask
