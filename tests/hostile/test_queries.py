"""Rows 1, 4, 12, 16 and 21: hostile values in every parameter of every query."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from urllib.parse import quote

import pytest
from tests.conftest import Member
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, LISTS, WITH_QUERY, Operation, Slot, operations
from tests.hostile.refusals import assert_refused
from tests.support.browser import Browser

from wxc.core import clock
from wxc.core.times import rfc3339

NO_INTEGERS = (
    *("0", "-1", "101", "1000000000", str(2**31), str(2**53), str(2**63), str(-(2**63))),
    *("1" + "0" * 5000, "-1" + "0" * 5000, "", "1.5", "1e2", "NaN", "Infinity", "0x10"),
    *("%2B5", "1_0", "5.0", "%205", "05", "%EF%BC%95"),
    *("null", "true", "[1]", "1,2", "1;2", "%00", "1%00", "1%0A1", "%FF", "%ED%A0%80"),
    *("%D9%A3", CANARY, "1%20OR%201=1", "1'--"),
)
NO_NUMBERS = (
    *("", "1_0", "1_0.5", "%2010", "10%20", "10%0A", "%0A10", "10%09", "%C2%A010", "%2B5", "--5"),
    *("05", "-05", "00", ".5", "-.5", "5.", "1e", "e5", "1e%2B", "1.e5", "0x10", "0b1", "1,5"),
    *("NaN", "nan", "Infinity", "-Infinity", "inf", "%EF%BC%95", "%D9%A3", "null", "true", "[1]"),
    *("1%00", "%001", "%ED%A0%80", "1" * 5000, CANARY),
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
UNKNOWN_NAMES = (
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
async def test_a_malformed_or_out_of_bounds_number_is_refused_with_its_parameter(
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


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_a_number_in_other_than_json_syntax_is_refused_by_its_name(
    operation: Operation, world: World
) -> None:
    for slot in operation.parameters("query"):
        if slot.variant("number") is None:
            continue
        name = slot.path[0]
        for value in NO_NUMBERS:
            answer = await world.send(operation, query=f"?{name}={value}")

            assert_refused(answer, "validation_failed")
            assert [part["pointer"] for part in answer.json()["errors"]] == [f"query.{name}"]


@pytest.mark.parametrize(
    "number", ["0", "-0", "10", "1.50", "-1.5", "1e1", "1E%2B1", "-1.25e-3", "0.0"]
)
async def test_a_number_in_json_syntax_is_accepted(world: World, number: str) -> None:
    answer = await world.stranger.get(f"/exchanges?lat={number}&lon={number}&radius_m=5.0e2")

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_a_time_may_have_a_lower_case_t_and_z(operation: Operation, world: World) -> None:
    moment = rfc3339(clock.now() - timedelta(hours=1))
    for slot in operation.parameters("query"):
        if slot.string is None or slot.string.get("format") != "date-time":
            continue
        query = f"?{slot.path[0]}="
        expected = await world.send(operation, query=query + moment)

        for form in (moment.lower(), moment.replace("T", "t"), moment.replace("Z", "z")):
            answer = await world.send(operation, query=query + form)

            codes = answer.status_code, expected.status_code
            assert codes in ((200, 200), (404, 404)), answer.text


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_an_undeclared_parameter_is_refused(operation: Operation, world: World) -> None:
    before = await world.state()
    declared = {slot.path[0] for slot in operation.parameters("query")}

    for name in UNKNOWN_NAMES:
        if name not in declared:
            answer = await world.send(operation, query=f"?{name}={CANARY}")
            assert_refused(answer, "unknown_parameter")
    named = await world.send(operation, query=f"?{CANARY}={CANARY}")
    assert (named.status_code, named.json()["code"]) == (422, "unknown_parameter")
    assert named.text.count(CANARY) == 1  # the name, for developers; never the value
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_QUERY, ids=str)
async def test_a_repeated_parameter_is_refused(operation: Operation, world: World) -> None:
    for slot in operation.parameters("query"):
        for query in (f"?{slot.path[0]}=1&{slot.path[0]}=1", f"?{slot.path[0]}&{slot.path[0]}="):
            assert_refused(await world.send(operation, query=query), "unknown_parameter")


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_a_query_over_the_limit_is_refused(operation: Operation, world: World) -> None:
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
async def test_a_cursor_with_any_changed_byte_or_character_is_refused(
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
async def test_a_cursor_is_valid_for_its_own_list_only(operation: Operation, world: World) -> None:
    for other in LISTS:
        cursor = await _cursor(world, other)
        answer = await world.send(operation, query=f"?cursor={cursor}")

        if other is operation:
            assert answer.status_code == 200, answer.text
        else:
            assert_refused(answer, "invalid_cursor")


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_cursor_is_valid_for_its_own_viewer_and_subject_only(
    operation: Operation, world: World, member: Member
) -> None:
    eve: Browser = await member("eve")
    cursor = await _cursor(world, operation)
    is_own_list = not operation.parameters("path")

    answer = await world.send(operation, query=f"?cursor={cursor}", browser=eve, path=world.others)

    names = {slot.path[0] for slot in operation.parameters("path")}
    names |= operation.needed.keys()
    assert is_own_list or names & world.others.keys(), (
        "add the parameter of this list to World.others"
    )
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
    """A valid cursor of Ada's for the list."""
    page = (await world.send(operation, query="?limit=1")).json()
    assert page["items"], f"the list of {operation} is empty in these tests"
    cursor = page["next_cursor"] or page["prev_cursor"]
    assert isinstance(cursor, str)
    return cursor
