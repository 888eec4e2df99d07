"""A `PUT` whose body equals what is stored answers 200 and changes nothing."""

from typing import Any, NamedTuple

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.conftest import Member
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import make_comment, make_post

SETTINGS = {"display_name": "Ada", "bio": "Zo\u00eb", "home_currency": "EUR"}


class Write(NamedTuple):
    """A resource of Ada's; the bodies that she writes are normalised as the stored one."""

    path: str
    stored: dict[str, Any]
    same: dict[str, Any]
    other: dict[str, Any]
    has_versions: bool


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture(params=["post", "comment", "settings"])
async def write(request: pytest.FixtureRequest, ada: Browser, connection: AsyncConnection) -> Write:
    decomposed = {"body": "Zoe\u0308"}
    stored, other = {"body": "Zo\u00eb"}, {"body": "other"}
    if request.param == "settings":
        spelled = SETTINGS | {"bio": "Zoe\u0308", "avatar_url": None}
        return Write("/settings", SETTINGS, spelled, {"bio": "other"}, has_versions=True)
    post = await make_post(connection, ada.id)
    if request.param == "post":
        return Write(f"/posts/{post}", stored, decomposed, other, has_versions=True)
    comment = await make_comment(connection, ada.id, post)
    return Write(f"/comments/{comment}", stored, decomposed, other, has_versions=False)


async def test_a_write_that_changes_nothing_moves_no_version_and_no_time(
    ada: Browser, connection: AsyncConnection, write: Write
) -> None:
    written = await ada.put(write.path, json=write.stored)
    before = await snapshot(connection)

    again = await ada.put(write.path, json=write.same)

    assert (again.status_code, again.json()) == (200, written.json())
    assert again.headers.get("etag") == written.headers.get("etag")
    assert await snapshot(connection) == before


async def test_the_first_write_of_the_same_text_does_not_count_as_an_edit(
    ada: Browser, write: Write
) -> None:
    read = await ada.get(write.path)
    same = {name: read.json()[name] for name in write.other} | (
        {"display_name": read.json()["display_name"]} if "bio" in write.other else {}
    )

    answer = await ada.put(write.path, json=same)

    assert (answer.status_code, answer.json()) == (200, read.json())
    assert answer.headers.get("etag") == read.headers.get("etag")


async def test_a_write_that_changes_nothing_succeeds_with_a_stale_version(
    ada: Browser, connection: AsyncConnection, write: Write
) -> None:
    stale = (await ada.get(write.path)).headers.get("etag", '"7.a"')
    written = await ada.put(write.path, json=write.stored, headers={"If-Match": stale})
    assert written.status_code == 200
    before = await snapshot(connection)

    for condition in (stale, '"7.a"', "*"):
        retry = await ada.put(write.path, json=write.same, headers={"If-Match": condition})
        assert (retry.status_code, retry.json()) == (200, written.json())
        assert retry.headers.get("etag") == written.headers.get("etag")

    assert await snapshot(connection) == before


async def test_a_write_that_changes_something_is_still_compared_with_the_version(
    ada: Browser, write: Write
) -> None:
    stale = (await ada.get(write.path)).headers.get("etag", "")
    await ada.put(write.path, json=write.stored)

    answer = await ada.put(write.path, json=write.other, headers={"If-Match": stale})

    assert answer.status_code == (412 if write.has_versions else 200)


async def test_an_unchanged_put_to_content_of_another_member_is_refused(
    ada: Browser, member: Member, write: Write
) -> None:
    if write.path == "/settings":
        return  # everybody has their own
    eve = await member("eve")
    await ada.put(write.path, json=write.stored)

    answer = await eve.put(write.path, json=write.stored)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")
