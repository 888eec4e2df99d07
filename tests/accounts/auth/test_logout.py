from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.core import clock
from wxc.models import Session


async def test_logout_ends_the_session_and_clears_the_cookies(member: Member) -> None:
    ada = await member("ada")
    cookies = dict(ada.http.cookies)

    answer = await ada.post("/logout")

    assert answer.status_code == 204
    assert set(ada.http.cookies) == {"wxc_device"}
    again = await ada.get("/auth-check", headers={"Cookie": _header(cookies)})
    assert (again.status_code, again.json()["code"]) == (401, "session_expired")


async def test_logout_works_with_an_expired_access_token(
    member: Member, monkeypatch: pytest.MonkeyPatch, connection: AsyncConnection
) -> None:
    ada = await member("ada")
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    assert (await ada.post("/logout")).status_code == 204
    ended = select(Session.revoked_at).where(Session.user_id == ada.id)
    assert await connection.scalar(ended) is not None


async def test_logout_of_a_live_session_requires_its_csrf_token(member: Member) -> None:
    ada = await member("ada")

    answer = await ada.http.post("/logout")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert (await ada.get("/auth-check")).status_code == 200


@pytest.mark.parametrize("cookies", ["", "wxc_access=garbage", "wxc_refresh=garbage"])
async def test_logout_without_a_session_clears_the_cookies(stranger: Browser, cookies: str) -> None:
    answer = await stranger.post("/logout", headers={"Cookie": cookies})

    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2


async def test_logout_with_an_invalid_access_token_uses_the_refresh_token(
    member: Member,
) -> None:
    ada = await member("ada")
    live = dict(ada.http.cookies)
    ada.http.cookies.clear()
    broken = {"Cookie": _header(live | {"wxc_access": "garbage"})}

    refused = await ada.http.post("/logout", headers=broken)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    assert (await ada.post("/logout", headers=broken)).status_code == 204

    again = await ada.get("/auth-check", headers={"Cookie": _header(live)})
    assert again.json()["code"] == "session_expired"


async def test_logout_with_an_invalid_refresh_token_uses_the_access_token(member: Member) -> None:
    ada = await member("ada")
    live = dict(ada.http.cookies)
    ada.http.cookies.clear()

    answer = await ada.post(
        "/logout", headers={"Cookie": _header(live | {"wxc_refresh": "garbage"})}
    )

    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2
    again = await ada.get("/auth-check", headers={"Cookie": _header(live)})
    assert again.json()["code"] == "session_expired"


async def test_logout_clears_duplicate_cookies(member: Member) -> None:
    ada = await member("ada")
    token = ada.http.cookies["wxc_access"]
    ada.http.cookies.clear()

    answer = await ada.http.post(
        "/logout", headers={"Cookie": f"wxc_access={token}; wxc_access={token}"}
    )

    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2


async def test_second_logout_succeeds(member: Member) -> None:
    ada = await member("ada")
    cookies = _header(dict(ada.http.cookies))
    await ada.post("/logout")

    answer = await ada.http.post("/logout", headers={"Cookie": cookies})

    assert answer.status_code == 204


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
