"""The size of a request's head is bounded, the size of its body is not."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from wxc.server.protocol import MAX_HEAD_SIZE, BoundedProtocol


class Transport(asyncio.Transport):
    """A connection that records the sent bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_closed = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: Any) -> None:
        self.sent += bytes(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def _respond_without_content(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def connection() -> tuple[BoundedProtocol, Transport]:
    config = Config(_respond_without_content, log_config=None)
    config.load()
    protocol = BoundedProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    transport = Transport()
    protocol.connection_made(transport)
    return protocol, transport


def line(length: int) -> bytes:
    return b"X-Long: " + b"a" * length + b"\r\n"


async def test_a_head_that_is_too_large_closes_the_connection(
    connection: tuple[BoundedProtocol, Transport],
) -> None:
    protocol, transport = connection
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: a\r\n")

    for _ in range(3):
        assert not transport.is_closed
        protocol.data_received(line(MAX_HEAD_SIZE // 3))

    assert transport.is_closed
    assert transport.sent.startswith(b"HTTP/1.1 431")


async def test_a_long_body_is_accepted(
    connection: tuple[BoundedProtocol, Transport],
) -> None:
    protocol, transport = connection
    length = 2 * MAX_HEAD_SIZE
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length

    for _ in range(2):  # twice on the same connection
        transport.sent = b""
        protocol.data_received(request + b"a" * (length - 1))
        protocol.data_received(b"a")
        for _ in range(10):
            await asyncio.sleep(0)
        assert transport.sent.startswith(b"HTTP/1.1 204")
    protocol.data_received(request + b"a" * length)

    assert not transport.is_closed
    protocol.connection_lost(None)
