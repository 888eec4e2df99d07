"""A statement is built once for each shape of its arguments, and never for their values."""

from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import ARRAY, Select, Uuid, any_, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.factories import make_post, make_user

from wxc.core.database import AnySelect
from wxc.core.ids import new_id
from wxc.core.statements import built_once
from wxc.db.keyset import CursorSealer, PageRequest
from wxc.models import Post, User

SEALER = CursorSealer(b"k" * 32)
FIRST = PageRequest(SEALER, "list", 2, None)


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


@pytest.fixture
def built() -> list[Any]:
    return []


async def test_values_are_parameters_and_the_statement_is_the_same(
    connection: AsyncConnection, built: list[Any]
) -> None:
    @built_once
    def named(name: str, viewer_id: UUID | None) -> AnySelect:
        built.append(name)
        statement: AnySelect = select(User.username, literal(viewer_id is None))
        return statement.where(func.lower(User.username) == func.lower(name))

    await make_user(connection, "ada")
    await make_user(connection, "bob")

    found = [
        (await connection.execute(*named(name, viewer))).all()
        for name, viewer in (("ADA", None), ("bob", None), ("bob", new_id()), ("no", None))
    ]

    assert found == [[("ada", True)], [("bob", True)], [("bob", False)], []]
    assert len(built) == 2  # with a viewer and without
    assert named("x", None)[0] is named("y", None)[0]


async def test_pages_are_told_apart_by_how_they_are_read_only(
    connection: AsyncConnection, built: list[Any]
) -> None:
    @built_once
    def posts(author_id: UUID, page: PageRequest) -> Select[Any]:
        built.append(page)
        return page.window(select(Post.id).where(Post.author_id == author_id), Post.id)

    ada = await make_user(connection, "ada")
    ids = sorted([await make_post(connection, ada) for _ in range(5)], reverse=True)

    async def read(page: PageRequest) -> list[UUID]:
        return list((await connection.execute(*posts(ada, page))).scalars())

    cut = FIRST.cut(await read(FIRST), key=lambda one: one)
    further = PageRequest(SEALER, "list", 3, cut.next_cursor)
    again = PageRequest(SEALER, "list", 1, cut.next_cursor)
    newer = PageRequest(SEALER, "list", 2, cut.prev_cursor)

    assert [await read(one) for one in (FIRST, further, again)] == [ids[:3], ids[2:], ids[2:4]]
    assert await read(newer) == ids[::-1][:3]  # it reaches back two seconds
    assert len(built) == 3


async def test_the_head_of_windows_needs_no_bound_of_its_own(connection: AsyncConnection) -> None:
    ada = await make_user(connection, "ada")
    ids = sorted([await make_post(connection, ada) for _ in range(5)], reverse=True)
    cut = FIRST.cut(ids[:3], key=lambda one: one)

    for page in (FIRST, PageRequest(SEALER, "list", 2, cut.next_cursor)):
        window = page.window(select(Post.id).where(Post.author_id == ada), Post.id)
        inner = window.subquery()
        head = page.head(select(inner.c.id), inner.c.id)
        found = [list((await connection.execute(one)).scalars()) for one in (head, window)]
        assert found[0] == found[1] != []


async def test_lists_are_parameters_of_the_type_that_the_statement_says(
    connection: AsyncConnection,
) -> None:
    @built_once
    def among(ids: list[UUID]) -> Select[Any]:
        return select(User.id).where(User.id == any_(type_coerce(ids, ARRAY(Uuid()))))

    ada, bob = await make_user(connection, "ada"), await make_user(connection, "bob")

    assert set((await connection.execute(*among([ada, bob]))).scalars()) == {ada, bob}
    assert (await connection.execute(*among([]))).all() == []


def test_truth_values_and_enumerations_are_part_of_the_shape(built: list[Any]) -> None:
    @built_once
    def either(side: Side, *, is_open: bool) -> Select[Any]:
        built.append((side, is_open))
        return select(literal(side.value))

    for side in Side:
        for is_open in (True, False, True):
            assert either(side, is_open=is_open)[1] == {}

    assert built == [(side, is_open) for side in Side for is_open in (True, False)]


def test_what_a_statement_can_neither_hold_nor_depend_on_is_refused() -> None:
    @built_once
    def strange(thing: Any) -> Select[Any]:
        return select(literal(thing is None))

    with pytest.raises(TypeError, match="unhashable"):
        strange({"a": 1})
