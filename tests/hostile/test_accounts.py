"""Rows 19 and 20: usernames and addresses that look like others."""
# ruff: noqa: RUF001 - confusable letters on purpose

import json
from typing import Any

import httpx
import pytest
from tests.hostile.corpus import CANARY, document
from tests.hostile.refusals import assert_refused
from tests.support.browser import Browser

from wxc.accounts.auth.usernames import RESERVED

_PASSWORD = "a long walk in Porto"


async def _register(stranger: Browser, **fields: Any) -> httpx.Response:
    account = {"username": "amelia", "email": "amelia@example.com", "password": _PASSWORD}
    return await stranger.post(
        "/register",
        content=json.dumps(account | fields),  # ASCII escapes can also encode lone surrogates
        headers={"Content-Type": "application/json"},
    )


async def test_usernames_of_routes_and_roles_are_reserved_in_any_case(
    stranger: Browser,
) -> None:
    routes = {path.split("/")[1] for path in document()["paths"]}
    possible = {name for name in RESERVED | routes if name.replace("_", "").isalnum()}

    assert {"admin", "api", "me", "null", "users", "posts", "login"} <= possible
    for name in sorted(possible):
        for spelled in {name, name.upper(), name.title()}:
            answer = await _register(stranger, username=spelled)
            codes = ("username_reserved",) if len(name) > 2 else ("validation_failed",)
            assert_refused(answer, *codes)


@pytest.mark.parametrize(
    "username",
    [
        *("аmelia", "amelıa", "ａmelia", "amel\u0456a", "ÀMELIA", "amelia\u0301", "ﬁona", "①②③"),
        *(
            "amelia.",
            ".amelia",
            "amelia..",
            "a melia",
        ),
        *(
            "amelia\u200b",
            "\u202eamelia",
            "amelia-",
            "amelia@example.com",
            "@amelia",
            "a/b",
            "a\\b",
        ),
        *("ab", "a" * 31, "", "...", "%61melia", "amelia%00", "<amelia>", "١٢٣", f"{CANARY}.é"),
    ],
)
async def test_malformed_and_confusable_usernames_are_refused(
    username: str, stranger: Browser
) -> None:
    assert_refused(await _register(stranger, username=username), "validation_failed")


async def test_usernames_are_unique_regardless_of_case(stranger: Browser) -> None:
    first = await _register(stranger, username="Amelia")

    assert (first.status_code, first.json()["username"]) == (201, "Amelia")
    for name in ("amelia", "AMELIA", "aMeLiA", "Amelia"):
        answer = await _register(stranger, username=name, email=f"{CANARY}@example.com")
        assert_refused(answer, "username_taken")
    assert (await stranger.get("/users/AMELIA")).json()["username"] == "Amelia"


@pytest.mark.parametrize(
    "email",
    [
        *(
            "a@b",
            "a@localhost",
            "a",
            "@",
            "a@",
            "@example.com",
            "a@@example.com",
            "a@b@example.com",
        ),
        *(
            "a b@example.com",
            "a@exa mple.com",
            "a@example..com",
        ),
        *(".a@example.com", "a.@example.com", "a..b@example.com", "a@.example.com", "a@-a.example"),
        *('"a b"@example.com', '"a"@example.com', "a@[127.0.0.1]", "a@[IPv6:::1]", "a@127.0.0.1"),
        *(
            "Ada <a@example.com>",
            "a@example.com, b@example.com",
            "mailto:a@example.com",
            "(c)a@b.example",
        ),
        *("a@example.com\r\nBcc: eve@example.com", "a\0@example.com"),
        *("a@example.com\u200b", "a\u202e@example.com", "a@ex\u00adample.com", "a@\ud800.example"),
        *(
            f"a@{'b' * 64}.example",
            f"a@{'b.' * 130}com",
            "a" * 308 + "@example.com",
        ),
        f"{CANARY}@{CANARY}",
    ],
)
async def test_malformed_and_unusual_addresses_are_refused(email: str, stranger: Browser) -> None:
    assert_refused(await _register(stranger, email=email), "validation_failed")


@pytest.mark.parametrize(
    "alike",
    [
        ("Eda@Example.COM", "eda@example.com", "EDA@EXAMPLE.COM"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example", "ADA@BÜCHER.example"),
        ("ada+tag@example.com", "ADA+TAG@example.com"),
        ("eda@example.com", "eda@ｅｘａｍｐｌｅ.com"),
        ("zoë@example.com", "zoe\u0308@example.com", "ZOË@example.com"),
    ],
)
async def test_addresses_are_unique_regardless_of_case_and_unicode_form(
    alike: tuple[str, ...], stranger: Browser
) -> None:
    first = await _register(stranger, email=alike[0])

    assert first.status_code == 201, first.text
    for email in alike:
        answer = await _register(stranger, username="other_user", email=email)
        assert_refused(answer, "email_taken")


async def test_addresses_that_differ_in_tags_or_dots_are_different(stranger: Browser) -> None:
    longest = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"
    emails = ("eda@example.com", "ada+tag@example.com", "a.da@example.com", longest[:254])

    for number, email in enumerate(emails):
        answer = await _register(stranger, username=f"ada_{number}", email=email)

        assert answer.status_code == 201, answer.text


async def test_only_the_domain_of_an_address_is_normalised(stranger: Browser) -> None:
    answer = await _register(stranger, email="Ada.L@BÜCHER.Example")

    assert answer.json()["email"] == "Ada.L@xn--bcher-kva.example"
