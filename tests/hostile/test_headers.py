"""Rows 1, 2 and 13: hostile values in every header that the application reads."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, Operation, Slot, operations, those
from tests.hostile.refusals import assert_no_echo, assert_refused
from tests.hostile.server import Server

SIGNED_IN_ONLY = those(
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


async def _with(world: World, operation: Operation, *headers: tuple[str, bytes]) -> httpx.Response:
    """The operation by Ada, with these headers in place of hers."""
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
    """The headers of the operation that must have a certain form."""
    return {
        str(slot.path[0]).lower(): slot
        for slot in operation.parameters("header")
        if "pattern" in (slot.string or {})
    }


@pytest.mark.parametrize("operation", SIGNED_IN_ONLY, ids=str)
@pytest.mark.parametrize("cookie", ["wxc_access", "wxc_refresh"])
async def test_a_session_cookie_that_is_garbage_is_never_anonymous(
    operation: Operation, cookie: str, world: World
) -> None:
    before = await world.state()

    for value in GARBAGE[1:]:
        answer = await _with(world, operation, ("cookie", cookie.encode() + b"=" + value))

        assert_refused(answer, "not_authenticated", "session_expired")
    assert await world.state() == before


@pytest.mark.parametrize(
    "operation", [one for one in SIGNED_IN_ONLY if one.method != "GET"], ids=str
)
async def test_a_csrf_token_or_origin_that_is_garbage_changes_nothing(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for value in GARBAGE:
        for name in ("x-csrf-token", "origin", "sec-fetch-site"):
            answer = await _with(world, operation, (name, value))
            assert_refused(answer, "csrf_failed")
    assert await world.state() == before


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_any_other_header_may_hold_garbage(operation: Operation, world: World) -> None:
    plain = (await _with(world, operation)).status_code
    expected = {plain, 404} if operation.method == "DELETE" else {plain, 409, 401}
    if "412" in operation.declared["responses"]:
        expected.add(412)  # a version that nobody has read is none to write over
    others = [name for name in READ if name not in _declared(operation)]

    for value in (*GARBAGE[1:5], *GARBAGE[6:10], GARBAGE[-1]):
        answer = await _with(world, operation, *((name, value) for name in others))

        assert answer.status_code in expected, (value, answer.text)
        assert_no_echo(answer)
        assert answer.headers["x-request-id"].isalnum()


@pytest.mark.parametrize("operation", those(_declared), ids=str)
async def test_a_header_that_is_declared_is_refused_where_it_is_garbage(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for name, slot in _declared(operation).items():
        for value in GARBAGE:
            if value.isascii() and slot.admits(value.decode()):
                continue
            answer = await _with(world, operation, (name, value))

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


async def test_bytes_that_are_no_text_are_harmless_in_a_header(server: Server) -> None:
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
    ids=["long", "many", "one often", "200 cookies", "long cookie", "long name"],
)
async def test_headers_over_16_kib_or_a_thousand_of_them_are_refused(
    headers: list[bytes], server: Server
) -> None:
    refused = await server.get(b"/livez", *headers)
    fine = await server.get(b"/livez")

    assert_refused(refused, "headers_too_large")
    assert fine.status_code == 200


async def test_an_endless_head_is_neither_awaited_nor_stored(server: Server) -> None:
    before = server.memory()

    async def endless() -> AsyncIterator[bytes]:
        for number in range(1000):
            yield b"X-%d: " % number + CANARY.encode() * 2000 + b"\r\n"
            await asyncio.sleep(0.001)

    answer = await server.ask(b"GET /livez HTTP/1.1\nHost: a", endless(), end=b"\r\n")

    assert answer.status_code in (400, 431)  # far beyond the application's limit: the parser's
    assert_no_echo(answer)
    assert server.memory() - before < 20 * 2**20
    assert (await server.get(b"/livez")).status_code == 200


async def test_headers_within_the_limits_are_read(server: Server) -> None:
    cookies = b"Cookie: wxc_access=" + b"a" * 8192

    assert (await server.get(b"/livez", *[b"A: 1"] * 250)).status_code == 200
    assert (await server.get(b"/livez", cookies)).status_code == 200
    assert_refused(await server.get(b"/auth-check", cookies), "not_authenticated")
