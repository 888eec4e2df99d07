"""Headers that decide where a request goes and where it ends must be there once (RFC 9112)."""

import pytest
from tests.server.conftest import Ask

GET = b"GET /livez HTTP/1.1\r\n"
POST = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
HOST, CHUNKED = b"Host: a\r\n", b"Transfer-Encoding: chunked\r\n"
EMPTY_CHUNK = b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"\r\n",
        GET + HOST * 2 + b"\r\n",
        GET + HOST + b"host: b\r\n\r\n",
        GET + b"Host: a, b\r\n\r\n",
        GET + b"Host: a b\r\n\r\n",
        GET + b"Host: a/b\r\n\r\n",
        GET + b"Host: user@a\r\n\r\n",
        GET + b"Host: a:b\r\n\r\n",
        GET + b"Host: [::1\r\n\r\n",
        b"GET /livez HTTP/1.0\r\n" + HOST * 2 + b"\r\n",
        POST + b"Content-Length: 2\r\n" * 2 + b"\r\n{}",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Content-Length: 2, 2\r\n\r\n{}",
        POST + b"Content-Length: +2\r\n\r\n{}",
        POST + b"Content-Length: 2\r\n" + CHUNKED + EMPTY_CHUNK,
        POST + CHUNKED * 2 + EMPTY_CHUNK,
        POST + b"Transfer-Encoding: gzip, chunked\r\n" + EMPTY_CHUNK,
        POST + b"Transfer-Encoding: xchunked\r\n" + EMPTY_CHUNK,
        POST + b"Transfer-Encoding: identity\r\n" + EMPTY_CHUNK,
        POST.replace(b"1.1", b"1.0") + CHUNKED + EMPTY_CHUNK,
        b"GET /livez HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET /livez HTTP/0.9\r\n" + HOST + b"\r\n",
        b"GET /livez\r\n\r\n",
    ],
    ids=str,
)
async def test_ambiguous_requests_are_refused_and_the_connection_is_closed(
    ask: Ask, raw: bytes
) -> None:
    answer = await ask(raw)

    assert answer.status_code == 400
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "host", [b"a", b"API.example.com:8000", b"a.", b"[::1]:80", b"", b"10.0.0.1", b"a_b"], ids=str
)
async def test_every_valid_host_is_accepted(ask: Ask, host: bytes) -> None:
    answer = await ask(GET + b"Host: " + host + b"\r\nConnection: close\r\n\r\n")

    assert answer.status_code == 200


async def test_a_request_of_http_1_0_needs_no_host(ask: Ask) -> None:
    assert (await ask(b"GET /livez HTTP/1.0\r\n\r\n")).status_code == 200
