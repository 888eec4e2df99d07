"""Limits on opening and sending streams."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wxc.http.disconnects import ClientDisconnected
from wxc.http.middleware.error_handler import ErrorHandler
from wxc.http.middleware.stream_limit import StreamLimit
from wxc.http.refusals.server import Overloaded
from wxc.http.traffic import Traffic


def limited(app: ASGIApp, max_opening: int = 1) -> StreamLimit:
    return StreamLimit(
        app,
        paths=re.compile("/stream"),
        send_timeout=0.05,
        max_opening=max_opening,
        traffic=Traffic(),
    )


async def test_a_stream_may_last_longer_than_the_send_timeout() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for number in range(3):
            await asyncio.sleep(0.04)
            await send({"type": "http.response.body", "body": b"%d" % number})

    sent: list[Message] = []
    await limited(app)(_asked("/stream"), _nothing, _into(sent))

    assert [message["body"] for message in sent] == [b"0", b"1", b"2"]


async def test_a_client_that_stops_reading_is_disconnected() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b""})

    async def stuck(message: Message) -> None:
        await asyncio.sleep(60)

    gate = limited(app)
    for _ in range(2):  # its place is free again
        with pytest.raises(ClientDisconnected):
            await asyncio.wait_for(gate(_asked("/stream"), _nothing, stuck), 5)


async def test_the_disconnection_of_a_client_is_no_error() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b"piece"

    async def connected() -> Message:
        await asyncio.sleep(60)
        raise AssertionError("not reached")

    async def stuck(message: Message) -> None:
        await asyncio.sleep(60 if message["type"] == "http.response.body" else 0)

    async def unexpected(_request: Request, error: Exception) -> Response:
        raise AssertionError("a response to this error") from error

    app = ErrorHandler(limited(StreamingResponse(pieces())), respond=unexpected)

    await asyncio.wait_for(app(_asked("/stream"), connected, stuck), 5)


async def test_a_disconnection_in_a_task_group_is_no_error_and_other_errors_are() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ExceptionGroup("of a task group", errors)

    errors: list[Exception] = [ClientDisconnected()]
    with pytest.raises(ClientDisconnected):
        await limited(app)(_asked("/stream"), _nothing, _into([]))
    errors.append(ZeroDivisionError())
    with pytest.raises(ExceptionGroup):
        await limited(app)(_asked("/stream"), _nothing, _into([]))


async def test_a_response_that_has_begun_does_not_count_as_opening() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.body", "body": b"outer"})
        if scope["path"] == "/stream" and len(sent) < 3:
            await gate(scope, receive, send)

    gate, sent = limited(app), list[Message]()
    await gate(_asked("/stream"), _nothing, _into(sent))

    assert len(sent) == 3


async def test_too_many_opening_streams_are_refused_and_other_requests_are_not() -> None:
    served = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope["path"])
        if scope["path"] == "/stream":
            with pytest.raises(Overloaded):
                await gate(scope, receive, send)
            await gate(_asked("/other"), receive, send)

    gate = limited(app)
    for _ in range(2):
        await gate(_asked("/stream"), _nothing, _into([]))

    assert served == ["/stream", "/other"] * 2


def _asked(path: str) -> Scope:
    return {"type": "http", "path": path}


async def _nothing() -> Message:
    raise AssertionError("nobody reads")


def _into(sent: list[Message]) -> Send:
    async def send(message: Message) -> None:
        sent.append(message)

    return send
