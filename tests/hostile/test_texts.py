"""Rows 15 to 18: texts are never interpreted as code or markup."""
# ruff: noqa: RUF001 - confusable letters on purpose

import pytest
from tests.conftest import Member
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, Operation, operations, operations_where
from tests.hostile.refusals import assert_refused
from tests.support.browser import Browser

LANGUAGES = (
    "%_\\'\";--",
    "'; DROP TABLE posts; --",
    "' OR '1'='1' UNION SELECT password_hash FROM users --",
    "&!():*<->",
    "(a+)+$ [[:alpha:]]*",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} %(x)s %s {0}",
    "<script>alert(1)</script>",
    "<svg onload=alert(1)><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1)) ![b](data:text/html;base64,PHNjcmlwdD4=)",
    "\u202egnp.exe\u202c and \u2066isolated\u2069",
    "Z\u0348\u032e" + "\u0488" * 1000,
    "line\r\nbreak\ttab\u0085next\u2028line",
    "𝒻𝒶𝓃𝒸𝓎 👩🏽‍🚀 🏳️‍🌈 ‮",
    '{"role": "admin"}',
    "../../etc/passwd",
)
READING = operations_where(
    lambda operation: operation.method == "GET" and operation.tag != "operations"
)


@pytest.mark.parametrize("text", LANGUAGES)
async def test_a_post_keeps_its_text_unchanged(text: str, member: Member) -> None:
    eda = await member("eda")

    written = await eda.post("/posts", json={"body": text})

    assert written.status_code == 201, written.text
    read = await eda.get(written.headers["location"])
    listed = (await eda.get("/users/eda/posts")).json()["items"]
    fed = (await eda.get("/feeds")).json()["items"]
    assert read.json()["body"] == text
    assert [post["body"] for post in listed] == [item["post"]["body"] for item in fed] == [text]


@pytest.mark.parametrize(
    "text", ["<script>", "'; --", "\u2067ada\u2069", "{{7*7}}", "a&amp;b", "%s"]
)
async def test_a_display_name_is_returned_unchanged(text: str, stranger: Browser) -> None:
    account = {"username": "amelia", "email": "a@example.com", "password": "a long walk in Porto"}
    registered = await stranger.post("/register", json=account | {"display_name": text})

    assert registered.status_code == 201
    assert (await stranger.get("/users/amelia")).json()["display_name"] == text


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\u2029", "\u0085", "\v", "\x1b"])
async def test_names_and_addresses_with_line_breaks_are_refused(
    end: str, stranger: Browser
) -> None:
    account = {"username": "amelia", "email": "a@example.com", "password": "a long walk in Porto"}
    for field in ("username", "email", "display_name"):
        for value in (f"amelia{end}Bcc: {CANARY}@example.com", f"a@example.com{end}{CANARY}"):
            answer = await stranger.post("/register", json=account | {field: value})

            assert_refused(answer, "validation_failed")
    answer = await stranger.post(
        "/login", json={"identifier": f"ada{end}{CANARY}", "password": "x"}
    )
    assert_refused(answer, "validation_failed")


@pytest.mark.parametrize(
    "name", ["%", "_" * 3, "ed%", "e_a", "eda' --", "' OR 1=1 --", "*", "eda\\"]
)
async def test_a_search_pattern_matches_no_user(
    name: str, member: Member, stranger: Browser
) -> None:
    await member("eda")

    answer = await stranger.log_in(name)

    assert_refused(answer, "invalid_credentials")


@pytest.mark.parametrize("operation", READING, ids=str)
async def test_responses_have_the_declared_type_and_forbid_sniffing(
    operation: Operation, world: World
) -> None:
    answer = await world.send(operation)

    assert answer.status_code == 200
    (declared,) = operation.declared["responses"]["200"]["content"]
    assert declared in ("application/json", "text/event-stream")
    assert answer.headers["content-type"].partition(";")[0] == declared
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_shared_caches_do_not_store_responses(operation: Operation, world: World) -> None:
    answer = await world.send(operation)

    assert (
        "no-store" in answer.headers["cache-control"]
        or "private" in answer.headers["cache-control"]
    )
    assert answer.headers["referrer-policy"] == "no-referrer"
