"""Clients that never cease, and what becomes of their requests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx

from tests.support.factories import PASSWORD

READERS, WRITERS = 3, 1
_PAUSE = 0.05  # seconds between two requests of one client


class Load:
    """Clients that never cease, and what has become of their requests."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answered = 0
        self.written = 0
        self.failures: list[str] = []
        self._is_over = False

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Load until the block ends; what is under way then is answered, but for the stream.

        A write whose client had gone would be there without having been counted.
        """
        self._is_over = False
        async with asyncio.TaskGroup() as group:
            for act in [self._read] * READERS + [self._write] * WRITERS:
                group.create_task(self._client(act))
            listening = group.create_task(self._client(self._listen))
            yield
            self._is_over = True
            listening.cancel()

    async def _client(self, act: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=15) as client:
            answer = await client.post("/login", json={"identifier": "ada", "password": PASSWORD})
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            while not self._is_over:
                try:
                    await act(client)
                except httpx.TransportError as error:
                    self.failures.append(f"{act.__name__}: {error!r}")
                await asyncio.sleep(_PAUSE)

    async def _read(self, client: httpx.AsyncClient) -> None:
        self._note(await client.get("/feeds"))

    async def _write(self, client: httpx.AsyncClient) -> None:
        """Send it again where the answer asks for that, as on a machine that was stuck."""
        answer = await client.post("/posts", json={"body": "Still here."})
        if answer.status_code == 503 and answer.json().get("code") == "retry":
            answer = await client.post("/posts", json={"body": "Still here."})
        self._note(answer)
        self.written += answer.is_success

    async def _listen(self, client: httpx.AsyncClient) -> None:
        """A stream may end, but not break off."""
        async with client.stream("GET", "/notifications/stream", timeout=60) as stream:
            async for _ in stream.aiter_raw():
                pass
        self._note(stream)

    def _note(self, answer: httpx.Response) -> None:
        self.answered += 1
        if not answer.is_success:
            who = answer.headers.get("x-request-id", "the balancer")
            self.failures.append(f"{answer.request.method} {answer.status_code} by {who}")


async def register(url: str) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/register", json=account)).status_code == 201


async def posts(database_url: str) -> int:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    found = await connection.fetchval("SELECT count(*) FROM posts WHERE body = 'Still here.'")
    await connection.close()
    return int(found)
