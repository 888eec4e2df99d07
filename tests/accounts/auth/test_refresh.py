"""Reuse returns the same successor during the grace period and ends the session after it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.app import running_app
from tests.support.audit_log import audit_events, latest_audit_event
from tests.support.browser import Browser

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.models import Session, User

Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Advances the clock by the given number of seconds."""
    moment = clock.now()

    def move(seconds: float) -> None:
        nonlocal moment
        moment += timedelta(seconds=seconds)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return move


@pytest.fixture
async def ada(member: Member) -> Browser:
    return await member("ada")


async def refresh_with(browser: Browser, token: str) -> httpx.Response:
    """Refresh with this token in the cookie and no access token."""
    headers = {"Cookie": f"wxc_refresh={token}", "X-CSRF-Token": browser.csrf_token or ""}
    cookies = dict(browser.http.cookies)
    browser.http.cookies.clear()
    answer = await browser.http.post("/refresh-token", headers=headers)
    browser.http.cookies.clear()
    browser.http.cookies.update(cookies)
    return answer


async def generation(connection: AsyncConnection, browser: Browser) -> int | None:
    return await connection.scalar(select(Session.generation).where(Session.user_id == browser.id))


def successor(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.cookies["wxc_refresh"])


async def test_refresh_issues_new_tokens_and_keeps_the_csrf_token(
    ada: Browser, connection: AsyncConnection
) -> None:
    previous = dict(ada.http.cookies)

    answer = await ada.post("/refresh-token")

    assert answer.status_code == 200
    assert answer.json()["csrf_token"] == ada.csrf_token
    assert answer.json()["user"]["username"] == "ada"
    assert {name for name in previous if ada.http.cookies[name] == previous[name]} == {"wxc_device"}
    assert await generation(connection, ada) == 1
    assert (await ada.get("/auth-check")).status_code == 200


async def test_refresh_works_with_an_expired_access_token(ada: Browser, later: Later) -> None:
    later(3600)
    assert (await ada.get("/feeds")).json()["code"] == "session_expired"

    assert (await ada.post("/refresh-token")).status_code == 200
    assert (await ada.get("/feeds")).status_code == 200


async def test_previous_token_gets_the_same_successor_within_the_grace_period(
    ada: Browser, connection: AsyncConnection, later: Later
) -> None:
    first = ada.http.cookies["wxc_refresh"]
    second = successor(await refresh_with(ada, first))

    later(29)
    again = successor(await refresh_with(ada, first))

    assert again == second
    assert await generation(connection, ada) == 1


async def test_reuse_after_the_grace_period_ends_the_session(
    ada: Browser, connection: AsyncConnection, later: Later
) -> None:
    first = ada.http.cookies["wxc_refresh"]
    second = successor(await refresh_with(ada, first))

    later(32)
    reused = await refresh_with(ada, first)

    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")
    assert len(reused.headers.get_list("set-cookie")) == 2  # cleared
    ended = await connection.scalar(select(Session.revoked_at).where(Session.user_id == ada.id))
    assert ended is not None
    after = await refresh_with(ada, second)
    assert (after.status_code, after.json()["code"]) == (401, "session_expired")
    assert (await ada.get("/auth-check")).json()["code"] == "session_expired"


async def test_token_two_generations_old_is_reuse_even_within_the_grace_period(
    ada: Browser,
) -> None:
    first = ada.http.cookies["wxc_refresh"]
    second = successor(await refresh_with(ada, first))
    successor(await refresh_with(ada, second))

    reused = await refresh_with(ada, first)

    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_reused")


class TestAfterARestoreFromABackup:
    """The row is older than the tokens: its generation is what it was at the time of the backup."""

    @pytest.fixture
    async def restored(self, ada: Browser, connection: AsyncConnection) -> str:
        """Ada's genuine refresh token of generation 5; her row is at generation 1 again."""
        for _ in range(5):
            assert (await ada.post("/refresh-token")).status_code == 200
        backup = update(Session).where(Session.user_id == ada.id)
        await connection.execute(backup.values(generation=1))
        return ada.http.cookies["wxc_refresh"]

    async def test_a_genuine_newer_token_is_accepted_and_its_successor_is_the_next(
        self, ada: Browser, restored: str, connection: AsyncConnection
    ) -> None:
        second = successor(await refresh_with(ada, restored))

        assert await generation(connection, ada) == 6
        assert successor(await refresh_with(ada, restored)) == second  # within the grace period
        assert second != restored
        assert successor(await refresh_with(ada, second)) not in (restored, second)
        assert await generation(connection, ada) == 7

    async def test_acceptance_is_audited_once(
        self, ada: Browser, restored: str, connection: AsyncConnection
    ) -> None:
        for _ in range(2):
            successor(await refresh_with(ada, restored))

        events = [event.event for event in await audit_events(connection, ada.id)]
        assert events == ["login", "generation_restored"]
        event = await latest_audit_event(connection, ada.id)
        assert event["session_id"] is not None
        assert event["detail"] == {"stored": 1, "presented": 5}

    async def test_tokens_older_than_the_accepted_one_are_reuse(
        self, ada: Browser, restored: str, app: FastAPI, connection: AsyncConnection
    ) -> None:
        session_id = await connection.scalar(select(Session.id).where(Session.user_id == ada.id))
        assert session_id is not None
        second = successor(await refresh_with(ada, restored))

        stolen = app.state.services.auth.tokens.refresh_token(session_id, 1)
        answer = await refresh_with(ada, stolen)

        assert (answer.status_code, answer.json()["code"]) == (401, "refresh_reused")
        assert (await refresh_with(ada, second)).json()["code"] == "session_expired"

    async def test_concurrent_refreshes_with_a_newer_token_get_one_successor(
        self, ada: Browser, restored: str, connection: AsyncConnection
    ) -> None:
        answers = await asyncio.gather(*(refresh_with(ada, restored) for _ in range(5)))

        assert len({successor(answer) for answer in answers}) == 1
        assert await generation(connection, ada) == 6

    async def test_a_forged_newer_token_is_refused(
        self, ada: Browser, restored: str, connection: AsyncConnection
    ) -> None:
        payload = restored[:-4] + ("AAAA" if restored[-4:] != "AAAA" else "BBBB")

        answer = await refresh_with(ada, payload)

        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert await generation(connection, ada) == 1

    async def test_a_newer_token_of_an_ended_session_stays_ended(
        self, ada: Browser, restored: str, later: Later
    ) -> None:
        later(14 * 86_400 + 1)

        answer = await refresh_with(ada, restored)

        assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")

    async def test_a_newer_token_needs_the_csrf_token(
        self, ada: Browser, restored: str, connection: AsyncConnection
    ) -> None:
        ada.csrf_token = "wrong"

        answer = await refresh_with(ada, restored)

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
        assert await generation(connection, ada) == 1


async def test_refresh_of_a_deleted_account_is_expired_and_no_theft(
    ada: Browser, connection: AsyncConnection
) -> None:
    """As if the account was deleted between the two queries of the refresh."""
    columns = ("email", "email_folded", "password_hash", "display_name")
    erased = dict.fromkeys(columns) | {"erase_at": clock.now()}
    deleted = update(User).where(User.id == ada.id)
    await connection.execute(deleted.values(suspended_at=clock.now(), **erased))

    answer = await ada.post("/refresh-token")

    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")
    assert len(answer.headers.get_list("set-cookie")) == 2  # cleared
    kinds = [event.event for event in await audit_events(connection, ada.id)]
    assert "refresh_reused" not in kinds


async def test_session_expires_after_14_idle_days(ada: Browser, later: Later) -> None:
    later(14 * 86_400 + 1)

    answer = await ada.post("/refresh-token")

    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")
    assert set(ada.http.cookies) == {"wxc_device"}


async def test_session_expires_after_30_days_of_use(ada: Browser, later: Later) -> None:
    for _ in range(3):
        later(9 * 86_400)
        assert (await ada.post("/refresh-token")).status_code == 200

    later(3 * 86_400 + 1)

    assert (await ada.post("/refresh-token")).json()["code"] == "session_expired"


async def test_refresh_requires_the_csrf_token(ada: Browser, connection: AsyncConnection) -> None:
    answer = await ada.http.post("/refresh-token")

    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")
    assert "set-cookie" not in answer.headers
    assert await generation(connection, ada) == 0


async def test_ended_session_takes_precedence_over_a_wrong_csrf_token(ada: Browser) -> None:
    token = ada.http.cookies["wxc_refresh"]
    await ada.post("/logout")
    ada.csrf_token = "wrong"

    answer = await refresh_with(ada, token)

    assert (answer.status_code, answer.json()["code"]) == (401, "session_expired")


@pytest.mark.parametrize("cookie", ["", "wxc_refresh=garbage", "wxc_access=garbage"])
async def test_invalid_refresh_token_is_refused_and_clears_no_cookie(
    stranger: Browser, cookie: str
) -> None:
    answer = await stranger.post("/refresh-token", headers={"Cookie": cookie})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "set-cookie" not in answer.headers


async def test_refresh_replaces_an_unreadable_access_token(ada: Browser) -> None:
    """As after its signing key was removed."""
    token = ada.http.cookies["wxc_refresh"]
    ada.http.cookies.clear()

    answer = await ada.http.post(
        "/refresh-token",
        headers={
            "Cookie": f"wxc_access=garbage; wxc_refresh={token}",
            "X-CSRF-Token": ada.csrf_token or "",
        },
    )

    assert answer.status_code == 200
    assert (await ada.get("/auth-check")).status_code == 200


async def test_cookies_of_two_sessions_are_refused(
    member: Member, connection: AsyncConnection
) -> None:
    ada, bob = await member("ada"), await member("bob")
    ada.http.cookies.set("wxc_access", bob.http.cookies["wxc_access"], domain="api.test")

    answer = await ada.http.post(
        "/refresh-token",
        headers={
            "Cookie": f"wxc_refresh={ada.http.cookies['wxc_refresh']}"
            f"; wxc_access={bob.http.cookies['wxc_access']}",
            "X-CSRF-Token": ada.csrf_token or "",
        },
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert await generation(connection, ada) == 0


class TestConcurrentRefreshes:
    @pytest.fixture
    async def app(
        self, config: Config, fresh_database_url: str, redis: RedisClient
    ) -> AsyncIterator[FastAPI]:
        async with running_app(
            config.model_copy(update={"database_url": fresh_database_url})
        ) as app:
            yield app

    async def test_fifty_concurrent_refreshes_raise_the_generation_once(self, app: FastAPI) -> None:
        async with Browser(app) as browser:
            ada = {"username": "ada", "email": "ada@example.com", "password": "walk in the rain"}
            await browser.post("/register", json=ada)
            await browser.log_in("ada", ada["password"])
            cookies = "; ".join(f"{k}={v}" for k, v in browser.http.cookies.items())
            browser.http.cookies.clear()
            headers = {"Cookie": cookies, "X-CSRF-Token": browser.csrf_token or ""}

            answers = await asyncio.gather(
                *(browser.http.post("/refresh-token", headers=headers) for _ in range(50))
            )

        assert {answer.status_code for answer in answers} == {200}
        assert len({successor(answer) for answer in answers}) == 1
        async with app.state.services.database.transaction() as session:
            assert (await session.execute(select(Session.generation))).scalars().all() == [1]
