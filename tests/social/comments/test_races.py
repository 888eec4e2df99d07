"""Concurrent writes to a thread keep the counters correct and never deadlock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.app import running_app
from tests.support.browser import Browser
from tests.support.database import wait_until_blocked
from tests.support.factories import make_user
from tests.support.limits import UNLIMITED

from wxc.core import clock
from wxc.core.config import Config
from wxc.core.ids import time_of
from wxc.core.redis import RedisClient
from wxc.db.recount import recount

pytestmark = pytest.mark.unmeasured  # other tests cover the same code

_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
# A hundred concurrent requests are slow on a busy machine; these tests do not test timeouts.
_LONG_TIMEOUTS = {
    "database_pool_wait": 30,
    "database_lock_timeout": 30,
    "database_statement_timeout": 30,
    "request_deadline": 60,
}


class Commenters:
    """Signed-in users and the path of a post by the first."""

    def __init__(self, app: FastAPI, people: list[Browser]) -> None:
        self.app = app
        self.people = people
        self.post = ""

    async def comment(self, parent: str | None = None, by: int = 0) -> str:
        body = {"body": "hello", "parent_id": parent}
        answer = await self.people[by].post(f"{self.post}/comments", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def consistent_statuses(self, *answers: httpx.Response) -> Counter[int]:
        """Assert that no counter has drifted and nothing deadlocked; returns the statuses."""
        drifts = await recount(self.app.state.services.config, repair=False)
        assert [counter for counter in drifts if counter.drifted] == []
        async with self.app.state.services.database.transaction() as session:
            assert (await session.execute(text(_DEADLOCKS))).scalar_one() == 0
        return Counter(answer.status_code for answer in answers)


@pytest.fixture
async def commenters(
    config: Config,
    fresh_database_url: str,
    redis: RedisClient,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Commenters]:
    monkeypatch.setattr("wxc.db.commits.COMMIT_DEADLINE", timedelta(seconds=60))
    engine = create_async_engine(fresh_database_url, poolclass=NullPool)
    names = [f"person_{number}" for number in range(5)]
    async with engine.begin() as connection:
        for name in names:
            await make_user(connection, name)
    await engine.dispose()
    changed = {"database_url": fresh_database_url, **_LONG_TIMEOUTS, **UNLIMITED}
    async with (
        running_app(config.model_copy(update=changed)) as app,
        AsyncExitStack() as stack,
    ):
        people = [await stack.enter_async_context(Browser(app)) for _ in names]
        for person, name in zip(people, names, strict=True):
            await person.log_in(name)
        commenters = Commenters(app, people)
        answer = await people[0].post("/posts", json={"body": "hello"})
        commenters.post = answer.headers["location"]
        yield commenters


@pytest.mark.parametrize("subject", ["post", "comment"])
async def test_concurrent_likes_keep_the_counter_correct(
    commenters: Commenters, subject: str
) -> None:
    path = commenters.post if subject == "post" else f"/comments/{await commenters.comment()}"

    answers = await asyncio.gather(
        *(
            person.request(method, f"{path}/like")
            for method in ("POST", "DELETE", "POST", "POST") * 5
            for person in commenters.people
        )
    )

    assert await commenters.consistent_statuses(*answers) == {200: 100}


async def test_concurrent_comments_and_replies_are_all_counted(commenters: Commenters) -> None:
    top = await commenters.comment()

    answers = await asyncio.gather(
        *(
            person.post(f"{commenters.post}/comments", json={"body": "hello", "parent_id": parent})
            for parent in (None, top, top)
            for person in commenters.people * 2
        )
    )

    assert await commenters.consistent_statuses(*answers) == {201: 30}
    assert (await commenters.people[0].get(commenters.post)).json()["comments_count"] == 31
    assert (await commenters.people[0].get(f"/comments/{top}")).json()["replies_count"] == 20


async def test_commenting_while_the_post_is_deleted_keeps_the_counters_correct(
    commenters: Commenters,
) -> None:
    for _ in range(5):
        top = await commenters.comment()
        answers = await asyncio.gather(
            *(
                person.post(f"{commenters.post}/comments", json={"body": "x", "parent_id": parent})
                for person in commenters.people[1:]
                for parent in (None, top)
            ),
            *(person.post(f"/comments/{top}/like") for person in commenters.people),
            *(person.post(f"{commenters.post}/like") for person in commenters.people),
            commenters.people[0].delete(commenters.post),
        )

        statuses = await commenters.consistent_statuses(*answers)
        assert set(statuses) <= {200, 201, 204, 404, 409}, statuses
        assert statuses[204] == 1
        answer = await commenters.people[0].post("/posts", json={"body": "hello"})
        commenters.post = answer.headers["location"]


async def test_replying_while_the_parent_is_deleted_keeps_the_thread_consistent(
    commenters: Commenters,
) -> None:
    """A reply written first has a tombstone above it; one after the deletion is refused."""
    for _ in range(8):
        top = await commenters.comment(by=1)
        middle = await commenters.comment(top, by=1)
        replies = [
            person.post(f"{commenters.post}/comments", json={"body": "x", "parent_id": middle})
            for person in commenters.people[2:]
        ]
        deletions = [commenters.people[1].delete(f"/comments/{each}") for each in (middle, top)]
        others = [person.post(f"/comments/{middle}/like") for person in commenters.people]
        edits = [commenters.people[1].put(f"/comments/{middle}", json={"body": "changed"})]

        answers = await asyncio.gather(*replies, *deletions, *others, *edits)

        statuses = await commenters.consistent_statuses(*answers)
        assert set(statuses) <= {200, 201, 204, 404, 409, 422}, statuses
        assert statuses[204] == 2
        written = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        for reply in written:
            assert (await commenters.people[0].get(f"/comments/{reply}")).status_code == 200
        parent = await commenters.people[0].get(f"/comments/{middle}")
        assert parent.status_code == (200 if written else 404)


async def test_deleting_the_last_replies_concurrently_deletes_the_tombstones(
    commenters: Commenters,
) -> None:
    for _ in range(5):
        top = await commenters.comment()
        middle = await commenters.comment(top)
        replies = [await commenters.comment(middle, by=number) for number in range(5)]
        for comment in (middle, top):
            await commenters.people[0].delete(f"/comments/{comment}")

        answers = await asyncio.gather(
            *(
                person.delete(f"/comments/{reply}")
                for person, reply in zip(commenters.people, replies, strict=True)
            )
        )

        assert await commenters.consistent_statuses(*answers) == {204: 5}
        assert (await commenters.people[0].get(f"/comments/{top}")).status_code == 404
        assert (await commenters.people[0].get(commenters.post)).json()["comments_count"] == 0


async def test_concurrent_requests_with_one_idempotency_key_take_effect_once(
    commenters: Commenters,
) -> None:
    headers = {"Idempotency-Key": "once"}

    answers = await asyncio.gather(
        *(
            commenters.people[0].post(
                f"{commenters.post}/comments", json={"body": "x"}, headers=headers
            )
            for _ in range(20)
        )
    )

    statuses = await commenters.consistent_statuses(*answers)
    assert set(statuses) <= {201, 409}, statuses
    in_flight = [answer for answer in answers if answer.status_code == 409]
    assert {answer.json()["code"] for answer in in_flight} <= {"idempotency_in_flight"}
    assert (await commenters.people[0].get(commenters.post)).json()["comments_count"] == 1


async def test_an_idempotency_key_in_flight_is_refused(commenters: Commenters) -> None:
    headers = {"Idempotency-Key": "once"}
    path = f"{commenters.post}/comments"
    async with commenters.app.state.services.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM posts FOR UPDATE"))
        first = asyncio.create_task(
            commenters.people[0].post(path, json={"body": "x"}, headers=headers)
        )
        await wait_until_blocked(commenters.app.state.services.database)
        second = await commenters.people[0].post(path, json={"body": "x"}, headers=headers)

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_flight")
    assert (await first).status_code == 201


async def test_the_id_of_a_comment_is_generated_after_the_last_lock(commenters: Commenters) -> None:
    async with commenters.app.state.services.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM posts FOR UPDATE"))
        late = asyncio.create_task(
            commenters.people[1].post(f"{commenters.post}/comments", json={"body": "late"})
        )
        await wait_until_blocked(commenters.app.state.services.database)
    moment = clock.now()

    assert (await late).is_success
    async with commenters.app.state.services.database.transaction() as session:
        newest = "SELECT id FROM comments ORDER BY id DESC LIMIT 1"
        comment_id: UUID = (await session.execute(text(newest))).scalar_one()
    assert time_of(comment_id) >= moment - timedelta(milliseconds=50)
