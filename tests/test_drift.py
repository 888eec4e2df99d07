"""Row 68: a server that is killed amid writes leaves counters that match the rows."""

import asyncio
import random
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.factories import PASSWORD
from tests.served import served
from wxc import recount
from wxc.core.config import Config
from wxc.core.redis import RedisClient

ROUNDS = 5
PEOPLE = [f"person_{number}" for number in range(4)]


class Person:
    """A member who does whatever comes to mind until the server has gone."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        self.http = http
        self.name = name
        self.acts = 0

    async def begin(self) -> None:
        account = {"username": self.name, "email": f"{self.name}@example.com"}
        await self.http.post("/register", json={**account, "password": PASSWORD})
        credentials = {"identifier": self.name, "password": PASSWORD}
        answer = await self.http.post("/login", json=credentials)
        self.http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    async def act_on(self, posts: list[str], draw: random.Random) -> None:
        while True:
            post, other = draw.choice(posts), draw.choice(PEOPLE)
            method = draw.choice(("POST", "DELETE"))
            path = draw.choice((f"/posts/{post}/like", f"/users/{other}/follow", "comment"))
            try:
                if path == "comment":
                    await self._comment(post, draw)
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
        await self.http.post(address, json={"body": "hello", **parent})


@pytest.mark.faults
async def test_kills_amid_writes_leave_no_drift(
    config: Config, fresh_database_url: str, redis: RedisClient, tmp_path: Path
) -> None:
    wired = config.model_copy(update={"database_url": fresh_database_url})
    acts = 0
    for number in range(ROUNDS):
        draw = random.Random(number)  # noqa: S311 - a schedule, not a secret
        log = tmp_path / "log"
        with served(wired.database_url, wired.redis_url, log) as (port, process):
            async with AsyncExitStack() as stack:
                people = [
                    Person(
                        await stack.enter_async_context(
                            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")
                        ),
                        name,
                    )
                    for name in PEOPLE
                ]
                for person in people:
                    await person.begin()
                answers = [await one.http.post("/posts", json={"body": "hello"}) for one in people]
                posts = [answer.json()["id"] for answer in answers]
                tasks = [asyncio.create_task(one.act_on(posts, draw)) for one in people]
                await asyncio.sleep(1 + draw.random())
                process.send_signal(signal.SIGKILL)
                await asyncio.gather(*tasks)
                acts += sum(person.acts for person in people)

    found = await recount.recount(wired, repair=False)
    assert acts > 10 * ROUNDS
    assert {one.counter: one.drifted for one in found if one.drifted} == {}
