"""Row 91: input that costs more than linear time is refused by a bound that is checked first.

The watchdog measures every request of this folder; the requests here are expensive on purpose.
"""

import itertools
import json
import unicodedata
from collections.abc import Iterator

import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import WITH_BODY, WITH_QUERY, Operation, Slot, operations
from tests.hostile.test_texts import READING
from tests.hostile.watchdog import LoopWatchdog

from wxc.core.text import Text

pytestmark = pytest.mark.unmeasured

_BODY = 240_000  # bytes, just below BODY_LIMIT
_CEDILLA, _ACUTE = "\u0327", "\u0301"  # two combining classes: normalisation has to sort them
_UNSORTED = "e" + _ACUTE * 60_000 + _CEDILLA * 60_000
_MAX_REFUSAL = 0.01
"""Seconds in which a body of that size is refused."""


def hostile_texts(slot: Slot) -> Iterator[str]:
    """The most expensive texts that pass every bound on their size."""
    admitted = 4 * ((slot.string or {}).get("maxLength") or 64)
    run = _ACUTE * 500 + _CEDILLA * 500
    for text in (f"e{run}", f"\u0f73{run}", "@a ", "http://a.", "a.", "é", '"', "\u202e", "x@"):
        yield (text * admitted)[:admitted]


def _hostile_documents() -> Iterator[bytes]:
    """JSON that is expensive to check or to parse."""
    for part in (b"{}", b"[]", b"1", b'""', b'"["', b'"\\""', b"null", b"1e9", b'{"a":[{}]}'):
        yield b"[%s]" % b",".join([part] * (_BODY // (len(part) + 1)))
        yield b'{"body":[%s]}' % b",".join([part] * (_BODY // (len(part) + 1)))
    yield b"{%s}" % b",".join(b'"%d":1' % number for number in range(_BODY // 9))
    yield b"{%s}" % b",".join([b'"a":1'] * (_BODY // 6))
    for part in (b"[", b'{"a":', b'"\\', b"-", b"9", b"\\u0301", b" ", b'"[{'):
        yield part * (_BODY // len(part))
        yield b'{"body":"' + part * (_BODY // len(part))


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_no_text_blocks_the_event_loop(operation: Operation, world: World) -> None:
    for slot in operation.slots:
        if slot.string is not None:
            for text in hostile_texts(slot):
                source = json.dumps(text, ensure_ascii=False).encode()
                answer = await world.send(operation, content=operation.body_with(slot.path, source))
                assert answer.status_code < 500


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_no_json_document_blocks_the_event_loop(operation: Operation, world: World) -> None:
    for content in _hostile_documents():
        answer = await world.send(operation, content=content)

        assert answer.status_code in (400, 413, 422), content[:40]


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_no_query_blocks_the_event_loop(operation: Operation, world: World) -> None:
    for slot in operation.parameters("query"):
        for value in ("%CC%81%CC%A7" * 600, "%25" * 2600, "9" * 7800, "a.-" * 2600, "%20" * 2600):
            answer = await world.send(operation, query=f"?{slot.path[0]}={value}")
            assert answer.status_code < 500


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_no_header_blocks_the_event_loop(operation: Operation, world: World) -> None:
    content_type = {"Content-Type": "application/json"} if operation.examples else {}
    for name, part in (
        ("Cookie", "a=b; "),
        ("Cookie", '"'),
        ("Cookie", "wxc_access=a.b"),
        ("If-None-Match", '"a",'),
        ("If-Match", '"1.a",'),
        ("If-Match", " ,\t"),
        ("Content-Type", ";"),
        ("Last-Event-ID", "1:"),
        ("Idempotency-Key", "a"),
        ("X-Amzn-Trace-Id", ";Root="),
        ("Origin", "http://a"),
        ("X-Request-ID", "a"),
    ):
        value = (part * 12_000)[:12_000].strip()
        answer = await world.send(operation, headers=content_type | {name: value})
        assert answer.status_code < 500


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_text_far_over_its_bound_is_refused_before_any_other_work(
    operation: Operation, world: World, watchdog: LoopWatchdog
) -> None:
    source = json.dumps(_UNSORTED, ensure_ascii=False).encode()
    for slot in operation.slots:
        if slot.string is None:
            continue
        longest = []
        for _ in range(2):  # the first request of a route includes one-time work
            answer = await world.send(operation, content=operation.body_with(slot.path, source))
            longest.append(watchdog.longest)

        assert answer.status_code in (413, 422)
        assert min(longest) <= _MAX_REFUSAL, slot.pointer


@pytest.mark.parametrize("operation", READING, ids=str)
async def test_no_numbers_in_a_query_cause_another_statement_to_be_compiled(
    operation: Operation, world: World
) -> None:
    numbers = [slot for slot in operation.parameters("query") if slot.variant("integer")]
    for step in range(12):
        values = "&".join(f"{one.path[0]}={_number(one, step)}" for one in numbers)
        answer = await world.send(operation, query=f"?{values}" if values else "")
        assert answer.status_code == 200


def _number(slot: Slot, step: int) -> int:
    """The step-th number that the slot admits, counted from its middle to avoid common values."""
    schema = slot.variant("integer") or {}
    span = schema["maximum"] - schema["minimum"] + 1
    return int(schema["minimum"] + (span // 2 + 1 + step) % span)


def test_a_code_point_that_decomposes_into_marks_is_counted_as_a_mark() -> None:
    """Some marks have the combining class 0 and decompose into marks of other classes."""
    for number in itertools.chain(range(0xD800), range(0xE000, 0x110000)):
        character = chr(number)
        decomposed = unicodedata.normalize("NFD", character)
        if unicodedata.combining(decomposed[0]):
            with pytest.raises(ValueError, match="accents"):
                Text(5000).normalise(f"e{character * 1001}")
