"""Rows 2, 6, 10, 12, 25 and 27: requests that need raw bytes on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.hostile.corpus import CANARY, WITH_BODY, Operation, document
from tests.hostile.refusals import assert_no_echo, assert_refused
from tests.hostile.server import Server

from wxc.core.config import Config

_KIB = 1024
_CHUNK = b"4000\r\n" + b" " * 16 * _KIB + b"\r\n"
TRICKS = (
    *(b"//", b"///livez", b"//livez", b"/livez/", b"/livez//", b"/livez/.", b"/./livez"),
    *(b"/docs/../livez", b"/docs/..;/livez", b"/..;/livez", b"/;/livez", b"/livez;a=b"),
    *(b"/%2e%2e/livez", b"/docs/%2e%2e/livez", b"/docs%2F..%2Flivez", b"/%2Flivez", b"/livez%2F"),
    *(b"/livez%00", b"/%00", b"/livez%20", b"/livez%0A", b"/livez%0D%0AX-Evil:%20a", b"/LIVEZ"),
    *(b"/livez%3Fa=b", b"/livez%23", b"/\\livez", b"/%5Clivez", b"/%ff", b"/%c0%af", b"/%"),
    *(b"//evil.example/", b"/%09/evil.example", b"//evil.example/%2e%2e", b"/https://evil.example"),
    *(b"/docs/assets/../pages.py", b"/docs/assets/%2e%2e/pages.py", b"/docs/assets/..%2fpages.py"),
    *(b"/docs/assets/%2e%2e%2f%2e%2e%2fapp.py", b"/docs/assets/....//pages.py", b"/docs/assets"),
    *(b"/docs/assets/", b"/docs/assets//etc/passwd", b"/docs/assets/%2Fetc%2Fpasswd"),
    *(b"/docs/assets/docs.css%00.js", b"/docs/assets/%252e%252e/x"),
    *(b"/.env", b"/.git/config", b"/users/grace/../../.env", b"/docs/errors/%2e%2e", b"/docs/"),
    b"/" + CANARY.encode() * 100,
)


def _head(operation: Operation, *headers: bytes) -> bytes:
    start = f"{operation.method} {operation.path} HTTP/1.1".encode()
    return b"\n".join((start, b"Host: api.test", b"Content-Type: application/json", *headers))


@pytest.mark.parametrize("path", TRICKS, ids=str)
async def test_a_disguised_path_is_404_or_malformed_and_never_a_redirect(
    path: bytes, server: Server
) -> None:
    answer = await server.get(path)

    code = assert_refused(answer, "not_found", "malformed_request")
    assert (code == "malformed_request") == (b"%00" in path or b"%2f" in path.lower())
    assert "location" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "SEARCH", "PURGE", "M-SEARCH"])
async def test_a_method_of_other_protocols_is_405(method: str, server: Server) -> None:
    answer = await server.send(
        f"{method} /livez HTTP/1.1\nHost: a\nX-Echo: {CANARY}\nConnection: close".encode()
    )

    assert_refused(answer, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "start",
    [
        b"CONNECT evil.example:443 HTTP/1.1",
        b"KANARIENVOGEL / HTTP/1.1",
        b"GET / HTTP/9.9",
        b"get /livez HTTP/1.1",
    ],
)
async def test_malformed_request_lines_are_refused(start: bytes, server: Server) -> None:
    answer = await server.send(start + b"\nHost: a\nConnection: close")

    assert answer.status_code in (400, 404, 405)
    assert_no_echo(answer)


async def test_a_query_of_60_kib_or_more_is_refused(server: Server) -> None:
    many = "&".join(f"{number}" for number in range(10_000)).encode()

    for query in (many, b"&" * 60 * _KIB, b"limit=" + b"1" * 60 * _KIB):
        assert_refused(await server.get(b"/livez?" + query), "uri_too_long")
    # Over 64 KiB the HTTP parser refuses the request.
    assert_refused(await server.get(b"/livez?" + CANARY.encode() * 6000), "malformed_request")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_with_a_too_large_content_length_is_refused_before_it_arrives(
    operation: Operation, server: Server, config: Config
) -> None:
    for length in (config.body_limit + 1, 5 * 2**30, 2**63):
        answer = await server.send(_head(operation, b"Content-Length: %d" % length))

        assert_refused(answer, "body_too_large")
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_chunked_body_is_refused_when_it_exceeds_the_limit(
    operation: Operation, server: Server, config: Config
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 16 * _KIB
            yield _CHUNK
            await asyncio.sleep(0.002)

    answer = await server.send(_head(operation, b"Transfer-Encoding: chunked"), endless())

    assert_refused(answer, "body_too_large")
    assert answer.headers["connection"] == "close"
    assert sent < 4 * config.body_limit


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_raw_bytes_that_are_not_utf8_json_are_refused(
    operation: Operation, server: Server
) -> None:
    for body in (b"\xef\xbb\xbf{}", b'{"a": "\xff"}', b'{"a": "\xc0\xaf"}', b"\x00", b"\xff" * 9):
        head = _head(operation, b"Content-Length: %d" % len(body), b"Connection: close")

        assert_refused(await server.send(head, body), "json_malformed")


@pytest.mark.faults
@pytest.mark.parametrize("opening", [b"[", b'{"":', b'"\\"'], ids=["arrays", "objects", "quotes"])
async def test_deep_nesting_exhausts_neither_memory_nor_the_worker(
    opening: bytes, server: Server
) -> None:
    body = b"[" * 40 + opening * (240 * _KIB // len(opening))
    url = f"{server.url}/posts"
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(timeout=10) as client:
        for _ in range(20):
            await client.post(url, content=body, headers=headers)
        before = server.memory()

        for _ in range(100):
            answer = await client.post(url, content=body, headers=headers)
            assert_refused(answer, "json_too_deep")

    assert server.memory() - before < 20 * _KIB**2
    assert (await server.get(b"/livez")).status_code == 200


@pytest.mark.faults
async def test_five_gigabytes_in_chunks_are_refused_without_being_stored(server: Server) -> None:
    head = _head(WITH_BODY[-1], b"Transfer-Encoding: chunked")
    sent = 0

    async def five_gigabytes() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(5 * 2**30 // len(_CHUNK)):
            sent += len(_CHUNK)
            yield _CHUNK
            await asyncio.sleep(0.002)

    await server.send(head, five_gigabytes())
    before = server.memory()
    for _ in range(40):
        sent = 0
        answer = await server.send(head, five_gigabytes())

        assert_refused(answer, "body_too_large")
        assert sent < 2**20
    assert server.memory() - before < 20 * _KIB**2


async def test_requests_cannot_forge_lines_of_the_log(server: Server) -> None:
    fakes = (b"/livez%0A%7B%22level%22%3A%22error%22%7D", b"/%0D%0A" + CANARY.encode())
    for path in (*fakes, b"/feeds?" + CANARY.encode() + b"%0A%0A", b"/\xff\xfe"):
        await server.get(path, b"User-Agent: " + CANARY.encode() + b"\x85{}", b"X-Request-ID: a\tb")

    lines = [json.loads(line) for line in server.log.read_text().splitlines()]

    assert len([line for line in lines if line.get("route") == "/feeds"]) > 0
    assert all(line["message"] and "\n" not in line["message"] for line in lines)
    assert CANARY not in server.log.read_text()
    known = {"(no route)", *document()["paths"]}
    assert {line["route"] for line in lines if "route" in line} & known
