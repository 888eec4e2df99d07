"""Rows 1, 4, 12, 16 and 21: hostile values in every parameter of every query."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from tests.conftest import Member
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, LISTS, WITH_QUERY, Operation, Slot, operations
from tests.hostile.refusals import assert_refused
from tests.support.browser import Browser

NO_INTEGERS = (
    *("0", "-1", "101", "1000000000", str(2**31), str(2**53), str(2**63), str(-(2**63))),
    *("1" + "0" * 5000, "-1" + "0" * 5000, "", "1.5", "1e2", "NaN", "Infinity", "0x10"),
    *("%2B5", "1_0", "5.0", "%205", "05", "%EF%BC%95"),
    *("null", "true", "[1]", "1,2", "1;2", "%00", "1%00", "1%0A1", "%FF", "%ED%A0%80"),
    *("%D9%A3", CANARY, "1%20OR%201=1", "1'--"),
)
FORGED = (
    "",
    CANARY,
    CANARY * 100,
    "%00",
    f"{CANARY}%00",
    "%FF%FE",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "../../etc/passwd",
    "' OR '1'='1",
    "1",
    "null",
    "0",
    "=" * 44,
    "A" * 43,
    "A" * 44,
    "A" * 300,
)
TEXTS = (
    "%",
    "_",
    "\\",
    "'",
    '";--',
    "&!():*",
    "(a+)+$",
    "a" * 2000,
    "<->",
    "\u202e",
    "[[:alpha:]]",
)
STRANGE_NAMES = (
    "admin",
    "Limit",
    "limit[]",
    "limit%00",
    "sort",
    "order_by",
    "_method",
    "é",
    "%FF",
    "",
)


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_a_number_out_of_bounds_is_refused_by_its_name(
    operation: Operation, world: World
) -> None:
    for slot in operation.parameters("query"):
        if slot.variant("integer") is None:
            continue
        name = slot.path[0]
        for value in (one for one in NO_INTEGERS if not _is_within_bounds(slot, one)):
            answer = await world.send(operation, query=f"?{name}={value}")

            assert_refused(answer, "validation_failed")
            assert [part["pointer"] for part in answer.json()["errors"]] == [f"query.{name}"]


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_a_parameter_that_is_not_declared_is_refused(
    operation: Operation, world: World
) -> None:
    before = await world.state()
    declared = {slot.path[0] for slot in operation.parameters("query")}

    for name in STRANGE_NAMES:
        if name not in declared:
            answer = await world.send(operation, query=f"?{name}={CANARY}")
            assert_refused(answer, "unknown_parameter")
    named = await world.send(operation, query=f"?{CANARY}={CANARY}")
    assert (named.status_code, named.json()["code"]) == (422, "unknown_parameter")
    assert named.text.count(CANARY) == 1  # the name, for developers; never the value
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_a_parameter_given_twice_is_refused(operation: Operation, world: World) -> None:
    for slot in operation.parameters("query"):
        for query in (f"?{slot.path[0]}=1&{slot.path[0]}=1", f"?{slot.path[0]}&{slot.path[0]}="):
            assert_refused(await world.send(operation, query=query), "unknown_parameter")


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_an_excessive_query_is_refused(operation: Operation, world: World) -> None:
    many = "&".join(f"p={number}" for number in range(5000))

    for query in (f"?limit={CANARY * 4000}", f"?{many}", "?" + "&" * 60_000, "?" + "%" * 9000):
        assert_refused(await world.send(operation, query=query), "uri_too_long")
    for query in ("?" + "a&" * 4000, "?" + "a=1&b=2&" * 1000):
        assert_refused(await world.send(operation, query=query), "unknown_parameter")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_forged_cursor_is_refused(operation: Operation, world: World) -> None:
    for cursor in FORGED:
        query = f"?cursor={quote(cursor, safe='%')}"
        assert_refused(await world.send(operation, query=query), "invalid_cursor")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_cursor_with_any_bit_or_sign_changed_is_refused(
    operation: Operation, world: World
) -> None:
    genuine = await _cursor(world, operation)
    raw = urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))
    flipped = (bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]) for at in range(len(raw)))
    forged = [urlsafe_b64encode(one).decode().rstrip("=") for one in flipped]

    for cursor in (
        *forged,
        f"{genuine}=",
        f"{genuine}A",
        f"{genuine}%0A",
        genuine[:-1],
        genuine[1:],
    ):
        assert_refused(await world.send(operation, query=f"?cursor={cursor}"), "invalid_cursor")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_cursor_holds_for_its_own_list_only(operation: Operation, world: World) -> None:
    for other in LISTS:
        cursor = await _cursor(world, other)
        answer = await world.send(operation, query=f"?cursor={cursor}")

        if other is operation:
            assert answer.status_code == 200, answer.text
        else:
            assert_refused(answer, "invalid_cursor")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_cursor_holds_for_its_own_subject_or_owner_only(
    operation: Operation, world: World, member: Member
) -> None:
    eve: Browser = await member("eve")
    cursor = await _cursor(world, operation)
    is_own_list = not operation.parameters("path")

    answer = await world.send(operation, query=f"?cursor={cursor}", browser=eve, path=world.others)

    names = {slot.path[0] for slot in operation.parameters("path")}
    names |= operation.needed.keys()
    assert is_own_list or names & world.others.keys(), "say there what else a list may belong to"
    assert_refused(answer, "invalid_cursor")


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_sql_and_patterns_have_no_effect_in_a_query(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for slot in operation.parameters("query"):
        if slot.string is None:
            continue
        for text in TEXTS:
            answer = await world.send(operation, query=f"?{slot.path[0]}={quote(text, safe='')}")

            if answer.status_code != 200:
                assert_refused(answer, "validation_failed", "invalid_cursor")
    assert await world.state() == before


def _is_within_bounds(slot: Slot, value: str) -> bool:
    bounds = slot.variant("integer") or {}
    is_plain = value in ("0", "101")
    return is_plain and bounds["minimum"] <= int(value) <= bounds["maximum"]


async def _cursor(world: World, operation: Operation) -> str:
    """A genuine cursor of the list, as Ada sees it."""
    page = (await world.send(operation, query="?limit=1")).json()
    assert page["items"], f"{operation} has nothing to show in these tests"
    cursor = page["next_cursor"] or page["prev_cursor"]
    assert isinstance(cursor, str)
    return cursor
