"""After a server is killed during writes, counters match the rows, the rate history verifies, and
requests repeated with their `Idempotency-Key` take effect once.
"""

import asyncio
import random
import signal
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.factories import PASSWORD
from tests.support.server import run_server
from wxc.core.config import Config
from wxc.core.redis import RedisClient
from wxc.db import recount
from wxc.db.database import Database
from wxc.exchange.history.service.verification import Verification, verify_rates
from wxc.models import Comment

ROUNDS = 5
PEOPLE = [f"person_{number}" for number in range(4)]


class Person:
    """A member who sends random writes until the server is killed."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.name = name
        self.writes = 0
        self.unanswered: tuple[str, dict[str, str], str] | None = None
        """The path, body and key of a comment that got no response."""

    async def log_in(self, port: int) -> None:
        self.http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        account = {"username": self.name, "email": f"{self.name}@example.com"}
        await self.http.post("/register", json={**account, "password": PASSWORD})
        credentials = {"identifier": self.name, "password": PASSWORD}
        answer = await self.http.post("/login", json=credentials)
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    async def write_randomly(self, posts: list[str], draw: random.Random) -> None:
        while True:
            post, other = draw.choice(posts), draw.choice(PEOPLE)
            method = draw.choice(("POST", "DELETE"))
            path = draw.choice(
                (f"/posts/{post}/like", f"/users/{other}/follow", "comment", "/exchange")
            )
            try:
                if path == "comment":
                    await self._comment(post, draw)
                elif path == "/exchange":
                    await self.http.put(path, json=_board(draw))
                else:
                    await self.http.request(method, path)
            except httpx.TransportError:
                return
            self.writes += 1

    async def _comment(self, post: str, draw: random.Random) -> None:
        address = f"/posts/{post}/comments"
        thread = (await self.http.get(address, params={"depth": 3})).json()["items"]
        living = [one for one in thread if not one["deleted"]]
        own = [one["id"] for one in living if one["author"]["username"] == self.name]
        if own and draw.random() < 0.4:
            await self.http.delete(f"/comments/{draw.choice(own)}")
            return
        is_reply = living and draw.random() < 0.6
        parent = {"parent_id": draw.choice(living)["id"]} if is_reply else {}
        key = str(uuid4())
        await self.write_comment(address, {"body": key, **parent}, key)

    async def write_comment(self, address: str, body: dict[str, str], key: str) -> httpx.Response:
        """Write a comment; `unanswered` keeps the request if there is no response."""
        self.unanswered = (address, body, key)
        answer = await self.http.post(address, json=body, headers={"Idempotency-Key": key})
        self.unanswered = None
        return answer

    async def repeat(self, port: int) -> dict[str, int]:
        """Repeat the unanswered comment; returns the expected number of comments with its key."""
        if self.unanswered is None:
            return {}
        self.http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        key = self.unanswered[-1]
        answer = await self.write_comment(*self.unanswered)
        # Its parent may have been deleted meanwhile.
        assert answer.status_code in (201, 409, 422), answer.text
        return {key: int(answer.is_success)}


@pytest.mark.faults
async def test_killed_server_leaves_no_drift_and_retries_take_effect_once(
    config: Config, fresh_database_url: str, redis: RedisClient, tmp_path: Path
) -> None:
    wired = config.model_copy(update={"database_url": fresh_database_url})
    engines = (wired.database_url, wired.redis_url, tmp_path / "log")
    writes, repeated = 0, dict[str, int]()
    for number in range(ROUNDS):
        draw = random.Random(number)  # noqa: S311 - a schedule, not a secret
        async with AsyncExitStack() as stack:
            people = [
                Person(await stack.enter_async_context(httpx.AsyncClient()), name)
                for name in PEOPLE
            ]
            with run_server(*engines) as (port, process):
                for person in people:
                    await person.log_in(port)
                answers = [await one.http.post("/posts", json={"body": "hello"}) for one in people]
                posts = [answer.json()["id"] for answer in answers]
                tasks = [asyncio.create_task(one.write_randomly(posts, draw)) for one in people]
                await asyncio.sleep(1 + draw.random())
                process.send_signal(signal.SIGKILL)
                await asyncio.gather(*tasks)
                writes += sum(person.writes for person in people)
            with run_server(*engines) as (port, _):
                for person in people:
                    repeated |= await person.repeat(port)

    found = await recount.recount(wired, repair=False)
    assert writes > 10 * ROUNDS
    assert {one.counter: one.drifted for one in found if one.drifted} == {}
    verified = await _verified(wired)
    assert verified.faults == []
    assert verified.boards >= len(PEOPLE)
    assert verified.events > ROUNDS * len(PEOPLE)
    assert repeated
    assert await _comment_counts(wired.database_url, repeated) == repeated


def _board(draw: random.Random) -> dict[str, Any]:
    """A board with random rates for up to three currencies."""
    rates = [
        {"currency": code, "we_buy": f"0.{draw.randrange(1, 1000):03}"}
        for code in draw.sample(("EUR", "JPY", "USD"), draw.randrange(4))
    ]
    return {"name": "Board", "base_currency": "SGD", "rates": rates}


async def _verified(config: Config) -> Verification:
    database = Database(config)
    verified = await verify_rates(database, None)
    await database.close()
    return verified


async def _comment_counts(database_url: str, bodies: Iterable[str]) -> dict[str, int]:
    """The number of comments with each body."""
    engine = create_async_engine(database_url)
    async with engine.connect() as connection:
        counted = {
            body: await connection.scalar(
                select(func.count()).select_from(Comment).where(Comment.body == body)
            )
            for body in bodies
        }
    await engine.dispose()
    return {body: count or 0 for body, count in counted.items()}
