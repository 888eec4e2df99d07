"""Rows 1 to 4, 14, 15 and 18: hostile values in every field of every body."""

import json
from collections.abc import Callable, Iterator, Mapping

import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, WITH_BODY, Operation, Slot, field_names, quoted
from tests.hostile.refusals import VALID_FORM_STATUSES, assert_refused, is_dead_link

_BLANKS = (
    "",
    " ",
    " \t\n ",
    "\u00a0",
    "\u200b\u200d",
    "\u3164",
    "\u202e\u202c",
    "\ufeff",
    "\u00ad",
)
_GIANT = b"1" + b"0" * 5000


def _nul(slot: Slot) -> Iterator[bytes]:
    for text in (f"{CANARY}\0", f"\0{CANARY}", "\0" * 8):
        yield quoted(text)


def _lone_surrogate(slot: Slot) -> Iterator[bytes]:
    for text in (f"{CANARY}\ud800", f"\udc00{CANARY}", "\ud83d" * 8):
        yield quoted(text)


def _blank(slot: Slot) -> Iterator[bytes]:
    for text in _BLANKS[:1] if slot.is_password else _BLANKS:
        if not slot.admits(text):  # a mailed token may be empty: it is unknown
            yield quoted(text)


def _too_long(slot: Slot) -> Iterator[bytes]:
    longest = (slot.string or {}).get("maxLength")
    if longest is not None:
        yield quoted("é" * (longest + 1))
        yield quoted("e\u0301" * (longest + 1))
        yield quoted(CANARY + "e" + "\u0301" * longest)
        yield quoted(CANARY + "a" * longest)


def _line_break(slot: Slot) -> Iterator[bytes]:
    for end in ("\n", "\r\n", "\r", "\u2028", "\u0085", "\u001b"):
        for text in (f"{CANARY}{end}Bcc: eve@example.com", f"{CANARY}{end}@example.com"):
            if not slot.admits(text):
                yield quoted(text)


def _not_a_number(slot: Slot) -> Iterator[bytes]:
    for text in ("NaN", "Infinity", "-Infinity", "1e400", "0x10", "١٢٣", "1_000", "+1"):
        if not slot.admits(text) and not slot.is_password:
            yield quoted(text)


def _wrong_type(slot: Slot) -> Iterator[bytes]:
    canary = quoted(CANARY)
    kinds = {"string": canary, "boolean": b"true", "null": b"null", "array": b"[" + canary + b"]"}
    for kind, source in kinds.items():
        if slot.variant(kind) is None:
            yield source
    if slot.variant("object") is None:  # a separate test covers unknown fields of objects
        yield b'{"%s": %s}' % (CANARY.encode(), canary)
    if slot.variant("array") is None:
        yield b"[]"
    if slot.variant("number") is None:
        yield b"1.5"


def _huge_number(slot: Slot) -> Iterator[bytes]:
    for bits in (31, 53, 63, 64, 1000):
        yield b"%d" % 2**bits
        yield b"-%d" % 2**bits
    yield from (b"1e400", b"-1e400", b"1e308")


KINDS: Mapping[str, Callable[[Slot], Iterator[bytes]]] = {
    "nul": _nul,
    "lone surrogate": _lone_surrogate,
    "blank": _blank,
    "too long": _too_long,
    "line break": _line_break,
    "not a number": _not_a_number,
    "wrong type": _wrong_type,
    "huge number": _huge_number,
}


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_the_documented_example_is_valid_and_contains_every_field(
    operation: Operation, world: World
) -> None:
    answer = await world.send(operation)

    assert answer.status_code in VALID_FORM_STATUSES or is_dead_link(answer), answer.text
    assert operation.body_schema is not None
    assert operation.body_schema["properties"].keys() == operation.examples[0].keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_hostile_value_in_any_field_is_refused_with_a_pointer_to_it(
    operation: Operation, kind: str, world: World
) -> None:
    before = await world.state()

    for slot in operation.slots:
        for source in KINDS[kind](slot):
            answer = await world.send(operation, content=operation.body_with(slot.path, source))

            assert_refused(answer, "validation_failed")
            pointers = [part["pointer"] for part in answer.json()["errors"]]
            assert pointers, (slot.pointer, source)
            assert all(pointer.startswith(slot.pointer) for pointer in pointers), pointers
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_numbers_that_are_not_json_or_too_large_are_refused(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for slot in operation.slots:
        for source in (b"NaN", b"Infinity", b"-Infinity", _GIANT, b"-" + _GIANT, b"01", b"0x1"):
            answer = await world.send(operation, content=operation.body_with(slot.path, source))

            assert_refused(answer, "json_malformed")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_unknown_fields_are_refused(operation: Operation, world: World) -> None:
    before = await world.state()
    known = {str(part) for slot in operation.slots for part in slot.path}
    unknown = {"role", "is_admin", "like_count", "user_id", "__proto__", "__class__", "", "\0", "é"}

    for place in operation.objects:
        for name in sorted((unknown | field_names()) - known):
            body = operation.body_with((*place, name), quoted(CANARY))
            answer = await world.send(operation, content=body)

            assert_refused(answer, "validation_failed")
            assert [part["code"] for part in answer.json()["errors"]] == ["extra_forbidden"], name
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_hostile_key_is_refused_with_a_short_pointer(
    operation: Operation, world: World
) -> None:
    for name in ("\ud800", "\0", "a" * 4000 + CANARY, "~/", "\u202e", '"\\'):
        answer = await world.send(operation, content=operation.body_with((name,), b"1"))

        assert_refused(answer, "validation_failed")
        assert all(len(part["pointer"]) < 500 for part in answer.json()["errors"])


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_with_hundreds_of_mistakes_gets_at_most_50_errors(
    operation: Operation, world: World
) -> None:
    mistakes = json.dumps({f"x{number}": 0 for number in range(700)}).encode()

    answer = await world.send(operation, content=mistakes)

    assert_refused(answer, "validation_failed")
    assert 0 < len(answer.json()["errors"]) <= 50


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_text_of_the_maximum_length_is_accepted_counted_after_normalisation(
    operation: Operation, world: World
) -> None:
    for slot in operation.slots:
        longest = (slot.string or {}).get("maxLength", 0)
        if not slot.admits("é" * longest):
            continue
        for text in ("é" * longest, "e\u0301" * longest):
            answer = await world.send(
                operation, content=operation.body_with(slot.path, quoted(text))
            )

            is_weak = "password_too_common" in answer.text  # a single repeated letter
            is_valid = answer.status_code in VALID_FORM_STATUSES
            assert is_valid or is_dead_link(answer) or is_weak, answer.text


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
def test_every_string_has_a_bound_and_no_body_allows_additional_properties(
    operation: Operation,
) -> None:
    assert operation.body_schema is not None
    assert operation.body_schema["additionalProperties"] is False
    for slot in operation.slots:
        if slot.string is not None:
            assert {"maxLength", "enum", "const", "format"} & slot.string.keys(), slot.pointer
