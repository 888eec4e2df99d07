"""Connections that send slowly, nothing, or half of a body are bounded in time and number."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest
from tests.server.conftest import listen

from wxc.core.config import Config

HEAD = b"GET /livez HTTP/1.1\r\nHost: a\r\n"
BODY = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n{"
QUICK = {"head_deadline": 0.3, "connections_open": 20, "requests_in_flight": 8}


@pytest.fixture
async def port(config: Config) -> AsyncIterator[int]:
    async with listen(config.model_copy(update=QUICK)) as port:
        yield port


async def dribble(port: int, first: bytes, rest: bytes, interval: float) -> tuple[float, bytes]:
    """Send `first`, then `rest` byte by byte; the seconds until the close, and the response."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        writer.write(first)
        for byte in rest:
            if received.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(interval)
        await received
    writer.close()
    answer = received.result() if not received.exception() else b""
    return time.monotonic() - started, answer


@pytest.mark.parametrize(
    ("first", "rest", "status"),
    [
        (b"", b"", b""),
        (b"GET /livez", b"", b"HTTP/1.1 408"),
        (HEAD, b"X-A: " + b"a" * 1000, b"HTTP/1.1 408"),
        (b"", b"\r\n" * 500, b"HTTP/1.1 408"),
        (HEAD + b"\r\n", b"GET / HTTP/1.1\r\nX-A: " + b"a" * 1000, b"HTTP/1.1 200"),
        (HEAD + b"\r\nGET /li", b"a" * 1000, b"HTTP/1.1 200"),
        (HEAD + b"\r\n", b"\r\n" * 500, b"HTTP/1.1 200"),
    ],
    ids=["silent", "half", "dribbled", "blank lines", "second", "pipelined", "blank after"],
)
async def test_a_head_must_arrive_in_time(
    port: int, first: bytes, rest: bytes, status: bytes
) -> None:
    async with asyncio.timeout(20):
        seconds, answer = await dribble(port, first, rest, 0.02)

    assert seconds < 8
    assert answer.startswith(status)
    assert bool(answer) == bool(status)
    if b"408" in status:
        assert b'"code":"request_timeout"' in answer


async def test_a_quick_connection_outlives_the_deadline_of_heads(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert (await client.get("/livez")).status_code == 200
            await asyncio.sleep(0.4)


async def test_the_rest_of_a_body_that_is_not_read_must_arrive_in_time(port: int) -> None:
    refused = BODY.replace(b"\r\n\r\n", b"\r\nOrigin: http://evil.example\r\n\r\n")

    async with asyncio.timeout(20):
        _, answer = await dribble(port, refused, b" " * 3000, 0.02)

    assert answer.startswith(b"HTTP/1.1 403")


async def test_connections_are_limited_per_process(port: int) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
    await asyncio.sleep(0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = await asyncio.wait_for(reader.read(), 5)

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 1\r\n" in answer
    assert b'"code":"overloaded"' in answer
    for _, each in [*opened, (reader, writer)]:
        each.close()


async def test_bodies_being_read_count_as_requests_but_leave_room_for_others(port: int) -> None:
    opened = []
    for _ in range(4):  # half of the requests in flight
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(BODY)
        opened.append((reader, writer))
    await asyncio.sleep(0.2)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        body = await client.post("/login", json={"identifier": "a", "password": "b"})
        page = await client.get("/docs/errors")

    assert (body.status_code, body.json()["code"]) == (503, "overloaded")
    assert page.status_code == 200
    for _, each in opened:
        each.close()


@pytest.mark.faults
@pytest.mark.parametrize("first", [b"", HEAD], ids=["silent", "dribbled"])
async def test_the_deadline_of_heads_is_ten_seconds_by_default(
    config: Config, first: bytes
) -> None:
    async with listen(config) as port:
        seconds, _ = await dribble(port, first, b"X-A: " + b"a" * 25 if first else b"", 1)

    assert 9 < seconds < 15
