"""Rows 2 and 6 to 11: bodies that are not JSON, not objects, too deep, too long or undeclared."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, NEEDING_SESSION, WITH_BODY, Operation, operations, quoted
from tests.hostile.refusals import VALID_FORM_STATUSES, assert_refused, is_dead_link

from wxc.core.config import Config
from wxc.http.json_bodies import MAX_JSON_DEPTH

_CANARY = quoted(CANARY)
NOT_OBJECTS = {
    "array": b"[]",
    "array of texts": b"[" + _CANARY + b"]",
    "array of objects": b"[{}]",
    "text": _CANARY,
    "number": b"1",
    "boolean": b"true",
    "null": b"null",
    "nothing": b"",
}
NOT_JSON = {
    "white space": b" \n ",
    "trailing garbage": b'{"a": 1} ' + CANARY.encode(),
    "two documents": b"{}{}",
    "line comment": b'{"a": 1} // ' + _CANARY,
    "block comment": b'{/* */"a": 1}',
    "hash comment": b'{"a": 1} # ' + _CANARY,
    "single quotes": b"{'a': 1}",
    "bare key": b"{a: 1}",
    "trailing comma": b'{"a": 1,}',
    "unfinished": b'{"a": ' + _CANARY[:-1],
    "raw line break": b'{"a": "b\nc"}',
    "raw NUL": b'{"a": "b\0c"}',
    "bad escape": b'{"a": "\\x41"}',
    "form": b"a=1&b=" + CANARY.encode(),
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without BOM": '{"a": 1}'.encode("utf-16-le"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "Latin-1": '{"a": "é"}'.encode("latin-1"),
    "stray byte": b'{"a": "\xff"}',
    "cut character": b'{"a": "\xe2\x82"}',
    "overlong slash": b'{"a": "\xc0\xaf"}',
    "overlong NUL": b'{"a": "\xc0\x80"}',
    "encoded surrogate": b'{"a": "\xed\xa0\x80"}',
    "beyond Unicode": b'{"a": "\xf4\x90\x80\x80"}',
}
WRONG_TYPES = (
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonp",
    "application/problem+json",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=utf-8; charset=utf-16",
    "application/json, text/plain",
    f"application/json; x={CANARY}",
    CANARY,
    "",
)
HARMLESS_TYPES = ("application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF8"')
FORM_REFUSALS = ("validation_failed", "json_malformed", "json_too_deep", "duplicate_key")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_that_is_not_an_object_is_refused(operation: Operation, world: World) -> None:
    before = await world.state()

    for content in NOT_OBJECTS.values():
        assert_refused(await world.send(operation, content=content), "validation_failed")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_that_is_not_strict_json_in_utf8_is_refused(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for content in NOT_JSON.values():
        assert_refused(await world.send(operation, content=content), "json_malformed")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_duplicate_key_is_refused_even_if_it_is_escaped(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for slot in operation.slots:
        name = str(slot.path[-1])
        if name.isdigit():
            continue
        for spelled in (name, f"\\u{ord(name[0]):04x}{name[1:]}"):
            twice = operation.body_with_more(
                slot.path[:-1], b'"%s": %s' % (spelled.encode(), _CANARY)
            )
            assert_refused(await world.send(operation, content=twice), "duplicate_key")
    for inner in (b'{"a": 1, "a": 1}', b'[{"a": [{"b": 1, "b": 2}]}]'):
        nested = operation.body_with(operation.slots[0].path, inner)
        assert_refused(await world.send(operation, content=nested), "duplicate_key")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
@pytest.mark.parametrize("depth", [MAX_JSON_DEPTH + 1, 1000, 2500])
async def test_a_body_nested_deeper_than_the_limit_is_refused(
    operation: Operation, depth: int, world: World
) -> None:
    for opening, closing in ((b"[", b"]"), (b'{"":', b"}")):
        inner = opening * (depth - 1) + b"1" + closing * (depth - 1)
        nested = operation.body_with(operation.slots[0].path, inner)
        if len(nested) < 8 * 1024:
            assert_refused(await world.send(operation, content=nested), "json_too_deep")
    for unfinished in (b"[" * depth, b'{"":' * (min(depth, 2000))):
        assert_refused(await world.send(operation, content=unfinished), "json_too_deep")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_nested_100000_levels_deep_is_refused(
    operation: Operation, world: World
) -> None:
    for content in (b"[" * 100_000, b'{"a":' * 50_000, b"[" * 33 + b'"' + b'\\"' * 110_000):
        answer = await world.send(operation, content=content)

        assert_refused(answer, "json_too_deep", "body_too_large")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_brackets_inside_strings_and_the_maximum_depth_are_allowed(
    operation: Operation, world: World
) -> None:
    slot = next(slot for slot in operation.slots if slot.string is not None)
    deepest = b"[" * (MAX_JSON_DEPTH - 1) + b"]" * (MAX_JSON_DEPTH - 1)

    for source in (quoted('[{"\\' * 12), deepest):
        answer = await world.send(operation, content=operation.body_with(slot.path, source))

        if is_dead_link(answer):
            continue
        assert answer.status_code not in (400, 413, 415), answer.text
        assert answer.status_code < 500


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_with_another_content_type_than_json_is_refused(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for kind in WRONG_TYPES:
        answer = await world.send(operation, headers={"Content-Type": kind})
        assert_refused(answer, "unsupported_media_type")
    assert_refused(await world.send(operation, headers={}), "unsupported_media_type")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_json_may_be_declared_with_the_charset_utf8(
    operation: Operation, world: World
) -> None:
    for kind in HARMLESS_TYPES:
        answer = await world.send(operation, headers={"Content-Type": kind})

        assert answer.status_code in VALID_FORM_STATUSES or is_dead_link(answer), answer.text


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_compressed_body_is_refused(operation: Operation, world: World) -> None:
    before = await world.state()
    body = operation.valid_body() or b""
    bomb = gzip.compress(b" " * 5_000_000 + body)
    compressed = {"gzip": bomb, "deflate": zlib.compress(body), "br": body, "gzip, gzip": bomb}

    for encoding, content in {**compressed, "x-gzip": bomb, CANARY: body}.items():
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        answer = await world.send(operation, content=content, headers=headers)
        assert_refused(answer, "unsupported_media_type")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_over_the_limit_is_refused_with_or_without_content_length(
    operation: Operation, world: World, config: Config
) -> None:
    takes_credentials = operation.tag in ("auth", "settings") and operation.path != "/settings"
    limit = config.account_body_limit if takes_credentials else config.body_limit
    for size, is_within_limit in (
        (limit, True),
        (limit + 1, False),
        (4 * config.body_limit, False),
    ):
        padded = (operation.valid_body() or b"").ljust(size)

        for content in (padded, _in_parts(padded)):
            answer = await world.ada.request(
                operation.method,
                world.address(operation),
                content=content,
                headers={"Content-Type": "application/json"},
            )

            if is_within_limit:
                is_refused = answer.status_code in (400, 413, 415, 422)
                assert not is_refused or is_dead_link(answer), answer.text
            else:
                assert_refused(answer, "body_too_large")
                assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("length", ["-1", "+1", "1e3", "²", "0x10", "1,1", "9" * 5000, CANARY])
async def test_a_content_length_that_is_not_a_number_is_refused(length: str, world: World) -> None:
    for operation in WITH_BODY:
        headers = {"Content-Type": "application/json", "Content-Length": length}
        content = operation.valid_body() or b""

        answer = await world.ada.http.request(
            operation.method,
            world.address(operation),
            content=content,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )

        assert_refused(answer, "malformed_request")


@pytest.mark.parametrize("operation", NEEDING_SESSION, ids=str)
async def test_anonymous_requests_change_nothing_with_any_body(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for content in (None, *NOT_OBJECTS.values(), *NOT_JSON.values(), b"[" * 5000):
        headers = None if content is None else {"Content-Type": "application/json"}
        answer = await world.send(
            operation, content=content, headers=headers, browser=world.stranger
        )
        assert_refused(answer, "not_authenticated", *FORM_REFUSALS)
    assert_refused(await world.send(operation, browser=world.stranger), "not_authenticated")
    assert await world.state() == before


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_an_unexpected_body_is_checked_too(operation: Operation, world: World) -> None:
    json, text = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
    before = await world.state()

    for content, headers, code in (
        (b"{" + _CANARY, json, "json_malformed"),
        (b"[" * 5000, json, "json_too_deep"),
        (CANARY.encode(), text, "unsupported_media_type"),
        (b" " * 1_000_000, json, "body_too_large"),
    ):
        answer = await world.send(operation, content=content, headers=headers)
        assert_refused(answer, code)
    assert await world.state() == before


async def _in_parts(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 4096):
        yield body[start : start + 4096]
