"""Whatever happens at once, the counters are what the rows say, and nobody deadlocks."""

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

pytestmark = pytest.mark.unmeasured  # the same ways again and again: others measure them

_DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
# A hundred requests at once on a busy machine take their time; that is not what is tested here.
_PATIENT = {
    "database_pool_wait": 30,
    "database_lock_timeout": 30,
    "database_statement_timeout": 30,
    "request_deadline": 60,
}


class Crowd:
    """Signed-in people, and a post by the first of them."""

    def __init__(self, app: FastAPI, people: list[Browser]) -> None:
        self.app = app
        self.people = people
        self.post = ""

    async def comment(self, parent: str | None = None, by: int = 0) -> str:
        body = {"body": "hello", "parent_id": parent}
        answer = await self.people[by].post(f"{self.post}/comments", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def settle(self, *answers: httpx.Response) -> Counter[int]:
        """The statuses; after that no counter has drifted and no lock was ever a deadly one."""
        drifts = await recount(self.app.state.services.config, repair=False)
        assert [one for one in drifts if one.drifted] == []
        async with self.app.state.services.database.transaction() as session:
            assert (await session.execute(text(_DEADLOCKS))).scalar_one() == 0
        return Counter(answer.status_code for answer in answers)


@pytest.fixture
async def crowd(
    config: Config,
    fresh_database_url: str,
    redis: RedisClient,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Crowd]:
    monkeypatch.setattr("wxc.db.commits.COMMIT_DEADLINE", timedelta(seconds=60))
    engine = create_async_engine(fresh_database_url, poolclass=NullPool)
    names = [f"person_{number}" for number in range(5)]
    async with engine.begin() as connection:
        for name in names:
            await make_user(connection, name)
    await engine.dispose()
    changed = {"database_url": fresh_database_url, **_PATIENT, **UNLIMITED}
    async with (
        running_app(config.model_copy(update=changed)) as app,
        AsyncExitStack() as stack,
    ):
        people = [await stack.enter_async_context(Browser(app)) for _ in names]
        for person, name in zip(people, names, strict=True):
            await person.log_in(name)
        crowd = Crowd(app, people)
        answer = await people[0].post("/posts", json={"body": "hello"})
        crowd.post = answer.headers["location"]
        yield crowd


@pytest.mark.parametrize("subject", ["post", "comment"])
async def test_a_storm_of_likes_leaves_as_many_as_the_counter_says(
    crowd: Crowd, subject: str
) -> None:
    path = crowd.post if subject == "post" else f"/comments/{await crowd.comment()}"

    answers = await asyncio.gather(
        *(
            person.request(method, f"{path}/like")
            for method in ("POST", "DELETE", "POST", "POST") * 5
            for person in crowd.people
        )
    )

    assert await crowd.settle(*answers) == {200: 100}


async def test_comments_and_replies_at_once_are_all_there_and_counted(crowd: Crowd) -> None:
    top = await crowd.comment()

    answers = await asyncio.gather(
        *(
            person.post(f"{crowd.post}/comments", json={"body": "hello", "parent_id": parent})
            for parent in (None, top, top)
            for person in crowd.people * 2
        )
    )

    assert await crowd.settle(*answers) == {201: 30}
    assert (await crowd.people[0].get(crowd.post)).json()["comments_count"] == 31
    assert (await crowd.people[0].get(f"/comments/{top}")).json()["replies_count"] == 20


async def test_a_comment_meets_the_deletion_of_its_post(crowd: Crowd) -> None:
    for _ in range(5):
        top = await crowd.comment()
        answers = await asyncio.gather(
            *(
                person.post(f"{crowd.post}/comments", json={"body": "x", "parent_id": parent})
                for person in crowd.people[1:]
                for parent in (None, top)
            ),
            *(person.post(f"/comments/{top}/like") for person in crowd.people),
            *(person.post(f"{crowd.post}/like") for person in crowd.people),
            crowd.people[0].delete(crowd.post),
        )

        statuses = await crowd.settle(*answers)
        assert set(statuses) <= {200, 201, 204, 404, 409}, statuses
        assert statuses[204] == 1
        answer = await crowd.people[0].post("/posts", json={"body": "hello"})
        crowd.post = answer.headers["location"]


async def test_a_reply_meets_the_deletion_of_its_parent(crowd: Crowd) -> None:
    """Either the reply was first, and a tombstone stays above it; or there is nothing to reply."""
    for _ in range(8):
        top = await crowd.comment(by=1)
        middle = await crowd.comment(top, by=1)
        replies = [
            person.post(f"{crowd.post}/comments", json={"body": "x", "parent_id": middle})
            for person in crowd.people[2:]
        ]
        deletions = [crowd.people[1].delete(f"/comments/{one}") for one in (middle, top)]
        others = [person.post(f"/comments/{middle}/like") for person in crowd.people]
        edits = [crowd.people[1].put(f"/comments/{middle}", json={"body": "changed"})]

        answers = await asyncio.gather(*replies, *deletions, *others, *edits)

        statuses = await crowd.settle(*answers)
        assert set(statuses) <= {200, 201, 204, 404, 409, 422}, statuses
        assert statuses[204] == 2
        written = [one.json()["id"] for one in answers if one.status_code == 201]
        for reply in written:
            assert (await crowd.people[0].get(f"/comments/{reply}")).status_code == 200
        gone = await crowd.people[0].get(f"/comments/{middle}")
        assert gone.status_code == (200 if written else 404)


async def test_the_last_replies_deleted_at_once_take_the_tombstones_along(crowd: Crowd) -> None:
    for _ in range(5):
        top = await crowd.comment()
        middle = await crowd.comment(top)
        replies = [await crowd.comment(middle, by=number) for number in range(5)]
        for one in (middle, top):
            await crowd.people[0].delete(f"/comments/{one}")

        answers = await asyncio.gather(
            *(
                person.delete(f"/comments/{reply}")
                for person, reply in zip(crowd.people, replies, strict=True)
            )
        )

        assert await crowd.settle(*answers) == {204: 5}
        assert (await crowd.people[0].get(f"/comments/{top}")).status_code == 404
        assert (await crowd.people[0].get(crowd.post)).json()["comments_count"] == 0


async def test_of_the_same_request_sent_at_once_one_takes_effect(crowd: Crowd) -> None:
    headers = {"Idempotency-Key": "once"}

    answers = await asyncio.gather(
        *(
            crowd.people[0].post(f"{crowd.post}/comments", json={"body": "x"}, headers=headers)
            for _ in range(20)
        )
    )

    statuses = await crowd.settle(*answers)
    assert set(statuses) <= {201, 409}, statuses
    in_flight = [one for one in answers if one.status_code == 409]
    assert {one.json()["code"] for one in in_flight} <= {"idempotency_in_flight"}
    assert (await crowd.people[0].get(crowd.post)).json()["comments_count"] == 1


async def test_while_the_first_is_running_a_second_is_told_so(crowd: Crowd) -> None:
    headers = {"Idempotency-Key": "once"}
    path = f"{crowd.post}/comments"
    async with crowd.app.state.services.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM posts FOR UPDATE"))
        first = asyncio.create_task(crowd.people[0].post(path, json={"body": "x"}, headers=headers))
        await wait_until_blocked(crowd.app.state.services.database)
        second = await crowd.people[0].post(path, json={"body": "x"}, headers=headers)

    assert (second.status_code, second.json()["code"]) == (409, "idempotency_in_flight")
    assert (await first).status_code == 201


async def test_a_comment_that_waits_for_the_post_is_not_older_than_what_was_seen(
    crowd: Crowd,
) -> None:
    """Ids are drawn after the last lock."""
    async with crowd.app.state.services.database.transaction() as session:
        await session.execute(text("SELECT 1 FROM posts FOR UPDATE"))
        late = asyncio.create_task(
            crowd.people[1].post(f"{crowd.post}/comments", json={"body": "late"})
        )
        await wait_until_blocked(crowd.app.state.services.database)
    moment = clock.now()

    assert (await late).is_success
    async with crowd.app.state.services.database.transaction() as session:
        newest = "SELECT id FROM comments ORDER BY id DESC LIMIT 1"
        drawn: UUID = (await session.execute(text(newest))).scalar_one()
    assert time_of(drawn) >= moment - timedelta(milliseconds=50)
