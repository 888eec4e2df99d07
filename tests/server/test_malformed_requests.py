"""What the HTTP parser refuses is a problem (RFC 9457) with the headers of every response."""

import asyncio
import re

import httpx
import pytest
from tests.server.conftest import Ask, ask_port, listen

from wxc.core.config import Config

GET, POST = b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"POST /login HTTP/1.1\r\nHost: a\r\n"
CANARY = b"KANARIENVOGEL"
JSON = b"Content-Type: application/json\r\n"
MALFORMED = {
    "header value": GET + b"X-A: " + CANARY + b"\x00\r\n\r\n",
    "header name": GET + CANARY + b" A: b\r\n\r\n",
    "folded header": GET + b"X-A: a\r\n b\r\n\r\n",
    "method": CANARY + b" / HTTP/1.1\r\nHost: a\r\n\r\n",
    "lower-case method": b"get /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "version": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00",
    "no host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\n" * 2 + b"\r\n{}",
    "chunk size": POST + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "long path": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


def assert_problem(
    answer: httpx.Response, status: int = 400, code: str = "malformed_request"
) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"/docs/errors/{code}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", problem["request_id"])
    assert {"type", "title", "status", "detail", "instance", "code", "request_id"} == problem.keys()
    assert answer.headers["connection"] == "close"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert CANARY.decode() not in answer.text


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_request_gets_a_problem(ask: Ask, raw: bytes) -> None:
    assert_problem(await ask(raw))


async def test_a_head_that_is_too_large_gets_a_problem(ask: Ask) -> None:
    answer = await ask(GET + b"X-A: " + b"a" * 200_000)

    assert_problem(answer, 431, "headers_too_large")


async def test_the_id_of_the_client_is_kept(ask: Ask) -> None:
    answer = await ask(GET + b"Host: a\r\nX-Request-ID: abcd-1234\r\n\r\n")

    assert answer.headers["x-request-id"] == "abcd-1234"


async def test_hsts_is_sent_if_cookies_are_secure(config: Config) -> None:
    async with listen(config.model_copy(update={"cookie_secure": True})) as port:
        answer = await ask_port(port, MALFORMED["method"])

    assert_problem(answer)
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_an_error_never_answers_an_earlier_request(config: Config) -> None:
    """Pipelined after a request that is not answered yet."""
    release = asyncio.Event()

    async def app(scope: object, receive: object, send: httpx.AsyncByteStream) -> None:
        await release.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body"})  # type: ignore[operator]

    async with listen(config, app) as port:
        asked = asyncio.create_task(ask_port(port, GET + b"\r\n" + MALFORMED["method"]))
        await asyncio.sleep(0.1)
        release.set()
        answer = await asked

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["connection"] == "close"
