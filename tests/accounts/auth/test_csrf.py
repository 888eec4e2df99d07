"""Every unsafe route checks the origin of the request and the session's CSRF token."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import Member
from tests.support.browser import ORIGIN, Browser

OWN, LISTED = ORIGIN, "https://app.example.com"
NEEDS_NO_TOKEN = {
    "/register",
    "/login",
    "/logout",  # needs it for a live session only
    "/request-password-reset",
    "/reset-password",
    "/reset-password/{token}",
    "/verify-email",
    "/verify-email/{token}",
    "/cancel-email-change",
    "/restore-email",
}

# Origin, Sec-Fetch-Site, and whether the origin check allows the request.
ORIGINS = [
    (None, None, True),
    (None, "same-origin", True),
    (None, "same-site", False),
    (None, "cross-site", False),
    (None, "none", False),
    (None, "", False),
    (OWN, None, True),
    (OWN, "same-origin", True),
    (OWN, "same-site", False),
    (OWN, "cross-site", False),
    (OWN, "none", False),
    (LISTED, None, True),
    (LISTED, "same-origin", True),
    (LISTED, "same-site", True),
    (LISTED, "cross-site", True),
    *[
        (origin, site, False)
        for origin in (
            "null",
            "",
            "https://evil.example",
            "https://app.example.com.evil.example",
            "https://evilapp.example.com",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com/",
            f"{OWN}.evil.example",
            "https://api.test",
            "*",
        )
        for site in (None, "same-origin", "same-site", "cross-site")
    ],
]


def unsafe_routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            if method in ("post", "put", "delete"):
                yield method.upper(), path


def fill_parameters(path: str) -> str:
    return path.replace("{username}", "noise_1").replace(
        "{post_id}", "00000000-0000-7000-8000-000000000000"
    )


@pytest.mark.unmeasured  # other tests cover the same code
@pytest.mark.parametrize(("origin", "site", "is_allowed"), ORIGINS)
async def test_every_unsafe_route_refuses_foreign_origins(
    app: FastAPI,
    member: Member,
    *,
    origin: str | None,
    site: str | None,
    is_allowed: bool,
) -> None:
    ada = await member("ada")
    headers = {"Origin": origin, "Sec-Fetch-Site": site}

    for method, path in unsafe_routes(app):
        if path in ("/logout", "/refresh-token"):
            continue  # they would change the session's cookies; tested below
        answer = await ada.request(
            method,
            fill_parameters(path),
            headers={k: v for k, v in headers.items() if v is not None},
        )
        is_refused = answer.status_code == 403 and answer.json()["code"] == "csrf_failed"
        assert is_refused != is_allowed, (method, path, answer.text)


async def test_foreign_page_cannot_log_in_log_out_or_refresh(
    member: Member,
) -> None:
    ada = await member("ada")
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    for path in ("/login", "/logout", "/refresh-token"):
        answer = await ada.post(path, headers=foreign)
        assert answer.json()["code"] == "csrf_failed"
        assert "set-cookie" not in answer.headers

    assert (await ada.get("/auth-check")).status_code == 200


async def test_every_unsafe_route_requires_the_sessions_csrf_token(
    app: FastAPI, member: Member
) -> None:
    ada, bob = await member("ada"), await member("bob")
    assert ada.csrf_token is not None
    wrong = [None, "", "x", ada.csrf_token[:-1], f"{ada.csrf_token} ", bob.csrf_token]

    for method, path in unsafe_routes(app):
        if path in NEEDS_NO_TOKEN:
            continue
        for token in wrong:
            headers = {} if token is None else {"X-CSRF-Token": token}
            answer = await ada.http.request(method, fill_parameters(path), headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed"), path


async def test_duplicate_csrf_header_is_refused(member: Member) -> None:
    ada = await member("ada")
    assert ada.csrf_token is not None
    token = ("X-CSRF-Token", ada.csrf_token)

    answer = await ada.http.post(
        "/posts", json={"body": "hi"}, headers=httpx.Headers([token, token])
    )

    assert answer.json()["code"] == "csrf_failed"


async def test_csrf_token_of_the_previous_session_is_refused(member: Member) -> None:
    ada = await member("ada")
    previous = ada.csrf_token
    await ada.log_in("ada")

    answer = await ada.post("/posts", json={"body": "hi"}, headers={"X-CSRF-Token": previous})

    assert answer.json()["code"] == "csrf_failed"


async def test_ended_session_takes_precedence_over_a_wrong_csrf_token(member: Member) -> None:
    ada = await member("ada")
    cookies = "; ".join(f"{k}={v}" for k, v in ada.http.cookies.items())
    await ada.post("/logout")

    answer = await ada.http.post("/posts", json={"body": "hi"}, headers={"Cookie": cookies})

    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


async def test_request_without_a_session_is_not_authenticated(stranger: Browser) -> None:
    answer = await stranger.post("/posts", json={"body": "hi"})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


async def test_duplicate_origin_header_is_refused(stranger: Browser) -> None:
    answer = await stranger.http.post(
        "/login", headers=httpx.Headers([("Origin", LISTED), ("Origin", LISTED)])
    )

    assert answer.json()["code"] == "csrf_failed"
