"""A cursor is bound to the filters in effect: a default spelled out is the same as left out."""

from collections.abc import Iterator

import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import LISTS, Operation, Slot, variants
from tests.hostile.refusals import assert_refused

CARRY_THEIR_FILTERS = {"comments_list_replies"}
"""Lists whose cursors contain the filters, which the query cannot change."""


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_default_spelled_out_is_the_same_as_left_out(
    operation: Operation, world: World
) -> None:
    for name, default, _ in _filters(operation):
        for spelled, other in (("", f"&{name}={default}"), (f"&{name}={default}", "")):
            cursor = await _cursor(world, operation, spelled)
            answer = await world.send(operation, query=f"?limit=1&cursor={cursor}{other}")

            assert answer.status_code == 200, (name, spelled, answer.text)


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_a_cursor_is_refused_with_another_filter(operation: Operation, world: World) -> None:
    if str(operation) in CARRY_THEIR_FILTERS:
        return
    for name, _, others in _filters(operation):
        cursor = await _cursor(world, operation)
        for value in others:
            answer = await world.send(operation, query=f"?cursor={cursor}&{name}={value}")

            assert_refused(answer, "invalid_cursor")


def test_every_kind_of_filter_is_compared() -> None:
    names = {name for operation in LISTS for name, _, _ in _filters(operation)}

    assert names >= {"sort", "depth", "branch", "unread", "open_now", "include_stale", "group"}


def _filters(operation: Operation) -> Iterator[tuple[str, str, list[str]]]:
    """The parameters with a documented default: the name, the default and other values."""
    for slot in operation.parameters("query"):
        if "default" in slot.schema and slot.path != ("limit",):
            default = _spelled(slot.schema["default"])
            yield str(slot.path[0]), default, [one for one in _values(slot) if one != default]


def _values(slot: Slot) -> list[str]:
    values: list[str] = []
    for schema in variants(slot.schema):
        values += [_spelled(value) for value in schema.get("enum", ())]
        if schema.get("type") == "boolean":
            values += ["true", "false"]
        if schema.get("type") == "integer":
            values.append(str(schema["minimum"]))
    return values


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _cursor(world: World, operation: Operation, query: str = "") -> str:
    page = (await world.send(operation, query=f"?limit=1{query}")).json()
    cursor = page["next_cursor"] or page["prev_cursor"]
    assert isinstance(cursor, str), f"{operation} has nothing to show in these tests"
    return cursor
