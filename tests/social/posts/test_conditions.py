"""`If-None-Match` on reads and `If-Match` on writes."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import make_block, make_follow, make_like, make_post, make_user


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def post(ada: Browser, connection: AsyncConnection) -> str:
    return f"/posts/{await make_post(connection, ada.id)}"


class TestReading:
    @pytest.mark.parametrize("kind", ["post", "profile"])
    async def test_a_matching_etag_gets_304(
        self, ada: Browser, stranger: Browser, post: str, kind: str
    ) -> None:
        path = post if kind == "post" else "/users/ada"

        for browser, cache_control in ((ada, "private, no-cache"), (stranger, "no-cache")):
            first = await browser.get(path)
            again = await browser.get(path, headers={"If-None-Match": first.headers["etag"]})

            assert first.headers["cache-control"] == cache_control
            assert first.headers["vary"] == "Cookie, Origin"
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]

    async def test_a_like_changes_the_etag_but_not_the_version(
        self, ada: Browser, post: str, connection: AsyncConnection
    ) -> None:
        first = await ada.get(post)
        await make_like(connection, await make_user(connection), first.json()["id"])

        second = await ada.get(post, headers={"If-None-Match": first.headers["etag"]})

        assert (second.status_code, second.json()["likes_count"]) == (200, 1)
        assert _version(second.headers["etag"]) == _version(first.headers["etag"])
        assert second.headers["etag"] != first.headers["etag"]

    async def test_any_change_of_a_profile_changes_its_etag(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        first = await ada.get("/users/ada")
        await make_follow(connection, await make_user(connection), ada.id)

        second = await ada.get("/users/ada", headers={"If-None-Match": first.headers["etag"]})
        await ada.put("/settings", json={"bio": "new"})
        third = await ada.get("/users/ada", headers={"If-None-Match": second.headers["etag"]})

        assert (second.status_code, second.json()["followers_count"]) == (200, 1)
        assert (third.status_code, third.json()["bio"]) == (200, "new")
        assert _version(third.headers["etag"]) == _version(second.headers["etag"]) + 1

    async def test_an_etag_does_not_reveal_a_resource_hidden_by_a_block(
        self, ada: Browser, member: Member, post: str, connection: AsyncConnection
    ) -> None:
        eve = await member("eve")
        tags = {path: (await eve.get(path)).headers["etag"] for path in (post, "/users/ada")}
        await make_block(connection, ada.id, eve.id)

        for path, tag in tags.items():
            for value in (tag, "*"):
                answer = await eve.get(path, headers={"If-None-Match": value})
                assert answer.status_code == 404
                assert "etag" not in answer.headers


class TestWriting:
    async def test_a_write_with_a_matching_version_succeeds_and_returns_the_new_etag(
        self, ada: Browser, post: str
    ) -> None:
        etag = (await ada.get(post)).headers["etag"]

        answer = await ada.put(post, json={"body": "mended"}, headers={"If-Match": etag})

        assert (answer.status_code, answer.json()["body"]) == (200, "mended")
        assert answer.headers["etag"] == (await ada.get(post)).headers["etag"]
        assert _version(answer.headers["etag"]) == _version(etag) + 1

    async def test_a_write_with_a_stale_version_is_refused_and_changes_nothing(
        self, ada: Browser, post: str, connection: AsyncConnection
    ) -> None:
        stale = (await ada.get(post)).headers["etag"]
        await ada.put(post, json={"body": "first"}, headers={"If-Match": stale})
        before = await snapshot(connection)

        answer = await ada.put(post, json={"body": "second"}, headers={"If-Match": stale})

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert await snapshot(connection) == before

    async def test_a_like_does_not_fail_the_precondition(
        self, ada: Browser, post: str, connection: AsyncConnection
    ) -> None:
        read = await ada.get(post)
        await make_like(connection, await make_user(connection), read.json()["id"])

        answer = await ada.put(
            post, json={"body": "mended"}, headers={"If-Match": read.headers["etag"]}
        )

        assert (answer.status_code, answer.json()["likes_count"]) == (200, 1)

    async def test_ownership_is_checked_before_the_version(self, member: Member, post: str) -> None:
        eve = await member("eve")

        answer = await eve.put(post, json={"body": "mine"}, headers={"If-Match": '"7.a"'})

        assert (answer.status_code, answer.json()["code"]) == (403, "not_owner")


def _version(etag: str) -> int:
    return int(etag.strip('"').partition(".")[0])
