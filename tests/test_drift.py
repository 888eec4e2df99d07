"""Rows 64 and 68: after a server was killed amid writes counters match the rows, rates verify, and
what is sent again under its `Idempotency-Key` takes effect once.
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
    """A member who does whatever comes to mind until the server has gone."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.name = name
        self.acts = 0
        self.cut_off: tuple[str, dict[str, str], str] | None = None
        """The address, body and key of a comment that got no answer."""

    async def begin(self, port: int) -> None:
        self.http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        account = {"username": self.name, "email": f"{self.name}@example.com"}
        await self.http.post("/register", json={**account, "password": PASSWORD})
        credentials = {"identifier": self.name, "password": PASSWORD}
        answer = await self.http.post("/login", json=credentials)
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    async def act_on(self, posts: list[str], draw: random.Random) -> None:
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
            self.acts += 1

    async def _comment(self, post: str, draw: random.Random) -> None:
        address = f"/posts/{post}/comments"
        said = (await self.http.get(address, params={"depth": 3})).json()["items"]
        living = [one for one in said if not one["deleted"]]
        own = [one["id"] for one in living if one["author"]["username"] == self.name]
        if own and draw.random() < 0.4:
            await self.http.delete(f"/comments/{draw.choice(own)}")
            return
        is_reply = living and draw.random() < 0.6
        parent = {"parent_id": draw.choice(living)["id"]} if is_reply else {}
        key = str(uuid4())
        await self.say(address, {"body": key, **parent}, key)

    async def say(self, address: str, body: dict[str, str], key: str) -> httpx.Response:
        """Comment, and keep in mind what is to be sent again if no answer comes."""
        self.cut_off = (address, body, key)
        answer = await self.http.post(address, json=body, headers={"Idempotency-Key": key})
        self.cut_off = None
        return answer

    async def repeat(self, port: int) -> dict[str, int]:
        """Send again what got no answer; how many comments there must be of it then."""
        if self.cut_off is None:
            return {}
        self.http.base_url = httpx.URL(f"http://127.0.0.1:{port}")
        key = self.cut_off[-1]
        answer = await self.say(*self.cut_off)
        # The comment that it was to reply to may have been deleted meanwhile.
        assert answer.status_code in (201, 409, 422), answer.text
        return {key: int(answer.is_success)}


@pytest.mark.faults
async def test_kills_during_writes_leave_no_drift_and_retries_take_effect_once(
    config: Config, fresh_database_url: str, redis: RedisClient, tmp_path: Path
) -> None:
    wired = config.model_copy(update={"database_url": fresh_database_url})
    engines = (wired.database_url, wired.redis_url, tmp_path / "log")
    acts, repeated = 0, dict[str, int]()
    for number in range(ROUNDS):
        draw = random.Random(number)  # noqa: S311 - a schedule, not a secret
        async with AsyncExitStack() as stack:
            people = [
                Person(await stack.enter_async_context(httpx.AsyncClient()), name)
                for name in PEOPLE
            ]
            with run_server(*engines) as (port, process):
                for person in people:
                    await person.begin(port)
                answers = [await one.http.post("/posts", json={"body": "hello"}) for one in people]
                posts = [answer.json()["id"] for answer in answers]
                tasks = [asyncio.create_task(one.act_on(posts, draw)) for one in people]
                await asyncio.sleep(1 + draw.random())
                process.send_signal(signal.SIGKILL)
                await asyncio.gather(*tasks)
                acts += sum(person.acts for person in people)
            with run_server(*engines) as (port, _):
                for person in people:
                    repeated |= await person.repeat(port)

    found = await recount.recount(wired, repair=False)
    assert acts > 10 * ROUNDS
    assert {one.counter: one.drifted for one in found if one.drifted} == {}
    verified = await _verified(wired)
    assert verified.faults == []
    assert verified.boards >= len(PEOPLE)
    assert verified.events > ROUNDS * len(PEOPLE)
    assert repeated
    assert await _said(wired.database_url, repeated) == repeated


def _board(draw: random.Random) -> dict[str, Any]:
    """Any of three currencies, at any rate."""
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


async def _said(database_url: str, bodies: Iterable[str]) -> dict[str, int]:
    """How many comments say so."""
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
