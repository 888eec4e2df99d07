"""`GET /settings` and `PUT /settings`."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.hostile.refusals import snapshot
from tests.support.browser import Browser
from tests.support.factories import make_follow, make_user

SETTINGS = {
    "display_name": "Ada",
    "bio": "Counts.\nA lot.",
    "avatar_url": "https://images.example.com/ada.png?size=2#top",
    "home_currency": "EUR",
}


class TestReading:
    async def test_settings_have_an_etag_and_return_304_for_it(self, ada: Browser) -> None:
        first = await ada.get("/settings")
        again = await ada.get("/settings", headers={"If-None-Match": first.headers["etag"]})

        assert first.json() == (await ada.get("/auth-check")).json()["user"]
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["vary"] == "Cookie, Origin"
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    async def test_etag_changes_with_the_settings(self, ada: Browser) -> None:
        first = await ada.get("/settings")
        await ada.put("/settings", json={"bio": "new"})

        second = await ada.get("/settings", headers={"If-None-Match": first.headers["etag"]})

        assert (second.status_code, second.json()["bio"]) == (200, "new")
        assert second.headers["etag"] != first.headers["etag"]

    async def test_settings_require_a_session(self, stranger: Browser) -> None:
        answer = await stranger.get("/settings")

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    async def test_session_of_a_deleted_account_is_expired(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        await connection.exec_driver_sql("DELETE FROM users WHERE username = 'ada'")

        for answer in (await ada.get("/settings"), await ada.put("/settings", json={})):
            assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


class TestReplacing:
    async def test_replacement_is_visible_to_others(self, ada: Browser, stranger: Browser) -> None:
        answer = await ada.put("/settings", json=SETTINGS)

        assert answer.status_code == 200
        assert answer.json().items() >= SETTINGS.items()
        assert answer.headers["etag"] == (await ada.get("/settings")).headers["etag"]
        profile = (await stranger.get("/users/ada")).json()
        for name in ("display_name", "bio", "avatar_url"):
            assert profile[name] == SETTINGS[name]

    async def test_omitted_fields_are_cleared(self, ada: Browser) -> None:
        await ada.put("/settings", json=SETTINGS)

        answer = await ada.put("/settings", json={"bio": "only this"})

        assert {name: answer.json()[name] for name in SETTINGS} == {
            "display_name": None,
            "bio": "only this",
            "avatar_url": None,
            "home_currency": None,
        }

    @pytest.mark.parametrize(
        "wrong",
        [
            {"display_name": "a" * 51},
            {"bio": "a" * 501},
            {"bio": " "},
            {"home_currency": "XAU"},
            {"home_currency": "eur"},
            {"home_currency": "DEM"},
            {"avatar_url": "javascript:alert(1)"},
            {"avatar_url": "data:image/png;base64,AAAA"},
            {"avatar_url": "ftp://example.com/a.png"},
            {"avatar_url": "//example.com/a.png"},
            {"avatar_url": "https://"},
            {"avatar_url": "https://user@example.com/a.png"},
            {"avatar_url": "https://user:secret@example.com/a.png"},
            {"avatar_url": "https://example.com\\@evil.example"},
            {"avatar_url": "https://exa mple.com"},
            {"avatar_url": "https://example.com/a b"},
            {"avatar_url": "https://example.com/\u202egnp.exe"},
            {"avatar_url": "https://example.com/\r\nX: y"},
            {"avatar_url": 'https://example.com/"><script>'},
            {"avatar_url": "https://example.com/" + "a" * 1981},
            {"username": "eve"},
            {"email_verified": True},
        ],
        ids=lambda wrong: next(iter(wrong.values())) if isinstance(wrong, dict) else None,
    )
    async def test_invalid_settings_change_nothing(
        self, ada: Browser, connection: AsyncConnection, wrong: dict[str, Any]
    ) -> None:
        before = await snapshot(connection)

        answer = await ada.put("/settings", json=SETTINGS | wrong)

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert [part["pointer"] for part in answer.json()["errors"]] == [f"/{next(iter(wrong))}"]
        assert await snapshot(connection) == before

    @pytest.mark.parametrize(
        "address",
        [
            "http://localhost:3000/a.png",
            "https://example.com",
            "https://EXAMPLE.com/%20a/~b?c=d&e=[f]#g",
            "https://xn--bcher-kva.example/é.png",
            "https://example.com/" + "a" * 1980,
        ],
    )
    async def test_avatar_url_is_stored_as_sent(self, ada: Browser, address: str) -> None:
        answer = await ada.put("/settings", json={"avatar_url": address})

        assert answer.json()["avatar_url"] == address

    async def test_maximum_lengths_count_characters_and_not_bytes(self, ada: Browser) -> None:
        longest = {
            "display_name": "🙂" * 50,
            "bio": "🙂" * 500,
            "avatar_url": "https://example.com/" + "é" * 1980,
        }

        assert (await ada.put("/settings", json=longest)).json().items() >= longest.items()


class TestConditions:
    async def test_a_stale_version_is_refused_and_nothing_changes(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        stale = (await ada.get("/settings")).headers["etag"]
        await ada.put("/settings", json={"bio": "first"}, headers={"If-Match": stale})
        before = await snapshot(connection)

        answer = await ada.put("/settings", json={"bio": "second"}, headers={"If-Match": stale})

        assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
        assert await snapshot(connection) == before

    async def test_counters_and_username_do_not_change_the_version(
        self, ada: Browser, connection: AsyncConnection
    ) -> None:
        etag = (await ada.get("/settings")).headers["etag"]
        await make_follow(connection, await make_user(connection, "bob"), ada.id)
        await ada.post("/posts", json={"body": "hello"})

        answer = await ada.put("/settings", json=SETTINGS, headers={"If-Match": etag})

        assert answer.status_code == 200

    @pytest.mark.parametrize("condition", ["", "nonsense", '"1"', 'W/"1.a"'])
    async def test_unknown_etag_in_if_match_is_refused(self, ada: Browser, condition: str) -> None:
        answer = await ada.put("/settings", json=SETTINGS, headers={"If-Match": condition})

        assert answer.status_code == 412
