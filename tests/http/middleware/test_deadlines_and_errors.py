import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from tests.support.browser import Browser

from wxc.app import create_app
from wxc.core.config import Config
from wxc.http.disconnects import ClientDisconnected
from wxc.http.middleware.error_handler import ErrorHandler
from wxc.http.middleware.request_body_limit import RequestBodyLimit
from wxc.http.traffic import Traffic

APP = "https://app.example.com"
trouble = APIRouter(tags=["trouble"])
hanging = asyncio.Semaphore(0)


@trouble.get("/fail")
async def fail() -> None:
    raise RuntimeError("canary")


@trouble.get("/hang")
async def hang() -> None:
    hanging.release()
    await asyncio.sleep(60)


@trouble.get("/time-out")
async def time_out() -> None:
    raise TimeoutError("canary")


@pytest.fixture
async def app(config: Config) -> FastAPI:
    app = create_app(
        config.model_copy(
            update={"request_deadline": 0.1, "requests_in_flight": 2, "body_deadline": 0.1}
        )
    )
    app.include_router(trouble)
    return app


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fail", 500, "internal_error"),
        ("/hang", 503, "deadline_exceeded"),
        ("/time-out", 503, "unavailable"),
    ],
)
async def test_every_error_is_a_problem_that_reveals_no_internals(
    stranger: Browser, path: str, status: int, code: str
) -> None:
    answer = await stranger.get(path, headers={"Origin": APP})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == APP
    assert "canary" not in answer.text


async def test_concurrency_limit_refuses_requests_except_probes(
    stranger: Browser,
) -> None:
    while not hanging.locked():  # released by other tests
        await hanging.acquire()
    tasks = [asyncio.create_task(stranger.get("/hang")) for _ in range(2)]
    for _ in tasks:
        await hanging.acquire()

    answer = await stranger.get("/docs/errors")

    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    assert (await stranger.get("/livez")).status_code == 200
    await asyncio.gather(*tasks)
    assert (await stranger.get("/docs/errors")).status_code == 200


async def test_slow_body_times_out(stranger: Browser) -> None:
    async def dribble() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(1)
        yield b"}"

    answer = await stranger.post("/login", content=dribble())

    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
    assert answer.headers["connection"] == "close"


async def _unexpected(_request: Request, error: Exception) -> Response:
    raise AssertionError("no response may be sent for this error") from error


async def test_client_that_disconnects_while_sending_its_body_gets_no_response() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not reached")

    scope: dict[str, Any] = {
        "type": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-length", b"5")],
    }
    limit = RequestBodyLimit(
        app, limit_for=lambda _: 10, deadline=1, max_requests=1, traffic=Traffic()
    )
    with pytest.raises(ClientDisconnected):
        await limit(scope, receive, send)

    await ErrorHandler(limit, respond=_unexpected)(scope, receive, send)
    assert sent == []


async def test_error_after_the_response_began_sends_no_second_response() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        await ErrorHandler(app, respond=_unexpected)({"type": "http", "path": "/"}, receive, send)

    assert len(sent) == 1
