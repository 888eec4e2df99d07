"""Responses are sent after COMMIT, and concurrent requests keep the data consistent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from asyncpg.transaction import Transaction
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import text
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import administer, wait_until_blocked
from tests.support.limits import UNLIMITED

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.db import commits
from wxc.db.commits import next_id
from wxc.http.refusals.server import Retry
from wxc.social.posts.repository import insert_post

PASSWORD = "a walk in the rain"


@pytest.fixture
async def app(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> AsyncIterator[FastAPI]:
    # Sixty concurrent requests exceed the default timeouts on a busy machine.
    timeouts = {"database_pool_wait": 30, "request_deadline": 60}
    changed = {"database_url": fresh_database_url, **UNLIMITED, **timeouts}
    async with running_app(config.model_copy(update=changed)) as app:
        yield app


async def signed_in(app: FastAPI, stack: AsyncExitStack, name: str) -> Browser:
    browser = await stack.enter_async_context(Browser(app))
    registration = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    await browser.post("/register", json=registration)
    await browser.log_in(name, PASSWORD)
    return browser


async def count(app: FastAPI, statement: str) -> int:
    async with app.state.services.database.transaction() as session:
        return int((await session.execute(text(statement))).scalar_one())


async def test_a_write_with_a_failed_commit_is_not_reported_as_a_success(
    app: FastAPI, fresh_database_url: str
) -> None:
    """A deferred constraint makes COMMIT itself fail, after the handler has returned."""
    async with AsyncExitStack() as stack:
        ada = await signed_in(app, stack, "ada")
        await administer(
            fresh_database_url,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'refused at commit'; END$$",
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON posts "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )

        answer = await ada.post("/posts", json={"body": "hello"})

        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "refused" not in answer.text
        assert (await ada.get("/users/ada")).json()["posts_count"] == 0


async def test_a_connection_lost_at_commit_is_not_reported_as_a_success(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncExitStack() as stack:
        ada = await signed_in(app, stack, "ada")

        async def lose(self: Transaction) -> None:
            monkeypatch.undo()
            raise ConnectionResetError("lost")

        monkeypatch.setattr(Transaction, "commit", lose)
        answer = await ada.post("/posts", json={"body": "hello @ada"})

        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert await count(app, "SELECT count(*) FROM posts WHERE body = 'hello @ada'") == 0


async def test_one_of_several_concurrent_registrations_wins(app: FastAPI) -> None:
    async with Browser(app) as browser:
        answers = await asyncio.gather(
            *(
                browser.post(
                    "/register",
                    json={
                        "username": "ADA" if number % 2 else "ada",
                        "email": f"ada{number}@example.com" if number % 3 else "ada@example.com",
                        "password": PASSWORD,
                    },
                )
                for number in range(20)
            )
        )

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {201: 1, 409: 19}


async def test_parallel_follows_leave_counters_that_match_the_rows(app: FastAPI) -> None:
    """All users follow each other concurrently, which could deadlock."""
    async with AsyncExitStack() as stack:
        names = [f"person_{number}" for number in range(5)]
        people = [await signed_in(app, stack, name) for name in names]

        answers = await asyncio.gather(
            *(
                person.request(method, f"/users/{name}/follow")
                for method in ("POST", "DELETE", "POST")
                for person, own in zip(people, names, strict=True)
                for name in names
                if name != own
            )
        )

    assert {answer.status_code for answer in answers} == {200}
    assert await count(app, _FOLLOW_DRIFT) == 0
    assert await count(app, _DEADLOCKS) == 0


_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
_FOLLOW_DRIFT = """
    SELECT count(*) FROM users WHERE
    followers_count <> (SELECT count(*) FROM follows WHERE followed_id = users.id) OR
    following_count <> (SELECT count(*) FROM follows WHERE follower_id = users.id)
"""


async def test_a_lock_timeout_fails_only_its_own_request(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> None:
    changed = {"database_url": fresh_database_url, "database_lock_timeout": 0.2}
    async with running_app(config.model_copy(update=changed)) as app, AsyncExitStack() as stack:
        ada = await signed_in(app, stack, "ada")
        async with app.state.services.database.transaction() as session:
            await session.execute(text("SELECT 1 FROM users WHERE username = 'ada' FOR UPDATE"))

            answer = await ada.post("/posts", json={"body": "hello"})
            reading = await ada.get("/users/ada")

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert reading.status_code == 200


async def test_an_exhausted_pool_times_out(
    config: Config, fresh_database_url: str, redis: RedisClient
) -> None:
    changed = {
        "database_url": fresh_database_url,
        "database_pool_size": 1,
        "database_pool_overflow": 0,
        "database_pool_wait": 0.1,
    }
    async with running_app(config.model_copy(update=changed)) as app, Browser(app) as browser:
        async with app.state.services.database._pool.acquire():
            answer = await browser.get("/users/noise_1")
            alive = await browser.get("/livez")

        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert alive.status_code == 200
        assert (await browser.get("/users/noise_1")).status_code == 200


async def test_parallel_logins_that_renew_the_hash_all_succeed(app: FastAPI) -> None:
    async with AsyncExitStack() as stack:
        ada = await signed_in(app, stack, "ada")
        app.state.services.auth.passwords._hasher = Argon2Hasher(2, 16, 1)

        answers = await asyncio.gather(*(ada.log_in("ada", PASSWORD) for _ in range(4)))

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("path", ["/posts", "/users/bob/follow"])
async def test_a_poller_does_not_miss_a_write_that_waited_for_a_lock(
    app: FastAPI, path: str
) -> None:
    async with AsyncExitStack() as stack:
        people = [await signed_in(app, stack, name) for name in ("ada", "bob", "eve")]
        ada, _, eve = people
        await ada.post("/posts", json={"body": "early"})
        await eve.post("/users/bob/follow")
        listed = "/users/bob/followers" if "follow" in path else "/users/ada/posts"
        body = {} if "follow" in path else {"json": {"body": "late"}}
        async with app.state.services.database.transaction() as session:
            await session.execute(text("SELECT 1 FROM users WHERE username = 'ada' FOR UPDATE"))
            late = asyncio.create_task(ada.post(path, **body))
            await wait_until_blocked(app.state.services.database)
            seen = (await eve.get(listed)).json()
        answer = await late

        news = (await eve.get(listed, params={"cursor": seen["prev_cursor"]})).json()["items"]

    assert answer.is_success
    assert len(seen["items"]) == 1
    assert news[0]["id"] not in {item["id"] for item in seen["items"]}


async def test_a_post_that_would_become_visible_too_late_for_pollers_is_refused(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "COMMIT_DEADLINE", timedelta(milliseconds=100))
    async with AsyncExitStack() as stack:
        ada = await signed_in(app, stack, "ada")
        async with app.state.services.database.transaction() as session:
            await session.execute(text("SELECT 1 FROM users WHERE username = 'ada' FOR UPDATE"))
            late = asyncio.create_task(ada.post("/posts", json={"body": "late"}))
            await wait_until_blocked(app.state.services.database)
            await asyncio.sleep(0.2)
        answer = await late
        mine = (await ada.get("/users/ada")).json()

    assert (answer.status_code, answer.json()["code"]) == (503, "retry")
    assert await count(app, "SELECT count(*) FROM posts WHERE body = 'late'") == 0
    assert mine["posts_count"] == 0


async def test_an_id_generated_long_before_its_commit_is_refused(
    app: FastAPI,
) -> None:
    async def write_late() -> None:
        async with app.state.services.database.transaction() as session:
            author = (await session.execute(text("SELECT id FROM users LIMIT 1"))).scalar_one()
            moment = clock.now()
            late = insert_post(next_id(session), author, "late", moment, moment + timedelta(days=1))
            await session.fetch(late)
            session.info["first_id_at"] -= timedelta(seconds=2)

    with pytest.raises(Retry):
        await write_late()

    assert await count(app, "SELECT count(*) FROM posts WHERE body = 'late'") == 0
