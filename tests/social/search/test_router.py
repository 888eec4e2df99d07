from itertools import chain
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser
from tests.support.database import StatementLog
from tests.support.factories import make_block, make_mute, make_user

from wxc.core import clock
from wxc.models import User


async def search(browser: Browser, text: str, query: str = "") -> httpx.Response:
    return await browser.get(f"/users?q={quote(text, safe='')}{query}")


async def find_usernames(browser: Browser, text: str) -> list[str]:
    answer = await search(browser, text)
    assert answer.status_code == 200, answer.text
    return [person["username"] for person in answer.json()["items"]]


@pytest.fixture
async def expected_usernames(connection: AsyncConnection) -> list[str]:
    """The usernames that match `lovel`, in order; other users exist too."""
    people = {
        "Lovel": None,
        "lovel_2": "Lin",
        "Lovelace": "Ada",
        "countess": "Lovel of Ada",
        "zoe": "lovelock",
        "alovel": None,  # 4 of 9 trigrams
        "my_lovelorn_heart": "My lovel",  # 6 of 8
        "babbage": "Charles",
    }
    for username, display_name in people.items():
        await make_user(connection, username, display_name=display_name)
    by_username, by_display_name = ["Lovel", "lovel_2", "Lovelace"], ["countess", "zoe"]
    return [*by_username, *by_display_name, "my_lovelorn_heart", "alovel"]


class TestOrder:
    async def test_exact_matches_come_first_then_prefixes_then_similar_names(
        self, stranger: Browser, expected_usernames: list[str]
    ) -> None:
        assert await find_usernames(stranger, "lovel") == expected_usernames
        assert await find_usernames(stranger, "LOVEL") == expected_usernames

    async def test_search_returns_user_summaries(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        person = await make_user(connection, "ada", display_name="Ada", bio="secret")

        answer = await search(stranger, "ada")

        assert answer.json()["items"] == [
            {"id": str(person), "username": "ada", "display_name": "Ada", "avatar_url": None}
        ]

    async def test_a_misspelled_name_is_found(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        await make_user(connection, "turing", display_name="Alan Turing")

        assert await find_usernames(stranger, "turning") == ["turing"]

    @pytest.mark.parametrize("letters", ["é", "e\u0301"])
    async def test_search_normalises_composed_and_decomposed_letters(
        self, stranger: Browser, connection: AsyncConnection, letters: str
    ) -> None:
        await make_user(connection, "coffee", display_name="caf\u00e9")

        assert await find_usernames(stranger, f"caf{letters}") == ["coffee"]

    async def test_long_names_are_compared_in_full(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        for username, ending in (("other", "bac"), ("right", "abc")):
            await make_user(connection, username, display_name="abc" * 10 + ending)
        await make_user(connection, "z" * 30)

        assert await find_usernames(stranger, "abc" * 11) == ["right", "other"]
        assert await find_usernames(stranger, "abc" * 10) == ["other", "right"]
        assert await find_usernames(stranger, "z" * 30) == ["z" * 30]

    async def test_equal_matches_are_listed_oldest_first(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        for number in range(3):
            await make_user(connection, f"person_{number}", display_name="Same Name")

        assert await find_usernames(stranger, "same name") == [
            f"person_{number}" for number in range(3)
        ]
        assert await find_usernames(stranger, "sane name") == [
            f"person_{number}" for number in range(3)
        ]


class TestText:
    @pytest.mark.parametrize("text", ["%", "_", "\\", "%%%%", "a%b", "'", "&!():*", "(a+)+$"])
    async def test_special_characters_are_literal(
        self, stranger: Browser, connection: AsyncConnection, text: str
    ) -> None:
        await make_user(connection, "axb", display_name="Alan")
        assert await find_usernames(stranger, text) == []
        await make_user(connection, "literally", display_name=f"{text} name")

        assert await find_usernames(stranger, text) == ["literally"]

    async def test_an_underscore_matches_itself_only(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        for username in ("qx_1", "qxa1"):
            await make_user(connection, username)

        assert await find_usernames(stranger, "qx_") == ["qx_1"]

    @pytest.mark.parametrize("text", ["", " ", "\u200b", "a" * 51, "a\0", "a\nb"])
    async def test_an_empty_or_too_long_text_is_refused(self, stranger: Browser, text: str) -> None:
        answer = await search(stranger, text)

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == "query.q"

    async def test_the_search_text_is_required(self, stranger: Browser) -> None:
        answer = await stranger.get("/users")

        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


class TestVisibility:
    @pytest.mark.parametrize("text", ["grace", "admiral", "gracee"])
    async def test_search_excludes_users_on_both_sides_of_a_block_and_suspended_users(
        self, member: Member, stranger: Browser, connection: AsyncConnection, text: str
    ) -> None:
        ada, bob, eve = await member("ada"), await member("bob"), await member("eve")
        grace = await make_user(connection, "grace", display_name="Admiral")
        await make_block(connection, ada.id, grace)
        await make_block(connection, grace, bob.id)
        await make_mute(connection, eve.id, grace)

        assert await find_usernames(ada, text) == await find_usernames(bob, text) == []
        assert await find_usernames(eve, text) == await find_usernames(stranger, text) == ["grace"]
        await connection.execute(
            update(User).where(User.id == grace).values(suspended_at=clock.now())
        )
        assert await find_usernames(eve, text) == await find_usernames(stranger, text) == []


class TestPages:
    @pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
    async def test_paging_forwards_and_backwards_returns_the_whole_list(
        self, stranger: Browser, expected_usernames: list[str], limit: int
    ) -> None:
        forwards, page = [], await _page(stranger, limit, None)
        while True:
            forwards.append(_names(page))
            if page["next_cursor"] is None:
                break
            page = await _page(stranger, limit, page["next_cursor"])
        backwards = [_names(page)]
        while _names(page := await _page(stranger, limit, page["prev_cursor"])):
            backwards.insert(0, _names(page))

        assert list(chain(*forwards)) == list(chain(*backwards)) == expected_usernames
        assert all(len(names) == limit for names in forwards[:-1])

    async def test_the_page_before_the_first_is_empty_and_links_back(
        self, stranger: Browser, expected_usernames: list[str]
    ) -> None:
        first = await _page(stranger, 2, None)

        before = await _page(stranger, 2, first["prev_cursor"])

        assert (before["items"], before["prev_cursor"]) == ([], first["prev_cursor"])
        assert _names(await _page(stranger, 2, before["next_cursor"])) == expected_usernames[:2]

    async def test_a_page_that_has_become_empty_links_to_the_previous_one(
        self, stranger: Browser, expected_usernames: list[str], connection: AsyncConnection
    ) -> None:
        page = await _page(stranger, 6, None)
        await connection.execute(
            update(User)
            .where(User.username == expected_usernames[6])
            .values(suspended_at=clock.now())
        )

        after = await _page(stranger, 6, page["next_cursor"])

        assert (after["items"], after["next_cursor"]) == ([], None)
        assert _names(await _page(stranger, 6, after["prev_cursor"])) == expected_usernames[:6]

    async def test_a_search_without_matches_returns_an_empty_list(self, stranger: Browser) -> None:
        answer = await search(stranger, "xyzzy")

        assert answer.json() == {"items": [], "next_cursor": None, "prev_cursor": None}

    async def test_a_cursor_is_short_and_valid_for_one_text_only(
        self, stranger: Browser, connection: AsyncConnection
    ) -> None:
        for number in range(2):
            await make_user(connection, f"person_{number}", display_name="🙂" * 50)
        cursor = (await search(stranger, "🙂", "&limit=1")).json()["next_cursor"]

        assert len(cursor) <= 256
        rest = await search(stranger, "🙂", f"&limit=1&cursor={cursor}")
        assert [user["username"] for user in rest.json()["items"]] == ["person_1"]
        other = await search(stranger, "🙃", f"&cursor={cursor}")
        assert (other.status_code, other.json()["code"]) == (400, "invalid_cursor")

    async def test_a_page_is_one_statement(
        self, stranger: Browser, expected_usernames: list[str], connection: AsyncConnection
    ) -> None:
        with StatementLog().watching(connection) as log:
            await search(stranger, "lovel")

        assert len(log.statements) == 1


async def _page(browser: Browser, limit: int, cursor: str | None) -> dict[str, Any]:
    at = f"&cursor={cursor}" if cursor else ""
    answer = await search(browser, "lovel", f"&limit={limit}{at}")
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def _names(page: dict[str, Any]) -> list[str]:
    return [person["username"] for person in page["items"]]
