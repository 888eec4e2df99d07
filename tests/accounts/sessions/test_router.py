from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.core import clock
from wxc.models import Session

UNKNOWN = UUID("01900000-0000-7000-8000-000000000000")


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


@pytest.fixture
async def phone(app: FastAPI, ada: Browser) -> AsyncIterator[Browser]:
    """Another device of the same member."""
    async with Browser(app, address="198.51.100.7") as phone:
        phone.http.headers["User-Agent"] = "Phone/1.0 (ümlaut)"
        await phone.log_in("ada")
        yield phone


async def ids(browser: Browser) -> list[str]:
    return [item["id"] for item in (await browser.get("/sessions")).json()["items"]]


async def test_sessions_are_listed_with_user_agent_and_place(ada: Browser, phone: Browser) -> None:
    page = (await ada.get("/sessions")).json()

    assert (page["next_cursor"], page["prev_cursor"]) == (None, None)
    on_phone, here = page["items"]
    assert set(here) == {"id", "created_at", "last_used_at", "user_agent", "place", "current"}
    assert (on_phone["current"], here["current"]) == (False, True)
    assert on_phone["user_agent"] == "Phone/1.0 (??mlaut)"
    assert (on_phone["place"], here["place"]) == ("198.51.100.0/24", "192.0.2.0/24")


async def test_refresh_updates_the_place_of_the_session(app: FastAPI, ada: Browser) -> None:
    async with Browser(app, address="203.0.113.7") as abroad:
        abroad.http.cookies.update(ada.http.cookies)
        abroad.csrf_token = ada.csrf_token
        assert (await abroad.post("/refresh-token")).status_code == 200

        (here,) = (await abroad.get("/sessions")).json()["items"]

    assert here["place"] == "203.0.113.0/24"


async def test_ended_session_is_revoked_immediately_and_not_listed(
    ada: Browser, phone: Browser
) -> None:
    (on_phone, _) = await ids(ada)

    assert (await ada.delete(f"/sessions/{on_phone}")).status_code == 204

    assert (await phone.get("/auth-check")).json()["code"] == "session_expired"
    assert on_phone not in await ids(ada)
    again = await ada.delete(f"/sessions/{on_phone}")
    assert (again.status_code, again.json()["code"]) == (404, "session_not_found")


async def test_ending_other_sessions_keeps_the_current_one(ada: Browser, phone: Browser) -> None:
    for _ in range(2):
        assert (await ada.delete("/sessions")).status_code == 204

    assert (await phone.get("/auth-check")).status_code == 401
    assert (await ada.get("/auth-check")).status_code == 200
    assert len(await ids(ada)) == 1


async def test_session_of_another_member_is_not_found(ada: Browser, member: Member) -> None:
    bob = await member("bob")

    for session_id in (*await ids(bob), UNKNOWN):
        answer = await ada.delete(f"/sessions/{session_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")

    assert (await bob.get("/auth-check")).status_code == 200


async def test_expired_session_is_not_listed(
    ada: Browser, phone: Browser, connection: AsyncConnection
) -> None:
    (on_phone, here) = await ids(ada)
    await connection.execute(
        update(Session)
        .where(Session.id == UUID(on_phone))
        .values(idle_until=clock.now() - timedelta(seconds=1))
    )

    assert await ids(ada) == [here]


async def test_sessions_require_authentication(stranger: Browser) -> None:
    assert (await stranger.get("/sessions")).status_code == 401
