"""Rows 1, 2 and 13: hostile values in every header that the application reads."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, Operation, Slot, operations, operations_where
from tests.hostile.refusals import assert_no_echo, assert_refused
from tests.hostile.server import Server

SIGNED_IN_ONLY = operations_where(
    lambda operation: "session_expired" in str(operation.declared["responses"].get("401"))
)
GARBAGE = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    CANARY.encode(),
    b"%00 " + CANARY.encode(),
    b"a.b.c",
    b"eyJhbGciOiJub25lIn0.e30.",
    b"{}",
    b"a" * 8000,
    "é".encode("latin-1"),
)
READ = (
    *("x-request-id", "user-agent", "accept", "accept-language", "accept-encoding", "host"),
    *("x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip", "referer", "range"),
    *("if-none-match", "if-match", "idempotency-key", "last-event-id", "authorization"),
    *("if-modified-since", "expect", "x-original-url", "x-rewrite-url", "upgrade"),
)


async def _send_with(
    world: World, operation: Operation, *headers: tuple[str, bytes]
) -> httpx.Response:
    """Send the operation as Ada; these headers replace hers."""
    given = {name for name, _ in headers}
    own = [("x-csrf-token", (world.ada.csrf_token or "").encode())]
    if operation.body_schema:
        own.append(("content-type", b"application/json"))
    return await world.ada.http.request(
        operation.method,
        world.address(operation),
        content=operation.valid_body(),
        headers=[(name.encode(), value) for name, value in (*own, *headers) if name not in given]
        + [(name.encode(), value) for name, value in headers],
    )


def _declared(operation: Operation) -> dict[str, Slot]:
    """The declared headers of the operation that have a pattern."""
    return {
        str(slot.path[0]).lower(): slot
        for slot in operation.parameters("header")
        if "pattern" in (slot.string or {})
    }


@pytest.mark.parametrize("operation", SIGNED_IN_ONLY, ids=str)
@pytest.mark.parametrize("cookie", ["wxc_access", "wxc_refresh"])
async def test_a_garbage_session_cookie_is_refused_and_not_treated_as_anonymous(
    operation: Operation, cookie: str, world: World
) -> None:
    before = await world.state()

    for value in GARBAGE[1:]:
        answer = await _send_with(world, operation, ("cookie", cookie.encode() + b"=" + value))

        assert_refused(answer, "not_authenticated", "session_expired")
    assert await world.state() == before


@pytest.mark.parametrize(
    "operation", [one for one in SIGNED_IN_ONLY if one.method != "GET"], ids=str
)
async def test_a_garbage_csrf_token_or_origin_is_refused(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for value in GARBAGE:
        for name in ("x-csrf-token", "origin", "sec-fetch-site"):
            answer = await _send_with(world, operation, (name, value))
            assert_refused(answer, "csrf_failed")
    assert await world.state() == before


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_garbage_in_any_other_header_is_ignored(operation: Operation, world: World) -> None:
    plain = (await _send_with(world, operation)).status_code
    expected = {plain, 404} if operation.method == "DELETE" else {plain, 409, 401}
    if "412" in operation.declared["responses"]:
        expected.add(412)  # an unknown version in If-Match does not match
    others = [name for name in READ if name not in _declared(operation)]

    for value in (*GARBAGE[1:5], *GARBAGE[6:10], GARBAGE[-1]):
        answer = await _send_with(world, operation, *((name, value) for name in others))

        assert answer.status_code in expected, (value, answer.text)
        assert_no_echo(answer)
        assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize("operation", operations_where(_declared), ids=str)
async def test_garbage_in_a_declared_header_is_refused(operation: Operation, world: World) -> None:
    before = await world.state()

    for name, slot in _declared(operation).items():
        for value in GARBAGE:
            if value.isascii() and slot.admits(value.decode()):
                continue
            answer = await _send_with(world, operation, (name, value))

            assert_refused(answer, "validation_failed")
            pointers = [part["pointer"].lower() for part in answer.json()["errors"]]
            assert pointers == [f"header.{name}"]
    assert await world.state() == before


@pytest.mark.parametrize(
    "header",
    [b"X-A: \x00", b"X-A: a\x00b", b"Cookie: wxc_access=\x00", b"X\x00A: 1", b"X-A: a\x7fb"],
)
async def test_a_control_character_in_a_header_is_refused_by_the_server(
    header: bytes, server: Server
) -> None:
    answer = await server.get(b"/livez", header)

    assert answer.status_code == 400
    assert_no_echo(answer)


async def test_bytes_that_are_not_utf8_are_accepted_in_a_header(server: Server) -> None:
    for value in (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80"):
        for name in (b"User-Agent", b"X-Request-ID", b"X-Anything", b"Accept"):
            answer = await server.get(b"/livez", name + b": " + value)

            assert answer.status_code == 200
            assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize(
    "headers",
    [
        [b"X-A: " + b"a" * 17_000],
        [b"X-A-%d: a" % number for number in range(2000)],
        [b"A: 1"] * 1000,
        [b"Cookie: " + b"; ".join(b"c%d=" % number + b"v" * 90 for number in range(200))],
        [b"Cookie: wxc_access=" + b"a" * 17_000],
        [b"X-%s: 1" % (b"a" * 17_000)],
    ],
    ids=["long", "many", "one repeated", "200 cookies", "long cookie", "long name"],
)
async def test_headers_over_16_kib_or_a_thousand_headers_are_refused(
    headers: list[bytes], server: Server
) -> None:
    refused = await server.get(b"/livez", *headers)
    accepted = await server.get(b"/livez")

    assert_refused(refused, "headers_too_large")
    assert accepted.status_code == 200


async def test_endless_headers_are_refused_without_being_stored(server: Server) -> None:
    before = server.memory()

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            yield b"X-%d: " % number + CANARY.encode() * 2000 + b"\r\n"
            await asyncio.sleep(0.001)

    answer = await server.send(b"GET /livez HTTP/1.1\nHost: a", endless(), end=b"\r\n")

    assert answer.status_code in (400, 431)  # 400 by the parser, whose limit is far higher
    assert_no_echo(answer)
    assert server.memory() - before < 20 * 2**20
    assert (await server.get(b"/livez")).status_code == 200


async def test_headers_within_the_limits_are_accepted(server: Server) -> None:
    cookies = b"Cookie: wxc_access=" + b"a" * 8192

    assert (await server.get(b"/livez", *[b"A: 1"] * 250)).status_code == 200
    assert (await server.get(b"/livez", cookies)).status_code == 200
    assert_refused(await server.get(b"/auth-check", cookies), "not_authenticated")
