"""Search ignores accents and case on both sides, and finds words inside long names."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.social.search.test_router import find_usernames
from tests.support.browser import Browser
from tests.support.factories import PASSWORD, make_user

from wxc.models import User

LONG = "The Old and Trusted Gonz\u00e1lez Money Changers"


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("Jos\u00e9", "jose"),
        ("Jose\u0301", "JOSE"),
        ("jose", "Jos\u00e9"),
        ("\u0141\u00f3d\u017a", "lodz"),
        ("lodz", "\u0142\u00f3d\u017a"),
        ("Stra\u00dfe", "STRASSE"),
        ("STRASSE", "stra\u00dfe"),
        ("\u00d8rsted", "orsted"),
        ("\u00c6sir", "aesir"),
        ("\u00c5ngstr\u00f6m", "angstrom"),
        ("\u0110or\u0111e", "dorde"),
        ("\u00deorl\u00e1kur", "thorlakur"),
        ("\u0130stanbul", "istanbul"),
        ("I\u015f\u0131k", "isik"),
        ("Nguy\u1ec5n", "nguyen"),
        (
            "\u039f\u0394\u039f\u03a3 \u0386\u03bd\u03bd\u03b1\u03c2",
            "\u03bf\u03b4\u03bf\u03c2 \u03b1\u03bd\u03bd\u03b1\u03c3",
        ),
        ("\u0401\u043b\u043a\u0430", "\u0435\u043b\u043a\u0430"),
        ("\uff26\uff55\uff4c\uff4c", "full"),
        ("\uac00\uac01", "\uac00\uac01"),
        ("\u6771\u4eac\u4e21\u66ff", "\u6771\u4eac"),
    ],
)
async def test_search_ignores_accents_and_case(
    stranger: Browser, connection: AsyncConnection, name: str, spelling: str
) -> None:
    await make_user(connection, "found", display_name=name)
    await make_user(connection, "similar", display_name=f"{name} Brothers")

    assert await find_usernames(stranger, spelling) == ["found", "similar"]
    assert await find_usernames(stranger, name) == ["found", "similar"]


async def test_an_accented_text_finds_a_username(
    stranger: Browser, connection: AsyncConnection
) -> None:
    await make_user(connection, "jose_garcia")

    assert await find_usernames(stranger, "Jos\u00e9") == ["jose_garcia"]


@pytest.mark.parametrize(
    "word",
    ["gonzalez", "GONZ\u00c1LEZ", "gonza", "gonzales", "money", "old and trusted", "changers"],
)
async def test_a_word_inside_a_long_name_is_found(
    stranger: Browser, connection: AsyncConnection, word: str
) -> None:
    await make_user(connection, "found", display_name=LONG)
    await make_user(connection, "other", display_name="Entirely Different Establishment of Chang")

    assert await find_usernames(stranger, word) == ["found"]


async def test_a_word_inside_a_long_username_is_found(
    stranger: Browser, connection: AsyncConnection
) -> None:
    await make_user(connection, "the_best_of_all_tokyo_changers")

    assert await find_usernames(stranger, "tokyo") == ["the_best_of_all_tokyo_changers"]


async def test_names_with_the_whole_word_come_before_similar_ones(
    stranger: Browser, connection: AsyncConnection
) -> None:
    await make_user(connection, "similar", display_name=LONG.replace("lez", "les"))
    await make_user(connection, "whole", display_name=LONG)
    await make_user(connection, "prefix", display_name="Gonzalez")

    assert await find_usernames(stranger, "gonzalez") == ["prefix", "whole", "similar"]


@pytest.mark.parametrize("accents", ["\u0301", "\u0301\u0308", "\u05b0"])
async def test_a_query_of_accents_only_does_not_match_all_users(
    stranger: Browser, connection: AsyncConnection, accents: str
) -> None:
    await make_user(connection, "found", display_name="Jos\u00e9")

    assert await find_usernames(stranger, accents) == []


async def test_the_folded_name_follows_the_name(
    member: Member, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    folded = select(User.display_name_folded).where(User.id == ada.id)

    await ada.put("/settings", json={"display_name": "\u0141ukasz"})
    assert await find_usernames(ada, "lukasz") == ["ada"]
    # The previous release does not know the column.
    await connection.execute(update(User).where(User.id == ada.id).values(display_name="Zo\u00eb"))
    assert await connection.scalar(folded) == "zoe"
    assert (await find_usernames(ada, "lukasz"), await find_usernames(ada, "zoe")) == ([], ["ada"])
    await ada.delete("/settings", json={"current_password": PASSWORD})
    assert await connection.scalar(folded) is None


async def test_folding_twice_changes_nothing(connection: AsyncConnection) -> None:
    unequal = text(
        "SELECT count(*) FROM generate_series(33, 65533) code WHERE code NOT BETWEEN 55296 AND "
        "57343 AND search_fold(search_fold(chr(code))) <> search_fold(chr(code))"
    )

    assert await connection.scalar(unequal) == 0
