"""`unknown_parameter` names the parameters of the query, never their values."""

import pytest
from tests.support.browser import Browser


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("limt=secretvalue", ["query.limt"]),
        ("limit=1&limit=secretvalue", ["query.limit"]),
        ("b=1&a=2&q=x&limit=1&limit=2&b=1", ["query.b", "query.a", "query.limit"]),
        ("a" * 100 + "=1", ["query." + "a" * 64]),
        ("a%00%0Ab%E2%80%AEc%7F=1", ["query.a??b?c?"]),
        ("%FF=1", ["query.\N{REPLACEMENT CHARACTER}"]),
        ("%3Cscript%3E=1", ["query.<script>"]),
        ("=1", ["query."]),
    ],
)
async def test_unknown_and_repeated_parameters_are_named(
    stranger: Browser, query: str, pointers: list[str]
) -> None:
    answer = await stranger.get(f"/users?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert "secretvalue" not in answer.text


async def test_a_repeated_parameter_is_distinguished(stranger: Browser) -> None:
    errors = (await stranger.get("/users?q=a&q=b&x=1")).json()["errors"]

    assert {error["pointer"]: error["code"] for error in errors} == {
        "query.q": "repeated_parameter",
        "query.x": "unknown_parameter",
    }


async def test_the_number_of_named_parameters_is_bounded(stranger: Browser) -> None:
    query = "&".join(f"x{number}=1" for number in range(500))

    assert len((await stranger.get(f"/users?{query}")).json()["errors"]) == 20


async def test_unknown_fields_of_a_body_are_as_safe(stranger: Browser) -> None:
    answer = await stranger.post("/login", json={"a\x00\u202eb": 1})

    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert "/a??b" in pointers
